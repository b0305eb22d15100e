//! Points of a run: every kind is met, every fault bites where it strikes, and nothing before a strike is changed.

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};
use std::io;
use std::net::SocketAddr;
use std::rc::Rc;
use std::time::Duration;

use runtime::{TcpListener, TcpStream};
use sim::{AWAY, Effect, Options, Point, PointFault, PointKind, Report, Sim, Strike, World};
use tokio::io::{AsyncReadExt, AsyncWriteExt};

use crate::support::{SECOND, connect};

/// What a client heard, and when.
type Heard = Vec<(Duration, Result<u8, io::ErrorKind>)>;

/// Appends a byte to a file, for good.
async fn append(byte: u8) -> io::Result<()> {
    runtime::disk::blocking(move || {
        let file = runtime::disk::open("log").map_err(io::Error::other)?;
        let place = file.len()?;
        file.write(place, &[byte])?;
        file.sync()
    })
    .await
}

/// A server that keeps what it is told, one byte at a time, and answers with 1, or 0 if its disk does not take it.
async fn keep() {
    drop(append(0).await);
    let listener = TcpListener::bind(SocketAddr::from(([0; 4], 80))).await.expect("port 80 is free");
    loop {
        let Ok((mut stream, _)) = listener.accept().await else { return };
        drop(runtime::spawn("keep", async move {
            let mut byte = [0];
            while let Ok(1) = stream.read(&mut byte).await {
                let kept = append(byte[0]).await.is_ok();
                if stream.write_all(&[u8::from(kept)]).await.is_err() {
                    return;
                }
            }
        }));
    }
}

async fn ask(byte: u8) -> io::Result<u8> {
    let mut stream = runtime::timeout(30 * SECOND, connect("server")).await.map_err(io::Error::other)??;
    let mut answer = [0];
    let exchange = async {
        stream.write_all(&[byte]).await?;
        stream.read_exact(&mut answer).await
    };
    runtime::timeout(30 * SECOND, exchange).await.map_err(|_| io::ErrorKind::TimedOut)??;
    Ok(answer[0])
}

/// Ten bytes are given to a server to be kept, on ten connections; whoever falls is started again after a second.
async fn story(world: World) -> Heard {
    let (server, client) = (world.node("server"), world.node("client"));
    server.boot(keep);
    let watch = world.clone();
    drop(world.spawn("watch", async move {
        for heard in 0.. {
            let struck = watch.struck(heard).await;
            assert!(heard > 0 || struck.point.at == watch.elapsed(), "it is told when it strikes");
            watch.sleep(SECOND).await;
            let node = watch.node(&struck.point.node);
            if !node.is_running() {
                node.restart();
            }
        }
    }));
    let heard: Rc<RefCell<Heard>> = Rc::default();
    let (place, clock) = (Rc::clone(&heard), world.clone());
    client.boot(move || {
        let (place, clock) = (Rc::clone(&place), clock.clone());
        async move {
            while place.borrow().len() < 10 {
                let byte = place.borrow().len() as u8;
                runtime::sleep(100 * Duration::from_millis(1)).await;
                let answer = ask(byte).await.map_err(|error| error.kind());
                place.borrow_mut().push((clock.elapsed(), answer));
            }
        }
    });
    // One that was killed is started again.
    while heard.borrow().len() < 10 {
        world.sleep(SECOND).await;
    }
    world.close_points();
    heard.take()
}

fn run(seed: u64, strikes: &[Strike]) -> Report<Heard> {
    let options = Options { record_points: 100_000, strikes: strikes.to_vec(), ..Options::seed(seed) };
    Sim::new(options).run(story)
}

#[test]
fn every_kind_of_point_is_met_and_all_are_counted() {
    let points = run(1, &[]).points;
    let kinds: BTreeSet<_> = points.iter().map(|point| point.kind).collect();
    assert_eq!(kinds, PointKind::ALL.into());
    let mut next = BTreeMap::new();
    for point in &points {
        let ordinal = next.entry(point.kind).or_insert(0);
        assert_eq!(point.ordinal, *ordinal, "{point:?}");
        *ordinal += 1;
    }
    assert!(points.is_sorted_by_key(|point| (point.at, point.instant)));
    // Ten connections, and eleven pieces of work with one write and one sync each.
    let of = |kind| next[&kind];
    assert_eq!((of(PointKind::Connect), of(PointKind::Accept)), (10, 10));
    assert_eq!((of(PointKind::DiskWrite), of(PointKind::DiskSync)), (11, 11));
}

