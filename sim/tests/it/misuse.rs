//! What makes no sense is refused in so many words, and what is unusual works.

use std::cell::Cell;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::task::{Context, Poll, Wake, Waker};
use std::time::Duration;

use runtime::{Instant, TcpListener, TcpStream};
use sim::{
    Cut, Effect, Failure, Fall, Latency, Network, Node, Options, Overrides, Ratio, Resend, Schedule, Side,
    Sim, Status, Streams, World,
};
use tokio::io::{AsyncRead, AsyncWriteExt, ReadBuf};

use crate::support::{GIVE_UP, MILLISECOND, SECOND, connect, echo, hold, plain, read, server, write};

#[test]
fn options_that_make_no_sense_are_refused() {
    let refuses = |options: Options| {
        let sim = Sim::new(options);
        let panic = catch_unwind(AssertUnwindSafe(|| sim.run(async |_world: World| ()))).unwrap_err();
        panic
            .downcast_ref::<String>()
            .cloned()
            .unwrap_or_else(|| panic.downcast_ref::<&str>().unwrap().to_string())
    };
    let refused = |net: Network| refuses(Options { net, ..Options::default() });
    let net = Network::default;
    let reversed = Latency::Uniform(SECOND, MILLISECOND);
    assert!(refused(Network { latency: reversed, ..net() }).contains("the wrong way round"));
    assert!(refused(Network { partial: Ratio { num: 1, den: 0 }, ..net() }).contains("out of nothing"));
    assert!(refused(Network { window: 0, ..net() }).contains("a window of no bytes"));
    let deep = Schedule::Pct { depth: 1001, polls: 10 };
    assert!(refuses(Options { schedule: deep, ..Options::default() }).contains("1001 orderings"));
}

#[test]
fn the_scripts_node_is_left_alone() {
    let deeds: [fn(&Node); 7] = [
        |node| node.boot(std::future::pending),
        |node| node.restart(),
        |node| node.kill(),
        |node| node.fall(Fall::PowerOff),
        |node| node.pause(),
        |node| node.ask_to_stop(),
        |node| node.crash_in_disk_operation(1, Fall::Kill),
    ];
    for deed in deeds {
        let run = Sim::seed(0).run(async move |world: World| deed(&world.node("script")));
        let failure = run.outcome.unwrap_err().to_string();
        assert!(failure.contains("the script's node is not booted, felled, paused or stopped"), "{failure}");
    }
}

fn patient() -> Options {
    Options { net: Network { syn_retries: 70, ..plain().net }, ..plain() }
}

#[sim::test(options = patient())]
async fn syns_are_repeated_at_most_every_two_minutes(world: World) {
    let nowhere = ([10, 9, 9, 9], 80).into();
    assert!(TcpStream::connect(nowhere).await.is_err());
    assert_eq!(world.elapsed(), Duration::from_secs(127 + 64 * 120));
}

#[sim::test]
async fn a_crash_wished_for_before_the_boot_comes(world: World) {
    let node = world.node("store");
    let work = || async {
        runtime::disk::blocking(|| drop(runtime::disk::open("a").and_then(|_| runtime::disk::open("b"))))
            .await;
    };
    node.crash_in_disk_operation(2, Fall::Kill);
    node.boot(work);
    node.ended().await;
    assert_eq!((node.status(), world.effects()[&Effect::DiskCrash]), (Status::Killed, 1));
    node.crash_in_disk_operation(1, Fall::Kill);
    node.spare();
    node.restart();
    node.ended().await;
    assert_eq!(node.status(), Status::Exited);
}

#[sim::test]
async fn an_aborted_task_goes_as_its_node(world: World) {
    struct Tells(std::rc::Rc<Cell<Option<Instant>>>);
    impl Drop for Tells {
        fn drop(&mut self) {
            self.0.set(Some(runtime::now()));
        }
    }
    let told = std::rc::Rc::default();
    let tells = Tells(std::rc::Rc::clone(&told));
    let node = world.node("other");
    node.boot(std::future::pending);
    let task = node.spawn("task", async move {
        let _tells = tells;
        std::future::pending::<()>().await;
    });
    let there = node.spawn("clock", async { runtime::now() }).await;
    task.abort();
    assert_eq!(told.get(), there, "hosts have different uptimes, and no time has passed");
    assert_ne!(told.get(), Some(runtime::now()));
}

/// A waker whose destructor uses the world.
struct Meddles;

impl Wake for Meddles {
    fn wake(self: Arc<Self>) {}
}

