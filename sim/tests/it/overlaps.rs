//! Strikes that overlap each other and what the script does: each lasts for its own time.

use std::cell::RefCell;
use std::collections::BTreeSet;
use std::net::SocketAddr;
use std::rc::Rc;
use std::time::Duration;

use runtime::TcpListener;
use sim::{AWAY, Node, Options, Point, PointFault, PointKind, Report, Sim, Strike, World};

use crate::support::{SECOND, connect};

/// What a script does to two nodes, a server and a client, at some second.
type Deed = (u64, fn(&World, [&Node; 2]));

/// A minute of a server whose 60 timers end one second after the other, and of a client that connects to it each
/// second: when each timer was heard of, and in which seconds the server was reached.
async fn minute(world: World, deeds: &'static [Deed]) -> (Vec<Duration>, BTreeSet<u64>) {
    let (server, client) = (world.node("server"), world.node("client"));
    let ticks = Rc::new(RefCell::new(vec![Duration::ZERO; 60]));
    let (place, clock) = (Rc::clone(&ticks), world.clone());
    server.boot(move || {
        for second in 0..60 {
            let (place, clock) = (Rc::clone(&place), clock.clone());
            drop(clock.clone().node("server").spawn("tick", async move {
                runtime::sleep(second as u32 * SECOND).await;
                place.borrow_mut()[second] = clock.elapsed();
            }));
        }
        async {
            let _listens = TcpListener::bind(SocketAddr::from(([0; 4], 80))).await.expect("port 80 is free");
            std::future::pending::<()>().await;
        }
    });
    client.boot(std::future::pending);
    let reached: Rc<RefCell<BTreeSet<u64>>> = Rc::default();
    for second in 0..60 {
        world.sleep((u32::try_from(second).expect("small") * SECOND).saturating_sub(world.elapsed())).await;
        for (_, deed) in deeds.iter().filter(|(at, _)| *at == second) {
            deed(&world, [&server, &client]);
        }
        let place = Rc::clone(&reached);
        drop(client.spawn("asks", async move {
            runtime::sleep(SECOND / 4).await;
            if let Ok(Ok(_)) = runtime::timeout(SECOND / 2, connect("server")).await {
                place.borrow_mut().insert(second);
            }
        }));
    }
    world.close_points();
    world.sleep(10 * SECOND).await;
    (ticks.take(), reached.take())
}

fn run_minute(strikes: &[Strike], deeds: &'static [Deed]) -> Report<(Vec<Duration>, BTreeSet<u64>)> {
    let options = Options {
        record_points: 100_000,
        strikes: strikes.to_vec(),
        keep_events: 0..100_000,
        ..Options::seed(1)
    };
    Sim::new(options).run(move |world| minute(world, deeds))
}

/// The first point of a kind at a node from that second on.
fn from_second(points: &[Point], kind: PointKind, node: &str, second: u64) -> Point {
    let is_it = |point: &&Point| {
        point.kind == kind
            && point.node == node
            && point.link.is_none() != (kind == PointKind::Connect)
            && point.at >= Duration::from_secs(second)
    };
    points.iter().find(is_it).expect("there is one").clone()
}

/// Seconds.
fn seconds(range: std::ops::Range<u64>) -> BTreeSet<u64> {
    range.collect()
}

#[test]
fn a_pause_that_begins_in_another_lasts_for_its_own_time() {
    let base = run_minute(&[], &[]);
    let [first, second] = [1, 10].map(|at| from_second(&base.points, PointKind::Timer, "server", at));
    let both =
        run_minute(&[Strike::at(&first, PointFault::Pause), Strike::at(&second, PointFault::Pause)], &[]);
    let until = both.struck[1].until.expect("a pause ends");
    assert_eq!(until, 10 * SECOND + AWAY);
    let told = |text: &str| {
        both.kept.iter().filter(|event| event.text == text).map(|event| event.at).collect::<Vec<_>>()
    };
    assert_eq!(told("fault: a strike ends, and another goes on"), [SECOND + AWAY]);
    assert_eq!(told("fault: server goes on"), [until]);
    let (ticks, _) = both.expect_ok();
    assert!(ticks[1..30].iter().all(|tick| *tick == until), "{ticks:?}");
    assert_eq!(ticks[31], 31 * SECOND);
}

