//! Tasks, timers, wakes, and worlds in which nothing goes on.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::task::{Poll, Waker};
use std::time::Duration;

use sim::{Failure, Options, Schedule, Sim, World};

use crate::support::{SECOND, yield_now};

/// Which of three equal tasks came first, second, third.
async fn race(world: World) -> Vec<u8> {
    let order = std::rc::Rc::new(std::cell::RefCell::new(Vec::new()));
    let tasks: Vec<_> = (0..3)
        .map(|name| {
            let (world, order) = (world.clone(), std::rc::Rc::clone(&order));
            world.clone().spawn("racer", async move {
                world.sleep(SECOND).await;
                order.borrow_mut().push(name);
            })
        })
        .collect();
    for task in tasks {
        task.await;
    }
    order.take()
}

#[test]
fn every_order_of_equal_deadlines_comes_about_and_fifo_has_one() {
    let orders: std::collections::BTreeSet<_> =
        (0..100).map(|seed| Sim::seed(seed).run(race).expect_ok()).collect();
    assert_eq!(orders.len(), 6);
    let fifo = |seed| Options { schedule: Schedule::Fifo, ..Options::seed(seed) };
    assert!((0..20).all(|seed| Sim::new(fifo(seed)).run(race).expect_ok() == [0, 1, 2]));
}

#[test]
fn a_wake_from_another_thread_panics_with_the_worlds_name() {
    let caught = Arc::new(Mutex::new(None));
    let place = Arc::clone(&caught);
    let waker: Arc<Mutex<Option<Waker>>> = Arc::default();
    let (taken, done) = (Arc::clone(&waker), Arc::new(AtomicBool::new(false)));
    let is_done = Arc::clone(&done);
    let outside = std::thread::Builder::new().spawn(move || {
        let waker = loop {
            if let Some(waker) = taken.lock().unwrap().take() {
                break waker;
            }
            std::thread::yield_now();
        };
        let panic = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| waker.wake())).unwrap_err();
        *place.lock().unwrap() = panic.downcast_ref::<String>().cloned();
        is_done.store(true, Ordering::Release);
    });
    Sim::seed(1234).run(async move |_world: World| {
        std::future::poll_fn(|context| {
            *waker.lock().unwrap() = Some(context.waker().clone());
            Poll::Ready(())
        })
        .await;
        while !done.load(Ordering::Acquire) {
            std::thread::yield_now();
        }
    });
    outside.unwrap().join().unwrap();
    let message = caught.lock().unwrap().take().expect("the wake panicked");
    assert!(message.contains("\"seed 1234\"") && message.contains("thread"), "{message}");
}

#[test]
fn a_wake_from_inside_another_world_fails_that_run() {
    let leak: Arc<Mutex<Option<Waker>>> = Arc::default();
    let place = Arc::clone(&leak);
    Sim::seed(1).run(async move |_world: World| {
        std::future::poll_fn(|context| {
            *place.lock().unwrap() = Some(context.waker().clone());
            Poll::Ready(())
        })
        .await;
    });
    let report = Sim::seed(2).run(async move |_world: World| {
        leak.lock().unwrap().take().unwrap().wake();
    });
    let failure = report.outcome.unwrap_err().to_string();
    assert!(failure.contains("inside the world \"seed 2\""), "{failure}");
}

#[test]
fn a_world_in_which_nothing_can_happen_is_reported_with_names() {
    let report = Sim::seed(0).run(async |world: World| {
        world.node("waiter").boot(|| async {
            let task = runtime::spawn("for nothing", std::future::pending::<()>());
            assert!(task.await.is_ok());
        });
        std::future::pending::<()>().await;
    });
    match report.outcome {
        Err(Failure::Stuck { tasks, .. }) => {
            assert_eq!(tasks, ["script/script", "waiter/main", "waiter/for nothing"]);
        }
        other => panic!("{other:?}"),
    }
}

