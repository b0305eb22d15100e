//! What the network does to somebody is counted, each kind apart.

use std::io::ErrorKind::ConnectionRefused;
use std::time::Duration;

use runtime::{TcpListener, TcpStream};
use sim::{Cut, Effect, Node, Side, World};
use tokio::io::{AsyncReadExt, AsyncWriteExt};

use crate::support::{MILLISECOND, SECOND, connect, count, hold, plain, server, write};

/// Half of the way of one segment.
const HALF: Duration = Duration::from_micros(500);

#[sim::test(options = plain())]
async fn a_path_that_is_blocked_one_way_is_felt_by_acknowledgements_and_words_about_room(world: World) {
    let node = server(&world, async |mut stream: TcpStream| {
        stream.read_exact(&mut [0; 1]).await.unwrap();
        runtime::sleep(10 * SECOND).await;
        stream.read_exact(&mut [0; 40_000]).await.unwrap();
        hold(stream).await;
    })
    .await;
    let here = world.node("script");
    let mut stream = connect("server").await.unwrap();
    world.sleep(SECOND).await;
    world.block(&node, &here);
    assert_eq!(write(&mut stream).await, Ok(1));
    world.sleep(SECOND).await;
    assert_eq!(count(&world, Effect::Blocked), 1, "an acknowledgement is lost");
    world.heal_all();
    stream.write_all(&[0; 40_000]).await.unwrap();
    world.sleep(SECOND).await;
    assert_eq!(count(&world, Effect::Blocked), 1);
    world.block(&node, &here);
    world.sleep(20 * SECOND).await;
    assert_eq!(count(&world, Effect::Blocked), 2, "a word about room is lost");
}

#[sim::test(options = plain())]
async fn a_word_about_room_that_is_lost_under_way_is_felt(world: World) {
    let node = server(&world, async |mut stream: TcpStream| {
        runtime::sleep(10 * SECOND).await;
        stream.read_exact(&mut [0; 40_000]).await.unwrap();
        hold(stream).await;
    })
    .await;
    let mut stream = connect("server").await.unwrap();
    stream.write_all(&[0; 40_000]).await.unwrap();
    world.sleep(10 * SECOND + MILLISECOND + HALF).await; // it was accepted a millisecond after it was opened
    world.block(&node, &world.node("script"));
    world.sleep(SECOND).await;
    assert_eq!(count(&world, Effect::Blocked), 1);
}

/// A client that connects, and what is lost of it when `from` → `to` is blocked after so long.
async fn lost(world: &World, port: u16, after: Duration, from: &Node, to: &Node) -> u64 {
    let before = count(world, Effect::Blocked);
    let address = (world.node("server").ip(), port).into();
    let client = world.spawn("client", async move { TcpStream::connect(address).await.map(drop) });
    world.sleep(after).await;
    world.block(from, to);
    world.sleep(SECOND / 2).await;
    let lost = count(world, Effect::Blocked) - before;
    world.heal_all();
    drop(client.await);
    lost
}

#[sim::test(options = plain())]
async fn what_opens_a_connection_and_is_lost_under_way_is_felt(world: World) {
    let node = server(&world, hold).await;
    let here = world.node("script");
    for (what, port, after, from, to) in [
        ("SYN", 80, HALF, &here, &node),
        ("its answer", 80, MILLISECOND + HALF, &node, &here),
        ("a refusal", 81, MILLISECOND + HALF, &node, &here),
    ] {
        assert_eq!(lost(&world, port, after, from, to).await, 1, "{what}");
    }
}

