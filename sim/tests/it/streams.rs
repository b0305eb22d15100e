//! One connection between live nodes: order, window, half-close, FIN, RST. The expected errors are what Linux gives.

use std::io::ErrorKind::{BrokenPipe, ConnectionRefused, ConnectionReset, NotConnected, TimedOut};
use std::time::Duration;

use runtime::{TcpListener, TcpStream};
use sim::{Effect, Network, Options, World};
use tokio::io::{AsyncReadExt, AsyncWriteExt};

use crate::support::{
    GIVE_UP, MILLISECOND, ROOM, SECOND, connect, echo, hold, plain, read, server, taken, write,
};

#[sim::test(seeds = 0..50)]
async fn an_echo_comes_back_whole_in_pieces(world: World) {
    server(&world, echo).await;
    let stream = connect("server").await.unwrap();
    assert_eq!(stream.peer_addr().unwrap().to_string(), "10.0.0.1:80");
    let (mut from, mut to) = tokio::io::split(stream);
    let sent: Vec<u8> = (0..200_000u32).map(|n| (n % 251) as u8).collect();
    let expected = sent.clone();
    let writer = world.spawn("writer", async move {
        to.write_all(&sent).await.unwrap();
        to.shutdown().await.unwrap();
    });
    let mut got = Vec::new();
    let mut reads = 0;
    let mut buffer = vec![0; 100];
    loop {
        let count = from.read(&mut buffer).await.unwrap();
        if count == 0 {
            break;
        }
        reads += 1;
        got.extend_from_slice(&buffer[..count]);
    }
    assert_eq!(writer.await, Some(()));
    assert_eq!(got, expected);
    assert!(reads > 2050, "2,000 would be whole; reads are partial: {reads}");
}

#[sim::test(options = plain())]
async fn a_handshake_takes_one_round_trip_and_a_refusal_as_long(world: World) {
    server(&world, hold).await;
    let began = world.elapsed();
    let address = (world.node("server").ip(), 80).into();
    TcpStream::connect(address).await.unwrap();
    assert_eq!(world.elapsed() - began, 2 * MILLISECOND);
    let began = world.elapsed();
    let refused = TcpStream::connect((world.node("server").ip(), 81).into()).await;
    assert_eq!(refused.unwrap_err().kind(), ConnectionRefused);
    assert_eq!(world.elapsed() - began, 2 * MILLISECOND);
    assert_eq!(world.effects()[&Effect::Refused], 1);
}

#[sim::test(options = plain())]
async fn each_half_closes_by_itself(world: World) {
    server(&world, async |mut stream: TcpStream| {
        // Reads to the end first, and answers into the half that is still open.
        let mut all = Vec::new();
        stream.read_to_end(&mut all).await.unwrap();
        stream.write_all(&all).await.unwrap();
        stream.shutdown().await.unwrap();
        assert_eq!(read(&mut stream).await, Ok(vec![]));
    })
    .await;
    let mut stream = connect("server").await.unwrap();
    stream.write_all(b"to the end").await.unwrap();
    stream.shutdown().await.unwrap();
    assert_eq!(write(&mut stream).await, Err(BrokenPipe), "after its own shutdown");
    let mut all = Vec::new();
    stream.read_to_end(&mut all).await.unwrap();
    assert_eq!(all, b"to the end");
}

#[sim::test(options = plain())]
async fn the_acceptor_may_close_its_half_first(world: World) {
    server(&world, async |mut stream: TcpStream| {
        stream.shutdown().await.unwrap();
        let mut all = Vec::new();
        stream.read_to_end(&mut all).await.unwrap();
        assert_eq!(all, b"still open");
    })
    .await;
    let mut stream = connect("server").await.unwrap();
    assert_eq!(read(&mut stream).await, Ok(vec![]));
    stream.write_all(b"still open").await.unwrap();
    drop(stream);
    world.sleep(SECOND).await;
    assert_eq!(world.census()["server"].sockets, 0);
}

#[sim::test(options = plain())]
async fn a_writer_stops_at_exactly_its_buffer_and_the_window(world: World) {
    server(&world, async |mut stream: TcpStream| {
        runtime::sleep(SECOND).await;
        let mut part = vec![0; 30_000];
        stream.read_exact(&mut part).await.unwrap();
        hold(stream).await;
    })
    .await;
    let mut stream = connect("server").await.unwrap();
    let began = world.elapsed();
    assert_eq!(taken(&world, &mut stream, 10_000, 100 * MILLISECOND).await, ROOM);
    let count = stream.write(&[7; 10_000]).await.unwrap();
    assert_eq!(count, 10_000);
    // The reader began a second after it accepted (half a round trip after the opener); then 1 ms each: the word about
    // room, the bytes that lacked it, the word that they have come.
    assert_eq!(world.elapsed() - began, SECOND + 4 * MILLISECOND);
}

