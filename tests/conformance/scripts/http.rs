//! HTTP exchanges, by hyper and by hand.

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
        script!(http_keeps_a_connection_alive, answers_all, asks_three_times),
        script!(http_bodies_in_chunks, echoes_bodies, sends_chunks),
        script!(http_bodies_of_known_length, echoes_bodies, sends_a_length),
        script!(http_pipelined_requests_are_answered_in_order, answers_all, asks_by_hand),
        script!(http_closes_when_asked_to, answers_all, asks_to_close),
        script!(http_a_request_body_is_broken_off, echoes_bodies, breaks_its_body_off),
        script!(http_a_response_body_is_broken_off, breaks_its_answer_off, hears_half_an_answer),
        script!(http_a_client_leaves_before_the_answer, answers_never, leaves_early),
        script!(http_a_server_leaves_before_the_answer, leaves_unasked, is_left_alone),
        script!(http_events_end_with_the_server, sends_events, hears_events),
        script!(http_upgrades, upgrades_and_echoes, asks_for_an_upgrade),
        script!(http_half_a_head_is_waited_for_so_long, waits_for_a_head, sends_half_a_head),
        script!(http_nonsense_is_refused, answers_all, talks_nonsense),
        script!(http_an_idle_connection_is_shut_down_gracefully, shuts_down_gracefully, asks_twice),
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

async fn answers_all(stage: Stage, listener: TcpListener) {
    let respond = |request: Request<Incoming>| {
        stage.observe(format!("asked for {}", request.uri().path()));
        let text = format!("this is {}", request.uri().path());
        async { Ok(Response::new(full(text))) }
    };
    serve(&stage, &listener, respond).await;
}

async fn asks_three_times(stage: Stage, address: SocketAddr) {
    let (mut send, drive) = open(address).await;
    for path in ["/one", "/two", "/three"] {
        ask(&stage, &mut send, request("GET", path, full(""))).await;
    }
    close(&stage, send, drive).await;
}

async fn echoes_bodies(stage: Stage, listener: TcpListener) {
    let respond = |request: Request<Incoming>| {
        let stage = stage.clone();
        async move {
            let chunked = request.headers().contains_key(header::TRANSFER_ENCODING);
            let (body, end) = gather(request.into_body()).await;
            stage.observe(format!("asked, chunked: {chunked}, {}, then {end}", shown(&body)));
            Ok(Response::new(full(body)))
        }
    };
    serve(&stage, &listener, respond).await;
}

async fn sends_chunks(stage: Stage, address: SocketAddr) {
    let (mut send, drive) = open(address).await;
    for parts in [&["one, ", "two, ", "three"][..], &["single"], &[]] {
        ask(&stage, &mut send, request("POST", "/", pieces(parts, false))).await;
    }
    close(&stage, send, drive).await;
}

async fn sends_a_length(stage: Stage, address: SocketAddr) {
    let (mut send, drive) = open(address).await;
    for length in [1, 10, 300_000] {
        ask(&stage, &mut send, request("POST", "/", full(patterned(length)))).await;
    }
    close(&stage, send, drive).await;
}

async fn asks_by_hand(stage: Stage, address: SocketAddr) {
    let mut party = stage.connect(address).await;
    let requests: String =
        ["/one", "/two"].map(|path| format!("GET {path} HTTP/1.1\r\nhost: server\r\n\r\n")).concat();
    party.write(requests.as_bytes()).await;
    party.write(b"GET /three HTTP/1.1\r\nhost: server\r\nconnection: close\r\n\r\n").await;
    hear(&stage, &mut party.stream).await;
    party.close();
}

async fn asks_to_close(stage: Stage, address: SocketAddr) {
    let (mut send, drive) = open(address).await;
    let mut last = request("GET", "/last", full(""));
    last.headers_mut().insert(header::CONNECTION, header::HeaderValue::from_static("close"));
    ask(&stage, &mut send, last).await;
    settle().await;
    ask(&stage, &mut send, request("GET", "/one-too-many", full(""))).await;
    close(&stage, send, drive).await;
}

async fn breaks_its_body_off(stage: Stage, address: SocketAddr) {
    let (mut send, drive) = open(address).await;
    ask(&stage, &mut send, request("POST", "/", pieces(&["half of it, "], true))).await;
    close(&stage, send, drive).await;
}

async fn breaks_its_answer_off(stage: Stage, listener: TcpListener) {
    let respond = |_| async { Ok(Response::new(pieces(&["half ", "an answer"], true))) };
    serve(&stage, &listener, respond).await;
}

async fn hears_half_an_answer(stage: Stage, address: SocketAddr) {
    let (mut send, drive) = open(address).await;
    ask(&stage, &mut send, request("GET", "/", full(""))).await;
    close(&stage, send, drive).await;
}

/// Tells when it is dropped.
struct Waiting(Stage);

impl Drop for Waiting {
    fn drop(&mut self) {
        self.0.observe("the request was given up");
    }
}

async fn answers_never(stage: Stage, listener: TcpListener) {
    let respond = |_| {
        let waiting = Waiting(stage.clone());
        async move {
            waiting.0.observe("asked");
            std::future::pending::<()>().await;
            drop(waiting);
            Ok(Response::new(full("never")))
        }
    };
    serve(&stage, &listener, respond).await;
}

