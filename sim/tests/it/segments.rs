//! What lies between a write and a read: segments, send buffer, receive window, bandwidth.

use std::io::ErrorKind::TimedOut;
use std::num::NonZeroU64;
use std::time::Duration;

use runtime::{TcpListener, TcpStream};
use sim::{Effect, Latency, Network, Node, Options, Ratio, Sim, World};
use tokio::io::{AsyncReadExt, AsyncWriteExt};

use crate::support::{MILLISECOND, SECOND, connect, hold, plain, read, server, taken, write};

/// What Ethernet leaves of a frame.
const MSS: usize = 1_448;

/// Nothing partial, and a latency of up to so many milliseconds.
fn late(most: u32) -> Options {
    let latency = Latency::Uniform(Duration::ZERO, most * MILLISECOND);
    Options { net: Network { latency, partial: Ratio::NEVER, ..Network::default() }, ..Options::default() }
}

/// Sends ten segments' worth in one write, and waits.
async fn ten_segments(mut stream: TcpStream) {
    let count = stream.write(&[7; 10 * MSS]).await.expect("the reader is there");
    assert_eq!(count, 10 * MSS);
    hold(stream).await;
}

/// The sizes of the reads in which so many bytes come.
async fn sizes(stream: &mut TcpStream, bytes: usize) -> Vec<usize> {
    let (mut sizes, mut buffer) = (Vec::new(), vec![0; bytes]);
    while sizes.iter().sum::<usize>() < bytes {
        sizes.push(stream.read(&mut buffer).await.expect("the writer is there"));
    }
    sizes
}

#[test]
fn a_large_write_arrives_segment_by_segment() {
    let mut all = Vec::new();
    for seed in 0..10 {
        let run = Sim::new(Options { seed, ..late(10) }).run(async |world: World| {
            server(&world, ten_segments).await;
            sizes(&mut connect("server").await.unwrap(), 10 * MSS).await
        });
        all.push(run.expect_ok());
    }
    assert!(all.iter().flatten().all(|size| size % MSS == 0), "{all:?}");
    assert!(all.iter().filter(|sizes| sizes.len() > 1).count() >= 5, "{all:?}");
}

#[sim::test(options = plain())]
async fn segments_that_arrive_together_are_one_and_loopback_has_large_ones(world: World) {
    server(&world, ten_segments).await;
    assert_eq!(sizes(&mut connect("server").await.unwrap(), 10 * MSS).await, [10 * MSS]);
    let node = world.node("alone");
    node.boot(async || {
        let listener = TcpListener::bind(([127, 0, 0, 1], 80).into()).await.unwrap();
        let mut client = TcpStream::connect(([127, 0, 0, 1], 80).into()).await.unwrap();
        let (mut accepted, _) = listener.accept().await.unwrap();
        client.write_all(&[7; 65_483]).await.unwrap();
        assert_eq!(sizes(&mut accepted, 65_483).await, [65_483]);
    });
    node.ended().await;
}

#[test]
fn a_block_cuts_a_write_between_two_segments() {
    let mut seen = std::collections::BTreeSet::new();
    for seed in 0..20 {
        let options = Options { seed, ..late(100) };
        let got = Sim::new(options).run(async |world: World| {
            let node = server(&world, ten_segments).await;
            let mut stream = connect("server").await.unwrap();
            world.sleep(50 * MILLISECOND).await;
            world.block(&node, &world.node("script"));
            let mut got = Vec::new();
            assert!(world.within(SECOND, stream.read_to_end(&mut got)).await.is_none());
            world.heal_all();
            let before = got.len();
            assert!(world.within(SECOND, stream.read_to_end(&mut got)).await.is_none());
            assert_eq!(got.len(), 10 * MSS, "the rest is sent again");
            before
        });
        seen.insert(got.expect_ok());
    }
    assert!(seen.iter().all(|bytes| bytes % MSS == 0), "{seen:?}");
    assert!(seen.iter().any(|bytes| (1..10 * MSS).contains(bytes)), "{seen:?}");
}

/// Two bounds that nobody could mistake for one another.
fn small_buffers() -> Options {
    Options { net: Network { send_buffer: 30_000, window: 10_000, ..plain().net }, ..plain() }
}

/// Writes until nothing is taken any more, in pieces of which neither bound is a multiple.
async fn fill(world: &World, stream: &mut TcpStream) -> usize {
    taken(world, stream, 7_000, 100 * MILLISECOND).await
}

#[sim::test(options = small_buffers())]
async fn a_writer_fills_the_window_of_its_reader_and_then_its_own_buffer(world: World) {
    let node = server(&world, hold).await;
    let mut stream = connect("server").await.unwrap();
    assert_eq!(fill(&world, &mut stream).await, 40_000);
    assert_eq!(world.census()["server"].unread, 10_000, "no more is on the way than the window takes");
    // Behind a block nothing is acknowledged: all of it stays in the writer's buffer.
    let mut blocked = connect("server").await.unwrap();
    world.block(&world.node("script"), &node);
    assert_eq!(fill(&world, &mut blocked).await, 30_000);
}

#[sim::test(options = small_buffers())]
async fn a_writer_that_was_stopped_goes_on_when_a_third_is_free(world: World) {
    server(&world, async |mut stream: TcpStream| {
        runtime::sleep(10 * SECOND).await;
        stream.read_exact(&mut [0; 9_000]).await.unwrap();
        runtime::sleep(10 * SECOND).await;
        stream.read_exact(&mut [0; 2_000]).await.unwrap();
        hold(stream).await;
    })
    .await;
    let mut stream = connect("server").await.unwrap();
    fill(&world, &mut stream).await;
    let began = world.elapsed();
    write(&mut stream).await.unwrap();
    assert!((world.elapsed() - began).as_secs() >= 19, "9,000 are less than a third");
}

