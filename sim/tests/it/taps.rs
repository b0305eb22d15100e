//! Cuts at places of the protocol, named by plans.

use std::convert::Infallible;
use std::io::ErrorKind::ConnectionReset;
use std::sync::Arc;

use futures_util::{SinkExt, StreamExt};
use http_body_util::{BodyExt, Empty, StreamBody};
use hyper::body::{Bytes, Frame};
use hyper::service::service_fn;
use hyper::{Request, Response};
use runtime::TcpStream;
use runtime::http::Timer;
use sim::tap::{Field, Grammar, Part, Place, Spans, Standing, Tap, Which, Wire};
use sim::{Cut, Effect, Options, Side, Sim, World};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio_tungstenite::tungstenite::Message;

use crate::support::{MILLISECOND, SECOND, connect, frame, plain, server};

const HEAD: &str = "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n";
const EVENTS: [&str; 3] =
    ["12\r\nid: 0\ndata: zero\n\n\r\n", "8\r\ndata: é\r\n4\r\nn\n\r\n\r\n", "9\r\ndata: 2\n\n\r\n"];

/// Answers every request with three events, all in one write.
async fn events(mut stream: TcpStream) {
    let mut request = [0; 18];
    while stream.read_exact(&mut request).await.is_ok() {
        let all = HEAD.to_owned() + &EVENTS.concat() + "0\r\n\r\n";
        if stream.write_all(all.as_bytes()).await.is_err() {
            return;
        }
    }
}

/// What a client hears of the events, and how it ends.
async fn hear(world: &World) -> (String, Option<Result<(), std::io::ErrorKind>>) {
    let mut stream = connect("server").await.expect("it listens");
    stream.write_all(b"GET / HTTP/1.1\r\n\r\n").await.expect("alive");
    let mut heard = Vec::new();
    let end = world.within(SECOND, stream.read_to_end(&mut heard)).await;
    let heard = String::from_utf8_lossy(&heard).into_owned();
    (
        heard.strip_prefix(HEAD).unwrap_or(&heard).to_owned(),
        end.map(|end| end.map(drop).map_err(|error| error.kind())),
    )
}

fn the(number: u64) -> Which {
    Which::The(number)
}

#[sim::test(seeds = 0..10)]
async fn a_cut_falls_at_the_place_that_a_plan_names(world: World) {
    let places = [
        (Place::after_field(Field::Data, the(0)), "12\r\nid: 0\ndata:"),
        (Place::after_field(Field::Id, the(0)), "12\r\nid:"),
        (Place::before_blank_line(the(0)), "12\r\nid: 0\ndata: zero\n"),
        (Place::inside(Part::FieldName, the(0), 3), "12\r\nid: 0\ndat"),
        (Place::before(Part::ChunkEnd, the(0)), "12\r\nid: 0\ndata: zero\n\n"),
        (Place::before(Part::Event, the(1)), "12\r\nid: 0\ndata: zero\n\n\r\n8\r\n"),
        (Place::before(Part::ChunkSize, the(1)), "12\r\nid: 0\ndata: zero\n\n\r\n"),
        (Place::inside(Part::ChunkSize, the(0), 1), "1"),
        (Place::after_chunk_size(the(0)), "12\r\n"),
        (Place::before(Part::Trailers, the(0)), "all but the last two bytes"),
        (Place::inside(Part::Event, Which::Next, 8), "12\r\nid: 0\nda"),
        (Place::inside(Part::Headers, Which::Next, 3), "HTTP/1.1 200 OK\r\nCon"),
    ];
    server(&world, events).await;
    world.tap(Wire::to("server").port(80), Tap::http());
    let all = EVENTS.concat() + "0\r\n\r\n";
    for (place, expected) in places {
        let plan = world.plan_cut(Wire::any(), Side::Acceptor, place, Cut::Reset);
        let (heard, end) = hear(&world).await;
        let expected = if expected.starts_with("all") { &all[..all.len() - 2] } else { expected };
        assert_eq!((heard.as_str(), end), (expected, Some(Err(ConnectionReset))), "{place}");
        assert!(plan.has_fallen());
        let effect = if place.byte == 0 { Effect::CutBefore } else { Effect::CutIn };
        assert!(world.effects().contains_key(&effect(place.part)), "{place}");
    }
    let plan =
        world.plan_cut(Wire::any(), Side::Acceptor, Place::inside(Part::Character, the(1), 0), Cut::Fin);
    let (heard, end) = hear(&world).await;
    assert!(heard.ends_with("data: \u{fffd}") && end == Some(Ok(())), "{heard:?} {end:?}");
    assert!(plan.has_fallen());
    let silent = Place::inside(Part::BlankLine, the(1), 1);
    let plan = world.plan_cut(Wire::any(), Side::Acceptor, silent, Cut::Silence);
    let (heard, end) = hear(&world).await;
    assert!(heard.ends_with("n\n\r") && end.is_none(), "between CR and LF: {heard:?} {end:?}");
    assert!(plan.has_fallen());
    let missing = Place::inside(Part::BlankLine, the(0), 1);
    let plan = world.plan_cut(Wire::any(), Side::Acceptor, missing, Cut::Silence);
    let (heard, end) = hear(&world).await;
    assert_eq!((heard, end), (all, None), "that blank line is one byte long");
    assert_eq!(plan.standing(), Standing::Waits);
    assert!(plan.take_back() && world.unmet().is_empty());
}

