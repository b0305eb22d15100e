//! Middleboxes: what each does to a stream, and that nothing happens where its bound is not reached.

use std::io::ErrorKind::{BrokenPipe, ConnectionReset};
use std::time::Duration;

use runtime::TcpStream;
use sim::middlebox::{Goodbye, Heading, Hold, Pick, Proxy, Targets};
use sim::{Effect, Node, World};
use tokio::io::{AsyncReadExt, AsyncWriteExt};

use crate::support::{
    MILLISECOND, ROOM, SECOND, connect, count, echo, hold, plain, read, server, taken, write,
};

/// Boots a proxy on a node of its own, and lets it begin to listen.
async fn boot(world: &World, proxy: Proxy) -> Node {
    let node = world.node("proxy");
    node.boot(move || proxy.clone().serve());
    world.sleep(MILLISECOND).await;
    node
}

fn to_server() -> Proxy {
    Proxy::to(80, "server", 80)
}

#[sim::test(seeds = 0..20)]
async fn bytes_through_a_box_are_unchanged_whatever_it_does(world: World) {
    let hold = Hold { bytes: 3000, time: Some(20 * MILLISECOND) };
    let proxy = to_server()
        .close_idle(60 * SECOND, Goodbye::Reset)
        .hold_back(Heading::Up, hold)
        .hold_back(Heading::Down, Hold { bytes: 50_000, time: Some(MILLISECOND) })
        .reset_after(Heading::Up, 200_000);
    server(&world, echo).await;
    boot(&world, proxy).await;
    let (mut from, mut to) = tokio::io::split(connect("proxy").await.unwrap());
    let sent: Vec<u8> = (0..200_000u32).map(|n| (n % 251) as u8).collect();
    let expected = sent.clone();
    let writer = world.spawn("writer", async move {
        to.write_all(&sent).await.unwrap();
        to.shutdown().await.unwrap();
    });
    let mut got = Vec::new();
    from.read_to_end(&mut got).await.unwrap();
    assert_eq!(writer.await, Some(()));
    assert!(got == expected, "{} bytes came back", got.len());
    let effects = world.effects();
    assert!(!effects.contains_key(&Effect::IdleClosed) && !effects.contains_key(&Effect::CarriedTooMuch));
}

#[sim::test(options = plain())]
async fn a_half_close_passes_each_way_and_a_reset_too(world: World) {
    server(&world, async |mut stream: TcpStream| {
        let mut all = Vec::new();
        if stream.read_to_end(&mut all).await.is_ok() {
            stream.write_all(&all).await.unwrap();
            return;
        }
        world_saw_reset(stream).await;
    })
    .await;
    boot(&world, to_server()).await;
    let mut stream = connect("proxy").await.unwrap();
    stream.write_all(b"to the end").await.unwrap();
    stream.shutdown().await.unwrap();
    let mut all = Vec::new();
    stream.read_to_end(&mut all).await.unwrap();
    assert_eq!(all, b"to the end");
    drop(stream);
    let stream = connect("proxy").await.unwrap();
    world.sleep(10 * MILLISECOND).await;
    stream.set_linger(Some(Duration::ZERO)).unwrap();
    drop(stream);
    world.sleep(10 * MILLISECOND).await;
    assert_eq!(world.effects()[&Effect::Reset], 2, "the proxy and the server behind it");
    assert_eq!(world.connections().len(), 0);
}

#[sim::test(options = plain())]
async fn bytes_that_came_before_a_reset_pass_before_it(world: World) {
    server(&world, async |mut stream: TcpStream| {
        stream.read_exact(&mut [0; 1]).await.unwrap();
        stream.write_all(b"an answer").await.unwrap();
        stream.set_linger(Some(Duration::ZERO)).unwrap();
    })
    .await;
    let proxy = boot(&world, to_server()).await;
    let mut stream = connect("proxy").await.unwrap();
    stream.write_all(b"?").await.unwrap();
    world.sleep(MILLISECOND * 7 / 2).await; // the proxy has passed it on, and the answer is under way
    proxy.pause();
    world.sleep(SECOND).await;
    proxy.resume(); // both are there
    assert_eq!(read(&mut stream).await, Ok(b"an answer".to_vec()));
    assert_eq!(read(&mut stream).await, Err(ConnectionReset));
}

async fn world_saw_reset(mut stream: TcpStream) {
    assert_eq!(write(&mut stream).await, Err(BrokenPipe));
}

