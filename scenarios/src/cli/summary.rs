//! What a search found, as `--json` prints it and as [`super::table`] reads it.

use std::borrow::Cow;
use std::collections::BTreeMap;

use serde::Serialize;

use crate::cli::report::{Failure, Part, Points, Report, Skipped, State};
use crate::search::tally::{FamilyTally, Name};
use crate::search::{Shard, Tally, shortfalls};
use crate::world::WorldKind;

/// All of it. Field names are what scripts read: they stay.
#[derive(Debug, Serialize)]
pub(super) struct Summary {
    /// Whether every play was run, to the end, nothing failed and nothing is missing.
    pub(super) passed: bool,
    /// Whether it was ended by Ctrl-C.
    pub(super) interrupted: bool,
    /// Whether it ended because of too many failures.
    pub(super) gave_up: bool,
    /// The first seed.
    pub(super) start: u64,
    /// How its runs were chosen.
    pub(super) strategy: String,
    /// In which world they were.
    pub(super) world: WorldKind,
    /// What that world does not have.
    pub(super) skipped: Vec<Skipped>,
    /// Which parts of it these are, as `NUMBER/COUNT`.
    pub(super) shards: Vec<String>,
    /// Which parts are missing where parts were joined.
    pub(super) shards_missing: Vec<String>,
    /// Which parts were not done to their end, and ended without a word.
    pub(super) shards_unfinished: Vec<String>,
    /// Threads.
    pub(super) jobs: usize,
    /// Whether each seed was run three times.
    pub(super) verified: bool,
    /// Whether libraries underneath were intercepted; without it runs may differ.
    pub(super) hosted: bool,
    /// Time of the host.
    pub(super) wall_seconds: f64,
    /// Per play.
    pub(super) scenarios: Vec<Scenario>,
    /// Runs that were recorded, for a search of points.
    pub(super) points: Vec<Points>,
    /// Runs that failed, in order.
    pub(super) failures: Vec<Failure>,
    /// What the batch failed to show.
    pub(super) shortfalls: Vec<String>,
    /// Marks of the binary that no run reached.
    pub(super) marks_never_reached: Vec<Name>,
    /// Hits of those reached.
    pub(super) marks: BTreeMap<Name, u64>,
}

/// One play.
#[derive(Debug, Serialize)]
pub(super) struct Scenario {
    pub(super) name: Name,
    pub(super) seeds: u64,
    pub(super) failures: u64,
    pub(super) operations: u64,
    pub(super) operations_acknowledged: u64,
    pub(super) operations_failed: u64,
    pub(super) commits: u64,
    pub(super) events: u64,
    pub(super) polls: u64,
    pub(super) virtual_seconds: f64,
    pub(super) seeds_per_second: f64,
    pub(super) virtual_seconds_per_second: f64,
    /// Seeds that drew which families they leave out.
    pub(super) seeds_drawn: u64,
    /// Runs in which a strike at a point had no place.
    pub(super) strikes_missed: u64,
    /// Seeds in which a fault was on.
    pub(super) seeds_with_faults: u64,
    /// Seeds in which one was felt.
    pub(super) seeds_with_effect: u64,
    pub(super) faults: BTreeMap<Name, Fault>,
    /// Recoveries that were waited for, if there were any.
    pub(super) recovery: Option<Recovery>,
    pub(super) effects: BTreeMap<Name, u64>,
}

/// How long recoveries took, in virtual milliseconds.
#[derive(Debug, Serialize)]
pub(super) struct Recovery {
    /// So many were waited for, and ended in an answer.
    pub(super) count: u64,
    /// Half of them took no longer.
    pub(super) median_ms: u64,
    /// None took longer.
    pub(super) longest_ms: u64,
}