impl Drop for Meddles {
    fn drop(&mut self) {
        let Some(world) = runtime::world::current() else { return };
        drop(world.listen(([0; 4], 0).into()));
        let mut timer = None;
        let mut context = Context::from_waker(Waker::noop());
        let _pending = world.poll_timer(&mut timer, world.now() + SECOND, &mut context);
        world.cancel_timer(timer.expect("it runs"));
        let mut terminated = world.terminated(u64::MAX);
        assert!(terminated.as_mut().poll(&mut context).is_pending());
    }
}

#[sim::test(options = plain())]
async fn wakers_may_use_the_world_as_they_go(world: World) {
    fn twice(mut poll: impl FnMut(&mut Context<'_>) -> bool) {
        for _ in 0..2 {
            let waker = Waker::from(Arc::new(Meddles));
            assert!(poll(&mut Context::from_waker(&waker)), "it waits");
        }
    }
    server(&world, hold).await;
    let mut stream = connect("server").await.unwrap();
    let mut buffer = [0; 1];
    let mut read = |context: &mut Context<'_>| {
        std::pin::Pin::new(&mut stream).poll_read(context, &mut ReadBuf::new(&mut buffer)).is_pending()
    };
    twice(&mut read);
    drop(stream);
    let mut sleep = Box::pin(runtime::sleep(SECOND));
    twice(|context| sleep.as_mut().poll(context).is_pending());
    let mut stop = Box::pin(runtime::signals::terminate());
    twice(|context| stop.as_mut().poll(context).is_pending());
    let listener = TcpListener::bind(([0; 4], 81).into()).await.unwrap();
    {
        let mut accept = Box::pin(listener.accept());
        twice(|context| matches!(accept.as_mut().poll(context), Poll::Pending));
    }
    drop(listener);
    let mut connecting = Box::pin(TcpStream::connect(([10, 9, 9, 9], 80).into()));
    twice(|context| connecting.as_mut().poll(context).is_pending());
    drop((sleep, stop, connecting));
    let node = world.node("other");
    node.boot(std::future::pending);
    let mut ended = Box::pin(node.ended());
    twice(|context| ended.as_mut().poll(context).is_pending());
}

/// A waker that panics when it is called, or else when it goes.
struct Bomb {
    called: bool,
}

impl Wake for Bomb {
    fn wake(self: Arc<Self>) {
        assert!(!self.called, "a waker that panics");
    }
}

impl Drop for Bomb {
    fn drop(&mut self) {
        assert!(self.called, "a waker that panics as it goes");
    }
}

/// Starts a timer of a second that nobody stops, with a waker that panics.
fn plant(called: bool) {
    let world = runtime::world::current().expect("a world has entered");
    let waker = Waker::from(Arc::new(Bomb { called }));
    let mut timer = None;
    let pending = world.poll_timer(&mut timer, world.now() + SECOND, &mut Context::from_waker(&waker));
    assert!(pending.is_pending() && timer.is_some());
}

#[test]
fn what_panics_while_the_world_itself_works_fails_the_run_and_is_told() {
    for (called, after, text) in [
        (true, 2 * SECOND, "a waker that panics (sim/"),
        (false, Duration::ZERO, "a waker that panics as it goes (sim/"),
    ] {
        let run = Sim::seed(3).run(async move |world: World| {
            plant(called);
            world.sleep(after).await;
        });
        let failure = run.outcome.expect_err("it panicked");
        let Failure::Panic { node, task, at, message, .. } = &failure else { panic!("{failure}") };
        assert_eq!((node.as_str(), task.as_str()), ("script", "world"));
        assert_eq!(*at, if called { SECOND } else { Duration::ZERO });
        assert!(message.starts_with(text), "{message}");
    }
}

#[test]
fn a_name_with_an_asterisk_is_refused_since_no_override_could_name_it() {
    let deeds: [fn(&World); 4] = [
        |world| drop(world.stream("chance/*")),
        |world| drop(world.node("*")),
        |world| assert!(!world.waives("spare/*")),
        |_| runtime::entropy::fill("a*b", &mut [0]),
    ];
    for deed in deeds {
        let run = Sim::seed(0).run(async move |world: World| deed(&world));
        let failure = run.outcome.unwrap_err().to_string();
        assert!(failure.contains("an asterisk in"), "{failure}");
    }
}

/// What a main has captured that asks the world as it goes.
struct AsksAsItGoes(Node);

impl Drop for AsksAsItGoes {
    fn drop(&mut self) {
        drop((runtime::now(), self.0.name()));
    }
}

