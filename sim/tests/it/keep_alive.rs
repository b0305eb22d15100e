//! Who sends nothing learns that its peer is gone only if it asks.

use std::io::ErrorKind::{BrokenPipe, ConnectionReset, InvalidInput, TimedOut};
use std::time::Duration;

use runtime::{KeepAlive, TcpStream};
use sim::{Cut, Effect, Node, Side, Sim, World};
use tokio::io::AsyncWriteExt;

use crate::support::{MILLISECOND, SECOND, connect, hold, plain, read, server, write};

/// Asks after 10 s, and takes the peer for gone 15 s later.
const TERMS: KeepAlive =
    KeepAlive { idle: Duration::from_secs(10), interval: Duration::from_secs(5), count: 3 };

async fn kept(terms: Option<KeepAlive>) -> TcpStream {
    let stream = connect("server").await.expect("the server listens");
    stream.set_keep_alive(terms).expect("the kernel takes them");
    stream
}

const FAULTS: [fn(&World, &Node); 3] = [
    |_, node| node.power_off(),
    |world, node| world.partition(node, &world.node("script")),
    |world, _| assert!(world.cut(&world.connections()[0], Cut::Silence, Side::Opener)),
];

#[test]
fn an_idle_end_learns_of_a_peer_that_is_gone_if_it_asks_and_else_never() {
    for fault in FAULTS {
        for terms in [Some(TERMS), None] {
            let run = Sim::new(plain()).run(async move |world: World| {
                let node = server(&world, hold).await;
                let mut stream = kept(terms).await;
                let began = world.elapsed();
                world.sleep(3 * MILLISECOND).await;
                fault(&world, &node);
                let heard = world.within(3600 * SECOND, read(&mut stream)).await;
                (heard, world.elapsed() - began)
            });
            let (heard, took) = run.expect_ok();
            assert_eq!(heard, terms.map(|_| Err(TimedOut)));
            assert!(terms.is_none() || took.abs_diff(25 * SECOND) <= 2 * MILLISECOND, "{took:?}");
        }
    }
}

#[sim::test(options = plain())]
async fn a_host_that_is_back_answers_the_first_question_with_a_reset(world: World) {
    let node = server(&world, hold).await;
    let mut stream = kept(Some(TERMS)).await;
    let began = world.elapsed();
    world.sleep(3 * MILLISECOND).await;
    node.power_off();
    node.restart();
    assert_eq!(read(&mut stream).await, Err(ConnectionReset));
    assert!((world.elapsed() - began).abs_diff(10 * SECOND) <= 3 * MILLISECOND);
}

#[sim::test(options = plain())]
async fn answers_keep_a_connection_alive_and_start_the_count_anew(world: World) {
    let node = server(&world, hold).await;
    let mut stream = kept(Some(TERMS)).await;
    assert!(world.within(3600 * SECOND, read(&mut stream)).await.is_none());
    for _ in 0..10 {
        // Two questions, never three, stay without an answer.
        world.partition(&node, &world.node("script"));
        assert!(world.within(9 * SECOND, read(&mut stream)).await.is_none());
        world.heal(&node, &world.node("script"));
        assert!(world.within(16 * SECOND, read(&mut stream)).await.is_none());
    }
    stream.set_keep_alive(None).unwrap();
    node.power_off();
    assert!(world.within(3600 * SECOND, read(&mut stream)).await.is_none(), "it is off");
}

#[sim::test(options = plain())]
async fn a_user_timeout_takes_the_place_of_the_count(world: World) {
    for (patience, takes) in [(12, 15), (40, 40)] {
        let node = server(&world, hold).await;
        let mut stream = kept(Some(TERMS)).await;
        stream.set_user_timeout(Some(patience * SECOND)).unwrap();
        let began = world.elapsed();
        world.sleep(3 * MILLISECOND).await;
        node.power_off();
        assert_eq!(read(&mut stream).await, Err(TimedOut));
        let took = world.elapsed() - began;
        assert!(took.abs_diff(takes * SECOND) <= 2 * MILLISECOND, "{took:?}");
    }
}

#[sim::test(options = plain())]
async fn an_end_that_is_closed_both_ways_asks_nothing(world: World) {
    let node = server(&world, async |mut stream: TcpStream| {
        stream.shutdown().await.unwrap();
        hold(stream).await;
    })
    .await;
    let mut stream = kept(Some(TERMS)).await;
    assert_eq!(read(&mut stream).await, Ok(vec![]));
    stream.shutdown().await.unwrap();
    world.sleep(SECOND).await;
    node.power_off();
    world.sleep(3600 * SECOND).await;
    assert_eq!(write(&mut stream).await, Err(BrokenPipe));
    assert!(world.effects().keys().all(|effect| *effect == Effect::PowerOff), "{:?}", world.effects());
}

#[sim::test(options = plain())]
async fn the_kernel_refuses_terms_out_of_its_bounds(world: World) {
    server(&world, hold).await;
    let stream = connect("server").await.unwrap();
    let refused = [
        KeepAlive { idle: Duration::from_millis(1_500), ..TERMS },
        KeepAlive { interval: Duration::ZERO, ..TERMS },
        KeepAlive { idle: Duration::from_secs(32_768), ..TERMS },
        KeepAlive { count: 0, ..TERMS },
        KeepAlive { count: 128, ..TERMS },
    ];
    for terms in refused {
        assert_eq!(stream.set_keep_alive(Some(terms)).unwrap_err().kind(), InvalidInput, "{terms:?}");
    }
    stream.set_keep_alive(Some(KeepAlive::default())).unwrap();
}
