//! Dispatch: on a thread that a world has entered every call goes to it, on all others to tokio.
//!
//! [`fake`] is the smallest world that can answer; it is no model of anything.

mod fake;

use std::future::pending;
use std::net::SocketAddr;
use std::rc::Rc;
use std::time::Duration;

use fake::Fake;
use runtime::disk::{self, DiskError};
use runtime::{Elapsed, Instant, JoinError, TcpListener, TcpStream, Wall, world};
use tokio::io::{AsyncReadExt, AsyncWriteExt};

const HOUR: Duration = Duration::from_secs(3600);

#[test]
fn time_is_the_worlds() {
    let world = Fake::new();
    world.clone().run(async {
        assert_eq!((runtime::now(), runtime::wall()), (Instant::from_nanos(0), Wall(0)));
        runtime::sleep(HOUR).await;
        assert_eq!(runtime::now(), Instant::from_nanos(0) + HOUR);
        assert_eq!(runtime::wall(), Wall(3_600_000));
        assert_eq!(runtime::timeout(HOUR, pending::<()>()).await, Err(Elapsed));
        let mut ticks = runtime::interval(HOUR);
        for _ in 0..3 {
            ticks.tick().await;
        }
        assert_eq!(runtime::now(), Instant::from_nanos(0) + HOUR * 4);
    });
    assert_eq!(world.timers(), 0, "each timer was forgotten");
}

#[test]
fn hypers_clock_is_the_worlds() {
    use hyper::rt::Timer as _;
    Fake::new().run(async {
        let timer = runtime::http::Timer;
        let start = timer.now();
        let mut sleep = timer.sleep(HOUR * 100);
        timer.reset(&mut sleep, start + HOUR);
        sleep.await;
        assert_eq!(timer.now() - start, HOUR);
    });
}

#[test]
fn a_dropped_or_moved_timer_is_forgotten() {
    let world = Fake::new();
    let watched = Rc::clone(&world);
    world.run(async move {
        let mut sleep = Box::pin(runtime::sleep(HOUR));
        assert!(polled_once(sleep.as_mut()).await.is_pending());
        assert_eq!(watched.timers(), 1);
        sleep.as_mut().reset(runtime::now() + HOUR * 2);
        assert_eq!(watched.deadlines(), [runtime::now() + HOUR * 2], "moved, without another poll");
        assert!(polled_once(sleep.as_mut()).await.is_pending());
        assert_eq!(watched.timers(), 1);
        drop(sleep);
        assert_eq!(watched.timers(), 0);
    });
}

async fn polled_once<F: Future + Unpin>(mut future: F) -> std::task::Poll<F::Output> {
    std::future::poll_fn(|context| std::task::Poll::Ready(std::pin::Pin::new(&mut future).poll(context)))
        .await
}

#[test]
fn tasks_are_the_worlds() {
    let world = Fake::new();
    world.clone().run(async {
        assert_eq!(runtime::spawn("first", async { 1 }).await, Ok(1));
        let stuck = runtime::spawn("stuck", pending::<()>());
        runtime::sleep(HOUR).await;
        assert!(!stuck.is_finished());
        stuck.abort();
        assert!(stuck.is_finished());
        assert_eq!(stuck.await, Err(JoinError::Cancelled));
        let done = runtime::spawn("done", async { 2 });
        runtime::sleep(HOUR).await;
        assert!(done.is_finished());
        done.abort();
        assert_eq!(done.await, Ok(2), "an ended task is not aborted");
    });
    assert_eq!(world.spawned(), ["first", "stuck", "done"]);
}

#[test]
fn what_only_computes_takes_no_time_in_a_world() {
    Fake::new().run(async {
        let start = runtime::now();
        let thread = std::thread::current().id();
        assert_eq!(runtime::blocking(move || std::thread::current().id()).await, thread);
        assert_eq!(runtime::now(), start);
    });
}

#[test]
fn a_panic_that_the_world_catches_reaches_the_handle() {
    Fake::new().run(async {
        let faulty = runtime::spawn("faulty", async { panic!("on purpose") });
        let ended: Result<(), JoinError> = faulty.await;
        assert_eq!(ended, Err(JoinError::Panicked));
    });
}