#[test]
fn what_the_main_of_an_earlier_boot_captured_may_ask_the_world_as_it_goes() {
    let run = Sim::seed(0).run(async |world: World| {
        let node = world.node("node");
        for _ in 0..2 {
            let asks = AsksAsItGoes(node.clone());
            node.boot(move || {
                let _captured = &asks;
                async {}
            });
            node.ended().await;
        }
    });
    assert_eq!(run.outcome, Ok(()));
}

#[test]
fn what_the_main_of_a_refused_boot_captured_may_ask_the_world_as_it_goes() {
    let run = Sim::seed(0).run(async |world: World| {
        let node = world.node("node");
        node.boot(std::future::pending);
        let asks = AsksAsItGoes(node.clone());
        node.boot(move || {
            let _captured = &asks;
            async {}
        });
    });
    let failure = run.outcome.unwrap_err().to_string();
    assert!(failure.contains("node is booted while its process runs"), "{failure}");
}

thread_local! {
    static DOOMED: Cell<Option<Node>> = const { Cell::new(None) };
}

/// A waker whose destructor kills a node.
struct Kills;

impl Wake for Kills {
    fn wake(self: Arc<Self>) {}
}

impl Drop for Kills {
    fn drop(&mut self) {
        if let Some(node) = DOOMED.take() {
            node.kill();
        }
    }
}

#[sim::test]
async fn a_waker_may_end_the_very_task_it_waited_for_as_it_goes(world: World) {
    let node = world.node("node");
    node.boot(std::future::pending);
    let mut task = node.spawn("task", std::future::pending::<()>());
    DOOMED.set(Some(node));
    let mut poll = |waker: &Waker| std::pin::Pin::new(&mut task).poll(&mut Context::from_waker(waker));
    assert_eq!(poll(&Waker::from(Arc::new(Kills))), Poll::Pending);
    assert_eq!(poll(Waker::noop()), Poll::Pending, "it lived when it was asked");
    assert_eq!(poll(Waker::noop()), Poll::Ready(None));
}

fn unresolved() -> Options {
    Options { net: Network { resolve: Duration::MAX, ..Network::default() }, ..Options::default() }
}

#[sim::test(options = unresolved())]
async fn a_name_that_takes_for_ever_to_resolve_never_does(world: World) {
    world.sleep(SECOND).await;
    assert_eq!(world.within(3600 * SECOND, runtime::resolve("script", 80)).await.map(drop), None);
}

fn unsent() -> Options {
    let mut overrides = Overrides::new();
    overrides.pin("retransmit/script→server:80#0", 0, u64::MAX / 1_000);
    let net = Network { retransmit: Resend::Within(Duration::MAX), ..plain().net };
    Options { net, overrides, ..plain() }
}

#[sim::test(options = unsent())]
async fn what_is_sent_again_after_for_ever_never_is(world: World) {
    let node = server(&world, echo).await;
    let mut stream = connect("server").await.unwrap();
    world.partition(&world.node("script"), &node);
    stream.write_all(b"lost").await.unwrap();
    world.sleep(SECOND).await;
    world.heal(&world.node("script"), &node);
    assert_eq!(world.within(GIVE_UP / 2, read(&mut stream)).await, None);
    assert_eq!(read(&mut stream).await, Err(std::io::ErrorKind::TimedOut));
}

fn unanswered() -> Options {
    let mut overrides = Overrides::new();
    overrides.calm(Streams::beginning("latency/"));
    // The fourth thing that the opener says: behind SYN, the acknowledgement and FIN.
    overrides.pin("latency/script→server:80#0", 3, u64::MAX / 1_001);
    let latency = Latency::Uniform(MILLISECOND, Duration::MAX);
    Options { net: Network { latency, ..plain().net }, overrides, ..plain() }
}

#[sim::test(options = unanswered())]
async fn what_is_answered_after_for_ever_never_is(world: World) {
    server(&world, hold).await;
    let mut stream = connect("server").await.unwrap();
    world.sleep(SECOND).await;
    assert!(world.cut(&world.connections()[0], Cut::Fin, Side::Opener));
    world.sleep(SECOND).await;
    assert_eq!(write(&mut stream).await, Ok(1));
    world.sleep(3600 * SECOND).await;
    assert_eq!(write(&mut stream).await, Ok(1), "no reset has come");
}

#[test]
fn a_chance_out_of_nothing_is_refused() {
    let run = Sim::seed(0).run(async |world: World| world.stream("coin").chance(Ratio { num: 1, den: 0 }));
    let failure = run.outcome.unwrap_err().to_string();
    assert!(failure.contains("a chance's odds are 1 out of nothing"), "{failure}");
}
