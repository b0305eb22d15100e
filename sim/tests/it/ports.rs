//! The ports of openers, and TIME-WAIT.

use std::io::ErrorKind::{AddrInUse, AddrNotAvailable};
use std::time::Duration;

use runtime::{TcpListener, TcpStream};
use sim::{Network, Options, World};
use tokio::io::AsyncReadExt;

use crate::support::{MILLISECOND, SECOND, connect, hold, plain, read, server};

fn few_ports() -> Options {
    Options { net: Network { ports: (40_000, 40_003), ..plain().net }, ..plain() }
}

async fn to_the_end(mut stream: TcpStream) {
    let _end = stream.read_to_end(&mut Vec::new()).await;
}

/// How many connections open before there is no port left.
async fn opened(world: &World) -> usize {
    for count in 0..10 {
        match connect("server").await {
            Ok(stream) => drop(stream),
            Err(error) => {
                assert_eq!(error.kind(), AddrNotAvailable);
                return count;
            }
        }
        world.sleep(10 * MILLISECOND).await;
    }
    10
}

#[sim::test(options = few_ports())]
async fn a_port_whose_opener_closed_first_waits_a_minute_for_the_same_peer(world: World) {
    let node = server(&world, to_the_end).await;
    assert_eq!(opened(&world).await, 4);
    world.sleep(59 * SECOND).await;
    assert_eq!(opened(&world).await, 0);
    world.sleep(SECOND).await;
    assert!(opened(&world).await > 0);
    let other = TcpStream::connect((node.ip(), 81).into()).await;
    assert_ne!(other.unwrap_err().kind(), AddrNotAvailable, "another peer is another connection");
}

#[sim::test(options = few_ports())]
async fn a_listener_takes_a_port_whose_wait_is_over(world: World) {
    server(&world, to_the_end).await;
    assert_eq!(opened(&world).await, 4);
    let any = || TcpListener::bind(([127, 0, 0, 1], 0).into());
    assert_eq!(any().await.unwrap_err().kind(), AddrInUse);
    world.sleep(60 * SECOND).await;
    assert!(any().await.is_ok());
}

fn no_time_wait() -> Options {
    Options { net: Network { time_wait: Duration::ZERO, ..few_ports().net }, ..few_ports() }
}

#[sim::test(options = no_time_wait())]
async fn without_time_wait_ports_are_free_at_once(world: World) {
    server(&world, to_the_end).await;
    assert_eq!(opened(&world).await, 10);
}

#[sim::test(options = few_ports())]
async fn a_port_whose_opener_closed_second_or_was_reset_is_free_at_once(world: World) {
    let node = server(&world, async |stream: TcpStream| drop(stream)).await;
    for _ in 0..10 {
        let mut stream = connect("server").await.unwrap();
        assert_eq!(read(&mut stream).await, Ok(vec![]));
        drop(stream);
        world.sleep(10 * MILLISECOND).await;
    }
    node.kill();
    server(&world, hold).await;
    for _ in 0..10 {
        let stream = connect("server").await.unwrap();
        stream.set_linger(Some(Duration::ZERO)).unwrap();
        drop(stream);
        world.sleep(10 * MILLISECOND).await;
    }
}

#[sim::test(options = few_ports())]
async fn within_a_host_a_port_waits_a_second_and_a_power_loss_ends_the_wait(world: World) {
    let node = world.node("alone");
    let boot = || async {
        let listener = TcpListener::bind(([127, 0, 0, 1], 80).into()).await.unwrap();
        for round in 0..2 {
            for _ in 0..4 {
                let client = TcpStream::connect(([127, 0, 0, 1], 80).into()).await.unwrap();
                let (accepted, _) = listener.accept().await.unwrap();
                drop(client);
                runtime::sleep(MILLISECOND).await;
                drop(accepted);
                runtime::sleep(MILLISECOND).await;
            }
            let none = TcpStream::connect(([127, 0, 0, 1], 80).into()).await;
            assert_eq!(none.unwrap_err().kind(), AddrNotAvailable, "round {round}");
            runtime::sleep(SECOND).await;
        }
        TcpStream::connect(([127, 0, 0, 1], 80).into()).await.unwrap();
        std::future::pending::<()>().await;
    };
    node.boot(boot);
    world.sleep(10 * SECOND).await;
    assert!(node.is_running());

    server(&world, to_the_end).await;
    let opener = world.node("opener");
    opener.boot(|| async {
        for _ in 0..4 {
            drop(connect("server").await.unwrap());
            runtime::sleep(10 * MILLISECOND).await;
        }
        assert_eq!(connect("server").await.unwrap_err().kind(), AddrNotAvailable);
    });
    opener.ended().await;
    opener.power_off();
    opener.restart();
    opener.ended().await;
}
