//! Clocks that drift, stand still and are stepped; timers that are late; the burst after a pause.

use std::cell::RefCell;
use std::rc::Rc;
use std::sync::Arc;
use std::task::Poll;
use std::time::Duration;

use futures_util::future::{Either, select};
use runtime::TcpStream;
use sim::{Effect, Failure, Node, Options, Ratio, Sim, World};
use tokio::io::{AsyncReadExt, AsyncWriteExt};

use crate::support::{MILLISECOND, SECOND, connect, count, plain, process, read, server};

/// A process that sleeps, once for each span; when each ended in true time, and what its clocks said had passed.
async fn sleeps(world: &World, node: &Node, spans: &'static [Duration]) -> Vec<(Duration, Duration, u64)> {
    let told = Rc::new(RefCell::new(Vec::new()));
    let (place, outside) = (Rc::clone(&told), world.clone());
    node.boot(move || {
        let (told, world) = (Rc::clone(&place), outside.clone());
        async move {
            for span in spans {
                let (began, mono, wall) = (world.elapsed(), runtime::now(), runtime::wall());
                runtime::sleep(*span).await;
                let passed = runtime::now().saturating_since(mono);
                told.borrow_mut().push((world.elapsed() - began, passed, runtime::wall().0 - wall.0));
            }
        }
    });
    node.ended().await;
    told.take()
}

const TEN: &[Duration] = &[Duration::from_secs(10)];

#[sim::test]
async fn timers_follow_the_clock_of_their_node_fast_or_slow(world: World) {
    let (true_, fast, slow) = (world.node("true"), world.node("fast"), world.node("slow"));
    assert_eq!(sleeps(&world, &true_, TEN).await, [(10 * SECOND, 10 * SECOND, 10_000)]);
    assert!(world.effects().is_empty());
    fast.drift_clocks(250_000);
    slow.drift_clocks(-200_000);
    assert_eq!(sleeps(&world, &fast, TEN).await, [(8 * SECOND, 10 * SECOND, 10_000)]);
    assert_eq!(sleeps(&world, &slow, TEN).await, [(12_500 * MILLISECOND, 10 * SECOND, 10_000)]);
    assert_eq!(world.effects().into_iter().collect::<Vec<_>>(), [(Effect::ClockDrift, 2)]);
    fast.drift_clocks(0);
    assert_eq!(sleeps(&world, &fast, TEN).await, [(10 * SECOND, 10 * SECOND, 10_000)]);
}

#[sim::test]
async fn a_timer_that_runs_is_met_when_a_drifting_clock_shows_its_deadline(world: World) {
    let node = world.node("node");
    let drifts = world.spawn("drifts", {
        let (world, node) = (world.clone(), node.clone());
        async move {
            world.sleep(5 * SECOND).await;
            node.drift_clocks(-500_000);
            world.sleep(2 * SECOND).await;
            node.drift_clocks(0);
        }
    });
    // Five seconds as they are, two that count half, four as they are.
    assert_eq!(sleeps(&world, &node, TEN).await, [(11 * SECOND, 10 * SECOND, 10_000)]);
    drifts.await;
}

#[test]
fn drifts_are_decided_per_node_and_move_nothing_else() {
    let run = |clock_drift| {
        let script = async |world: World| {
            let mut all = Vec::new();
            for name in ["a", "b", "c"] {
                let node = world.node(name);
                let first = process(&node, || async { (runtime::now(), runtime::wall()) }).await;
                let slept = sleeps(&world, &node, TEN).await[0].0;
                all.push((first, slept));
            }
            (all, count(&world, Effect::ClockDrift))
        };
        Sim::new(Options { clock_drift, ..Options::seed(9) }).run(script).expect_ok()
    };
    let ((steady, unfelt), (drifting, felt)) = (run(0), run(1000));
    assert_eq!((unfelt, felt), (0, 3));
    // The first node is asked at the very beginning, when no drift shows yet.
    assert_eq!(steady[0].0, drifting[0].0, "uptime and skew stay as they were");
    assert!(steady.iter().all(|(_, slept)| *slept == 10 * SECOND));
    let off: Vec<_> = drifting.iter().map(|(_, slept)| slept.abs_diff(10 * SECOND)).collect();
    assert!(off.iter().all(|off| *off <= Duration::from_millis(11)), "{off:?}");
    assert!(off[0] != off[1] && off[1] != off[2], "{off:?}");
}

