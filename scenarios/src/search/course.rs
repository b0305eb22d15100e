//! The runs of a search, numbered: what each is told, which of them are a shard's, how many there are.
//!
//! A number means the same run on every machine and for any number of threads. Some strategies must look at a run
//! before they know which others follow from it: that happens here, before the search begins or, for a branch, with the
//! run it branches from.

use std::time::Duration;

use sim::{Branch, Schedule};

use crate::play::{Play, RunOptions, RunReport, perform};
use crate::search::ahead;
use crate::search::explore::Plan;
use crate::search::points::{self, Recording};
use crate::search::seeds::{Items, Limit};
use crate::search::strategy::Strategy;
use crate::world::WorldKind;

/// Branches of each seed. Ours: enough that the run they share is cheap among them.
pub const BRANCHES: u64 = 8;

/// Seeds that branches go on with are below this, so that each is exact in JSON.
const BRANCH_SEEDS: u64 = 1 << 48;

/// One run of a search.
#[derive(Clone, Debug)]
pub struct Item {
    /// Its number.
    pub index: u64,
    /// Which play, as its place in the list.
    pub play: usize,
    /// Its seed.
    pub seed: u64,
    /// What it is told.
    pub options: RunOptions,
}

/// A recorded run, and where its runs begin.
#[derive(Clone, Debug)]
pub struct Recorded {
    /// Which play, as its place in the list.
    pub play: usize,
    /// Its seed.
    pub seed: u64,
    /// What it came to.
    pub recording: Recording,
    first: u64,
}

/// The run that branches share, as far as they ask: moments at which something was told.
#[derive(Debug)]
pub struct Trunk {
    play: usize,
    seed: u64,
    moments: Vec<Duration>,
}

/// Why a search cannot begin.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum CourseError {
    /// A run has more points than are kept.
    #[error("{play}:{seed} has more than {max} points: one fault at every point is for plays with fewer")]
    TooManyPoints {
        /// The play.
        play: &'static str,
        /// The seed.
        seed: u64,
        /// So many there may be.
        max: usize,
    },
    /// It was interrupted from outside.
    #[error("ended while what must be known ahead was still being run: nothing was searched")]
    Interrupted,
}

/// The runs of a search.
pub struct Course<'a> {
    plays: &'a [&'a dyn Play],
    strategy: Strategy,
    world: WorldKind,
    items: Items,
    total: Option<u64>,
    /// Per play: how many polls its first seed takes.
    polls: Vec<u64>,
    recorded: Vec<Recorded>,
}

impl<'a> Course<'a> {
    /// The runs of a plan. It runs what it must have seen, on the threads of the plan; `watch` is told how many of these
    /// runs are done, and how many there are.
    ///
    /// # Errors
    /// If a run has too many points, or on interruption.
    ///
    /// # Panics
    /// If there are no plays.
    pub fn new(plan: &Plan<'a>, mut watch: impl FnMut(u64, u64)) -> Result<Self, CourseError> {
        let (plays, strategy, world) = (plan.plays, plan.strategy, plan.world);
        let items = Items::new(plan.start, plays.len());
        let host = (plan.jobs, plan.interrupted);
        let (mut polls, mut recorded) = (Vec::new(), Vec::new());
        let seeds = match plan.limit {
            Limit::Seeds(seeds) => Some(items.total(seeds)),
            Limit::Time(_) => None,
        };
        let total = match strategy {
            Strategy::Random | Strategy::Swarm => seeds,
            Strategy::Pct { .. } => {
                let count = plays.len() as u64;
                let of = |number| {
                    let (play, seed) = items.get(number);
                    Ok(perform(plays[play], seed, &RunOptions::default()).polls)
                };
                polls = ahead::each(count, host, of, |done| watch(done, count))?;
                seeds
            }
            Strategy::Branch => seeds.map(|seeds| seeds.saturating_mul(BRANCHES + 1)),
            Strategy::Points { pairs } => {
                // One seed of each has thousands of runs, so that is where a search limited by time begins and ends.
                let count = seeds.unwrap_or_else(|| items.total(1));
                let of = |number| {
                    let (play, seed) = items.get(number);
                    points::record(plays[play], seed, pairs)
                };
                let recordings = ahead::each(count, host, of, |done| watch(done, count))?;
                let mut first = 0_u64;
                for (number, recording) in (0..).zip(recordings) {
                    let (play, seed) = items.get(number);
                    let runs = recording.runs().saturating_add(1);
                    recorded.push(Recorded { play, seed, recording, first });
                    first = first.saturating_add(runs);
                }
                Some(first)
            }
        };
        Ok(Self { plays, strategy, world, items, total, polls, recorded })
    }

