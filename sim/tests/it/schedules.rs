//! Priorities find what chance rarely, and order never, does.

use std::cell::Cell;
use std::rc::Rc;

use sim::{Options, Schedule, Sim, World};

use crate::support::{SECOND, yield_now};

/// Steps of each task of the race.
const STEPS: u32 = 40;

/// A race of depth two: the reader must begin before the writer does, and end after the writer has ended, and both take
/// many steps of equal length. Returns whether the reader saw it torn: a first half of before, a second half of after.
async fn torn(world: World) -> bool {
    let (halves, seen) = (Rc::new(Cell::new((0, 0))), Rc::new(Cell::new(None)));
    let steps = async |count| {
        for _ in 0..count {
            yield_now().await;
        }
    };
    let (read, place) = (Rc::clone(&halves), Rc::clone(&seen));
    let reader = world.spawn("reader", async move {
        let first = read.get().0;
        yield_now().await;
        place.set(Some((first, read.get().1)));
    });
    let writer = world.spawn("writer", async move {
        steps(STEPS).await;
        halves.set((1, 1));
    });
    let others: Vec<_> = (0..4).map(|_| world.spawn("other", async move { steps(STEPS).await })).collect();
    reader.await;
    writer.await;
    for other in others {
        other.await;
    }
    seen.get() == Some((0, 1))
}

fn found(schedule: Schedule, seeds: u64) -> Option<u64> {
    let options = |seed| Options { schedule, ..Options::seed(seed) };
    (0..seeds).find(|seed| Sim::new(options(*seed)).run(torn).expect_ok())
}

#[test]
fn a_race_of_depth_two_is_found_by_priorities_and_not_by_order_or_chance() {
    let polls = Sim::seed(0).run(torn).polls;
    assert_eq!(found(Schedule::Fifo, 5), None);
    assert_eq!(
        found(Schedule::Random, 200),
        None,
        "the reader would have to wait for forty steps of the writer"
    );
    assert_eq!(
        found(Schedule::Pct { depth: 1, polls }, 200),
        None,
        "priorities alone never part its two reads"
    );
    // At least one run in tasks times polls, 7 * 210; the change only has to fall on the reader's second poll.
    let seed = found(Schedule::Pct { depth: 2, polls }, 3_000);
    assert!(seed.is_some());
}

#[test]
fn priorities_are_drawn_by_name_and_the_same_again() {
    let pct = |seed| Options { schedule: Schedule::Pct { depth: 3, polls: 100 }, ..Options::seed(seed) };
    let run = |seed| Sim::new(Options { record_decisions: 100, ..pct(seed) }).run(torn);
    let (one, other) = (run(1), run(1));
    assert_eq!(one.digest, other.digest);
    assert_ne!(one.digest, run(2).digest);
    let drawn = |stream: &str| one.recorded.iter().filter(|decision| decision.stream == stream).count();
    assert_eq!((drawn("pct/script/reader"), drawn("pct/script/other"), drawn("pct/change")), (1, 4, 2));
    assert_eq!(drawn("pick"), 0);
}

#[test]
fn a_task_that_spins_does_not_keep_others_from_ending_it() {
    for seed in 0..10 {
        let options = Options { schedule: Schedule::Pct { depth: 2, polls: 100 }, ..Options::seed(seed) };
        let report = Sim::new(options).run(async |world: World| {
            let over = Rc::new(Cell::new(false));
            let told = Rc::clone(&over);
            let spinner = world.spawn("spinner", async move {
                while !told.get() {
                    yield_now().await;
                }
            });
            let end = world.spawn("end", async move {
                yield_now().await;
                over.set(true);
            });
            spinner.await;
            end.await;
            world.sleep(SECOND).await;
        });
        report.expect_ok();
    }
}

#[test]
fn calm_priorities_let_tasks_run_first_in_first_out() {
    let order = |overrides: &[&str]| {
        let overrides = overrides.iter().map(|text| text.parse::<sim::Override>().unwrap()).collect();
        let schedule = Schedule::Pct { depth: 3, polls: 20 };
        let options = Options { schedule, overrides, ..Options::seed(3) };
        let report = Sim::new(options).run(async |world: World| {
            for name in ["a", "b", "c", "d", "e", "f"] {
                let told = world.clone();
                let tells = async move {
                    told.note(name);
                    yield_now().await;
                    told.note(name);
                };
                drop(world.spawn(name, tells));
            }
            yield_now().await;
            world.note("-");
            world.sleep(SECOND).await;
            world.notes().into_iter().map(|note| note.text).collect::<String>()
        });
        report.expect_ok()
    };
    assert_ne!(order(&[]), "abcdef-abcdef");
    assert_eq!(order(&["*#*"]), "abcdef-abcdef");
}