#[test]
fn recording_changes_nothing_and_nothing_is_kept_unasked() {
    let recorded = run(1, &[]);
    let plain = Sim::seed(1).run(story);
    assert_eq!((plain.digest, plain.points.len()), (recorded.digest, 0));
    assert!(plain.struck.is_empty() && plain.missed.is_empty());
}

#[test]
fn a_strike_leaves_the_run_before_it_as_it_was() {
    let base = run(2, &[]);
    let asked: Vec<_> = base.points.iter().filter(|point| PointFault::Pause.applies(point)).collect();
    for point in asked.iter().step_by(20) {
        let struck = run(2, &[Strike::at(point, PointFault::Pause)]);
        let place = struck.points.iter().position(|each| each == *point).expect("the point is met again");
        assert_eq!(struck.points[..=place], base.points[..=place]);
        assert_eq!(struck.struck.len(), 1);
        assert_eq!(&&struck.struck[0].point, point);
        assert_ne!(struck.digest, base.digest);
    }
}

/// What is felt of a fault where it strikes.
fn effects(fault: PointFault, point: &Point) -> Vec<Effect> {
    let inside = matches!(point.kind, PointKind::DiskWrite | PointKind::DiskSync);
    match fault {
        PointFault::Kill if inside => vec![Effect::Kill, Effect::DiskCrash],
        PointFault::Kill => vec![Effect::Kill],
        PointFault::PowerOff if inside => vec![Effect::PowerOff, Effect::DiskCrash],
        PointFault::PowerOff => vec![Effect::PowerOff],
        PointFault::Fin => vec![Effect::CutFin],
        PointFault::Reset => vec![Effect::CutReset],
        PointFault::BlackHole => vec![Effect::Blocked],
        PointFault::DiskError if point.kind == PointKind::DiskSync => vec![Effect::SyncError],
        PointFault::DiskError => vec![Effect::WriteError],
        PointFault::Pause => vec![Effect::Pause],
    }
}

#[test]
fn every_fault_bites_at_every_kind_of_point_to_which_it_applies() {
    let base = run(3, &[]);
    let mut pairs = BTreeSet::new();
    for fault in PointFault::ALL {
        for kind in PointKind::ALL {
            let of_kind = base.points.iter().filter(|point| point.kind == kind && point.guest);
            let of_kind: Vec<_> = of_kind.filter(|point| fault.applies(point)).collect();
            let mut changes = false;
            for point in of_kind.iter().step_by(of_kind.len() / 4 + 1) {
                let struck = run(3, &[Strike::at(point, fault)]);
                assert_eq!(struck.missed, []);
                let is_felt = effects(fault, point).iter().all(|effect| struck.effects.contains_key(effect));
                let changed = struck.expect_ok() != base.outcome.clone().unwrap();
                // Whoever is done with a connection does not hear that it is cut.
                let is_cut = matches!(fault, PointFault::Fin | PointFault::Reset);
                assert!(is_felt || (is_cut && !changed), "{fault} at {kind}: no effect");
                changes |= changed;
            }
            if !of_kind.is_empty() {
                assert!(changes, "{fault} at {kind}: nobody hears of it");
                pairs.insert((fault, kind));
            }
        }
    }
    let pairs = &pairs;
    let applies = |fault| PointKind::ALL.into_iter().filter(move |kind| pairs.contains(&(fault, *kind)));
    for fault in [PointFault::Kill, PointFault::PowerOff, PointFault::Pause, PointFault::BlackHole] {
        assert_eq!(applies(fault).count(), PointKind::ALL.len(), "{fault}");
    }
    for fault in [PointFault::Fin, PointFault::Reset] {
        assert_eq!(applies(fault).collect::<Vec<_>>(), [PointKind::Segment, PointKind::Accept]);
    }
    let operations = [PointKind::DiskWrite, PointKind::DiskSync];
    assert_eq!(applies(PointFault::DiskError).collect::<Vec<_>>(), operations);
}

