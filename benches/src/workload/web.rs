//! HTTP as hyper speaks it: requests on one connection, and event streams.

use std::convert::Infallible;
use std::time::Duration;

use bytes::Bytes;
use futures_util::{StreamExt as _, stream};
use http_body_util::{BodyExt as _, Empty, Full, StreamBody};
use hyper::body::{Body, Frame, Incoming};
use hyper::client::conn::http1::{SendRequest, handshake};
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper::{Request, Response};
use hyper_util::rt::TokioIo;

use super::all_done;
use crate::contender::Contender;

/// Requests on one connection: so many that the beginning and end of a run do not count.
pub const GETS: usize = 10_000;
/// Event streams at one time.
pub const STREAMS: usize = 100;
/// Pings of each, one a second: a virtual hour.
pub const SSE_PINGS: usize = 3_600;

const PING: &[u8] = b"event: ping\ndata:\n\n";

async fn serve<C, B>(stream: C::Stream, body: fn() -> B)
where
    C: Contender,
    B: Body<Data = Bytes, Error = Infallible> + Send + 'static,
{
    let service =
        service_fn(move |_: Request<Incoming>| async move { Ok::<_, Infallible>(Response::new(body())) });
    let mut builder = http1::Builder::new();
    // How it ends is the client's affair: a contender may close or reset.
    let _end = builder.auto_date_header(false).serve_connection(TokioIo::new(stream), service).await;
}

async fn serve_text<C: Contender>(stream: C::Stream) {
    serve::<C, _>(stream, || Full::new(Bytes::from_static(b"hello"))).await;
}

async fn serve_pings<C: Contender>(stream: C::Stream) {
    let pings = || {
        let ping = stream::repeat(()).take(SSE_PINGS).then(|()| async {
            C::sleep(Duration::from_secs(1)).await;
            Ok(Frame::data(Bytes::from_static(PING)))
        });
        StreamBody::new(Box::pin(ping))
    };
    serve::<C, _>(stream, pings).await;
}

async fn client<C: Contender>(stream: C::Stream) -> SendRequest<Empty<Bytes>> {
    let (sender, connection) = handshake(TokioIo::new(stream)).await.expect("no bytes are needed for it");
    C::spawn(async move { drop(connection.await) });
    sender
}

fn request() -> Request<Empty<Bytes>> {
    Request::builder().uri("/").header("host", "server").body(Empty::new()).expect("well formed")
}

/// [`GETS`] requests, one after the other, on one connection that is kept alive.
pub async fn gets<C: Contender>() {
    let mut sender = client::<C>(C::connect(serve_text::<C>).await).await;
    for _ in 0..GETS {
        let response = sender.send_request(request()).await.expect("the server answers");
        let body = response.into_body().collect().await.expect("whole").to_bytes();
        assert_eq!(body, "hello");
    }
}

/// [`STREAMS`] event streams, each open until [`SSE_PINGS`] pings have come.
pub async fn streams<C: Contender>() {
    let mut senders = Vec::new();
    for _ in 0..STREAMS {
        senders.push(client::<C>(C::connect(serve_pings::<C>).await).await);
    }
    all_done::<C, _>(senders.into_iter().map(|mut sender| async move {
        let mut body = sender.send_request(request()).await.expect("the server answers").into_body();
        let mut bytes = 0;
        while let Some(frame) = body.frame().await {
            bytes += frame.expect("nothing breaks in a benchmark").data_ref().map_or(0, Bytes::len);
        }
        assert_eq!(bytes, SSE_PINGS * PING.len());
    }))
    .await;
}
