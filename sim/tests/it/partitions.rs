//! Blocked paths and silent hosts: delay, then time-outs.

use std::io::ErrorKind::TimedOut;
use std::time::Duration;

use runtime::TcpStream;
use sim::{Effect, Network, Options, Resend, Sim, World};
use tokio::io::{AsyncReadExt, AsyncWriteExt};

use crate::support::{GIVE_UP, MILLISECOND, ROOM, SECOND, connect, echo, hold, plain, read, server, write};

#[sim::test(options = plain())]
async fn a_partition_delays_and_then_delivers(world: World) {
    let node = server(&world, echo).await;
    let here = world.node("script");
    let mut stream = connect("server").await.unwrap();
    world.partition(&here, &node);
    stream.write_all(b"one").await.unwrap();
    stream.write_all(b"two").await.unwrap();
    let mut answer = [0; 6];
    assert!(world.within(60 * SECOND, stream.read_exact(&mut answer)).await.is_none());
    let healed = world.elapsed();
    world.heal(&here, &node);
    stream.read_exact(&mut answer).await.unwrap();
    assert_eq!(&answer, b"onetwo");
    assert!(world.elapsed() - healed <= Duration::from_millis(302));
    assert!(world.effects()[&Effect::Blocked] >= 1);
}

fn backing_off() -> Options {
    Options { net: Network { retransmit: Resend::BackOff, ..plain().net }, ..plain() }
}

#[sim::test(options = backing_off())]
async fn with_back_off_what_heals_waits_for_the_next_attempt(world: World) {
    let node = server(&world, echo).await;
    let here = world.node("script");
    let mut stream = connect("server").await.unwrap();
    for (heals, attempt) in [(100, 200), (60_000, 102_200), (300_000, 324_600)] {
        world.partition(&here, &node);
        let began = world.elapsed();
        stream.write_all(b"x").await.unwrap();
        world.sleep(heals * MILLISECOND).await;
        world.heal(&here, &node);
        stream.read_exact(&mut [0]).await.unwrap();
        assert_eq!(world.elapsed() - began, attempt * MILLISECOND + 2 * MILLISECOND);
    }
}

#[sim::test(options = plain())]
async fn one_way_is_enough_to_silence_an_echo(world: World) {
    let node = server(&world, echo).await;
    let here = world.node("script");
    let mut stream = connect("server").await.unwrap();
    world.block(&node, &here);
    stream.write_all(b"hello").await.unwrap();
    let mut answer = [0; 5];
    assert!(world.within(60 * SECOND, stream.read_exact(&mut answer)).await.is_none());
    let there = world.connections().remove(0);
    assert_eq!((there.sent, there.read), ([5, 5], [5, 0]), "it arrived, was read and was answered");
    world.heal_all();
    stream.read_exact(&mut answer).await.unwrap();
}

#[sim::test(options = plain())]
async fn a_socket_may_ask_to_time_out_earlier(world: World) {
    let node = server(&world, hold).await;
    let mut stream = connect("server").await.unwrap();
    stream.set_user_timeout(Some(15 * SECOND)).unwrap();
    world.sleep(SECOND).await;
    world.partition(&node, &world.node("script"));
    assert!(world.within(60 * SECOND, read(&mut stream)).await.is_none(), "nothing is unacknowledged");
    let began = world.elapsed();
    assert_eq!(write(&mut stream).await, Ok(1));
    assert_eq!(read(&mut stream).await, Err(TimedOut));
    let took = world.elapsed() - began;
    assert!(took.abs_diff(15 * SECOND) <= MILLISECOND, "{took:?}");
}

#[sim::test(options = plain())]
async fn an_unacknowledged_write_times_out_as_linux_gives_up(world: World) {
    let node = server(&world, hold).await;
    for one_way in [true, false] {
        let mut stream = connect("server").await.unwrap();
        world.sleep(SECOND).await; // the acceptor knows it, too
        if one_way {
            world.block(&node, &world.node("script")); // it arrives; its acknowledgement does not
        } else {
            world.partition(&node, &world.node("script"));
        }
        let began = world.elapsed();
        assert_eq!(write(&mut stream).await, Ok(1));
        assert_eq!(read(&mut stream).await, Err(TimedOut));
        let took = world.elapsed() - began;
        assert!(took.abs_diff(GIVE_UP) <= MILLISECOND, "{took:?}");
        assert_eq!(write(&mut stream).await, Err(std::io::ErrorKind::BrokenPipe));
        world.heal_all();
    }
    assert_eq!(world.effects()[&Effect::Timeout], 2);
    assert_eq!(world.census()["server"].half_open, 2, "the other end never learns");
}