#[test]
fn tasks_that_spin_are_reported_with_names() {
    let options = Options { polls_max: 10_000, ..Options::seed(0) };
    let report = Sim::new(options).run(async |world: World| {
        world.node("busy").boot(|| async {
            let spinner = || async {
                loop {
                    yield_now().await;
                }
            };
            drop((runtime::spawn::<_>("one", spinner()), runtime::spawn::<_>("two", spinner())));
            std::future::pending::<()>().await;
        });
        world.sleep(SECOND).await;
    });
    match report.outcome {
        Err(Failure::Spinning { tasks, polls, at }) => {
            assert_eq!((tasks, at), (vec!["busy/one".to_owned(), "busy/two".to_owned()], Duration::ZERO));
            assert_eq!(polls, 10_000);
        }
        other => panic!("{other:?}"),
    }
}

#[test]
fn time_and_events_have_limits() {
    let forever = async |world: World| {
        loop {
            world.sleep(SECOND).await;
        }
    };
    let hour = Duration::from_hours(1);
    let report = Sim::new(Options { time_max: hour, ..Options::seed(0) }).run(forever);
    assert_eq!(report.outcome, Err::<(), _>(Failure::TimeLimit { limit: hour }));
    assert_eq!(report.elapsed, hour);
    let report = Sim::new(Options { events_max: 100, ..Options::seed(0) }).run(forever);
    assert!(matches!(report.outcome, Err::<(), _>(Failure::EventLimit { .. })));
}

#[sim::test(seeds = 0..1)]
async fn a_million_cancelled_timers_leave_nothing(world: World) {
    let mut ready = true;
    for _ in 0..1_000_000 {
        let wait = runtime::timeout(
            Duration::from_hours(1),
            std::future::poll_fn(|context| {
                ready = !ready;
                if ready {
                    return Poll::Ready(());
                }
                context.waker().wake_by_ref();
                Poll::Pending
            }),
        );
        wait.await.unwrap();
        if world.elapsed() == Duration::ZERO {
            world.sleep(Duration::from_nanos(1)).await; // so that the watch on spinning sees time move
        }
        if world.stream("breath").below(1000) == 0 {
            world.sleep(Duration::from_nanos(1)).await;
        }
    }
    assert_eq!(world.census()["script"].timers, 0);
    assert!(world.elapsed() < SECOND);
}

#[sim::test]
async fn a_timer_that_is_moved_wakes_its_task_there(world: World) {
    let sleep = std::rc::Rc::new(std::cell::RefCell::new(Box::pin(runtime::sleep(3600 * SECOND))));
    let waits = std::rc::Rc::clone(&sleep);
    let sleeper = world.spawn("sleeper", async move {
        std::future::poll_fn(|context| waits.borrow_mut().as_mut().poll(context)).await;
    });
    world.sleep(SECOND).await;
    sleep.borrow_mut().as_mut().reset(runtime::now() + SECOND); // nobody polls it
    sleeper.await;
    assert_eq!(world.elapsed(), 2 * SECOND);
    sleep.borrow_mut().as_mut().reset(runtime::now() + SECOND);
    std::future::poll_fn(|context| sleep.borrow_mut().as_mut().poll(context)).await;
    assert_eq!(world.elapsed(), 3 * SECOND);
}

#[sim::test]
async fn tasks_are_aborted_and_joined(world: World) {
    let task = world.spawn("asleep", std::future::pending::<()>());
    assert!(!task.is_over());
    task.abort();
    assert_eq!(task.await, None);
    assert_eq!(world.spawn("awake", async { 7 }).await, Some(7));
    let node = world.node("host");
    node.boot(std::future::pending);
    let task = node.spawn("guest", std::future::pending::<()>());
    let ended = world.spawn("watcher", {
        let node = node.clone();
        async move { node.ended().await }
    });
    node.kill();
    assert_eq!((task.await, ended.await), (None, Some(())));
    let handle = runtime::spawn("of runtime", std::future::pending::<()>());
    handle.abort();
    assert!(handle.await.is_err());
}

#[test]
fn a_run_inside_a_run_is_refused() {
    if !sim::is_hosted() {
        return;
    }
    let report = Sim::seed(0).run(async |_world: World| {
        drop(Sim::seed(1).run(async |_world: World| ()));
    });
    assert!(report.outcome.unwrap_err().to_string().contains("cannot be started inside a run"));
}