#[sim::test]
async fn timers_wait_while_their_clock_stands_still(world: World) {
    let node = world.node("node");
    let freezes = world.spawn("freezes", {
        let (world, node) = (world.clone(), node.clone());
        async move {
            world.sleep(4 * SECOND).await;
            node.freeze_clocks();
            world.sleep(60 * SECOND).await;
            assert!(!world.effects().contains_key(&Effect::ClockFreeze), "nobody has looked");
            let looks = node.spawn("looks", async { (runtime::now(), runtime::wall()) });
            let before = looks.await;
            world.sleep(SECOND).await;
            let after = node.spawn("looks", async { (runtime::now(), runtime::wall()) }).await;
            assert_eq!(before, after);
            node.thaw_clocks();
        }
    });
    assert_eq!(sleeps(&world, &node, TEN).await, [(71 * SECOND, 10 * SECOND, 10_000)]);
    freezes.await;
    assert_eq!(world.effects().into_iter().collect::<Vec<_>>(), [(Effect::ClockFreeze, 1)]);
}

#[sim::test]
async fn a_step_moves_the_wall_clock_alone_forward_or_back(world: World) {
    for (milliseconds, shown) in [(0, 10_000), (5000, 15_000), (-5000, 5000)] {
        let node = world.node(&format!("node {milliseconds}"));
        let (stepped, outside) = (node.clone(), world.clone());
        let steps = world.spawn("steps", async move {
            outside.sleep(SECOND).await;
            stepped.step_wall(milliseconds);
        });
        assert_eq!(sleeps(&world, &node, TEN).await, [(10 * SECOND, 10 * SECOND, shown)]);
        steps.await;
    }
    assert_eq!(world.effects().into_iter().collect::<Vec<_>>(), [(Effect::ClockStep, 2)]);
}

#[sim::test(seeds = 0..8)]
async fn late_timers_fire_after_their_deadline_and_never_before(world: World) {
    const MANY: &[Duration] = &[Duration::from_millis(100); 40];
    let (punctual, late) = (world.node("punctual"), world.node("late"));
    late.delay_timers(Ratio::new(1, 2), 50 * MILLISECOND);
    let on_time = (100 * MILLISECOND, 100 * MILLISECOND, 100);
    assert!(sleeps(&world, &punctual, MANY).await.iter().all(|slept| *slept == on_time));
    assert!(world.effects().is_empty());
    let slept = sleeps(&world, &late, MANY).await;
    let late_by: Vec<_> = slept.iter().map(|(took, ..)| *took - 100 * MILLISECOND).collect();
    assert!(late_by.iter().all(|by| *by <= 50 * MILLISECOND), "{late_by:?}");
    let count = late_by.iter().filter(|by| !by.is_zero()).count();
    assert!((8..=32).contains(&count), "{late_by:?}");
    assert_eq!(world.effects()[&Effect::LateTimer], count as u64);
    late.delay_timers(Ratio::NEVER, Duration::ZERO);
    assert_eq!(sleeps(&world, &late, TEN).await, [(10 * SECOND, 10 * SECOND, 10_000)]);
}

#[sim::test]
async fn a_late_timer_is_late_for_whoever_looks_and_when_it_is_set_anew(world: World) {
    let node = world.node("node");
    node.delay_timers(Ratio::new(1, 1), 50 * MILLISECOND);
    let pokes = Arc::new(tokio::sync::Notify::new());
    let poked = Arc::clone(&pokes);
    node.boot(move || {
        let poked = Arc::clone(&poked);
        async move {
            let began = runtime::now();
            let mut timer = std::pin::pin!(runtime::sleep(100 * MILLISECOND));
            std::future::poll_fn(|context| Poll::Ready(timer.as_mut().poll(context).is_pending())).await;
            timer.as_mut().reset(began + 200 * MILLISECOND);
            let mut looks = 0;
            while let Either::Right(_) = select(timer.as_mut(), std::pin::pin!(poked.notified())).await {
                looks += 1;
            }
            let took = runtime::now().saturating_since(began);
            assert!(took > 200 * MILLISECOND && took <= 250 * MILLISECOND, "{took:?}");
            assert!(looks >= 200, "it was looked at {looks} times before");
        }
    });
    let poke = async {
        loop {
            world.sleep(MILLISECOND).await;
            pokes.notify_one();
        }
    };
    select(std::pin::pin!(node.ended()), std::pin::pin!(poke)).await;
    assert_eq!(world.effects()[&Effect::LateTimer], 1);
}