#[test]
fn the_network_is_the_worlds() {
    Fake::new().run(async {
        let address: SocketAddr = "10.9.9.9:80".parse().expect("an address nobody routes");
        let listener = TcpListener::bind(address).await.expect("the fake takes all");
        let mut client = TcpStream::connect(address).await.expect("connected");
        let (mut server, peer) = listener.accept().await.expect("a connection");
        assert_eq!((listener.local_addr().expect("bound"), peer), (address, address));
        client.write_all(b"hello").await.expect("written");
        client.shutdown().await.expect("half closed");
        let mut all = Vec::new();
        server.read_to_end(&mut all).await.expect("read to the end");
        assert_eq!(all, b"hello");
        assert_eq!(runtime::resolve("engine", 7).await.expect("known"), ["10.9.9.9:7".parse().expect("one")]);
        assert!(runtime::resolve("nobody", 7).await.is_err(), "an empty answer is an error");
    });
}

#[test]
fn the_disk_is_the_worlds() {
    Fake::new().run(async {
        let before = runtime::now();
        let read = disk::blocking(|| {
            assert!(!disk::exists("/store"));
            disk::create_folder("/").expect("no folders here");
            let file = disk::open("/store").expect("created");
            assert!(matches!(disk::open("/store"), Err(DiskError::InUse { .. })));
            file.write(0, b"kept").expect("written");
            let mut out = [0; 4];
            file.read(0, &mut out).expect("read");
            out
        })
        .await;
        assert_eq!(&read, b"kept");
        assert_eq!(runtime::now() - before, fake::BLOCKING, "the task waited the modelled time");
        assert!(disk::blocking(|| disk::exists("/store")).await);
    });
}

#[test]
fn chance_and_signals_are_the_worlds() {
    Fake::new().run(async {
        assert_eq!(runtime::entropy::bytes("ab"), *b"ababa");
        assert_eq!(runtime::entropy::u64("\0"), 0);
        let mut signals = runtime::signals::Signals::new().expect("the node's");
        signals.terminate().await;
        assert_eq!(runtime::now(), Instant::from_nanos(0));
        signals.terminate().await;
        assert_eq!(runtime::now(), Instant::from_nanos(0) + HOUR);
        assert_eq!(runtime::timeout(HOUR, signals.terminate()).await, Err(Elapsed), "there is no third");
    });
}

#[test]
fn worlds_nest_and_leave() {
    assert!(world::current().is_none());
    let outer = Fake::new();
    let entered = world::enter(outer);
    Fake::new().run(async { runtime::sleep(HOUR).await });
    assert_eq!(runtime::now(), Instant::from_nanos(0), "the outer one is back, where no time passed");
    drop(entered);
    assert!(world::current().is_none());
    runtime::process::block_on(None, async { runtime::sleep(Duration::from_millis(1)).await })
        .expect("a runtime");
}

#[test]
fn a_world_on_one_thread_leaves_other_threads_alone() {
    let _entered = world::enter(Fake::new());
    std::thread::scope(|threads| {
        let other = threads.spawn(|| {
            runtime::process::block_on(None, async {
                let start = runtime::now();
                runtime::sleep(Duration::from_millis(1)).await;
                start.elapsed()
            })
        });
        // In the world, nobody would have let time pass.
        assert!(other.join().expect("no panic").expect("a runtime") >= Duration::from_millis(1));
        assert_eq!(runtime::now(), Instant::from_nanos(0));
    });
}

#[test]
fn the_last_of_a_world_may_ask_for_it_as_it_goes() {
    // The world owns a task that owns a timer: dropping the world drops the timer, which asks for a world.
    let entered = {
        let world = Fake::new();
        let entered = world::enter(world.clone());
        drop(runtime::spawn("sleeper", runtime::sleep(HOUR)));
        world.round();
        assert_eq!(world.timers(), 1);
        entered
    };
    drop(entered);
}

#[test]
#[should_panic(expected = "which no world has entered")]
fn a_timer_that_left_its_world_says_so() {
    let sleep = {
        let _entered = world::enter(Fake::new());
        runtime::sleep(HOUR)
    };
    runtime::process::block_on(None, sleep).expect("a runtime");
}

#[test]
#[should_panic(expected = "a simulated world starts its nodes itself")]
fn tokio_is_not_started_inside_a_world() {
    let _entered = world::enter(Fake::new());
    drop(runtime::process::block_on(None, async {}));
}
