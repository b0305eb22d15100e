//! Full windows and full send buffers while something goes wrong.

use std::io::ErrorKind::{BrokenPipe, ConnectionReset, TimedOut};
use std::time::Duration;

use runtime::TcpStream;
use sim::{Cut, Network, Node, Options, Ratio, Schedule, Side, Sim, World};
use tokio::io::{AsyncReadExt, AsyncWriteExt};

use crate::support::{GIVE_UP, MILLISECOND, ROOM, SECOND, connect, hold, plain, read, server, taken, write};

/// What the server says is lost.
const BLOCK: fn(&World, &Node) = |world, node| world.block(node, &world.node("script"));
const BUFFER: usize = 10_000;

fn small_buffer() -> Options {
    Options { net: Network { send_buffer: BUFFER as u32, ..plain().net }, ..plain() }
}

#[sim::test(options = plain())]
async fn a_writer_without_room_learns_that_its_connection_was_closed_in_between(world: World) {
    server(&world, async |mut stream: TcpStream| {
        runtime::sleep(SECOND + 100 * MILLISECOND).await;
        let _all = stream.read_to_end(&mut Vec::new()).await;
    })
    .await;
    let mut stream = connect("server").await.unwrap();
    let writer =
        world.spawn("writer", async move { stream.write_all(&[0; 1_000_000]).await.unwrap_err().kind() });
    world.sleep(SECOND).await;
    assert!(world.cut(&world.connections()[0], Cut::Fin, Side::Opener));
    assert_eq!(world.within(60 * SECOND, writer).await, Some(Some(BrokenPipe)));
}

#[test]
fn what_is_acknowledged_leaves_the_send_buffer_even_if_nobody_reads_it() {
    for fault in [BLOCK, |_, node| node.power_off()] {
        let run = Sim::new(plain()).run(async move |world: World| {
            let node = server(&world, hold).await;
            let mut stream = connect("server").await.unwrap();
            stream.write_all(&[0; 60_000]).await.unwrap();
            world.sleep(SECOND).await;
            fault(&world, &node);
            taken(&world, &mut stream, 10_000, MILLISECOND / 10).await
        });
        assert_eq!(run.expect_ok(), 87_040);
    }
}

#[test]
fn a_writer_whose_buffer_was_acknowledged_learns_of_a_peer_that_is_gone() {
    for fault in [BLOCK, |_, node| node.power_off()] {
        for patience in [None, Some(5 * SECOND)] {
            let run = Sim::new(small_buffer()).run(async move |world: World| {
                let node = server(&world, hold).await;
                let mut stream = connect("server").await.unwrap();
                stream.set_user_timeout(patience).unwrap();
                stream.write_all(&[0; BUFFER]).await.unwrap();
                world.sleep(SECOND).await;
                fault(&world, &node);
                assert_eq!(world.within(SECOND, write(&mut stream)).await, Some(Ok(1)));
                assert_eq!(world.within(2 * GIVE_UP, read(&mut stream)).await, Some(Err(TimedOut)));
            });
            run.expect_ok();
        }
    }
}

#[sim::test(options = small_buffer())]
async fn a_writer_whose_acknowledgement_is_lost_under_way_times_out_or_goes_on(world: World) {
    for heals in [true, false] {
        let node = server(&world, hold).await;
        let here = world.node("script");
        let mut stream = connect("server").await.unwrap();
        world.sleep(SECOND).await;
        stream.write_all(&[0; BUFFER]).await.unwrap();
        assert!(world.within(MILLISECOND * 3 / 2, write(&mut stream)).await.is_none(), "its buffer is full");
        world.block(&node, &here);
        if heals {
            assert!(world.within(10 * SECOND, write(&mut stream)).await.is_none(), "it does not know");
            world.heal_all();
            assert_eq!(world.within(SECOND, write(&mut stream)).await, Some(Ok(1)));
        } else {
            assert_eq!(world.within(2 * GIVE_UP, write(&mut stream)).await, Some(Err(TimedOut)));
        }
        world.heal_all();
        node.kill();
    }
}

#[sim::test(options = small_buffer())]
async fn a_writer_that_waits_goes_on_when_the_acknowledgement_under_way_arrives(world: World) {
    let node = server(&world, hold).await;
    let mut stream = connect("server").await.unwrap();
    world.sleep(SECOND).await;
    stream.write_all(&[0; BUFFER]).await.unwrap();
    world.sleep(MILLISECOND * 3 / 2).await; // the bytes have arrived
    node.power_off();
    let began = world.elapsed();
    assert_eq!(world.within(SECOND, write(&mut stream)).await, Some(Ok(1)));
    assert_eq!(world.elapsed() - began, MILLISECOND / 2);
}

#[test]
fn a_poll_that_waits_for_room_draws_nothing() {
    let run = |polls: bool, wait: u32| {
        let net = Network { send_buffer: BUFFER as u32, partial: Ratio::NEVER, ..Network::default() };
        let options = Options { net, schedule: Schedule::Fifo, name_streams: true, ..Options::seed(7) };
        let run = Sim::new(options).run(async move |world: World| {
            server(&world, hold).await;
            let mut stream = connect("server").await.unwrap();
            world.sleep(SECOND).await;
            stream.write_all(&[0; BUFFER]).await.unwrap();
            world.sleep(wait * MILLISECOND / 10).await;
            polls && world.within(Duration::ZERO, write(&mut stream)).await.is_none()
        });
        let back = run.streams.iter().find(|count| count.stream == "latency/script←server:80#0");
        let drawn = back.map(|count| count.decisions);
        (run.expect_ok(), drawn)
    };
    let mut waited = 0;
    for wait in 0..30 {
        let (waits, drawn) = run(true, wait);
        if waits {
            waited += 1;
            assert_eq!(drawn, run(false, wait).1, "after {wait} tenths of a millisecond");
        }
    }
    assert!(waited >= 8, "it waits until the acknowledgement has come: {waited}");
}

#[sim::test(options = plain())]
async fn an_end_that_is_gone_says_nothing_of_room(world: World) {
    let node = server(&world, async |mut stream: TcpStream| {
        runtime::sleep(1500 * MILLISECOND).await;
        stream.set_user_timeout(Some(SECOND)).unwrap();
        stream.write_all(b"never heard").await.unwrap();
        runtime::sleep(1300 * MILLISECOND).await; // it has timed out after 1 s, and the path has healed
        let mut all = vec![0; 65_536];
        stream.read_exact(&mut all).await.unwrap();
        hold(stream).await;
    })
    .await;
    let mut stream = connect("server").await.unwrap();
    stream.write_all(&[0; ROOM]).await.unwrap();
    let began = world.elapsed();
    world.sleep(1450 * MILLISECOND).await;
    world.block(&node, &world.node("script"));
    world.sleep(1250 * MILLISECOND).await;
    world.heal_all();
    assert_eq!(read(&mut stream).await, Err(ConnectionReset));
    // The next question for room comes 3 s after the first byte without window.
    assert!(
        (world.elapsed() - began).abs_diff(3 * SECOND) < 10 * MILLISECOND,
        "{:?}",
        world.elapsed() - began
    );
}