#[sim::test(options = plain())]
async fn a_reader_that_stops_stops_the_writer_through_the_box(world: World) {
    server(&world, hold).await;
    boot(&world, to_server()).await;
    let mut stream = connect("proxy").await.unwrap();
    let accepted = taken(&world, &mut stream, 10_000, SECOND).await;
    // A third of the writer's own buffer may be free without a word to it, and less than a segment of the window.
    let most = 2 * ROOM + 16_384;
    assert!(
        (most - 87_040 / 3 - 1_448..=most).contains(&accepted),
        "twice two buffers, and the box's: {accepted}"
    );
}

#[sim::test(options = plain())]
async fn an_idle_connection_is_closed_and_one_that_moves_is_not(world: World) {
    for (goodbye, heard) in [(Goodbye::Fin, Ok(vec![])), (Goodbye::Reset, Err(ConnectionReset))] {
        let before = count(&world, Effect::IdleClosed);
        if !world.node("server").is_running() {
            server(&world, echo).await;
        }
        let node = boot(&world, to_server().close_idle(10 * SECOND, goodbye)).await;
        let mut stream = connect("proxy").await.unwrap();
        for _ in 0..5 {
            world.sleep(9 * SECOND).await;
            assert_eq!(write(&mut stream).await, Ok(1));
            assert_eq!(read(&mut stream).await, Ok(b"w".to_vec()));
        }
        assert_eq!(count(&world, Effect::IdleClosed), before);
        let began = world.elapsed();
        assert_eq!(read(&mut stream).await, heard);
        let waited = world.elapsed() - began;
        assert!(
            (10 * SECOND - 5 * MILLISECOND..10 * SECOND + 5 * MILLISECOND).contains(&waited),
            "{waited:?}"
        );
        assert_eq!(count(&world, Effect::IdleClosed), before + 1);
        world.sleep(SECOND).await;
        let held = &world.census()["server"];
        assert_eq!((held.sockets, held.half_open), (0, 0), "the server heard of it, too");
        node.kill();
    }
}

/// An event each second, three of them.
async fn events(mut stream: TcpStream) {
    for number in 0..3 {
        stream.write_all(format!("data: {number}\n\n").as_bytes()).await.expect("alive");
        runtime::sleep(SECOND).await;
    }
}

/// When each piece came, and how long it was.
async fn pieces(world: &World) -> Vec<(u64, usize)> {
    let mut stream = connect("proxy").await.expect("it listens");
    let began = world.elapsed();
    let mut pieces = Vec::new();
    loop {
        let piece = read(&mut stream).await.expect("alive");
        if piece.is_empty() {
            return pieces;
        }
        pieces.push(((world.elapsed() - began).as_secs(), piece.len()));
    }
}

#[sim::test(options = plain())]
async fn small_writes_are_held_back_until_there_are_enough_or_it_is_late_or_the_end_comes(world: World) {
    let cases = [
        (Hold { bytes: 1, time: None }, vec![(0, 9), (1, 9), (2, 9)], 0),
        (Hold { bytes: 18, time: None }, vec![(1, 18), (3, 9)], 2),
        (Hold { bytes: 100, time: None }, vec![(3, 27)], 1),
        (Hold { bytes: 100, time: Some(1500 * MILLISECOND) }, vec![(1, 18), (3, 9)], 2),
    ];
    server(&world, events).await;
    let mut before = 0;
    for (hold, expected, holds) in cases {
        let node = boot(&world, to_server().hold_back(Heading::Down, hold)).await;
        assert_eq!(pieces(&world).await, expected, "{hold:?}");
        let felt = count(&world, Effect::HeldBack);
        assert_eq!(felt - before, holds, "{hold:?}");
        before = felt;
        node.kill();
    }
}

#[sim::test(options = plain())]
async fn what_is_let_through_passes_whole_however_slowly_it_is_read(world: World) {
    server(&world, async |mut stream: TcpStream| {
        stream.write_all(&[1; 300_000]).await.unwrap();
        hold(stream).await;
    })
    .await;
    boot(&world, to_server().hold_back(Heading::Down, Hold { bytes: 100_000, time: None })).await;
    let mut stream = connect("proxy").await.unwrap();
    let mut got = 0;
    while let Some(piece) = world.within(10 * SECOND, read(&mut stream)).await {
        got += piece.unwrap().len();
        world.sleep(MILLISECOND).await;
    }
    assert!((200_001..=300_000).contains(&got), "fewer than 100,000 are held back: {got}");
}

#[sim::test(options = plain())]
async fn a_stream_is_reset_behind_so_many_bytes_and_not_behind_as_many(world: World) {
    server(&world, async |mut stream: TcpStream| {
        stream.write_all(&[1; 1000]).await.unwrap();
        let _end = stream.read_to_end(&mut Vec::new()).await;
    })
    .await;
    for (bytes, expected, felt) in [(1000, None, 0), (999, Some(Err(ConnectionReset)), 1)] {
        let node = boot(&world, to_server().reset_after(Heading::Down, bytes)).await;
        let mut stream = connect("proxy").await.unwrap();
        let mut got = vec![0; usize::try_from(bytes).unwrap()];
        stream.read_exact(&mut got).await.unwrap();
        assert_eq!(world.within(SECOND, read(&mut stream)).await, expected);
        assert_eq!(count(&world, Effect::CarriedTooMuch), felt);
        drop(stream);
        node.kill();
        world.sleep(SECOND).await;
    }
}