#[sim::test(options = plain())]
async fn connecting_into_silence_times_out_after_127_seconds(world: World) {
    let node = server(&world, hold).await;
    let address = (node.ip(), 80).into();
    let nowhere = ([10, 9, 9, 9], 80).into();
    node.power_off();
    for address in [address, nowhere] {
        let began = world.elapsed();
        assert_eq!(TcpStream::connect(address).await.unwrap_err().kind(), TimedOut);
        assert_eq!(world.elapsed() - began, Duration::from_secs(127));
    }
    node.restart();
    world.sleep(MILLISECOND).await;
    world.partition(&node, &world.node("script"));
    let attempt = world.spawn("attempt", TcpStream::connect(address));
    world.sleep(Duration::from_secs(5)).await;
    assert!(!attempt.is_over());
    world.heal_all();
    let began = world.elapsed();
    attempt.await.unwrap().unwrap();
    assert_eq!(world.elapsed() - began, 2 * SECOND + 2 * MILLISECOND, "the SYN of the seventh second passes");
    assert_eq!(world.effects()[&Effect::ConnectTimeout], 2);
}

#[sim::test(options = plain())]
async fn room_made_behind_a_partition_is_told_after_it(world: World) {
    let node = server(&world, async |mut stream: TcpStream| {
        runtime::sleep(SECOND).await;
        stream.read_exact(&mut [0; 60_000]).await.unwrap();
        hold(stream).await;
    })
    .await;
    let mut stream = connect("server").await.unwrap();
    stream.write_all(&[0; ROOM]).await.unwrap();
    world.sleep(500 * MILLISECOND).await;
    world.block(&node, &world.node("script"));
    assert!(world.within(60 * SECOND, write(&mut stream)).await.is_none());
    world.heal_all();
    let began = world.elapsed();
    assert_eq!(write(&mut stream).await, Ok(1));
    assert!(world.elapsed() - began <= 3 * MILLISECOND);
}

#[sim::test(options = plain())]
async fn an_isolated_node_reaches_nobody(world: World) {
    let node = server(&world, echo).await;
    let other = world.node("other");
    world.isolate(&node);
    let reached = world.within(SECOND, connect("server")).await;
    assert!(reached.is_none());
    other.boot(|| async {
        let reached = runtime::timeout(Duration::from_secs(1), connect("server")).await;
        assert!(reached.is_err());
    });
    other.ended().await;
    world.heal_all();
    connect("server").await.unwrap();
}

/// The answer to bytes that nobody takes is lost under way: they are sent again once the path is open, and answered.
#[test]
fn a_reset_that_is_lost_under_way_is_given_again_to_what_is_repeated() {
    let report = Sim::new(plain()).run(async |world: World| {
        let server = server(&world, hold).await;
        let mut stream = connect("server").await.expect("it listens");
        world.sleep(SECOND).await;
        server.kill();
        // What is under way to it is answered by RST.
        stream.write_all(b"x").await.expect("nobody knows yet");
        drop(stream);
        world.sleep(MILLISECOND + MILLISECOND / 2).await;
        world.partition(&server, &world.node("script"));
        world.sleep(SECOND).await;
        world.heal(&server, &world.node("script"));
        world.sleep(10 * SECOND).await;
        world.census()["script"].closing
    });
    assert_eq!(report.expect_ok(), 0, "a socket is left over that nobody will ever answer");
}

#[sim::test(options = plain())]
async fn a_lost_reset_that_answered_nothing_leaves_a_half_open_end(world: World) {
    let node = server(&world, async |stream: TcpStream| {
        runtime::sleep(SECOND).await;
        drop(stream); // with a byte unread, which its kernel has acknowledged
    })
    .await;
    let mut stream = connect("server").await.unwrap();
    assert_eq!(write(&mut stream).await, Ok(1));
    world.sleep(SECOND + MILLISECOND * 3 / 2).await; // the reset is under way
    world.block(&node, &world.node("script"));
    assert!(world.within(2000 * SECOND, read(&mut stream)).await.is_none(), "nothing is unacknowledged");
}
