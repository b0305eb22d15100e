//! Faults on one connection while another of the same pair lives.

use std::io::ErrorKind::{BrokenPipe, ConnectionReset, TimedOut};

use runtime::{TcpListener, TcpStream};
use sim::{Cut, Effect, Side, World};
use tokio::io::{AsyncReadExt, AsyncWriteExt};

use crate::support::{GIVE_UP, MILLISECOND, SECOND, connect, echo, plain, read, server, write};

/// Two connections of one pair; the first one has carried a request.
async fn two(world: &World) -> (TcpStream, TcpStream) {
    server(world, echo).await;
    let mut first = connect("server").await.expect("the server listens");
    first.write_all(b"GET /events HTTP/1.1\r\n\r\n").await.expect("the server lives");
    first.read_exact(&mut [0; 24]).await.expect("the server lives");
    (first, connect("server").await.expect("the server listens"))
}

async fn is_alive(stream: &mut TcpStream) -> bool {
    stream.write_all(b"x").await.is_ok() && stream.read_exact(&mut [0]).await.is_ok()
}

#[sim::test(options = plain())]
async fn connections_are_found_by_pair_port_ordinal_and_by_what_they_carry(world: World) {
    let (mut first, _second) = two(&world).await;
    let found = world.connection("script", "server", 80, 0).unwrap();
    assert!(found.live && found.carries("GET /events"));
    assert_eq!((found.sent, found.read), ([24, 24], [24, 24]));
    assert!(!world.connection("script", "server", 80, 1).unwrap().carries("GET /events"));
    assert!(world.connection("script", "server", 80, 2).is_none());
    first.write_all(b"GET /next HTTP/1.1\r\n").await.unwrap();
    let found = world.connection("script", "server", 80, 0).unwrap();
    assert!(found.carries("GET /next"), "the latest request of a kept-alive connection");
    assert!(found.head.starts_with(b"GET /events"));
}

#[sim::test(options = plain())]
async fn a_reset_from_between_is_felt_by_both_ends(world: World) {
    let (mut first, mut second) = two(&world).await;
    let connection = world.connection("script", "server", 80, 0).unwrap();
    assert!(world.cut(&connection, Cut::Reset, Side::Opener));
    assert!(!world.cut(&connection, Cut::Reset, Side::Opener), "it is cut already");
    assert_eq!(read(&mut first).await, Err(ConnectionReset), "the near end at once");
    assert_eq!(world.connections().len(), 2);
    drop(first);
    world.sleep(2 * MILLISECOND).await;
    assert_eq!(world.connections().len(), 1, "the far end was told, too");
    assert!(is_alive(&mut second).await);
    assert_eq!(world.effects()[&Effect::CutReset], 1);
}

#[sim::test(options = plain())]
async fn a_fin_from_between_ends_both_streams(world: World) {
    let (mut first, mut second) = two(&world).await;
    let connection = world.connection("script", "server", 80, 0).unwrap();
    assert!(world.cut(&connection, Cut::Fin, Side::Acceptor));
    assert_eq!(read(&mut first).await, Ok(vec![]));
    assert_eq!(write(&mut first).await, Ok(1), "nobody knows yet");
    world.sleep(10 * MILLISECOND).await;
    assert_eq!(write(&mut first).await, Err(BrokenPipe));
    drop(first);
    world.sleep(SECOND).await;
    assert_eq!(world.connections().len(), 1, "the server read the end and closed");
    assert!(is_alive(&mut second).await);
}

#[sim::test(options = plain())]
async fn silence_is_felt_only_by_who_writes(world: World) {
    let (mut first, mut second) = two(&world).await;
    let connection = world.connection("script", "server", 80, 0).unwrap();
    assert!(world.cut(&connection, Cut::Silence, Side::Opener));
    assert!(world.within(3600 * SECOND, read(&mut first)).await.is_none());
    assert!(!world.effects().contains_key(&Effect::CutSilence), "nobody has felt it");
    let began = world.elapsed();
    assert_eq!(write(&mut first).await, Ok(1));
    assert_eq!(read(&mut first).await, Err(TimedOut));
    assert_eq!(world.elapsed() - began, GIVE_UP);
    assert_eq!(world.effects()[&Effect::CutSilence], 1);
    assert!(is_alive(&mut second).await);
    drop(first);
    assert_eq!(world.census()["server"].half_open, 1);
}

