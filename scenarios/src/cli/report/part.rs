//! One shard of a search, as a report has it.

use serde::{Deserialize, Serialize};

use crate::search::{Findings, Ranges, Shard};

/// One shard of a search.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(in crate::cli) struct Part {
    pub(in crate::cli) shard: Shard,
    /// Which of its runs were done.
    pub(super) done: Ranges,
    /// How many it has; none if it was limited by time.
    pub(super) runs: Option<u64>,
    pub(in crate::cli) state: State,
}

/// How far it has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(in crate::cli) enum State {
    /// It goes on; or it was ended without a word, with its machine, say.
    Going,
    /// It was done to its end.
    Done,
    /// It ended because of too many failures.
    GaveUp,
    /// It was ended by Ctrl-C.
    Interrupted,
}

impl State {
    /// The last state of a search that has ended.
    pub(in crate::cli) const fn last(findings: &Findings) -> Self {
        match (findings.interrupted, findings.gave_up) {
            (true, _) => Self::Interrupted,
            (false, true) => Self::GaveUp,
            (false, false) => Self::Done,
        }
    }
}

impl Part {
    /// Whether it was done to its end.
    pub(super) fn is_whole(&self) -> bool {
        let all = self.runs.is_none_or(|runs| runs == self.done.count());
        matches!(self.state, State::Done) && all
    }
}