#[sim::test(options = small_buffers())]
async fn an_end_of_stream_waits_behind_what_the_window_holds_back(world: World) {
    server(&world, async |mut stream: TcpStream| {
        runtime::sleep(10 * SECOND).await;
        let mut all = Vec::new();
        stream.read_to_end(&mut all).await.unwrap();
        assert_eq!(all.len(), 40_000);
        stream.write_all(b"all of it").await.unwrap();
    })
    .await;
    let mut stream = connect("server").await.unwrap();
    fill(&world, &mut stream).await;
    stream.shutdown().await.unwrap();
    assert_eq!(read(&mut stream).await, Ok(b"all of it".to_vec()));
}

#[sim::test(options = plain())]
async fn a_window_that_stays_shut_ends_who_asked_for_it(world: World) {
    server(&world, hold).await;
    let mut patient = connect("server").await.unwrap();
    let mut stream = connect("server").await.unwrap();
    stream.set_user_timeout(Some(15 * SECOND)).unwrap();
    let began = world.elapsed();
    fill(&world, &mut stream).await;
    fill(&world, &mut patient).await;
    assert_eq!(read(&mut stream).await, Err(TimedOut), "although its peer's kernel answers");
    let took = world.elapsed() - began;
    assert!(took.abs_diff(Duration::from_millis(15_200)) <= 3 * MILLISECOND, "{took:?}");
    assert!(world.within(3600 * SECOND, read(&mut patient)).await.is_none());
}

#[sim::test(options = small_buffers())]
async fn a_kernel_forgets_what_a_closed_socket_cannot_deliver(world: World) {
    let node = server(&world, hold).await;
    for blocked in [false, true] {
        let mut stream = connect("server").await.unwrap();
        if blocked {
            world.partition(&node, &world.node("script"));
        }
        fill(&world, &mut stream).await;
        drop(stream);
        world.sleep(100 * SECOND).await;
        assert_eq!(world.census()["script"].closing, 1);
        world.sleep(if blocked { 3 * SECOND } else { 300 * SECOND }).await;
        assert_eq!(world.census()["script"].closing, 0);
    }
}

/// How long 65,000 bytes take to arrive, and then one more byte of another connection.
async fn arrival(world: &World) -> (Duration, Duration) {
    let mut streams =
        [connect("server").await.expect("it listens"), connect("server").await.expect("it listens")];
    let began = world.elapsed();
    let [bulk, other] = &mut streams;
    bulk.write_all(&vec![7; 65_000]).await.expect("the server lives");
    other.write_all(b"x").await.expect("the server lives");
    other.read_exact(&mut [0]).await.expect("the server lives");
    let other = world.elapsed() - began;
    bulk.read_exact(&mut vec![0; 65_000]).await.expect("the server lives");
    (world.elapsed() - began, other)
}

#[test]
fn a_path_with_little_bandwidth_queues_what_goes_its_way() {
    let rate = NonZeroU64::new(1_000_000);
    let set: [fn(&World, &Node, Option<NonZeroU64>); 2] =
        [|_, _, _| {}, |world, node, rate| world.set_bandwidth(&world.node("script"), node, rate)];
    for (default, set, limited) in [(rate, set[0], true), (None, set[1], true), (None, set[0], false)] {
        let options = Options { net: Network { bandwidth: default, ..plain().net }, ..plain() };
        let run = Sim::new(options).run(async move |world: World| {
            let node = server(&world, crate::support::echo).await;
            set(&world, &node, rate);
            arrival(&world).await
        });
        assert_eq!(run.effects.contains_key(&Effect::Queued), limited);
        let (bulk, other) = run.expect_ok();
        if limited {
            // 45 frames of 65,000 bytes and their headers take 67.97 ms at a byte per microsecond.
            assert!(other >= Duration::from_micros(67_970 + 67), "it waits behind the bulk: {other:?}");
            assert!(bulk >= Duration::from_micros(67_970), "{bulk:?}");
            assert!(bulk < 150 * MILLISECOND, "{bulk:?}");
        } else {
            assert!(bulk <= 10 * MILLISECOND && other == 2 * MILLISECOND, "{bulk:?} {other:?}");
        }
    }
}

#[test]
fn what_is_sent_again_queues_for_the_bandwidth_and_what_is_lost_does_not() {
    for blocked_first in [false, true] {
        let run = Sim::new(plain()).run(async move |world: World| {
            let node = server(&world, crate::support::echo).await;
            let here = world.node("script");
            world.set_bandwidth(&here, &node, NonZeroU64::new(1_000));
            let mut stream = connect("server").await.unwrap();
            world.sleep(SECOND).await;
            if !blocked_first {
                stream.write_all(&[7; 65_000]).await.unwrap();
            }
            world.partition(&here, &node);
            if blocked_first {
                stream.write_all(&[7; 65_000]).await.unwrap();
            }
            world.sleep(if blocked_first { 10 * SECOND } else { 100 * SECOND }).await;
            world.heal(&here, &node);
            let began = world.elapsed();
            stream.read_exact(&mut [0; 1]).await.unwrap();
            let first = world.elapsed() - began;
            stream.read_exact(&mut vec![0; 64_999]).await.unwrap();
            (first, world.elapsed() - began)
        });
        let (first, all) = run.expect_ok();
        assert!(first <= 2 * SECOND, "{first:?}");
        // 45 frames, 65,000 bytes with their headers, at a byte per millisecond, 300 ms after healing at the latest.
        assert!((67 * SECOND..69 * SECOND).contains(&all), "{all:?}");
    }
}
