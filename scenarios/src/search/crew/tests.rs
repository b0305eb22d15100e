use std::num::NonZeroUsize;
use std::ops::Range;
use std::sync::mpsc::sync_channel;

use model::Broken;
use protocol::time::Mono;
use sim::{Event, Point, PointFault, PointKind};

use super::*;
use crate::play::RunOptions;
use crate::search::explore::explore;
use crate::search::fresh::{Asked, Fresh, FreshError, Sighting};
use crate::search::seeds::Start;
use crate::search::shard::Shard;
use crate::search::strategy::Strategy;
use crate::world::WorldKind;

/// A play of which a report is made without a world.
struct Paper;

impl Play for Paper {
    fn name(&self) -> &'static str {
        "paper"
    }

    fn about(&self) -> &'static str {
        "it exists on paper only"
    }

    fn run(&self, seed: u64, _: &RunOptions) -> RunReport {
        panic!("{seed} is not run")
    }
}

fn done<'a>(crew: &Crew<'a>, number: u64) -> Done<'a> {
    let broken = Broken { law: "a_law", at: Mono::ZERO, place: None, text: String::new() };
    let turn = crew.turns.get(number).expect("there are so many");
    Done { why: Some(broken.into()), ..crew.run(turn, &mut None) }
}

const PLAYS: [&dyn Play; 1] = [&Paper];

/// A search of so many seeds on one thread.
fn plan<'a>(plays: &'a [&'a dyn Play], seeds: u64, interrupted: &'a AtomicBool) -> Plan<'a> {
    Plan {
        plays,
        start: Start(0),
        limit: Limit::Seeds(seeds),
        strategy: Strategy::Random,
        world: WorldKind::Sim,
        shard: Shard::WHOLE,
        before: Before::default(),
        jobs: NonZeroUsize::MIN,
        failures_max: u64::MAX,
        verify: None,
        interrupted,
    }
}

#[test]
fn what_was_done_beyond_a_hole_is_told_when_a_search_is_cut_off() {
    let interrupted = AtomicBool::new(true);
    let plan = Plan { failures_max: 3, ..plan(&PLAYS, 1_000, &interrupted) };
    let course = Course::new(&plan, |_, _| {}).unwrap();
    let crew = Crew::new(&plan, &course, runtime::now());
    let (sender, receiver) = sync_channel(8);
    for batch in [64..66, 0..1, 32..34] {
        let first = batch.start;
        sender.send((first, batch.map(|number| done(&crew, number)).collect())).unwrap();
    }
    drop(sender);
    let mut findings = crew.findings();
    crew.fold(&receiver, &mut findings, &mut |_, _, _| {});
    let seeds: Vec<_> = findings.failures.iter().map(|failed| failed.seed).collect();
    assert_eq!(seeds, [0, 32, 33], "in the order of the runs, until there are too many");
    assert!(findings.gave_up);
    assert_eq!(findings.done.count(), 3, "what was thrown away is yet to be done");
}

#[test]
fn whoever_watches_finds_each_run_that_is_done_and_each_that_failed() {
    let interrupted = AtomicBool::new(false);
    let plan = Plan { failures_max: 4, ..plan(&PLAYS, 9, &interrupted) };
    let course = Course::new(&plan, |_, _| {}).unwrap();
    let mut told = 0;
    explore(&plan, &course, |progress, findings, failed| {
        told += 1;
        assert_eq!(findings.done.count(), told);
        assert_eq!(findings.failures.len() as u64, told, "every run on paper falls");
        assert_eq!((findings.tallies[0].1.failures, progress.failures), (told, told));
        assert_eq!(failed.map(|failed| failed.seed), Some(told - 1));
        assert_eq!(findings.gave_up, told == 4);
    });
    assert_eq!(told, 4);
}

/// Somebody elsewhere who proves one run, and then is interrupted, as by Ctrl-C, which reaches all processes.
struct CutOff<'a> {
    interrupted: &'a AtomicBool,
    proves: u64,
}