#[test]
fn a_pause_and_a_black_hole_end_by_themselves() {
    let base = run(4, &[]);
    for fault in [PointFault::Pause, PointFault::BlackHole] {
        let mut points = base.points.iter().filter(|point| point.kind == PointKind::Accept);
        let point = points.nth(4).expect("ten are accepted");
        let struck = run(4, &[Strike::at(point, fault)]);
        assert_eq!(struck.struck[0].until, Some(point.at + AWAY));
        let heard = struck.expect_ok();
        assert_eq!(heard[4].1, Ok(1), "{fault}: it is answered once it is over");
        assert!(heard[4].0 >= point.at + AWAY && heard[4].0 < point.at + AWAY + SECOND, "{fault}: {heard:?}");
    }
}

#[test]
fn what_cannot_strike_is_told() {
    let base = run(5, &[]);
    let connect = base.points.iter().find(|point| point.kind == PointKind::Connect).expect("one connects");
    let own = Strike { kind: PointKind::Timer, ordinal: 1_000_000, fault: PointFault::Kill };
    let early = Strike::at(connect, PointFault::Fin);
    let report = run(5, &[own, early]);
    assert_eq!(report.missed, [own, early], "no such point; a connection that is not open");
    assert_eq!(report.digest, base.digest);
}

#[test]
fn two_strikes_strike_both() {
    let base = run(6, &[]);
    let accepts: Vec<_> = base.points.iter().filter(|point| point.kind == PointKind::Accept).collect();
    let strikes = [Strike::at(accepts[2], PointFault::Reset), Strike::at(accepts[6], PointFault::Kill)];
    let report = run(6, &strikes);
    assert_eq!(
        report.struck.iter().map(|struck| struck.fault).collect::<Vec<_>>(),
        [PointFault::Reset, PointFault::Kill]
    );
}

/// Whether the second of two faults still finds what it strikes when the first has struck at the same point. `None`:
/// it hangs on how the kernel closed the connection.
fn finds(first: PointFault, second: PointFault) -> Option<bool> {
    let (fells, cuts) = ([PointFault::Kill, PointFault::PowerOff], [PointFault::Fin, PointFault::Reset]);
    let needs_process = [PointFault::Kill, PointFault::PowerOff, PointFault::DiskError, PointFault::Pause];
    if first == second || (cuts.contains(&first) && cuts.contains(&second)) {
        Some(false)
    } else if fells.contains(&first) && cuts.contains(&second) {
        None
    } else {
        Some(!(fells.contains(&first) && needs_process.contains(&second)))
    }
}

#[test]
fn of_two_faults_at_one_point_the_second_strikes_what_the_first_has_left_or_is_told_to_have_missed() {
    let base = run(7, &[]);
    for kind in PointKind::ALL {
        let mut of_kind = base.points.iter().filter(|point| point.kind == kind && point.guest);
        let point = of_kind.find(|point| point.runs && point.link.as_ref().is_none_or(|link| link.open));
        let Some(point) = point.or_else(|| base.points.iter().find(|point| point.kind == kind)) else {
            panic!("no {kind} is met");
        };
        for (first, second) in
            PointFault::ALL.into_iter().flat_map(|one| PointFault::ALL.map(|two| (one, two)))
        {
            let strikes = [Strike::at(point, first), Strike::at(point, second)];
            let report = run(7, &strikes);
            assert!(report.outcome.is_ok(), "{first} and {second} at {point:?}: {:?}", report.outcome);
            let struck: Vec<_> = report.struck.iter().map(|struck| struck.fault).collect();
            let [one, two] = [first, second].map(|fault| fault.applies(point));
            let two = match finds(first, second) {
                Some(finds) => two && (finds || !one),
                None if one => two && struck.contains(&second),
                None => two,
            };
            let expected = [(first, one), (second, two)].into_iter().filter(|(_, strikes)| *strikes);
            let expected: Vec<_> = expected.map(|(fault, _)| fault).collect();
            assert_eq!(struck, expected, "{first} and {second} at {point:?}");
            assert_eq!(report.missed.len(), 2 - struck.len(), "{first} and {second} at {point:?}");
            let falls = [Effect::Kill, Effect::PowerOff].map(|fall| report.effects.get(&fall).copied());
            assert!(falls.into_iter().flatten().sum::<u64>() <= 1, "one process falls once");
        }
    }
}

