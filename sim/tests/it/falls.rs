//! Nodes that are killed, lose power, are paused, are asked to stop.

use std::io::ErrorKind::{ConnectionRefused, ConnectionReset};
use std::time::Duration;

use runtime::TcpStream;
use sim::{Effect, Failure, Options, Sim, Status, World};
use tokio::io::AsyncWriteExt;

use crate::support::{MILLISECOND, SECOND, connect, echo, hold, plain, read, server, write};

#[sim::test(options = plain())]
async fn the_kernel_says_goodbye_for_a_killed_process(world: World) {
    let node = server(&world, hold).await;
    let mut quiet = connect("server").await.unwrap();
    let mut loud = connect("server").await.unwrap();
    loud.write_all(b"never read").await.unwrap();
    world.sleep(SECOND).await;
    node.kill();
    assert_eq!(node.status(), Status::Killed);
    let began = world.elapsed();
    assert_eq!(read(&mut quiet).await, Ok(vec![]), "nothing unread: FIN");
    assert_eq!(read(&mut loud).await, Err(ConnectionReset), "unread bytes: RST");
    assert_eq!(world.elapsed() - began, MILLISECOND);
    assert_eq!(connect("server").await.unwrap_err().kind(), ConnectionRefused, "the host is up");
    node.restart();
    world.sleep(MILLISECOND).await;
    connect("server").await.unwrap();
}

#[sim::test(options = plain())]
async fn a_power_loss_is_silent_until_the_host_is_back(world: World) {
    let node = server(&world, hold).await;
    let mut idle = connect("server").await.unwrap();
    let mut busy = connect("server").await.unwrap();
    world.sleep(SECOND).await;
    node.power_off();
    assert_eq!(world.census()["script"].half_open, 2);
    assert_eq!(write(&mut busy).await, Ok(1));
    assert!(world.within(100 * SECOND, read(&mut busy)).await.is_none());
    let began = world.elapsed();
    node.restart();
    assert_eq!(read(&mut busy).await, Err(ConnectionReset), "what is sent again finds nobody who knows it");
    assert!(world.elapsed() - began <= Duration::from_millis(302));
    assert!(world.within(100 * SECOND, read(&mut idle)).await.is_none(), "who sends nothing never learns");
    assert_eq!(write(&mut idle).await, Ok(1));
    world.sleep(10 * MILLISECOND).await;
    assert_eq!(write(&mut idle).await, Err(ConnectionReset));
}

#[sim::test(options = plain())]
async fn bytes_sent_before_a_kill_arrive(world: World) {
    let node = server(&world, async |mut stream: TcpStream| {
        stream.write_all(b"last words").await.unwrap();
        hold(stream).await;
    })
    .await;
    let mut stream = connect("server").await.unwrap();
    world.sleep(MILLISECOND * 3 / 2).await; // the acceptor has written half a millisecond ago
    node.kill();
    assert_eq!(read(&mut stream).await, Ok(b"last words".to_vec()));
    assert_eq!(read(&mut stream).await, Ok(vec![]));
}

#[sim::test(options = plain())]
async fn destructors_of_a_fallen_node_reach_nobody(world: World) {
    struct Writes(Option<TcpStream>);
    impl Drop for Writes {
        fn drop(&mut self) {
            let mut stream = self.0.take().expect("taken once");
            let mut context = std::task::Context::from_waker(std::task::Waker::noop());
            let pinned = std::pin::Pin::new(&mut stream);
            let written = tokio::io::AsyncWrite::poll_write(pinned, &mut context, b"from the grave");
            assert!(matches!(written, std::task::Poll::Ready(Err(_))));
            drop(runtime::spawn("grave", async { unreachable!("never polled") }));
        }
    }
    for power in [false, true] {
        let node = world.node("server");
        if node.status() == Status::Idle {
            server(&world, async |stream: TcpStream| {
                let writes = Writes(Some(stream));
                std::future::pending::<()>().await;
                drop(writes);
            })
            .await;
        } else {
            node.restart();
            world.sleep(MILLISECOND).await;
        }
        let mut stream = connect("server").await.unwrap();
        world.sleep(SECOND).await;
        if power {
            node.power_off();
            assert!(world.within(SECOND, read(&mut stream)).await.is_none());
        } else {
            node.kill();
            assert_eq!(read(&mut stream).await, Ok(vec![]));
        }
    }
}

