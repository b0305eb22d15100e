//! Which search a report is of.

use std::borrow::Cow;
use std::fmt::Write;

use serde::{Deserialize, Serialize};

use crate::bundle::{COMMIT, UNKNOWN};
use crate::search::tally::Name;
use crate::search::{Limit, Plan, Shard};

/// What a search was told, and which code ran it, as far as reports of it must agree.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(in crate::cli) struct Search {
    pub(in crate::cli) scenarios: Vec<Name>,
    pub(in crate::cli) strategy: String,
    pub(in crate::cli) start: u64,
    /// Seeds per scenario; none if it was limited by time.
    pub(in crate::cli) seeds: Option<u64>,
    pub(in crate::cli) verified: bool,
    pub(in crate::cli) hosted: bool,
    /// Of the code: another one has other runs.
    commit: Name,
}

impl Search {
    pub(super) fn of(plan: &Plan<'_>) -> Self {
        Self {
            scenarios: plan.plays.iter().map(|play| Cow::Borrowed(play.name())).collect(),
            strategy: plan.strategy.to_string(),
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
        let Self { scenarios, strategy, start, seeds, verified, hosted, commit } = self;
        let shards: Vec<_> = shards.iter().map(ToString::to_string).collect();
        let seeds = seeds.map_or_else(|| "for a time".to_owned(), |seeds| format!("{seeds} seeds"));
        let mut text = format!("{} by {strategy}, {seeds} from {start} on", scenarios.join(","));
        let hosted = if *hosted { "" } else { ", built without --cfg madsim" };
        let verified = if *verified { ", verified" } else { "" };
        write!(text, ", shard {}{verified}, commit {commit}{hosted}", shards.join(","))
            .expect("a string takes everything");
        text
    }
}