/// A helper that opens a store and returns is a step of the boot; the end of a process is none.
#[test]
fn a_task_that_ends_in_its_first_poll_is_a_step_of_a_boot() {
    let run = |strikes: &[Strike]| {
        let options = Options { record_points: 100, strikes: strikes.to_vec(), ..Options::seed(1) };
        Sim::new(options).run(async |world: World| {
            let (node, brief) = (world.node("node"), world.node("brief"));
            node.boot(|| async {
                let _ended = runtime::spawn("helper", async {}).await;
                std::future::pending::<()>().await;
            });
            world.sleep(SECOND).await;
            brief.boot(|| async {});
            world.sleep(SECOND).await;
            node.status()
        })
    };
    let base = run(&[]);
    let steps: Vec<_> = base.points.iter().filter(|point| point.kind == PointKind::BootStep).collect();
    assert_eq!(steps.len(), 3, "main, its helper, main: {steps:?}");
    assert!(steps.iter().all(|step| step.node == "node" && step.runs));
    for step in &steps {
        let struck = run(&[Strike::at(step, PointFault::Kill)]);
        assert_eq!((struck.missed.len(), struck.expect_ok()), (0, sim::Status::Killed));
    }
}

#[test]
fn a_black_hole_may_be_on_the_way_to_an_address_that_nobody_has() {
    let nobody = SocketAddr::from(([10, 9, 9, 9], 80));
    let run = |strikes: &[Strike]| {
        let options = Options { record_points: 100, strikes: strikes.to_vec(), ..Options::seed(1) };
        Sim::new(options).run(async move |world: World| {
            let node = world.node("node");
            node.boot(move || async move { drop(TcpStream::connect(nobody).await) });
            node.ended().await;
            world.sleep(AWAY).await;
        })
    };
    let base = run(&[]);
    let connects = base.points.iter().find(|point| point.kind == PointKind::Connect).expect("it connects");
    let struck = run(&[Strike::at(connects, PointFault::BlackHole)]);
    assert_eq!((struck.outcome, struck.struck.len()), (Ok(()), 1));
}

/// Strikes that are said to be alike lead to the same answers.
#[test]
fn points_that_are_alike_lead_to_the_same_run() {
    let mut compared = 0;
    for seed in 0..4 {
        let base = run(seed, &[]);
        let mut known: BTreeMap<_, &Point> = BTreeMap::new();
        for point in &base.points {
            for fault in PointFault::ALL.into_iter().filter(|fault| fault.applies(point)) {
                let Some(likeness) = point.likeness(fault) else { continue };
                let Some(first) = known.get(&likeness) else {
                    known.insert(likeness, point);
                    continue;
                };
                let [one, other] = [first, &point].map(|point| run(seed, &[Strike::at(point, fault)]));
                assert_eq!(one.expect_ok(), other.expect_ok(), "{fault} at {first:?} and at {point:?}");
                compared += 1;
            }
        }
    }
    assert!(compared > 20, "only {compared} were compared");
}

async fn quiet(stream: &mut TcpStream) -> bool {
    runtime::timeout(SECOND, stream.read(&mut [0])).await.is_err()
}

#[test]
fn a_world_whose_points_are_closed_is_not_struck() {
    let strike = Strike { kind: PointKind::Timer, ordinal: 0, fault: PointFault::Pause };
    let options = Options { strikes: vec![strike], ..Options::seed(0) };
    let report = Sim::new(options).run(async |world: World| {
        world.close_points();
        let server = world.node("server");
        server.boot(keep);
        world.sleep(SECOND).await;
        let mut stream = connect("server").await.expect("it listens");
        quiet(&mut stream).await
    });
    assert_eq!(report.missed, [strike]);
    assert!(report.expect_ok());
}