const K: Part = Part::Own { before: "cut before K", inside: "cut in K" };
const OTHERS: Part = Part::Own { before: "cut before others", inside: "cut in others" };

/// Messages that name themselves by their first byte.
#[derive(Default)]
struct Letters {
    name: Option<u8>,
    bytes: u64,
    number: u64,
}

impl Grammar for Letters {
    fn begin(&mut self) {
        (self.name, self.bytes) = (None, 0);
    }
    fn feed(&mut self, at: u64, bytes: &[u8], spans: &mut Spans<'_>) {
        let name = *self.name.get_or_insert(bytes[0]);
        let part = if name == b'K' { K } else { OTHERS };
        spans.tell(part, self.number, self.bytes, at, bytes.len());
        self.bytes += bytes.len() as u64;
    }
    fn end(&mut self) {
        self.number += 1;
    }
}

const UPGRADE: &[u8] = b"GET / HTTP/1.1\r\nUpgrade: websocket\r\n\r\n";
const SWITCH: &[u8] = b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\n\r\n";

/// Upgrades, sends two messages in one write, and says how many bytes came behind the head of the request.
async fn speak(world: &World) -> usize {
    let heard = Arc::new(std::sync::atomic::AtomicUsize::new(0));
    let place = Arc::clone(&heard);
    let node = world.node("server");
    node.boot(move || {
        let place = Arc::clone(&place);
        async move {
            let listener = runtime::TcpListener::bind(([0; 4], 80).into()).await.expect("the port is free");
            let (mut stream, _) = listener.accept().await.expect("alive");
            stream.read_exact(&mut vec![0; UPGRADE.len()]).await.expect("alive");
            stream.write_all(SWITCH).await.expect("alive");
            let mut buffer = [0; 100];
            while let Ok(count @ 1..) = stream.read(&mut buffer).await {
                place.fetch_add(count, std::sync::atomic::Ordering::Relaxed);
            }
        }
    });
    world.sleep(MILLISECOND).await;
    let mut stream = connect("server").await.expect("it listens");
    stream.write_all(UPGRADE).await.expect("alive");
    let mut switch = vec![0; SWITCH.len()];
    if stream.read_exact(&mut switch).await.is_ok() {
        let frames = [&b"hello"[..], b"K: world"].map(|payload| frame(0x82, Some([1, 2, 3, 4]), payload));
        stream.write_all(&frames.concat()).await.expect("alive");
    }
    drop(stream);
    node.ended().await;
    heard.load(std::sync::atomic::Ordering::Relaxed)
}