/// One fault family of one play.
#[derive(Debug, Serialize)]
pub(super) struct Fault {
    /// Seeds in which it was not left out, of those that draw that.
    pub(super) seeds_drawn: u64,
    /// Seeds in which it was on.
    pub(super) seeds: u64,
    /// Seeds in which it was felt.
    pub(super) seeds_with_effect: u64,
    /// How often it was felt.
    pub(super) effects: u64,
}

/// Gathers it. `missing` are the shards that should have been there.
pub(super) fn of(report: &Report, missing: &[Shard]) -> Summary {
    let jobs = report.jobs;
    let search = &report.search;
    let scenarios = || search.scenarios.iter().zip(&report.tallies);
    // A search that was cut short shows less than it would have.
    let whole = report.is_whole() && missing.is_empty();
    // A part of it may have none of a play's runs.
    let is_all = missing.is_empty() && report.parts.len() as u64 == report.parts[0].shard.of;
    let begun = !is_all || report.tallies.iter().all(|tally| tally.seeds > 0);
    let shortfalls: Vec<String> = scenarios()
        .filter(|_| whole)
        .flat_map(|(play, tally)| shortfalls(play, tally))
        .map(|shortfall| shortfall.to_string())
        .collect();
    let mut marks: BTreeMap<Name, u64> =
        protocol::mark::all().iter().map(|mark| (Cow::Borrowed(mark.name), 0)).collect();
    for (mark, hits) in &report.marks {
        *marks.entry(mark.clone()).or_default() += hits;
    }
    let never = marks.iter().filter(|(_, hits)| **hits == 0);
    let marks_never_reached = never.map(|(mark, _)| mark.clone()).collect();
    marks.retain(|_, hits| *hits > 0);
    let shards = |are: &dyn Fn(&Part) -> bool| {
        let parts = report.parts.iter().filter(|part| are(part));
        parts.map(|part| part.shard.to_string()).collect::<Vec<_>>()
    };
    let ended_by = |state| report.parts.iter().any(|part| part.state == state);
    Summary {
        passed: whole && begun && report.failures.is_empty() && shortfalls.is_empty(),
        interrupted: ended_by(State::Interrupted),
        gave_up: ended_by(State::GaveUp),
        start: search.start,
        strategy: search.strategy.clone(),
        world: search.world,
        skipped: search.skipped.clone(),
        shards: shards(&|_| true),
        shards_missing: missing.iter().map(ToString::to_string).collect(),
        shards_unfinished: shards(&|part| part.state == State::Going),
        jobs,
        verified: search.verified,
        hosted: search.hosted,
        wall_seconds: report.wall_seconds,
        scenarios: scenarios().map(|(name, tally)| scenario(name.clone(), tally, jobs)).collect(),
        points: report.recorded.clone(),
        failures: report.failures.clone(),
        shortfalls,
        marks_never_reached,
        marks,
    }
}

fn scenario(name: Name, tally: &Tally, jobs: usize) -> Scenario {
    let faults = tally.faults.iter().map(|(family, faults)| {
        let FamilyTally { drawn, on, felt, effects } = *faults;
        (family.clone(), Fault { seeds_drawn: drawn, seeds: on, seeds_with_effect: felt, effects })
    });
    Scenario {
        name,
        seeds: tally.seeds,
        failures: tally.failures,
        operations: tally.operations,
        operations_acknowledged: tally.acknowledged,
        operations_failed: tally.failed,
        commits: tally.commits,
        events: tally.events,
        polls: tally.polls,
        virtual_seconds: tally.elapsed.as_secs_f64(),
        seeds_per_second: tally.seeds_per_second(jobs),
        virtual_seconds_per_second: tally.speed(jobs),
        seeds_drawn: tally.swarm,
        strikes_missed: tally.missed,
        seeds_with_faults: tally.troubled,
        seeds_with_effect: tally.felt,
        faults: faults.collect(),
        recovery: tally.recovery().map(|(count, median_ms, longest_ms)| Recovery {
            count,
            median_ms,
            longest_ms,
        }),
        effects: tally.effects.clone(),
    }
}