    /// How many runs there are, if that is known.
    #[must_use]
    pub const fn total(&self) -> Option<u64> {
        self.total
    }

    /// Neighbouring runs that one worker should do, since they share work: so many, from each multiple of it on.
    #[must_use]
    pub const fn unit(&self) -> u64 {
        match self.strategy {
            Strategy::Branch => BRANCHES + 1,
            Strategy::Random | Strategy::Swarm | Strategy::Pct { .. } | Strategy::Points { .. } => 1,
        }
    }

    /// Neighbouring runs that belong to one shard, from each multiple of so many on: all plays with one seed, so that
    /// every shard sees every play. One by one where a run was recorded.
    #[must_use]
    pub const fn share(&self) -> u64 {
        match self.strategy {
            Strategy::Points { .. } => 1,
            Strategy::Branch | Strategy::Random | Strategy::Swarm | Strategy::Pct { .. } => {
                self.plays.len() as u64 * self.unit()
            }
        }
    }

    /// What was recorded, run by run.
    #[must_use]
    pub fn recorded(&self) -> &[Recorded] {
        &self.recorded
    }

    /// The run of that number. `trunk` is kept from one call to the next, and told of each run by [`Self::keep`].
    #[must_use]
    pub fn get(&self, index: u64, trunk: &mut Option<Trunk>) -> Item {
        let plain = |number: u64| {
            let (play, seed) = self.items.get(number);
            Item { index, play, seed, options: self.options() }
        };
        match self.strategy {
            Strategy::Random => plain(index),
            Strategy::Swarm => {
                let item = plain(index);
                Item { options: RunOptions { swarm: true, ..item.options }, ..item }
            }
            Strategy::Pct { depth } => {
                let item = plain(index);
                let schedule = Schedule::Pct { depth, polls: self.polls[item.play] };
                Item { options: RunOptions { schedule, ..item.options }, ..item }
            }
            Strategy::Branch => {
                let item = plain(index / (BRANCHES + 1));
                let recipe = match index % (BRANCHES + 1) {
                    0 => Vec::new(),
                    number => vec![self.branch(&item, number, trunk)],
                };
                Item { options: RunOptions { recipe, ..item.options }, ..item }
            }
            Strategy::Points { .. } => self.struck(index),
        }
    }

    /// What every run is told.
    fn options(&self) -> RunOptions {
        RunOptions { world: self.world, ..RunOptions::default() }
    }

    /// Keeps of a run that was made what its branches need, so that it is not made again for them.
    pub fn keep(&self, item: &Item, report: &RunReport, trunk: &mut Option<Trunk>) {
        if self.strategy == Strategy::Branch && item.index.is_multiple_of(BRANCHES + 1) {
            *trunk = Some(Trunk { play: item.play, seed: item.seed, moments: moments(report) });
        }
    }

    /// A branch: from a moment at which something was told (who fell, what was answered), drawn among them.
    fn branch(&self, item: &Item, number: u64, trunk: &mut Option<Trunk>) -> Branch {
        let Item { play, seed, .. } = *item;
        let known = trunk.take_if(|trunk| (trunk.play, trunk.seed) == (play, seed));
        // A search that goes on may begin in the middle of a unit: nobody has made that run here.
        let trunk = trunk.insert(known.unwrap_or_else(|| {
            let report = perform(self.plays[play], seed, &item.options);
            Trunk { play, seed, moments: moments(&report) }
        }));
        let moments = trunk.moments.len().max(1) as u64;
        let moment = sim::decision(seed, "branch/moment", number, moments);
        let at = trunk.moments.get(usize::try_from(moment).expect("a place in a list")).copied();
        Branch { at: at.unwrap_or_default(), seed: sim::decision(seed, "branch/seed", number, BRANCH_SEEDS) }
    }

    fn struck(&self, index: u64) -> Item {
        let place = self.recorded.partition_point(|recorded| recorded.first <= index) - 1;
        let Recorded { play, seed, recording, first } = &self.recorded[place];
        // The recorded run itself comes first.
        let strikes =
            (index - first).checked_sub(1).map_or_else(Vec::new, |number| recording.strikes(number));
        let options = RunOptions { strikes, ..self.options() };
        Item { index, play: *play, seed: *seed, options }
    }
}

/// The moments at which something was told, each once.
fn moments(report: &RunReport) -> Vec<Duration> {
    let mut moments: Vec<_> = report.notes.iter().map(|note| note.at).filter(|at| !at.is_zero()).collect();
    moments.dedup();
    moments
}
