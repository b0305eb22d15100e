//! What a search found, as `--json` prints it and as [`super::table`] reads it.

use std::collections::BTreeMap;

use serde::Serialize;

use crate::search::twice::IN_A_FRESH_PROCESS;
use crate::search::{Failed, Findings, Plan, Tally, Why, shortfalls};

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
    /// Runs that failed, in order.
    pub(super) failures: Vec<Failure>,
    /// What the batch failed to show.
    pub(super) shortfalls: Vec<String>,
    /// Marks of the binary that no run reached.
    pub(super) marks_never_reached: Vec<&'static str>,
    /// Hits of those reached.
    pub(super) marks: BTreeMap<&'static str, u64>,
}

/// One play.
#[derive(Debug, Serialize)]
pub(super) struct Scenario {
    pub(super) name: &'static str,
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
    /// Seeds in which a fault was on.
    pub(super) seeds_with_faults: u64,
    /// Seeds in which one was felt.
    pub(super) seeds_with_effect: u64,
    pub(super) faults: BTreeMap<&'static str, Fault>,
    pub(super) effects: BTreeMap<&'static str, u64>,
}

/// One fault family of one play.
#[derive(Debug, Serialize)]
pub(super) struct Fault {
    /// Seeds in which it was on.
    pub(super) seeds: u64,
    /// Seeds in which it was felt.
    pub(super) seeds_with_effect: u64,
    /// How often it was felt.
    pub(super) effects: u64,
}

/// A run that failed.
#[derive(Debug, Serialize)]
pub(super) struct Failure {
    pub(super) scenario: &'static str,
    pub(super) seed: u64,
    /// The law it broke, or `determinism`.
    pub(super) law: &'static str,
    /// Virtual time of the breach.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) at_seconds: Option<f64>,
    pub(super) text: String,
    pub(super) digest: String,
    pub(super) replay: String,
}

/// The one line that shows a failure again. One between processes does not show where there is only one.
pub(super) fn replay_line(failed: &Failed) -> String {
    let Failed { play, seed, why, .. } = failed;
    let between = match why {
        Why::Law(_) => false,
        Why::Diverged(divergence) => divergence.others == IN_A_FRESH_PROCESS,
        Why::Fresh(_) => true,
    };
    if between {
        format!("cargo explore --scenario {play} --start {seed} --seeds 1 --verify")
    } else {
        format!("cargo replay {play}:{seed}")
    }
}

/// Gathers it.
pub(super) fn of(plan: &Plan<'_>, findings: &Findings) -> Summary {
    let jobs = plan.jobs.get();
    // A search that was cut short shows less than it would have.
    let whole = !findings.interrupted && !findings.gave_up;
    let begun = findings.tallies.iter().all(|(_, tally)| tally.seeds > 0);
    let shortfalls: Vec<String> = findings
        .tallies
        .iter()
        .filter(|_| whole)
        .flat_map(|(play, tally)| shortfalls(play, tally))
        .map(|shortfall| shortfall.to_string())
        .collect();
    let mut marks: BTreeMap<&'static str, u64> =
        protocol::mark::all().iter().map(|mark| (mark.name, 0)).collect();
    for (mark, hits) in &findings.marks {
        *marks.entry(mark).or_default() += hits;
    }
    let marks_never_reached = marks.iter().filter(|(_, hits)| **hits == 0).map(|(mark, _)| *mark).collect();
    marks.retain(|_, hits| *hits > 0);
    Summary {
        passed: whole && begun && findings.failures.is_empty() && shortfalls.is_empty(),
        interrupted: findings.interrupted,
        gave_up: findings.gave_up,
        start: plan.start.0,
        jobs,
        verified: plan.verify.is_some(),
        hosted: sim::is_hosted(),
        wall_seconds: findings.elapsed.as_secs_f64(),
        scenarios: findings.tallies.iter().map(|(name, tally)| scenario(name, tally, jobs)).collect(),
        failures: findings.failures.iter().map(failure).collect(),
        shortfalls,
        marks_never_reached,
        marks,
    }
}

fn scenario(name: &'static str, tally: &Tally, jobs: usize) -> Scenario {
    let faults = tally.faults.iter().map(|(family, faults)| {
        (*family, Fault { seeds: faults.on, seeds_with_effect: faults.felt, effects: faults.effects })
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
        seeds_with_faults: tally.troubled,
        seeds_with_effect: tally.felt,
        faults: faults.collect(),
        effects: tally.effects.clone(),
    }
}

fn failure(failed: &Failed) -> Failure {
    let (law, at_seconds, text) = match &failed.why {
        Why::Law(broken) => (broken.law, Some(broken.at.0 as f64 / 1e9), broken.text.clone()),
        Why::Diverged(divergence) => ("determinism", None, divergence.to_string()),
        Why::Fresh(error) => ("determinism", None, error.to_string()),
    };
    Failure {
        scenario: failed.play,
        seed: failed.seed,
        law,
        at_seconds,
        text,
        digest: format!("{:032x}", failed.digest),
        replay: replay_line(failed),
    }
}