#[sim::test(seeds = 0..10)]
async fn a_cut_falls_inside_frames_and_the_messages_in_them(world: World) {
    world.tap(Wire::between("script", "server"), Tap::messages(|_| Box::<Letters>::default()));
    assert_eq!(speak(&world).await, 25, "two frames of 11 and 14 bytes");
    let places = [
        (Place::after_upgrade(), 0),
        (Place::inside(Part::FrameHeader, the(0), 1), 1),
        (Place::after_masked_frame_header(the(0)), 2),
        (Place::inside(Part::Mask, the(0), 3), 5),
        (Place::before_payload(Which::Next), 6),
        (Place::inside(Part::Payload, the(0), 4), 10),
        (Place::before(Part::FrameHeader, the(1)), 11),
        (Place::inside(Part::Mask, the(1), 1), 14),
        (Place::inside(K, Which::Next, 3), 20),
        (Place::inside(OTHERS, Which::Next, 1), 7),
        (Place::inside(Part::Payload, Which::Next, 6), 23),
    ];
    for (place, expected) in places {
        let plan = world.plan_cut(Wire::to("server"), Side::Opener, place, Cut::Fin);
        assert_eq!(speak(&world).await, expected, "{place}");
        assert!(plan.has_fallen(), "{place}");
    }
    assert_eq!(world.effects()[&Effect::CutBefore(Part::Mask)], 1);
    assert_eq!(world.effects()[&Effect::CutIn(Part::Mask)], 2);
    assert_eq!(world.effects()[&Effect::CutIn(K)], 1);
}

#[sim::test(options = plain())]
async fn one_plan_falls_once_and_only_where_it_was_laid(world: World) {
    server(&world, events).await;
    world.tap(Wire::to("server"), Tap::http());
    let second = Wire::between("script", "server").port(80).ordinal(1);
    let place = Place::before(Part::Event, the(2));
    let one = world.plan_cut(second, Side::Acceptor, place, Cut::Fin);
    let any = world.plan_cut(Wire::any(), Side::Acceptor, Place::before(Part::Event, the(1)), Cut::Fin);
    let event = |heard: &str| heard.matches("data").count();
    assert_eq!(event(&hear(&world).await.0), 1, "the plan for any falls on the first");
    assert!(any.has_fallen() && !one.has_fallen());
    assert_eq!(event(&hear(&world).await.0), 2);
    assert!(one.has_fallen() && !one.take_back());
    assert_eq!(event(&hear(&world).await.0), 3);
    // One connection, which is open.
    let mut stream = connect("server").await.unwrap();
    let connection = world.connections().into_iter().find(|connection| connection.ordinal == 3).unwrap();
    let plan = world.cut_in(&connection, Side::Acceptor, place, Cut::Fin).unwrap();
    stream.write_all(b"GET / HTTP/1.1\r\n\r\n").await.unwrap();
    world.sleep(MILLISECOND + MILLISECOND / 2).await;
    assert_eq!(plan.standing(), Standing::Due, "sent, and under way");
    assert!(plan.take_back());
    world.sleep(SECOND).await;
    assert_eq!(plan.standing(), Standing::TakenBack);
    let heard = world.connection("script", "server", 80, 3).unwrap();
    assert!(heard.live, "nothing was cut");
    drop(stream);
}

#[test]
fn plans_that_meet_nothing_are_reported_with_the_reason() {
    let report = Sim::new(plain()).run(async |world: World| {
        server(&world, events).await;
        world.tap(Wire::to("server").port(80), Tap::http());
        let far = Place::before(Part::Event, Which::The(99));
        world.plan_cut(Wire::to("server").ordinal(0), Side::Acceptor, far, Cut::Reset);
        world.plan_cut(Wire::to("nobody"), Side::Opener, far, Cut::Fin);
        let early = Place::before(Part::StartLine, Which::The(9));
        world.plan_cut(Wire::to("server"), Side::Opener, early, Cut::Fin);
        hear(&world).await;
        let mut stream = connect("server").await.unwrap();
        stream.write_all(b"no request at all\n\n").await.unwrap();
        world.sleep(SECOND).await;
    });
    let reasons: Vec<_> = report.unmet.iter().map(ToString::to_string).collect();
    assert_eq!(
        reasons,
        [
            "Reset of anybody→server#0 before byte 0 of Event 99 of what Acceptor says: it did not come",
            "Fin of anybody→nobody before byte 0 of Event 99 of what Opener says: there was no tapped connection",
            "Fin of anybody→server before byte 0 of StartLine 9 of what Opener says: the tap stopped at byte 18: no HTTP/1.1 head",
        ]
    );
}

#[test]
fn a_tap_without_a_plan_changes_nothing() {
    let run = |taps: bool| {
        Sim::seed(3).run(async move |world: World| {
            if taps {
                world.tap(Wire::any(), Tap::http());
            }
            server(&world, events).await;
            hear(&world).await;
        })
    };
    assert_eq!(run(true).digest, run(false).digest);
}

