//! Libraries people use, inside a world, under faults: each run of a seed is the same.

use std::convert::Infallible;
use std::time::Duration;

use futures_util::{SinkExt, StreamExt};
use http_body_util::{BodyExt, Full, StreamBody};
use hyper::body::{Bytes, Frame, Incoming};
use hyper::service::service_fn;
use hyper::{Request, Response};
use runtime::TcpStream;
use runtime::http::Timer;
use sim::{Options, World, verify};
use tokio_tungstenite::tungstenite::Message;

use crate::support::{MILLISECOND, SECOND, connect, echo, server};

type Body = http_body_util::combinators::BoxBody<Bytes, Infallible>;

/// `POST /` sends the body back; everything else is a stream of pings.
async fn respond(request: Request<Incoming>) -> Result<Response<Body>, hyper::Error> {
    if request.method() == "POST" {
        let body = request.into_body().collect().await?.to_bytes();
        return Ok(Response::new(Full::new(body).boxed()));
    }
    let pings = futures_util::stream::unfold(0u32, |count| async move {
        runtime::sleep(SECOND).await;
        let text = format!("event: ping\ndata: {count}\n\n");
        Some((Ok(Frame::data(Bytes::from(text))), count + 1))
    });
    Ok(Response::new(BodyExt::boxed(StreamBody::new(pings))))
}

async fn serve_http(stream: TcpStream) {
    let mut http = hyper::server::conn::http1::Builder::new();
    http.timer(Timer).auto_date_header(false);
    let _cut = http.serve_connection(stream, service_fn(respond)).await;
}

async fn http_and_sse(world: World) -> Vec<String> {
    let node = server(&world, serve_http).await;
    let mut heard = Vec::new();
    for round in 0..3u32 {
        let (mut send, drive) =
            hyper::client::conn::http1::handshake(connect("server").await.expect("it listens"))
                .await
                .expect("a connection");
        let drive = runtime::spawn("drive", drive);
        for size in [1usize, 1000, 100_000] {
            let body = Full::new(Bytes::from(vec![7; size]));
            let request = Request::post("/").header("host", "server").body(body.boxed()).expect("valid");
            let answer = send.send_request(request).await.expect("an answer");
            let length = answer.into_body().collect().await.expect("a body").to_bytes().len();
            heard.push(format!("{length} at {:?}", world.elapsed()));
        }
        let request = Request::get("/").header("host", "server");
        let request = request.body(Full::new(Bytes::new()).boxed()).expect("valid");
        let mut events = send.send_request(request).await.expect("an answer").into_body();
        let mut pings = String::new();
        while !pings.ends_with("data: 2\n\n") {
            let frame = events.frame().await.expect("a ping").expect("a frame");
            pings.push_str(&String::from_utf8_lossy(frame.data_ref().expect("data")));
        }
        heard.push(pings);
        if round == 0 {
            node.kill();
            let end = events.frame().await;
            heard.push(format!("{:?}", end.map(|frame| frame.is_err())));
            node.restart();
            world.sleep(MILLISECOND).await;
        }
        drop(drive);
    }
    heard
}

async fn websocket(world: World) -> usize {
    server(&world, async |stream: TcpStream| {
        let mut socket = tokio_tungstenite::accept_async(stream).await.expect("a handshake");
        while let Some(Ok(message)) = socket.next().await {
            if message.is_close() || socket.send(message).await.is_err() {
                return;
            }
        }
    })
    .await;
    let stream = connect("server").await.expect("it listens");
    let (mut socket, _) = tokio_tungstenite::client_async("ws://server/", stream).await.expect("a handshake");
    let mut echoed = 0;
    for size in 0..100 {
        socket.send(Message::binary(vec![size; usize::from(size) * 50])).await.expect("alive");
        let answer = socket.next().await.expect("alive").expect("a message");
        assert_eq!(answer.len(), usize::from(size) * 50);
        echoed += 1;
    }
    socket.close(None).await.expect("alive");
    echoed
}

/// The order of a hash map, told on the wire and in the story.
#[expect(clippy::disallowed_types, reason = "what inhabitants must not use is what hosting makes harmless")]
async fn hash_maps(world: World) -> Vec<u32> {
    server(&world, echo).await;
    let map: std::collections::HashMap<u32, ()> = (0..100).map(|key| (key, ())).collect();
    let order: Vec<u32> = map.into_keys().collect();
    let mut stream = connect("server").await.expect("it listens");
    for key in &order {
        tokio::io::AsyncWriteExt::write_all(&mut stream, &key.to_le_bytes()).await.expect("alive");
    }
    let mut entropy = [0; 8];
    getrandom::fill(&mut entropy).expect("hosted");
    world.note(format!("{order:?} {entropy:?}"));
    order
}

#[test]
fn http_and_sse_are_the_same_twice() {
    for seed in 0..10 {
        let report = verify(&Options::seed(seed), http_and_sse).unwrap();
        assert!(report.elapsed > Duration::from_secs(9));
        let heard = report.expect_ok();
        assert_eq!(heard.iter().filter(|text| text.contains("data: 2")).count(), 3);
        assert!(heard.contains(&"Some(true)".to_owned()), "the kill was heard: {heard:?}");
    }
}

#[test]
fn websockets_are_the_same_twice() {
    if sim::is_hosted() {
        for seed in 0..10 {
            assert_eq!(verify(&Options::seed(seed), websocket).unwrap().expect_ok(), 100);
        }
    }
}

#[test]
fn hash_maps_and_entropy_are_the_same_twice_and_differ_between_seeds() {
    if sim::is_hosted() {
        let order = |seed| verify(&Options::seed(seed), hash_maps).unwrap().expect_ok();
        assert_ne!(order(1), order(2));
    }
}

#[sim::test(seeds = 0..1)]
#[expect(clippy::disallowed_types, reason = "this is what hosting answers")]
async fn clocks_of_the_standard_library_follow_and_threads_are_refused(world: World) {
    if !sim::is_hosted() {
        return;
    }
    let (mono, wall) = (std::time::Instant::now(), std::time::SystemTime::now());
    assert_eq!(wall.duration_since(std::time::UNIX_EPOCH).unwrap(), sim::WALL_BASE);
    world.sleep(Duration::from_hours(1)).await;
    assert_eq!(mono.elapsed(), Duration::from_hours(1));
    assert_eq!(wall.elapsed().unwrap(), Duration::from_hours(1));
    let started = std::panic::catch_unwind(|| std::thread::Builder::new().spawn(|| ()).is_ok());
    assert!(!started.unwrap_or(false));
}
