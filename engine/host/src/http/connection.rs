//! One connection of a client.

use std::convert::Infallible;
use std::pin::pin;

use hyper::server::conn::http1;
use hyper::service::service_fn;
use runtime::TcpStream;

use super::patient::Patient;
use super::router;
use crate::engine::core::Core;
use crate::halt::Halt;

/// Serves requests until the client leaves, `drain` is given and the current one is answered, or the core ends.
pub(super) async fn serve(core: Core, stream: TcpStream, drain: Halt) {
    let halt = core.halt.clone();
    let mut builder = http1::Builder::new();
    builder
        .timer(runtime::http::Timer)
        // hyper would take it from the host's clock.
        .auto_date_header(false)
        .header_read_timeout(core.limits.head_timeout)
        .max_headers(core.limits.headers_max)
        .max_header_size(core.limits.head_bytes_max)
        // A buffer of that size holds the largest head; what is beyond is found without reading more of it.
        .max_buf_size(core.limits.head_bytes_max);
    let stream = Patient::new(stream, core.limits.write_timeout);
    let service = service_fn(move |request| {
        let core = core.clone();
        async move { Ok::<_, Infallible>(router::answer(core, request).await) }
    });
    let connection = builder.serve_connection(stream, service).with_upgrades();
    let mut connection = pin!(connection);
    let ended = runtime::select! {
        () = halt.given() => return,
        () = drain.given() => None,
        ended = connection.as_mut() => Some(ended),
    };
    let ended = match ended {
        Some(ended) => ended,
        None => {
            connection.as_mut().graceful_shutdown();
            runtime::select! {
                () = halt.given() => return,
                ended = connection => ended,
            }
        }
    };
    if let Err(error) = ended {
        tracing::debug!(%error, "a connection ended out of order");
    }
}