#[sim::test(options = plain())]
async fn dropping_with_unread_bytes_resets(world: World) {
    server(&world, async |mut stream: TcpStream| {
        stream.write_all(&[1; 100]).await.unwrap();
        runtime::sleep(100 * MILLISECOND).await;
    })
    .await;
    let mut stream = connect("server").await.unwrap();
    stream.write_all(b"never read").await.unwrap();
    world.sleep(SECOND).await;
    assert_eq!(read(&mut stream).await, Ok(vec![1; 100]), "what had arrived stays readable");
    assert_eq!(read(&mut stream).await, Err(ConnectionReset));
    assert_eq!(read(&mut stream).await, Ok(vec![]), "the error is told once");
    assert_eq!(write(&mut stream).await, Err(BrokenPipe));
    assert_eq!(stream.peer_addr().unwrap_err().kind(), NotConnected);
    stream.shutdown().await.expect("tokio hides that the peer is gone");
}

/// Its segments take times of their own, and what was written last may be as long under way as the RST behind it.
#[sim::test(seeds = 0..20)]
async fn a_reset_comes_behind_all_that_was_written_before_it(world: World) {
    server(&world, async |mut stream: TcpStream| {
        stream.write_all(&[1; 8000]).await.unwrap();
        stream.set_linger(Some(Duration::ZERO)).unwrap();
    })
    .await;
    let mut stream = connect("server").await.unwrap();
    let mut got = Vec::new();
    let end = stream.read_to_end(&mut got).await;
    assert_eq!((got.len(), end.unwrap_err().kind()), (8000, ConnectionReset));
}

#[sim::test(options = plain())]
async fn a_clean_drop_ends_the_stream_and_later_writes_are_reset(world: World) {
    server(&world, async |stream: TcpStream| drop(stream)).await;
    let mut stream = connect("server").await.unwrap();
    assert_eq!(read(&mut stream).await, Ok(vec![]));
    assert_eq!(write(&mut stream).await, Ok(1), "nobody knows yet");
    world.sleep(10 * MILLISECOND).await;
    assert_eq!(read(&mut stream).await, Ok(vec![]), "the end of file stays");
    assert_eq!(write(&mut stream).await, Err(BrokenPipe));
    assert_eq!(world.effects()[&Effect::Reset], 1);
}

#[sim::test(options = plain())]
async fn a_reset_means_a_broken_pipe_only_to_who_has_not_closed_its_half(world: World) {
    for shuts in [false, true] {
        let node = server(&world, async |mut stream: TcpStream| {
            stream.shutdown().await.unwrap();
            hold(stream).await;
        })
        .await;
        let mut stream = connect("server").await.unwrap();
        assert_eq!(read(&mut stream).await, Ok(vec![]));
        stream.write_all(b"never read").await.unwrap();
        world.sleep(SECOND).await;
        world.block(&world.node("script"), &node); // what it sends from here on does not arrive
        if shuts {
            stream.shutdown().await.unwrap();
        }
        node.kill();
        world.sleep(SECOND).await;
        let expected = if shuts { ConnectionReset } else { BrokenPipe };
        assert_eq!(write(&mut stream).await, Err(expected));
        world.heal_all();
    }
}

#[sim::test(options = plain())]
async fn zero_linger_resets(world: World) {
    server(&world, async |stream: TcpStream| {
        stream.set_linger(Some(Duration::ZERO)).unwrap();
    })
    .await;
    let mut stream = connect("server").await.unwrap();
    assert_eq!(read(&mut stream).await, Err(ConnectionReset));
    assert_eq!(write(&mut stream).await, Err(BrokenPipe));
    let mut stream = connect("server").await.unwrap();
    world.sleep(SECOND).await;
    assert_eq!(write(&mut stream).await, Err(ConnectionReset), "whoever asks first is told");
    assert_eq!(read(&mut stream).await, Ok(vec![]));
}

#[sim::test(options = plain())]
async fn options_have_the_units_of_the_kernel(world: World) {
    let node = server(&world, async |stream: TcpStream| {
        stream.set_linger(Some(Duration::from_millis(500))).unwrap(); // l_linger counts seconds
    })
    .await;
    assert_eq!(read(&mut connect("server").await.unwrap()).await, Err(ConnectionReset));
    node.kill();
    let node = server(&world, hold).await;
    let here = world.node("script");
    for (given, kept) in
        [(Duration::from_micros(999), GIVE_UP), (Duration::from_micros(2_999), 2 * MILLISECOND)]
    {
        let mut stream = connect("server").await.unwrap();
        stream.set_user_timeout(Some(given)).unwrap();
        world.partition(&node, &here);
        let began = world.elapsed();
        assert_eq!(write(&mut stream).await, Ok(1));
        assert_eq!(read(&mut stream).await, Err(TimedOut));
        assert_eq!(world.elapsed() - began, kept);
        world.heal_all();
    }
}

