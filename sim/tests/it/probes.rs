//! Who waits for an acknowledgement, or for room, learns in the end that nobody is there.

use std::io::ErrorKind::{BrokenPipe, ConnectionReset, TimedOut};
use std::time::Duration;

use runtime::TcpStream;
use sim::{Cut, Node, Side, Sim, World};
use tokio::io::{AsyncReadExt, AsyncWriteExt};

use crate::support::{GIVE_UP, MILLISECOND, ROOM, SECOND, connect, hold, plain, read, server, write};

/// Until something is sent again and answered.
const SOON: Duration = Duration::from_millis(303);

/// A connection without room: its reader reads nothing.
async fn full(world: &World) -> (Node, TcpStream) {
    let node = server(world, hold).await;
    let mut stream = connect("server").await.expect("the server listens");
    stream.write_all(&[0; ROOM]).await.expect("there is room");
    world.sleep(SECOND).await; // all of it has arrived
    (node, stream)
}

#[test]
fn a_writer_without_room_times_out_when_nobody_answers() {
    let faults: [fn(&World, &Node); 3] = [
        |_, node| node.power_off(),
        |world, node| world.partition(node, &world.node("script")),
        |world, _| assert!(world.cut(&world.connections()[0], Cut::Silence, Side::Opener)),
    ];
    for fault in faults {
        let run = Sim::new(plain()).run(async move |world: World| {
            let (node, mut stream) = full(&world).await;
            let began = world.elapsed();
            fault(&world, &node);
            assert_eq!(write(&mut stream).await, Err(TimedOut));
            // The third probe goes 1.4 s after the first byte without window and is lost, at the latest where it arrives.
            let took = world.elapsed() - began - GIVE_UP;
            assert!((398 * MILLISECOND..=400 * MILLISECOND).contains(&took), "{took:?}");
        });
        run.expect_ok();
    }
}

#[sim::test(options = plain())]
async fn a_writer_without_room_is_reset_by_a_host_that_is_back(world: World) {
    for off in [Duration::ZERO, 100 * SECOND] {
        let (node, mut stream) = full(&world).await;
        node.power_off();
        assert!(off.is_zero() || world.within(off, write(&mut stream)).await.is_none());
        node.restart();
        let began = world.elapsed();
        assert_eq!(write(&mut stream).await, Err(ConnectionReset));
        // The third probe comes 1.4 s after the first byte without window.
        assert!(world.elapsed() - began <= 403 * MILLISECOND);
        node.kill();
    }
}

#[sim::test(options = plain())]
async fn a_writer_without_room_waits_for_a_reader_that_sleeps(world: World) {
    server(&world, async |mut stream: TcpStream| {
        runtime::sleep(Duration::from_hours(2)).await;
        stream.read_exact(&mut [0; 30_000]).await.unwrap();
        hold(stream).await;
    })
    .await;
    let mut stream = connect("server").await.unwrap();
    let began = world.elapsed();
    stream.write_all(&[0; ROOM]).await.unwrap();
    assert_eq!(write(&mut stream).await, Ok(1));
    assert_eq!((world.elapsed() - began).as_secs(), 7200);
    drop(stream);
    world.sleep(SECOND).await;
    assert!(world.within(SECOND, connect("server")).await.is_some(), "no probe is left");
}

#[sim::test(options = plain())]
async fn a_lost_reset_is_given_again(world: World) {
    let here = world.node("script");
    let node = server(&world, async |stream: TcpStream| drop(stream)).await;
    let mut closed = connect("server").await.unwrap();
    assert_eq!(read(&mut closed).await, Ok(vec![]));
    world.block(&node, &here);
    assert_eq!(write(&mut closed).await, Ok(1));
    world.sleep(SECOND).await;
    world.heal_all();
    world.sleep(SOON).await;
    assert_eq!(write(&mut closed).await, Err(BrokenPipe));
    node.kill();

    let node = server(&world, hold).await;
    let [mut healed, mut given_up] = [connect("server").await.unwrap(), connect("server").await.unwrap()];
    world.sleep(SECOND).await;
    node.power_off();
    node.restart();
    world.block(&node, &here);
    assert_eq!(write(&mut given_up).await, Ok(1));
    assert_eq!(read(&mut given_up).await, Err(TimedOut));
    assert_eq!(write(&mut healed).await, Ok(1));
    assert!(world.within(100 * SECOND, read(&mut healed)).await.is_none());
    world.heal_all();
    assert_eq!(world.within(SOON, read(&mut healed)).await, Some(Err(ConnectionReset)));
}

