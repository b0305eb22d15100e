//! What the runs of one play add up to.

use std::collections::BTreeMap;
use std::time::Duration;

use crate::play::{Play, RunReport};

/// A fault family over a batch.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct FamilyTally {
    /// Runs in which it was on.
    pub on: u64,
    /// Runs in which somebody felt it.
    pub felt: u64,
    /// How often it was felt.
    pub effects: u64,
}

/// The runs of one play, added up.
#[derive(Clone, Debug, Default)]
pub struct Tally {
    /// The fault families that the play declares.
    pub declared: Vec<&'static str>,
    /// Runs, one per seed.
    pub seeds: u64,
    /// Runs that broke a law or were not the same twice.
    pub failures: u64,
    /// Runs in which a fault was on.
    pub troubled: u64,
    /// Runs in which a fault was felt.
    pub felt: u64,
    /// Client operations begun.
    pub operations: u64,
    /// Of these, acknowledged.
    pub acknowledged: u64,
    /// Of these, failed.
    pub failed: u64,
    /// Durable transactions of the engine's store.
    pub commits: u64,
    /// Events of the simulator.
    pub events: u64,
    /// Polls of tasks.
    pub polls: u64,
    /// Virtual time.
    pub elapsed: Duration,
    /// Time of the host that the runs took, with all their repetitions.
    pub busy: Duration,
    /// Per family that was ever on.
    pub faults: BTreeMap<&'static str, FamilyTally>,
    /// What the simulator counted as felt, by name.
    pub effects: BTreeMap<&'static str, u64>,
    /// Laws that had nothing to judge in a run, each with how many runs that are and the first of their seeds.
    pub unjudged: BTreeMap<&'static str, (u64, u64)>,
    /// The least virtual time of a run without a failure, and its seed.
    pub shortest: Option<(Duration, u64)>,
    /// The fewest operations of a run without a failure, and its seed.
    pub laziest: Option<(u64, u64)>,
}

impl Tally {
    /// Of no run yet.
    #[must_use]
    pub fn of(play: &dyn Play) -> Self {
        Self { declared: play.families(), ..Self::default() }
    }

    /// Adds a run that took `busy` of the host's time.
    pub fn add(&mut self, report: &RunReport, busy: Duration) {
        self.seeds += 1;
        self.operations += report.operations;
        self.acknowledged += report.acknowledged;
        self.failed += report.failed;
        self.commits += report.commits;
        self.events += report.events;
        self.polls += report.polls;
        self.elapsed += report.elapsed;
        self.busy += busy;
        for (family, effects) in &report.faults {
            let tally = self.faults.entry(family).or_default();
            tally.on += 1;
            tally.felt += u64::from(*effects > 0);
            tally.effects += effects;
        }
        self.troubled += u64::from(!report.faults.is_empty());
        self.felt += u64::from(report.faults.values().any(|effects| *effects > 0));
        for (effect, count) in &report.effects {
            *self.effects.entry(effect.name()).or_default() += count;
        }
        for law in &report.unjudged {
            self.unjudged.entry(law).or_insert((0, report.seed)).0 += 1;
        }
        if report.outcome.is_ok() {
            let (elapsed, seed) = (report.elapsed, report.seed);
            self.shortest = self.shortest.into_iter().chain([(elapsed, seed)]).min();
            self.laziest = self.laziest.into_iter().chain([(report.operations, seed)]).min();
        }
    }

    /// How many of the host's seconds went by per second of one of `jobs` threads' work.
    fn wall(&self, jobs: usize) -> f64 {
        self.busy.as_secs_f64() / jobs.max(1) as f64
    }

    /// Seeds per second of the host, while this play had all threads.
    #[must_use]
    pub fn seeds_per_second(&self, jobs: usize) -> f64 {
        self.seeds as f64 / self.wall(jobs).max(f64::MIN_POSITIVE)
    }

    /// Virtual seconds per second of the host, while this play had all threads.
    #[must_use]
    pub fn speed(&self, jobs: usize) -> f64 {
        self.elapsed.as_secs_f64() / self.wall(jobs).max(f64::MIN_POSITIVE)
    }
}