async fn leaves_early(stage: Stage, address: SocketAddr) {
    let (mut send, drive) = open(address).await;
    let early = runtime::timeout(SETTLE, send.send_request(request("GET", "/", full("")))).await;
    stage.observe(format!("answered in time: {}", early.is_ok()));
    close(&stage, send, drive).await;
}

async fn leaves_unasked(stage: Stage, listener: TcpListener) {
    let mut party = stage.accept(&listener).await;
    read_head(&mut party.stream).await;
    party.close();
}

async fn is_left_alone(stage: Stage, address: SocketAddr) {
    let (mut send, drive) = open(address).await;
    ask(&stage, &mut send, request("GET", "/", full(""))).await;
    close(&stage, send, drive).await;
}

async fn sends_events(stage: Stage, listener: TcpListener) {
    let mut party = stage.accept(&listener).await;
    read_head(&mut party.stream).await;
    party
        .write(b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ntransfer-encoding: chunked\r\n\r\n")
        .await;
    for event in ["data: 1\n\n", "data: 2\n\n"] {
        party.write(format!("{:x}\r\n{event}\r\n", event.len()).as_bytes()).await;
        settle().await;
    }
    party.write(b"9\r\ndata:").await;
    party.close(); // inside an event
}

async fn hears_events(stage: Stage, address: SocketAddr) {
    let (mut send, drive) = open(address).await;
    ask(&stage, &mut send, request("GET", "/events", full(""))).await;
    close(&stage, send, drive).await;
}

async fn upgrades_and_echoes(stage: Stage, listener: TcpListener) {
    let respond = |mut request: Request<Incoming>| {
        let stage = stage.clone();
        async move {
            let upgrade = hyper::upgrade::on(&mut request);
            drop(spawn("upgraded", async move {
                let mut raw = hyper_util::rt::TokioIo::new(upgrade.await.expect("upgraded"));
                let mut word = [0; 4];
                raw.read_exact(&mut word).await.expect("the client writes");
                raw.write_all(&word).await.expect("the client reads");
                let mut rest = Vec::new();
                let end = raw.read_to_end(&mut rest).await;
                stage.observe(format!("upgraded: {}, then {}", shown(&word), crate::party::end_of(end)));
                stage.meet().await;
            }));
            let answer = Response::builder().status(101).header(header::UPGRADE, "echo");
            Ok(answer.header(header::CONNECTION, "upgrade").body(full("")).expect("an answer"))
        }
    };
    serve(&stage, &listener, respond).await;
    settle().await;
    settle().await;
}

async fn asks_for_an_upgrade(stage: Stage, address: SocketAddr) {
    let (mut send, drive) = open(address).await;
    let mut request = request("GET", "/", full(""));
    for (name, value) in [(header::UPGRADE, "echo"), (header::CONNECTION, "upgrade")] {
        request.headers_mut().insert(name, header::HeaderValue::from_static(value));
    }
    let mut answer = send.send_request(request).await.expect("an answer");
    stage.observe(format!("answer {}", answer.status().as_u16()));
    let mut raw = hyper_util::rt::TokioIo::new(hyper::upgrade::on(&mut answer).await.expect("upgraded"));
    raw.write_all(b"word").await.expect("the server reads");
    let mut word = [0; 4];
    raw.read_exact(&mut word).await.expect("the server writes");
    stage.observe(format!("upgraded: {}", shown(&word)));
    close(&stage, send, drive).await;
    drop(raw);
    stage.meet().await;
}

async fn waits_for_a_head(stage: Stage, listener: TcpListener) {
    serve(&stage, &listener, |_| async { Ok(Response::new(full("never"))) }).await;
}

async fn sends_half_a_head(stage: Stage, address: SocketAddr) {
    let mut party = stage.connect(address).await;
    party.write(b"GET / HTTP/1.1\r\nhost: ser").await;
    hear(&stage, &mut party.stream).await;
    party.close();
}

async fn talks_nonsense(stage: Stage, address: SocketAddr) {
    let mut party = stage.connect(address).await;
    party.write(b"\0").await; // one byte: what the server leaves unread would make a reset of its close
    hear(&stage, &mut party.stream).await;
    party.close();
}

async fn shuts_down_gracefully(stage: Stage, listener: TcpListener) {
    let party = stage.accept(&listener).await;
    let respond = |_| async { io::Result::Ok(Response::new(full("once"))) };
    let mut http = hyper::server::conn::http1::Builder::new();
    http.timer(Timer).auto_date_header(false);
    let mut connection = Box::pin(http.serve_connection(party.stream, service_fn(respond)));
    runtime::select! {
        end = connection.as_mut() => stage.observe(format!("too early: {}", ended(end))),
        () = stage.meet() => stage.observe("still serves"),
    }
    connection.as_mut().graceful_shutdown();
    stage.observe(format!("connection: {}", ended(connection.await)));
}

async fn asks_twice(stage: Stage, address: SocketAddr) {
    let (mut send, drive) = open(address).await;
    ask(&stage, &mut send, request("GET", "/", full(""))).await;
    stage.meet().await;
    settle().await;
    ask(&stage, &mut send, request("GET", "/", full(""))).await;
    close(&stage, send, drive).await;
}