#[sim::test(options = plain())]
async fn a_sender_counts_from_its_first_unacknowledged_byte(world: World) {
    let node = server(&world, hold).await;
    let here = world.node("script");
    let mut stream = connect("server").await.unwrap();
    world.sleep(SECOND).await;
    world.partition(&node, &here);
    let began = world.elapsed();
    assert_eq!(write(&mut stream).await, Ok(1));
    world.sleep(500 * SECOND).await;
    world.heal(&node, &here);
    world.partition(&node, &here); // before anything was sent again
    assert_eq!(read(&mut stream).await, Err(TimedOut));
    assert_eq!(world.elapsed() - began, GIVE_UP);
}

#[sim::test(options = plain())]
async fn an_acknowledgement_that_was_lost_is_asked_for_again(world: World) {
    let node = server(&world, hold).await;
    let here = world.node("script");
    let mut stream = connect("server").await.unwrap();
    world.sleep(SECOND).await;
    world.block(&node, &here);
    assert_eq!(write(&mut stream).await, Ok(1));
    world.sleep(SECOND).await;
    world.heal_all();
    assert!(world.within(2000 * SECOND, read(&mut stream)).await.is_none(), "it was acknowledged in the end");
    world.block(&node, &here);
    assert_eq!(write(&mut stream).await, Ok(1));
    world.sleep(SECOND).await;
    node.power_off();
    world.heal_all();
    node.restart();
    assert_eq!(world.within(SOON, read(&mut stream)).await, Some(Err(ConnectionReset)));
}

#[sim::test(options = plain())]
async fn nobody_waits_for_an_acknowledgement_of_the_handshake(world: World) {
    let node = server(&world, hold).await;
    let mut stream = connect("server").await.unwrap();
    world.partition(&node, &world.node("script")); // the last step is under way
    assert!(world.within(2000 * SECOND, read(&mut stream)).await.is_none());
    assert_eq!(write(&mut stream).await, Ok(1));
    assert_eq!(read(&mut stream).await, Err(TimedOut));
}

#[test]
fn a_silent_opener_does_not_learn_that_its_acceptor_is_gone() {
    let faults: [fn(&World, &Node); 2] = [
        |_, node| node.power_off(),
        |world, node| world.partition(node, &world.node("script")), // until the handshake is forgotten
    ];
    for fault in faults {
        let run = Sim::new(plain()).run(async move |world: World| {
            let node = server(&world, hold).await;
            let mut stream = connect("server").await.unwrap();
            fault(&world, &node); // the last step is under way
            world.sleep(64 * SECOND).await;
            world.heal_all();
            if !node.is_running() {
                node.restart();
            }
            assert!(world.within(2000 * SECOND, read(&mut stream)).await.is_none());
            assert_eq!(write(&mut stream).await, Ok(1));
            assert_eq!(world.within(SOON, read(&mut stream)).await, Some(Err(ConnectionReset)));
        });
        run.expect_ok();
    }
}

#[sim::test(options = plain())]
async fn what_a_dead_host_had_sent_is_not_sent_again(world: World) {
    let node = server(&world, async |mut stream: TcpStream| {
        stream.write_all(b"last words").await.unwrap();
        hold(stream).await;
    })
    .await;
    let mut stream = connect("server").await.unwrap();
    world.sleep(MILLISECOND * 3 / 2).await; // they are under way
    node.power_off();
    world.partition(&node, &world.node("script"));
    world.sleep(SECOND).await;
    world.heal_all();
    node.restart();
    assert!(world.within(2000 * SECOND, read(&mut stream)).await.is_none());
}