#[sim::test(options = plain())]
async fn a_paused_process_stands_still_and_its_kernel_does_not(world: World) {
    let node = server(&world, echo).await;
    let mut stream = connect("server").await.unwrap();
    node.pause();
    stream.write_all(b"hello").await.unwrap();
    connect("server").await.expect("the kernel accepts into the backlog");
    assert!(world.within(60 * SECOND, read(&mut stream)).await.is_none());
    assert!(world.effects()[&Effect::Pause] > 0);
    let began = world.elapsed();
    node.resume();
    assert_eq!(read(&mut stream).await, Ok(b"hello".to_vec()));
    assert_eq!(world.elapsed() - began, MILLISECOND);
    node.pause();
    node.kill();
    node.restart();
    world.sleep(MILLISECOND).await;
    connect("server").await.unwrap();
}

#[sim::test(options = plain())]
async fn a_graceful_stop_is_asked_for_and_then_forced(world: World) {
    let obeys = world.node("obeys");
    obeys.boot(|| async {
        runtime::signals::terminate().await.expect("a world answers");
        runtime::sleep(SECOND).await;
    });
    let refuses = world.node("refuses");
    refuses.boot(|| async {
        let _heard_by_nobody = runtime::signals::Signals::new().expect("a world answers");
        std::future::pending().await
    });
    let deaf = world.node("deaf");
    deaf.boot(std::future::pending);
    world.sleep(MILLISECOND).await;
    assert!(deaf.stop(Duration::from_secs(5)).await);
    assert_eq!((deaf.status(), world.elapsed()), (Status::Killed, MILLISECOND), "SIGTERM's default is death");
    deaf.restart();
    deaf.pause();
    deaf.ask_to_stop();
    assert!(deaf.is_running(), "a stopped process takes its signals when it goes on");
    deaf.resume();
    assert_eq!(deaf.status(), Status::Killed);
    assert!(obeys.stop(Duration::from_secs(5)).await);
    assert_eq!((obeys.status(), world.elapsed()), (Status::Exited, SECOND + MILLISECOND));
    assert!(!refuses.stop(Duration::from_secs(5)).await);
    assert_eq!((refuses.status(), world.elapsed()), (Status::Killed, 6 * SECOND + MILLISECOND));
}

#[test]
fn a_panic_fells_its_node_and_fails_the_run() {
    let report = Sim::new(Options::seed(3)).run(async |world: World| {
        world.node("frail").boot(|| async {
            runtime::sleep(SECOND).await;
            let task = runtime::spawn("worker", async { panic!("out of luck") });
            assert!(task.await.is_err());
        });
        world.sleep(60 * SECOND).await;
    });
    match report.outcome {
        Err(Failure::Panic { node, task, at, message, .. }) => {
            assert_eq!((node.as_str(), task.as_str(), at), ("frail", "worker", SECOND));
            assert!(message.starts_with("out of luck (") && message.contains("falls.rs"), "{message}");
        }
        other => panic!("{other:?}"),
    }
}

#[test]
fn the_panic_that_is_told_is_the_one_that_nobody_caught() {
    let report = Sim::new(Options::seed(3)).run(async |world: World| {
        world.node("frail").boot(|| async {
            assert!(std::panic::catch_unwind(|| panic!("the first")).is_err());
            panic!("the second");
        });
        world.sleep(60 * SECOND).await;
    });
    let failure = report.outcome.unwrap_err().to_string();
    assert!(failure.contains("the second"), "{failure}");
}

#[sim::test]
async fn clocks_go_on_over_a_restart_and_differ_between_nodes(world: World) {
    let (one, other) = (world.node("one"), world.node("other"));
    let told = std::rc::Rc::new(std::cell::RefCell::new(Vec::new()));
    for node in [&one, &other] {
        let told = std::rc::Rc::clone(&told);
        node.boot(move || {
            told.borrow_mut().push((runtime::now(), runtime::wall()));
            async {}
        });
    }
    world.sleep(SECOND).await;
    one.step_wall(-5000);
    one.restart();
    let told = told.borrow();
    let [(mono_one, wall_one), (mono_other, wall_other), (mono_later, wall_later)] = told[..] else {
        panic!("three boots: {told:?}")
    };
    assert_ne!(mono_one, mono_other, "hosts have different uptimes");
    assert!(wall_one.0.abs_diff(wall_other.0) <= 40, "hosts run NTP");
    assert_eq!(mono_later.saturating_since(mono_one), SECOND);
    assert_eq!(wall_later.0, wall_one.0 - 4000);
    assert!(wall_one.0.abs_diff(sim::WALL_BASE.as_millis() as u64) <= 20);
}