#[sim::test(options = plain())]
async fn who_connects_to_a_box_without_a_server_is_reset(world: World) {
    let _silent_but_there = world.node("server");
    boot(&world, to_server()).await;
    let mut stream = connect("proxy").await.unwrap();
    assert_eq!(read(&mut stream).await, Err(ConnectionReset));
    let node = world.node("proxy");
    node.kill();
    boot(&world, Proxy::to(80, "nobody", 80)).await;
    let mut stream = connect("proxy").await.unwrap();
    assert_eq!(read(&mut stream).await, Err(ConnectionReset));
}

/// Boots nodes that say their name to whoever connects.
fn tellers(world: &World, names: &[&'static str]) -> Vec<Node> {
    let boot = |name: &&'static str| {
        let (node, name) = (world.node(name), *name);
        node.boot(move || async move {
            let listener = runtime::TcpListener::bind(([0; 4], 80).into()).await.expect("the port is free");
            loop {
                let (mut stream, _) = listener.accept().await.expect("alive");
                stream.write_all(name.as_bytes()).await.expect("alive");
            }
        });
        node
    };
    names.iter().map(boot).collect()
}

async fn told() -> Result<String, std::io::ErrorKind> {
    let mut stream = connect("proxy").await.expect("it listens");
    read(&mut stream).await.map(|name| String::from_utf8(name).expect("alive"))
}

#[sim::test(options = plain())]
async fn a_balancer_goes_round_over_names_and_addresses(world: World) {
    let nodes = tellers(&world, &["a", "b", "c"]);
    world.alias("pair", &[&nodes[0], &nodes[1]]);
    boot(&world, Proxy::balance(80, Targets::new([("pair", 80), ("c", 80)]))).await;
    let mut heard = String::new();
    for _ in 0..6 {
        heard += &told().await.unwrap();
    }
    assert_eq!(heard, "abcabc");
    assert!(!world.effects().contains_key(&Effect::StaleName));
}

#[sim::test(options = plain())]
async fn a_balancer_that_keeps_an_answer_goes_where_the_name_led_before(world: World) {
    let nodes = tellers(&world, &["a", "b"]);
    world.alias("service", &[&nodes[0]]);
    let targets = Targets::new([("service", 80)]).keep(Some(10 * SECOND));
    boot(&world, Proxy::balance(80, targets)).await;
    assert_eq!(told().await.as_deref(), Ok("a"));
    world.alias("service", &[&nodes[1]]);
    nodes[0].kill();
    assert_eq!(told().await, Err(ConnectionReset), "nobody listens there any more");
    assert_eq!(world.effects()[&Effect::StaleName], 1);
    world.sleep(10 * SECOND).await;
    assert_eq!(told().await.as_deref(), Ok("b"));
    assert_eq!(world.effects()[&Effect::StaleName], 1);
}

#[sim::test(options = plain())]
async fn a_balancer_draws_from_its_own_stream(world: World) {
    tellers(&world, &["a", "b"]);
    let targets = Targets::new([("a", 80), ("b", 80)]).keep(None).pick(Pick::Drawn("target".to_owned()));
    boot(&world, Proxy::balance(80, targets)).await;
    let mut heard = String::new();
    for _ in 0..20 {
        heard += &told().await.unwrap();
    }
    let count = heard.matches('a').count();
    assert!((2..=18).contains(&count) && !"abababababababababab".contains(&heard), "{heard}");
}

#[sim::test(options = plain())]
async fn however_much_comes_may_be_held_back_until_the_end_or_the_time(world: World) {
    let node = server(&world, async |mut stream: TcpStream| {
        stream.write_all(&[1; 40_000]).await.unwrap();
        runtime::sleep(3 * SECOND).await;
    })
    .await;
    for (time, after) in [(None, 3), (Some(1500 * MILLISECOND), 1)] {
        let proxy =
            boot(&world, to_server().hold_back(Heading::Down, Hold { bytes: usize::MAX, time })).await;
        let began = world.elapsed();
        let mut stream = connect("proxy").await.unwrap();
        stream.read_exact(&mut [0; 40_000]).await.unwrap();
        assert_eq!((world.elapsed() - began).as_secs(), after);
        proxy.kill();
    }
    drop(node);
}
