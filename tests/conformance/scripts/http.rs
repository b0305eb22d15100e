//! HTTP exchanges, by hyper and by hand: `whole` ones, and those that are `broken` off or nonsense.

mod broken;
mod whole;

use std::error::Error as _;
use std::future::Future;
use std::io;
use std::net::SocketAddr;
use std::time::Duration;

use bytes::Bytes;
use futures_util::stream;
use http::{Request, Response, header};
use http_body_util::combinators::BoxBody;
use http_body_util::{BodyExt, Full, StreamBody};
use hyper::body::{Frame, Incoming};
use hyper::client::conn::http1::SendRequest;
use hyper::service::service_fn;
use runtime::http::Timer;
use runtime::{JoinHandle, TcpListener, TcpStream, spawn};
use tokio::io::{AsyncReadExt, AsyncWriteExt};

use super::{Script, script};
use crate::party::{SETTLE, Stage, patterned, settle, shown};

pub(super) fn scripts() -> Vec<Script> {
    vec![
        script!(http_keeps_a_connection_alive, whole::answers_all, whole::asks_three_times),
        script!(http_bodies_in_chunks, whole::echoes_bodies, whole::sends_chunks),
        script!(http_bodies_of_known_length, whole::echoes_bodies, whole::sends_a_length),
        script!(http_pipelined_requests_are_answered_in_order, whole::answers_all, whole::asks_by_hand),
        script!(http_closes_when_asked_to, whole::answers_all, whole::asks_to_close),
        script!(http_a_request_body_is_broken_off, whole::echoes_bodies, broken::breaks_its_body_off),
        script!(http_a_response_body_is_broken_off, broken::breaks_its_answer_off, broken::asks_once),
        script!(http_a_client_leaves_before_the_answer, broken::answers_never, broken::leaves_early),
        script!(http_a_server_leaves_before_the_answer, broken::leaves_unasked, broken::asks_once),
        script!(http_events_end_with_the_server, whole::sends_events, whole::hears_events),
        script!(http_upgrades, whole::upgrades_and_echoes, whole::asks_for_an_upgrade),
        script!(http_half_a_head_is_waited_for_so_long, broken::waits_for_a_head, broken::sends_half_a_head),
        script!(http_nonsense_is_refused, whole::answers_all, broken::talks_nonsense),
        script!(
            http_an_idle_connection_is_shut_down_gracefully,
            whole::shuts_down_gracefully,
            whole::asks_twice
        ),
    ]
}

type Body = BoxBody<Bytes, io::Error>;

fn full(text: impl Into<Bytes>) -> Body {
    Full::new(text.into()).map_err(|never| match never {}).boxed()
}

/// A body of these pieces, one frame each; after the last one it breaks off, if told to.
fn pieces(pieces: &[&'static str], breaks_off: bool) -> Body {
    let frames = pieces.iter().map(|piece| Ok(Frame::data(Bytes::from(*piece))));
    let end = breaks_off.then(|| Err(io::Error::other("broken off")));
    let frames: Vec<_> = frames.chain(end).collect();
    // Between two frames others have a turn, so that each is written by itself.
    let frames = stream::unfold(frames.into_iter(), |mut frames| async move {
        runtime::sleep(Duration::from_millis(5)).await;
        frames.next().map(|frame| (frame, frames))
    });
    BodyExt::boxed(StreamBody::new(Box::pin(frames)))
}

/// What went wrong, as far as it is the same everywhere.
fn told(error: &hyper::Error) -> String {
    let cause = error.source().and_then(|cause| cause.downcast_ref::<io::Error>());
    let what = match error {
        error if error.is_incomplete_message() => "incomplete message",
        error if error.is_body_write_aborted() => "body write aborted",
        error if error.is_canceled() => "canceled",
        error if error.is_closed() => "closed",
        error if error.is_timeout() => "timeout",
        error if error.is_parse() => "unreadable",
        error if error.is_user() => "its own side",
        _ => "error",
    };
    cause.map_or_else(|| what.to_owned(), |cause| format!("{what} ({:?})", cause.kind()))
}

fn ended(end: Result<(), hyper::Error>) -> String {
    end.map_or_else(|error| told(&error), |()| "ended well".to_owned())
}

/// Serves one connection and observes how it ended.
async fn serve<F, Fut>(stage: &Stage, listener: &TcpListener, respond: F)
where
    F: Fn(Request<Incoming>) -> Fut + Send,
    Fut: Future<Output = io::Result<Response<Body>>> + Send,
{
    let party = stage.accept(listener).await;
    let mut http = hyper::server::conn::http1::Builder::new();
    http.timer(Timer).auto_date_header(false).header_read_timeout(10 * SETTLE);
    let served = http.serve_connection(party.stream, service_fn(respond)).with_upgrades().await;
    stage.observe(format!("connection: {}", ended(served)));
}

type Driving = JoinHandle<Result<(), hyper::Error>>;

async fn open(address: SocketAddr) -> (SendRequest<Body>, Driving) {
    let stream = TcpStream::connect(address).await.expect("the server listens");
    let (send, drive) = hyper::client::conn::http1::handshake(stream).await.expect("a connection");
    (send, spawn("drive", drive.with_upgrades()))
}

fn request(method: &str, path: &str, body: Body) -> Request<Body> {
    let request = Request::builder().method(method).uri(path).header(header::HOST, "server");
    request.body(body).expect("a request")
}

/// Asks, and observes the answer: status, body frame by frame put together, and how it ended.
async fn ask(stage: &Stage, send: &mut SendRequest<Body>, request: Request<Body>) {
    match send.send_request(request).await {
        Err(error) => stage.observe(format!("no answer: {}", told(&error))),
        Ok(answer) => {
            let status = answer.status().as_u16();
            let chunked = answer.headers().contains_key(header::TRANSFER_ENCODING);
            let (body, end) = gather(answer.into_body()).await;
            stage.observe(format!("answer {status}, chunked: {chunked}, {}, then {end}", shown(&body)));
        }
    }
}

/// All bytes of a body, and how it ended.
async fn gather(mut body: Incoming) -> (Vec<u8>, String) {
    let mut bytes = Vec::new();
    while let Some(frame) = body.frame().await {
        match frame {
            Ok(frame) => bytes.extend_from_slice(frame.data_ref().map_or(&[][..], |data| data)),
            Err(error) => return (bytes, told(&error)),
        }
    }
    (bytes, "end".to_owned())
}

async fn close(stage: &Stage, send: SendRequest<Body>, drive: Driving) {
    drop(send);
    stage.observe(format!("connection: {}", ended(drive.await.expect("it ends"))));
}

/// Reads a head to its last byte: what stays unread would make a reset of the drop.
pub(super) async fn read_head(stream: &mut TcpStream) {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        let mut byte = [0];
        stream.read_exact(&mut byte).await.expect("a request");
        head.push(byte[0]);
    }
}

/// Reads a stream to its end, as text.
async fn hear(stage: &Stage, stream: &mut TcpStream) {
    let mut heard = Vec::new();
    let end = crate::party::end_of(stream.read_to_end(&mut heard).await);
    stage.observe(format!("heard {:?}, then {end}", String::from_utf8_lossy(&heard)));
}
