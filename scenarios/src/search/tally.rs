//! What the runs of one play add up to.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::play::{Play, RunReport};
use crate::world::WorldKind;

/// The name of a family, an effect, a law or a mark: of this binary, or read from a report.
pub type Name = Cow<'static, str>;

/// A fault family over a batch.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct FamilyTally {
    /// Runs in which it was not left out, of those that draw that.
    pub drawn: u64,
    /// Runs in which it was on.
    pub on: u64,
    /// Runs in which somebody felt it.
    pub felt: u64,
    /// How often it was felt.
    pub effects: u64,
}

/// The runs of one play, added up.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Tally {
    /// The fault families that the play declares.
    pub declared: Vec<Name>,
    /// Whether the play is exempt from the floors of a batch.
    pub small: bool,
    /// Whether runs of the play time recoveries.
    #[serde(default)]
    pub timed: bool,
    /// Runs that drew which families are left out.
    pub swarm: u64,
    /// Runs in which a strike at a point had no place.
    pub missed: u64,
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
    pub faults: BTreeMap<Name, FamilyTally>,
    /// How many recoveries took so many milliseconds, the last one begun.
    #[serde(default)]
    pub recoveries: BTreeMap<u64, u64>,
    /// What the simulator counted as felt, by name.
    pub effects: BTreeMap<Name, u64>,
    /// Laws that had nothing to judge in a run, each with how many runs that are, and number and seed of the first.
    pub unjudged: BTreeMap<Name, (u64, u64, u64)>,
    /// The least virtual time of a run without a failure, and its seed.
    pub shortest: Option<(Duration, u64)>,
    /// The fewest operations of a run without a failure, and its seed.
    pub laziest: Option<(u64, u64)>,
}

impl Tally {
    /// Of no run yet, in that world.
    #[must_use]
    pub fn of(play: &dyn Play, world: WorldKind) -> Self {
        let declared = play.families(world).into_iter().map(Cow::Borrowed).collect();
        Self { declared, small: play.is_small(), timed: play.times_recovery(), ..Self::default() }
    }

    /// Adds the run of that number, which took `busy` of the host's time.
    pub fn add(&mut self, report: &RunReport, index: u64, busy: Duration) {
        self.seeds += 1;
        self.missed += u64::from(!report.missed.is_empty());
        self.swarm += u64::from(report.drawn.is_some());
        for family in report.drawn.iter().flatten() {
            self.faults.entry(Cow::Borrowed(*family)).or_default().drawn += 1;
        }
        self.operations += report.operations;
        self.acknowledged += report.acknowledged;
        self.failed += report.failed;
        self.commits += report.commits;
        self.events += report.events;
        self.polls += report.polls;
        self.elapsed += report.elapsed;
        self.busy += busy;
        for (family, effects) in &report.faults {
            let tally = self.faults.entry(Cow::Borrowed(*family)).or_default();
            tally.on += 1;
            tally.felt += u64::from(*effects > 0);
            tally.effects += effects;
        }
        self.troubled += u64::from(!report.faults.is_empty());
        self.felt += u64::from(report.faults.values().any(|effects| *effects > 0));
        for took in &report.recoveries {
            let millis = u64::try_from(took.as_micros().div_ceil(1000)).unwrap_or(u64::MAX);
            *self.recoveries.entry(millis).or_default() += 1;
        }
        for (effect, count) in &report.effects {
            *self.effects.entry(Cow::Borrowed(effect.name())).or_default() += count;
        }
        for law in &report.unjudged {
            let (runs, first, seed) =
                self.unjudged.entry(Cow::Borrowed(*law)).or_insert((0, index, report.seed));
            *runs += 1;
            if index < *first {
                (*first, *seed) = (index, report.seed);
            }
        }
        if report.outcome.is_ok() {
            let (elapsed, seed) = (report.elapsed, report.seed);
            self.shortest = self.shortest.into_iter().chain([(elapsed, seed)]).min();
            self.laziest = self.laziest.into_iter().chain([(report.operations, seed)]).min();
        }
    }

    /// How many recoveries there were, their median and the longest of them in milliseconds; none if there were none.
    #[must_use]
    pub fn recovery(&self) -> Option<(u64, u64, u64)> {
        let all: u64 = self.recoveries.values().sum();
        let longest = *self.recoveries.last_key_value()?.0;
        let mut before = 0;
        let median = self.recoveries.iter().find(|(_, count)| {
            before += **count;
            2 * before >= all
        });
        Some((all, *median?.0, longest))
    }

    /// Whether both can be of one play, as it is in one state of the code.
    #[must_use]
    pub fn is_like(&self, other: &Self) -> bool {
        (&self.declared, self.small, self.timed) == (&other.declared, other.small, other.timed)
    }

    /// Adds what other runs of the same play came to.
    ///
    /// # Panics
    /// If it is not [like](Self::is_like) this one.
    pub fn join(&mut self, other: &Self) {
        assert!(self.is_like(other), "tallies of one play");
        self.swarm += other.swarm;
        self.missed += other.missed;
        self.seeds += other.seeds;
        self.failures += other.failures;
        self.troubled += other.troubled;
        self.felt += other.felt;
        self.operations += other.operations;
        self.acknowledged += other.acknowledged;
        self.failed += other.failed;
        self.commits += other.commits;
        self.events += other.events;
        self.polls += other.polls;
        self.elapsed += other.elapsed;
        self.busy += other.busy;
        for (family, more) in &other.faults {
            let faults = self.faults.entry(family.clone()).or_default();
            faults.drawn += more.drawn;
            faults.on += more.on;
            faults.felt += more.felt;
            faults.effects += more.effects;
        }
        for (millis, more) in &other.recoveries {
            *self.recoveries.entry(*millis).or_default() += more;
        }
        for (effect, more) in &other.effects {
            *self.effects.entry(effect.clone()).or_default() += more;
        }
        for (law, (more, index, seed)) in &other.unjudged {
            let (runs, first, of) = self.unjudged.entry(law.clone()).or_insert((0, *index, *seed));
            *runs += more;
            if index < first {
                (*first, *of) = (*index, *seed);
            }
        }
        self.shortest = self.shortest.into_iter().chain(other.shortest).min();
        self.laziest = self.laziest.into_iter().chain(other.laziest).min();
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