#[sim::test(options = plain())]
async fn silence_is_no_block(world: World) {
    server(&world, async |mut stream: TcpStream| {
        stream.read_exact(&mut [0; 1]).await.unwrap();
        runtime::sleep(10 * SECOND).await; // one byte stays unread: RST
    })
    .await;
    let mut stream = connect("server").await.unwrap();
    stream.write_all(b"two").await.unwrap();
    world.sleep(SECOND).await;
    assert!(world.cut(&world.connections()[0], Cut::Silence, Side::Opener));
    world.sleep(20 * SECOND).await;
    assert_eq!(count(&world, Effect::CutSilence), 1, "the RST is lost");
    assert_eq!(write(&mut stream).await, Ok(1));
    world.sleep(SECOND).await;
    assert_eq!(count(&world, Effect::CutSilence), 2);
    assert_eq!(count(&world, Effect::Blocked), 0);
}

#[sim::test(options = plain())]
async fn a_block_is_no_silence(world: World) {
    let node = server(&world, hold).await;
    let mut stream = connect("server").await.unwrap();
    world.sleep(SECOND).await;
    world.partition(&node, &world.node("script"));
    assert_eq!(write(&mut stream).await, Ok(1));
    world.sleep(SECOND).await;
    assert_eq!((count(&world, Effect::Blocked), count(&world, Effect::CutSilence)), (1, 0));
}

#[sim::test(options = plain())]
async fn a_cut_of_what_nobody_holds_is_not_felt(world: World) {
    for (cut, effect) in [(Cut::Reset, Effect::CutReset), (Cut::Fin, Effect::CutFin)] {
        let node = server(&world, async |stream: TcpStream| drop(stream)).await;
        let stream = connect("server").await.unwrap();
        world.sleep(MILLISECOND + HALF).await; // the acceptor's FIN is under way
        drop(stream);
        assert!(world.cut(&world.connections()[0], cut, Side::Opener));
        assert_eq!(count(&world, effect), 0);
        node.kill();

        let node = world.node("busy");
        node.boot(|| async {
            let _listener = TcpListener::bind(([0; 4], 80).into()).await.unwrap();
            std::future::pending().await
        });
        world.sleep(MILLISECOND).await;
        drop(connect("busy").await.unwrap());
        world.sleep(SECOND).await;
        let queued = world.connections().into_iter().find(|each| each.to == "busy").unwrap();
        assert!(world.cut(&queued, cut, Side::Opener));
        assert_eq!(count(&world, effect), 1, "an acceptor will find it in its queue");
        node.kill();
    }
}

#[sim::test(options = plain())]
async fn an_opener_that_is_reset_is_refused(world: World) {
    let node = server(&world, hold).await;
    let here = world.node("script");
    world.block(&node, &here); // the answer to its SYN is lost
    let address = (node.ip(), 80).into();
    let client = world.spawn("client", async move { TcpStream::connect(address).await.map(drop) });
    world.sleep(10 * MILLISECOND).await;
    world.heal_all();
    node.kill();
    let end = client.await.unwrap();
    assert_eq!(end.unwrap_err().kind(), ConnectionRefused);
    assert_eq!(count(&world, Effect::Refused), 1);
}

#[test]
fn every_effect_of_a_cut_has_a_name_of_its_own() {
    use sim::tap::{Field, Part};
    let own = Part::Own { before: "cut before a word", inside: "cut in a word" };
    let fields = [Field::Data, Field::Event, Field::Id, Field::Retry, Field::Other].map(Part::Value);
    let parts = [
        Part::StartLine,
        Part::Headers,
        Part::Body,
        Part::ChunkSize,
        Part::Chunk,
        Part::ChunkEnd,
        Part::Trailers,
        Part::Event,
        Part::FieldName,
        Part::LineEnd,
        Part::BlankLine,
        Part::Character,
        Part::FrameHeader,
        Part::Mask,
        Part::Payload,
        own,
    ];
    let all: Vec<_> = parts.into_iter().chain(fields).collect();
    let names = all.iter().flat_map(|part| [Effect::CutBefore(*part).name(), Effect::CutIn(*part).name()]);
    let names: std::collections::BTreeSet<_> = names.collect();
    assert_eq!(names.len(), 2 * all.len(), "{names:?}");
}
