//! A recorded run, as a report has it.

use std::borrow::Cow;
use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::play::Play;
use crate::search::Recorded;
use crate::search::tally::Name;

/// A run that was recorded for a search of points, and what followed from it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(in crate::cli) struct Points {
    pub(in crate::cli) scenario: Name,
    pub(in crate::cli) seed: u64,
    /// By kind.
    pub(in crate::cli) points: BTreeMap<Name, u64>,
    /// Pairs of point and fault that cannot strike, or may not.
    pub(in crate::cli) inapplicable: u64,
    /// Pairs skipped as equal to one that is run.
    pub(in crate::cli) equal: u64,
    /// Runs with one fault.
    pub(in crate::cli) runs: u64,
    /// Runs with two.
    pub(in crate::cli) pairs: u64,
}

impl Points {
    /// Of all that were recorded.
    pub(super) fn of_all(plays: &[&dyn Play], recorded: &[Recorded]) -> Vec<Self> {
        recorded.iter().map(|recorded| Self::of(plays, recorded)).collect()
    }

    fn of(plays: &[&dyn Play], recorded: &Recorded) -> Self {
        let Recorded { play, seed, recording, .. } = recorded;
        let points = recording.points.iter().map(|(kind, count)| (Cow::Borrowed(kind.name()), *count));
        Self {
            scenario: Cow::Borrowed(plays[*play].name()),
            seed: *seed,
            points: points.collect(),
            inapplicable: recording.inapplicable,
            equal: recording.equal,
            runs: recording.singles.len() as u64,
            pairs: recording.pairs,
        }
    }
}