#[test]
fn a_run_leaves_nothing_of_a_tap_that_holds_its_world() {
    let held = Arc::new(());
    let mine = Arc::clone(&held);
    let script = async move |world: World| {
        let inside = world.clone();
        let make = move |_| {
            let _both = (&mine, &inside);
            Box::<Letters>::default() as Box<dyn Grammar>
        };
        world.tap(Wire::any(), Tap::of(make));
        server(&world, events).await;
        hear(&world).await;
    };
    Sim::seed(0).run(script).expect_ok();
    assert_eq!(Arc::strong_count(&held), 1);
}

#[sim::test]
async fn a_connection_without_a_tap_takes_no_plan(world: World) {
    server(&world, events).await;
    let _stream = connect("server").await.unwrap();
    let connection = &world.connections()[0];
    assert!(world.cut_in(connection, Side::Opener, Place::after_upgrade(), Cut::Fin).is_none());
}

/// A stream of events by hyper, which a plan cuts inside event 7 behind `data:`.
async fn hyper_events(world: World) -> String {
    world.tap(Wire::to("server"), Tap::http());
    let place = Place::after_field(Field::Data, Which::The(7));
    let plan = world.plan_cut(Wire::to("server"), Side::Acceptor, place, Cut::Reset);
    server(&world, async |stream: TcpStream| {
        let respond = service_fn(async |_request| {
            let pings = futures_util::stream::unfold(0u32, |count| async move {
                runtime::sleep(SECOND).await;
                let text = format!("event: ping\ndata: {count}\n\n");
                Some((Ok::<_, Infallible>(Frame::data(Bytes::from(text))), count + 1))
            });
            let answer = Response::builder().header("content-type", "text/event-stream");
            Ok::<_, Infallible>(answer.body(StreamBody::new(pings)).expect("valid"))
        });
        let mut http = hyper::server::conn::http1::Builder::new();
        http.timer(Timer).auto_date_header(false);
        let _cut = http.serve_connection(stream, respond).await;
    })
    .await;
    let (mut send, drive) =
        hyper::client::conn::http1::handshake(connect("server").await.expect("it listens"))
            .await
            .expect("alive");
    let drive = runtime::spawn("drive", drive);
    let request = Request::get("/").header("host", "server").body(Empty::<Bytes>::new()).expect("alive");
    let mut body = send.send_request(request).await.expect("alive").into_body();
    let mut heard = String::new();
    while let Some(Ok(frame)) = body.frame().await {
        heard.push_str(&String::from_utf8_lossy(frame.data_ref().expect("alive")));
    }
    drop(drive);
    assert!(plan.has_fallen());
    heard
}

#[test]
fn an_event_of_a_real_server_is_cut_behind_its_data() {
    for seed in 0..5 {
        let report = sim::verify(&Options::seed(seed), hyper_events).unwrap();
        let heard = report.expect_ok();
        assert!(heard.ends_with("data: 6\n\nevent: ping\ndata:"), "{heard}");
    }
}

#[sim::test(seeds = 0..5)]
async fn a_frame_of_a_real_client_is_cut_inside_its_mask(world: World) {
    if !sim::is_hosted() {
        return;
    }
    world.tap(Wire::to("server"), Tap::http());
    server(&world, async |stream: TcpStream| {
        let mut socket = tokio_tungstenite::accept_async(stream).await.expect("a handshake");
        while let Some(Ok(message)) = socket.next().await {
            if socket.send(message).await.is_err() {
                return;
            }
        }
    })
    .await;
    let stream = connect("server").await.unwrap();
    let (mut socket, _) = tokio_tungstenite::client_async("ws://server/", stream).await.unwrap();
    let connection = &world.connections()[0];
    let place = Place::inside(Part::Mask, Which::The(5), 2);
    let plan = world.cut_in(connection, Side::Opener, place, Cut::Reset).unwrap();
    let mut echoes = 0;
    while socket.send(Message::binary(vec![7; 100])).await.is_ok() {
        let Some(Ok(_)) = socket.next().await else { break };
        echoes += 1;
    }
    assert_eq!(echoes, 5);
    assert!(plan.has_fallen());
}
