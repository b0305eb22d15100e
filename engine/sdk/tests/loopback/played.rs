//! An engine's HTTP side, played by a test.

use std::future::Future;
use std::sync::Arc;

use bytes::Bytes;
use http::{Request, Response};
use http_body_util::Full;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use runtime::{TcpListener, TcpStream};
use sdk::Endpoint;

/// It hangs up instead of an answer.
#[derive(Debug, thiserror::Error)]
#[error("no answer")]
struct HangUp;

/// Answers every request by this function; with nothing it hangs up.
pub(crate) async fn serve<F>(
    answer: impl Fn(Request<Incoming>) -> F + Clone + Send + Sync + 'static,
) -> Endpoint
where
    F: Future<Output = Option<Response<Full<Bytes>>>> + Send + 'static,
{
    let listener = TcpListener::bind("127.0.0.1:0".parse().unwrap()).await.unwrap();
    let endpoint = format!("http://{}", listener.local_addr().unwrap()).parse().unwrap();
    drop(runtime::spawn("played engine", async move {
        while let Ok((stream, _)) = listener.accept().await {
            drop(runtime::spawn("played connection", connection(stream, answer.clone())));
        }
    }));
    endpoint
}

/// The same, on one connection.
pub(crate) async fn connection<F>(stream: TcpStream, answer: impl Fn(Request<Incoming>) -> F + Send + Sync)
where
    F: Future<Output = Option<Response<Full<Bytes>>>> + Send,
{
    let answer = Arc::new(answer);
    let service = service_fn(move |request| {
        let answer = Arc::clone(&answer);
        async move { answer(request).await.ok_or(HangUp) }
    });
    // However it ends: the client hears of it.
    http1::Builder::new().serve_connection(stream, service).await.unwrap_or(());
}