#[test]
fn a_black_hole_that_begins_in_another_lasts_for_its_own_time() {
    let base = run_minute(&[], &[]);
    assert_eq!(base.outcome.as_ref().unwrap().1, seconds(0..60));
    // One is between two nodes, the other around one of them.
    const PATH: (PointKind, &str) = (PointKind::Connect, "client");
    const HOST: (PointKind, &str) = (PointKind::Timer, "server");
    for (first, second, at, reached) in [
        (PATH, HOST, 10, [0..1, 30..60, 60..60]),
        (HOST, PATH, 10, [0..1, 30..60, 60..60]),
        (HOST, PATH, 30, [0..1, 21..30, 50..60]),
    ] {
        let first = Strike::at(&from_second(&base.points, first.0, first.1, 1), PointFault::BlackHole);
        // Points after it are those of a run with it.
        let struck = run_minute(&[first], &[]).points;
        let second = Strike::at(&from_second(&struck, second.0, second.1, at), PointFault::BlackHole);
        let (_, heard) = run_minute(&[first, second], &[]).expect_ok();
        let expected: BTreeSet<_> = reached.into_iter().flat_map(seconds).collect();
        // What is opened close to the moment at which one ends may be in time, or not.
        let differ: BTreeSet<_> = heard.symmetric_difference(&expected).copied().collect();
        assert!(differ.is_subset(&[21, 30, 50].into()), "{first} and {second}: {heard:?}");
    }
}

#[test]
fn the_end_of_a_strike_opens_nothing_that_the_script_has_blocked_and_the_script_nothing_that_is_struck() {
    let base = run_minute(&[], &[]);
    let connect = from_second(&base.points, PointKind::Connect, "client", 1);
    let timer = from_second(&base.points, PointKind::Timer, "server", 1);
    const PARTED: &[Deed] = &[
        (5, |world, [one, other]| world.partition(one, other)),
        (40, |world, [one, other]| world.heal(one, other)),
    ];
    let (_, heard) = run_minute(&[Strike::at(&connect, PointFault::BlackHole)], PARTED).expect_ok();
    assert_eq!(heard, &seconds(0..1) | &seconds(40..60));
    const PARTED_BRIEFLY: &[Deed] = &[
        (5, |world, [one, other]| world.partition(one, other)),
        (12, |world, [one, other]| world.heal(one, other)),
    ];
    let (_, heard) = run_minute(&[Strike::at(&connect, PointFault::BlackHole)], PARTED_BRIEFLY).expect_ok();
    assert!(heard.is_disjoint(&seconds(1..21)) && heard.is_superset(&seconds(22..60)), "{heard:?}");
    const HEALED: &[Deed] = &[(12, |world, _| world.heal_all())];
    let (_, heard) = run_minute(&[Strike::at(&connect, PointFault::BlackHole)], HEALED).expect_ok();
    assert_eq!(heard, &seconds(0..1) | &seconds(12..60), "who opens all paths opens all");
    const PAUSED: &[Deed] = &[(5, |_, [server, _]| server.pause()), (40, |_, [server, _]| server.resume())];
    let (ticks, _) = run_minute(&[Strike::at(&timer, PointFault::Pause)], PAUSED).expect_ok();
    assert!(ticks[1..40].iter().all(|tick| *tick == 40 * SECOND), "{ticks:?}");
    const PAUSED_BRIEFLY: &[Deed] =
        &[(5, |_, [server, _]| server.pause()), (12, |_, [server, _]| server.resume())];
    let (ticks, _) = run_minute(&[Strike::at(&timer, PointFault::Pause)], PAUSED_BRIEFLY).expect_ok();
    assert!(ticks[1..21].iter().all(|tick| *tick == 21 * SECOND), "{ticks:?}");
}

#[test]
fn a_process_that_is_started_again_is_not_held_by_the_pause_of_the_one_before() {
    let base = run_minute(&[], &[]);
    let timer = from_second(&base.points, PointKind::Timer, "server", 1);
    const RESTARTED: &[Deed] = &[
        (5, |_, [server, _]| {
            server.kill();
            server.restart();
        }),
        (12, |_, [server, _]| server.pause()),
        (15, |_, [server, _]| server.resume()),
    ];
    let (ticks, _) = run_minute(&[Strike::at(&timer, PointFault::Pause)], RESTARTED).expect_ok();
    assert_eq!(ticks[..7], [5, 6, 7, 8, 9, 10, 11].map(|second| second * SECOND));
    assert!(ticks[8..10].iter().all(|tick| *tick == 15 * SECOND), "{ticks:?}");
    assert_eq!(ticks[12], 17 * SECOND);
}
