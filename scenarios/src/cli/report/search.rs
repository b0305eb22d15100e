//! Which search a report is of.

use std::borrow::Cow;
use std::fmt::Write;

use serde::{Deserialize, Serialize};

use crate::bundle::{COMMIT, UNKNOWN};
use crate::play::Play;
use crate::search::tally::Name;
use crate::search::{Limit, Plan, Shard};
use crate::world::WorldKind;

/// What a search was told, and which code ran it, as far as reports of it must agree.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(in crate::cli) struct Search {
    pub(in crate::cli) scenarios: Vec<Name>,
    pub(in crate::cli) strategy: String,
    #[serde(default)]
    pub(in crate::cli) world: WorldKind,
    /// What that world does not have, of what the scenarios would use.
    #[serde(default)]
    pub(in crate::cli) skipped: Vec<Skipped>,
    pub(in crate::cli) start: u64,
    /// Seeds per scenario; none if it was limited by time.
    pub(in crate::cli) seeds: Option<u64>,
    pub(in crate::cli) verified: bool,
    pub(in crate::cli) hosted: bool,
    /// Of the code: another one has other runs.
    commit: Name,
}

/// A fault family that is left out of a scenario.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(in crate::cli) struct Skipped {
    pub(in crate::cli) scenario: Name,
    pub(in crate::cli) name: Name,
    pub(in crate::cli) why: Name,
}

impl Skipped {
    fn of(play: &dyn Play, world: WorldKind) -> impl Iterator<Item = Self> {
        let scenario = Cow::Borrowed(play.name());
        play.skipped(world).into_iter().map(move |(name, why)| Self {
            scenario: scenario.clone(),
            name: Cow::Borrowed(name),
            why: Cow::Borrowed(why),
        })
    }
}

impl Search {
    pub(super) fn of(plan: &Plan<'_>) -> Self {
        Self {
            scenarios: plan.plays.iter().map(|play| Cow::Borrowed(play.name())).collect(),
            strategy: plan.strategy.to_string(),
            world: plan.world,
            skipped: plan.plays.iter().flat_map(|play| Skipped::of(*play, plan.world)).collect(),
            start: plan.start.0,
            seeds: match plan.limit {
                Limit::Seeds(seeds) => Some(seeds),
                Limit::Time(_) => None,
            },
            verified: plan.verify.is_some(),
            hosted: sim::is_hosted(),
            commit: Cow::Borrowed(COMMIT),
        }
    }

    /// Whether it is known which code ran it.
    pub(in crate::cli) fn has_commit(&self) -> bool {
        self.commit != UNKNOWN
    }

    /// All of it, in a few words, with the shards of it that are meant.
    pub(super) fn told(&self, shards: &[Shard]) -> String {
        let Self { scenarios, strategy, world, skipped: _, start, seeds, verified, hosted, commit } = self;
        let shards: Vec<_> = shards.iter().map(ToString::to_string).collect();
        let seeds = seeds.map_or_else(|| "for a time".to_owned(), |seeds| format!("{seeds} seeds"));
        let world = match world {
            WorldKind::Sim => String::new(),
            WorldKind::Madsim => format!(" on {world}"),
        };
        let mut text = format!("{} by {strategy}{world}, {seeds} from {start} on", scenarios.join(","));
        let hosted = if *hosted { "" } else { ", built without --cfg madsim" };
        let verified = if *verified { ", verified" } else { "" };
        write!(text, ", shard {}{verified}, commit {commit}{hosted}", shards.join(","))
            .expect("a string takes everything");
        text
    }
}