fn short_backlog() -> Options {
    Options { net: Network { backlog: 1, ..plain().net }, ..plain() } // one waits, and one more
}

#[sim::test(options = short_backlog())]
async fn a_full_backlog_drops_and_the_client_tries_again(world: World) {
    let node = world.node("server");
    node.boot(async || {
        let listener = TcpListener::bind(([0; 4], 80).into()).await.unwrap();
        runtime::sleep(Duration::from_millis(500)).await;
        let first = listener.accept().await.unwrap();
        hold(first.0).await;
    });
    world.sleep(MILLISECOND).await;
    let address = (node.ip(), 80).into();
    let _held = [TcpStream::connect(address).await.unwrap(), TcpStream::connect(address).await.unwrap()];
    let began = world.elapsed();
    TcpStream::connect(address).await.unwrap();
    assert_eq!(world.elapsed() - began, SECOND + 2 * MILLISECOND, "the second SYN finds room");
}

#[sim::test(options = short_backlog())]
async fn an_attempt_that_is_given_up_holds_its_place_until_the_opener_says_so(world: World) {
    let node = server(&world, echo).await;
    let here = world.node("script");
    for lost in [false, true] {
        let address = (node.ip(), 80).into();
        if lost {
            world.block(&node, &here);
        }
        let attempts = async { tokio::join!(TcpStream::connect(address), TcpStream::connect(address)) };
        // Their SYNs have arrived, and the answers are under way, or lost.
        assert!(world.within(MILLISECOND * 3 / 2, attempts).await.is_none());
        if lost {
            world.sleep(10 * SECOND).await;
            world.heal_all();
        }
        let began = world.elapsed();
        let third = TcpStream::connect(address).await.unwrap();
        assert_eq!(world.elapsed() - began, SECOND + 2 * MILLISECOND, "its first SYN found no room");
        drop(third);
        world.sleep(SECOND).await;
        assert_eq!(world.connections().len(), 0);
    }
}

#[sim::test(options = plain())]
async fn connections_nobody_accepted_are_reset_with_their_listener(world: World) {
    let node = world.node("server");
    node.boot(async || {
        let listener = TcpListener::bind(([0; 4], 80).into()).await.unwrap();
        let taken = TcpListener::bind(([0; 4], 80).into()).await;
        assert_eq!(taken.unwrap_err().kind(), std::io::ErrorKind::AddrInUse);
        runtime::sleep(SECOND).await;
        drop(listener);
        std::future::pending().await
    });
    world.sleep(MILLISECOND).await;
    let mut stream = connect("server").await.unwrap();
    world.sleep(100 * MILLISECOND).await;
    assert_eq!(world.census()["server"].queued, 1);
    assert_eq!(read(&mut stream).await, Err(ConnectionReset));
    drop(stream);
    assert_eq!(connect("server").await.unwrap_err().kind(), ConnectionRefused);
}

#[sim::test(options = plain())]
async fn loopback_and_names(world: World) {
    let node = world.node("server");
    world.alias("both", &[&node, &world.node("other")]);
    let done = world.stream("done");
    drop(done);
    node.boot(async || {
        let listener = TcpListener::bind(([127, 0, 0, 1], 0).into()).await.unwrap();
        let address = listener.local_addr().unwrap();
        assert!((32_768..=60_999).contains(&address.port()));
        let (accepted, connected) = tokio::join!(listener.accept(), TcpStream::connect(address));
        assert_eq!(accepted.unwrap().1, connected.unwrap().local_addr().unwrap());
        let all = runtime::resolve("both", 7).await.unwrap();
        assert_eq!(all.iter().map(ToString::to_string).collect::<Vec<_>>(), ["10.0.0.1:7", "10.0.0.2:7"]);
        assert!(runtime::resolve("nobody", 7).await.is_err());
        let elsewhere = TcpListener::bind(([10, 0, 0, 2], 80).into()).await;
        assert_eq!(elsewhere.unwrap_err().kind(), std::io::ErrorKind::AddrNotAvailable);
    });
    node.ended().await;
}

#[sim::test(options = plain())]
async fn nothing_is_left_of_many_connections(world: World) {
    server(&world, echo).await;
    let before = world.census();
    for _ in 0..200 {
        let mut stream = connect("server").await.unwrap();
        stream.write_all(b"hello").await.unwrap();
        let mut buffer = [0; 5];
        stream.read_exact(&mut buffer).await.unwrap();
    }
    let attempt = world.within(Duration::ZERO, connect("server")).await;
    assert!(attempt.is_none(), "an attempt is dropped half way");
    world.sleep(10 * SECOND).await;
    assert_eq!(world.census(), before);
    assert_eq!(world.connections().len(), 0);
}
