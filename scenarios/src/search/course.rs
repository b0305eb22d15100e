//! The runs of a search, numbered: what each is told, which of them are a shard's, how many there are.
//!
//! A number means the same run on every machine and for any number of threads. Some strategies must look at a run
//! before they know which others follow from it: that happens here, before the search begins or, for a branch, with the
//! run it branches from.

use std::time::Duration;

use sim::{Branch, Schedule};

use crate::play::{Play, RunOptions, RunReport, perform};
use crate::search::points::{self, Recording};
use crate::search::seeds::{Items, Limit, Start};
use crate::search::strategy::Strategy;

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

/// The runs of a search.
pub struct Course<'a> {
    plays: &'a [&'a dyn Play],
    strategy: Strategy,
    items: Items,
    total: Option<u64>,
    /// Per play: how many polls its first seed takes.
    polls: Vec<u64>,
    recorded: Vec<Recorded>,
}

impl<'a> Course<'a> {
    /// The runs of these plays by this strategy. It runs what it must have seen.
    ///
    /// # Panics
    /// If there are no plays.
    #[must_use]
    pub fn new(plays: &'a [&'a dyn Play], start: Start, limit: Limit, strategy: Strategy) -> Self {
        let items = Items::new(start, plays.len());
        let (mut polls, mut recorded) = (Vec::new(), Vec::new());
        let seeds = match limit {
            Limit::Seeds(seeds) => Some(items.total(seeds)),
            Limit::Time(_) => None,
        };
        let total = match strategy {
            Strategy::Random | Strategy::Swarm => seeds,
            Strategy::Pct { .. } => {
                let of = |play: &&dyn Play| perform(*play, start.0, &RunOptions::default()).polls;
                polls = plays.iter().map(of).collect();
                seeds
            }
            Strategy::Branch => seeds.map(|seeds| seeds.saturating_mul(BRANCHES + 1)),
            Strategy::Points { pairs } => {
                // One seed of each has thousands of runs, so that is where a search limited by time begins and ends.
                let mut first = 0;
                for number in 0..seeds.unwrap_or_else(|| items.total(1)) {
                    let (play, seed) = items.get(number);
                    let recording = points::record(plays[play], seed, pairs);
                    let runs = 1 + recording.runs.len() as u64;
                    recorded.push(Recorded { play, seed, recording, first });
                    first += runs;
                }
                Some(first)
            }
        };
        Self { plays, strategy, items, total, polls, recorded }
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

    /// What was recorded, run by run.
    #[must_use]
    pub fn recorded(&self) -> &[Recorded] {
        &self.recorded
    }

    /// The run of that number. `trunk` is kept from one call to the next.
    #[must_use]
    pub fn get(&self, index: u64, trunk: &mut Option<Trunk>) -> Item {
        let plain = |number: u64| {
            let (play, seed) = self.items.get(number);
            Item { index, play, seed, options: RunOptions::default() }
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

    /// A branch: from a moment at which something was told (who fell, what was answered), drawn among them.
    fn branch(&self, item: &Item, number: u64, trunk: &mut Option<Trunk>) -> Branch {
        let Item { play, seed, .. } = *item;
        let known = trunk.take_if(|trunk| (trunk.play, trunk.seed) == (play, seed));
        let trunk = trunk.insert(known.unwrap_or_else(|| {
            let report = perform(self.plays[play], seed, &RunOptions::default());
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
        let number = usize::try_from(index - first).expect("a place in a list");
        // The recorded run itself comes first.
        let strikes = number.checked_sub(1).map_or_else(Vec::new, |number| recording.runs[number].clone());
        let options = RunOptions { strikes, ..RunOptions::default() };
        Item { index, play: *play, seed: *seed, options }
    }
}

/// The moments at which something was told, each once.
fn moments(report: &RunReport) -> Vec<Duration> {
    let mut moments: Vec<_> = report.notes.iter().map(|note| note.at).filter(|at| !at.is_zero()).collect();
    moments.dedup();
    moments
}