#[sim::test(options = plain())]
async fn what_came_due_in_a_pause_comes_in_a_burst_after_it(world: World) {
    let node = world.node("node");
    node.boot(std::future::pending);
    let sleeper = |n: u32| node.spawn("sleeper", async move { runtime::sleep(n * SECOND).await });
    let sleepers: Vec<_> = (1..=8).map(sleeper).collect();
    world.sleep(SECOND / 2).await;
    node.pause();
    world.sleep(6 * SECOND).await;
    assert!(sleepers.iter().all(|sleeper| !sleeper.is_over()));
    assert_eq!(world.effects().into_iter().collect::<Vec<_>>(), [(Effect::Pause, 6)]);
    node.resume();
    let resumed = world.elapsed();
    let mut ended = Vec::new();
    for sleeper in sleepers {
        sleeper.await;
        ended.push(world.elapsed());
    }
    let late = [7 * SECOND, 8 * SECOND];
    assert_eq!(
        (&ended[..6], &ended[6..]),
        (&[resumed; 6][..], &late[..]),
        "six at once, the others as they were"
    );
}

#[sim::test(options = plain())]
async fn bytes_for_a_paused_process_wait_in_its_kernel_up_to_the_window(world: World) {
    const ALL: usize = 400 * 1024;
    let node = server(&world, async |mut stream: TcpStream| {
        let mut all = vec![0; ALL];
        stream.read_exact(&mut all).await.expect("all of it");
        assert!(all.chunks(1024).enumerate().all(|(n, piece)| piece == [n as u8; 1024]), "in order");
        stream.write_all(b"all").await.expect("the peer listens");
    })
    .await;
    let mut stream = connect("server").await.unwrap();
    world.sleep(10 * MILLISECOND).await;
    node.pause();
    let sent = Rc::new(std::cell::Cell::new(0));
    let count = Rc::clone(&sent);
    let writes = world.spawn("writes", async move {
        for n in 0..ALL / 1024 {
            stream.write_all(&[n as u8; 1024]).await.expect("the kernel takes it, or makes it wait");
            count.set(count.get() + 1024);
        }
        read(&mut stream).await
    });
    world.sleep(60 * SECOND).await;
    let unread = world.census()["server"].unread;
    assert_eq!(unread, u64::from(world.options().net.window), "a window's worth");
    assert!(sent.get() >= 65_536 && sent.get() < ALL, "{} sent: then the writer waits", sent.get());
    node.resume();
    assert_eq!(writes.await, Some(Ok(b"all".to_vec())));
}

#[sim::test]
async fn a_timer_that_a_pause_holds_up_is_not_late_by_injection(world: World) {
    let node = world.node("node");
    node.delay_timers(Ratio::new(1, u32::MAX), SECOND);
    let pauses = world.spawn("pauses", {
        let (world, node) = (world.clone(), node.clone());
        async move {
            world.sleep(SECOND).await;
            node.pause();
            world.sleep(20 * SECOND).await;
            node.resume();
        }
    });
    assert_eq!(sleeps(&world, &node, TEN).await, [(21 * SECOND, 21 * SECOND, 21_000)]);
    pauses.await;
    assert_eq!(world.effects().into_iter().collect::<Vec<_>>(), [(Effect::Pause, 1)]);
}

#[sim::test]
async fn a_timer_that_was_late_counts_even_if_the_fault_is_over_by_then(world: World) {
    let node = world.node("node");
    node.delay_timers(Ratio::new(1, 1), SECOND);
    let heals = world.spawn("heals", {
        let (world, node) = (world.clone(), node.clone());
        async move {
            world.sleep(10 * SECOND).await;
            assert!(world.effects().is_empty(), "it is not late yet");
            node.delay_timers(Ratio::NEVER, Duration::ZERO);
        }
    });
    assert!(sleeps(&world, &node, TEN).await[0].0 > 10 * SECOND);
    heals.await;
    assert_eq!(world.effects().into_iter().collect::<Vec<_>>(), [(Effect::LateTimer, 1)]);
}

#[test]
fn a_world_in_which_all_timers_stand_still_is_stuck() {
    let run = Sim::seed(0).run(async |world: World| {
        let node = world.node("node");
        node.freeze_clocks();
        node.boot(|| runtime::sleep(SECOND));
        node.ended().await;
    });
    let Err(Failure::Stuck { tasks, at }) = run.outcome else { panic!("{:?}", run.outcome) };
    assert_eq!((tasks, at), (vec!["script/script".to_owned(), "node/main".to_owned()], Duration::ZERO));
}

#[sim::test]
async fn timers_are_late_by_whole_microseconds_or_not_at_all(world: World) {
    let node = world.node("node");
    node.delay_timers(Ratio::new(1, 1), Duration::from_nanos(999));
    assert_eq!(sleeps(&world, &node, TEN).await[0].0, 10 * SECOND);
    assert!(world.effects().is_empty());
    node.delay_timers(Ratio::new(1, 1), Duration::from_nanos(1_999));
    assert_eq!(sleeps(&world, &node, TEN).await[0].0, 10 * SECOND + Duration::from_micros(1));
    assert_eq!(count(&world, Effect::LateTimer), 1);
}