#[sim::test(options = plain())]
async fn a_cut_falls_inside_a_message_at_the_byte(world: World) {
    for (offset, cut) in [(7, Cut::Reset), (1, Cut::Fin), (11, Cut::Silence)] {
        let node = world.node("server");
        if !node.is_running() {
            server(&world, async |mut stream: TcpStream| {
                stream.write_all(b"data: hello\n\n").await.unwrap();
                let _end = stream.read_to_end(&mut Vec::new()).await;
            })
            .await;
        }
        let mut stream = connect("server").await.unwrap();
        let connection = world.connections().pop().unwrap();
        assert!(world.cut_at(&connection, Side::Opener, offset, cut));
        let mut got = Vec::new();
        let end = world.within(SECOND, stream.read_to_end(&mut got)).await;
        assert_eq!(got, b"data: hello\n\n"[..offset as usize]);
        match cut {
            Cut::Reset => assert_eq!(end.unwrap().unwrap_err().kind(), ConnectionReset),
            Cut::Fin => assert!(end.unwrap().is_ok()),
            Cut::Silence => assert!(end.is_none()),
        }
        drop(stream);
        world.sleep(2000 * SECOND).await;
    }
}

/// How a stream ended, if it did.
type End = Option<Result<(), std::io::ErrorKind>>;

/// What a cut at byte four leaves of ten, and how the stream then ends.
async fn heard(world: &World, stream: &mut TcpStream) -> (Vec<u8>, End) {
    let mut got = Vec::new();
    let end = world.within(SECOND, stream.read_to_end(&mut got)).await;
    (got, end.map(|end| end.map(drop).map_err(|error| error.kind())))
}

const CUTS: [(Cut, Effect, End); 3] = [
    (Cut::Reset, Effect::CutReset, Some(Err(ConnectionReset))),
    (Cut::Fin, Effect::CutFin, Some(Ok(()))),
    (Cut::Silence, Effect::CutSilence, None),
];

#[sim::test(options = plain())]
async fn a_cut_falls_inside_what_an_orphaned_writer_left(world: World) {
    server(&world, async |mut stream: TcpStream| stream.write_all(b"0123456789").await.unwrap()).await;
    for (cut, effect, end) in CUTS {
        let mut stream = connect("server").await.unwrap();
        let connection = world.connections().pop().unwrap();
        assert!(world.cut_at(&connection, Side::Opener, 4, cut));
        assert_eq!(heard(&world, &mut stream).await, (b"0123".to_vec(), end));
        assert!(world.effects().contains_key(&effect));
        assert!(
            !world.cut_at(&connection, Side::Opener, 20, cut) && !world.cut(&connection, cut, Side::Opener)
        );
    }
    assert_eq!(world.census()["server"].closing, 1, "of the silenced one the rest is not acknowledged");
    world.sleep(103 * SECOND).await;
    assert_eq!(world.census()["server"].closing, 0);
    // A segment that says more than the end of the stream is cut behind it.
    let mut whole = connect("server").await.unwrap();
    let connection = world.connections().pop().unwrap();
    assert!(world.cut_at(&connection, Side::Opener, 10, Cut::Reset));
    assert_eq!(heard(&world, &mut whole).await, (b"0123456789".to_vec(), Some(Ok(()))));
}

#[sim::test(options = plain())]
async fn a_cut_falls_inside_what_nobody_has_accepted_yet(world: World) {
    for (port, (cut, effect, end)) in (80..).zip(CUTS) {
        let got = std::rc::Rc::new(std::cell::RefCell::new(None));
        let place = std::rc::Rc::clone(&got);
        let node = world.node("server");
        let here = world.clone();
        node.boot(move || {
            let (place, here) = (std::rc::Rc::clone(&place), here.clone());
            async move {
                let listener = TcpListener::bind(([0; 4], port).into()).await.unwrap();
                runtime::sleep(SECOND).await;
                let (mut stream, _) = listener.accept().await.unwrap();
                let all = heard(&here, &mut stream).await;
                *place.borrow_mut() = Some(all);
            }
        });
        world.sleep(MILLISECOND).await;
        let mut stream = TcpStream::connect((node.ip(), port).into()).await.unwrap();
        let connection = world.connections().pop().unwrap();
        assert!(world.cut_at(&connection, Side::Acceptor, 4, cut));
        stream.write_all(b"0123456789").await.unwrap();
        let expected = match cut {
            Cut::Reset => Err(ConnectionReset),
            Cut::Fin => Ok(vec![]),
            Cut::Silence => Err(TimedOut),
        };
        assert_eq!(read(&mut stream).await, expected);
        node.ended().await;
        assert_eq!(got.take(), Some((b"0123".to_vec(), end)));
        assert!(world.effects().contains_key(&effect));
    }
}