impl Fresh for CutOff<'_> {
    fn sightings(&self, runs: &[Asked]) -> Result<Vec<Sighting>, FreshError> {
        let gone = || FreshError::Answer { line: String::new() };
        match runs {
            [run] if run.seed < self.proves => {
                let fell = perform(&Paper, run.seed, &run.options);
                Ok(vec![Sighting::from(&fell)])
            }
            [_] => {
                self.interrupted.store(true, Ordering::Relaxed);
                Err(gone())
            }
            _ => {
                self.interrupted.store(self.proves == 0, Ordering::Relaxed);
                Err(gone())
            }
        }
    }

    fn events(&self, run: &Asked, _: Range<u64>) -> Result<Vec<Event>, FreshError> {
        panic!("{run} is the same everywhere")
    }
}

#[test]
fn a_run_that_was_not_compared_when_it_was_interrupted_is_yet_to_be_done() {
    for proves in [0, 3] {
        let interrupted = AtomicBool::new(false);
        let fresh = CutOff { interrupted: &interrupted, proves };
        let plan = Plan { verify: Some(&fresh), ..plan(&PLAYS, 40, &interrupted) };
        let course = Course::new(&plan, |_, _| {}).unwrap();
        let findings = explore(&plan, &course, |_, _, _| {});
        assert_eq!(findings.done.count(), proves, "so many were proven");
        assert!(findings.interrupted);
    }
}

/// A play on paper with two points, of which no strike finds its point again, or the second of two another one.
struct Elusive {
    strays: bool,
}

fn timer(ordinal: u64) -> Point {
    Point {
        kind: PointKind::Timer,
        ordinal,
        at: Duration::from_secs(ordinal),
        node: "a".to_owned(),
        guest: true,
        runs: true,
        link: None,
        instant: ordinal,
        kernels: ordinal,
    }
}

impl Play for Elusive {
    fn name(&self) -> &'static str {
        "elusive"
    }

    fn about(&self) -> &'static str {
        "its strikes are not where they were"
    }

    fn may_strike(&self, point: &Point, _: PointFault) -> bool {
        point.node == "a"
    }

    fn run(&self, seed: u64, options: &RunOptions) -> RunReport {
        let points = (0..options.record_points.min(2) as u64).map(timer).collect();
        let fallen = RunReport { points, ..RunReport::fallen(seed, &"") };
        match options.strikes.as_slice() {
            [_, second] if self.strays => {
                let point = Point { node: "client-0".to_owned(), ..timer(1) };
                RunReport { struck: vec![Struck { fault: second.fault, point, until: None }], ..fallen }
            }
            [first, ..] if !self.strays => RunReport { outcome: Ok(()), missed: vec![*first], ..fallen },
            _ => RunReport { outcome: Ok(()), ..fallen },
        }
    }
}

#[test]
fn a_first_strike_that_misses_fails_its_run_though_a_second_one_follows() {
    let interrupted = AtomicBool::new(false);
    let plays: [&dyn Play; 1] = [&Elusive { strays: false }];
    let plan = Plan { strategy: Strategy::Points { pairs: 5 }, ..plan(&plays, 1, &interrupted) };
    let course = Course::new(&plan, |_, _| {}).unwrap();
    let findings = explore(&plan, &course, |_, _, _| {});
    let strikes: Vec<_> = findings.failures.iter().map(|failed| failed.options.strikes.len()).collect();
    assert_eq!(strikes, [vec![1; 8], vec![2; 5]].concat());
    assert!(findings.failures.iter().all(|failed| matches!(failed.why, Why::Missed(_))));
}

#[test]
fn a_second_strike_that_strikes_where_none_may_says_nothing() {
    let interrupted = AtomicBool::new(false);
    let plays: [&dyn Play; 1] = [&Elusive { strays: true }];
    let plan = Plan { strategy: Strategy::Points { pairs: 5 }, ..plan(&plays, 1, &interrupted) };
    let course = Course::new(&plan, |_, _| {}).unwrap();
    let findings = explore(&plan, &course, |_, _, _| {});
    assert_eq!(findings.failures.len(), 0, "{:?}", findings.failures);
    assert_eq!(findings.tallies[0].1.missed, 5);
}
