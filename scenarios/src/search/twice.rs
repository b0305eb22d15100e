//! Whether a run is the same again, and if not, which event differs first.

use std::ops::Range;

use sim::{Checkpoint, Event};

use crate::play::{Play, RunOptions, RunReport, perform};

/// Events looked at when no checkpoint bounds the difference: the last stretch of a run is never longer than the
/// distance of its checkpoints, so this is reached only by one that went on much longer than the other.
const STRETCH_MAX: u64 = 1 << 16;

/// Two runs of one seed that differ.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{others} differ{}", told(*agreed, .first))]
pub struct Divergence {
    /// Which runs: two in this process, or one here and one in a fresh process.
    pub others: &'static str,
    /// Both runs share so many events at least.
    pub agreed: u64,
    /// The first differing event of both; `None` where one of them had ended, or both if the difference did not show
    /// up again when it was looked for.
    pub first: [Option<Event>; 2],
}

fn told(agreed: u64, first: &[Option<Event>; 2]) -> String {
    let side =
        |event: &Option<Event>| event.as_ref().map_or_else(|| "nothing more".to_owned(), ToString::to_string);
    match first {
        [None, None] => {
            format!(" after {agreed} equal events; the difference did not show up again when looked for")
        }
        [one, other] => format!(", first in [{}] against [{}]", side(one), side(other)),
    }
}

/// What [`Divergence::others`] says of two runs in this process.
pub const IN_ONE_PROCESS: &str = "two runs in one process";
/// What [`Divergence::others`] says of a run here and one elsewhere.
pub const IN_A_FRESH_PROCESS: &str = "a run in this process and one in a fresh process";

/// Runs `seed` again and compares with `report`.
///
/// # Errors
/// The first differing event, found by running twice more with events kept.
pub fn again(play: &dyn Play, options: &RunOptions, report: &RunReport) -> Result<(), Box<Divergence>> {
    let other = perform(play, report.seed, options);
    if (other.digest, other.events) == (report.digest, report.events) {
        return Ok(());
    }
    let stretch = stretch(&report.checkpoints, &other.checkpoints);
    let looking = RunOptions { keep_events: stretch.clone(), ..options.clone() };
    let [one, other] = [(); 2].map(|()| perform(play, report.seed, &looking).kept);
    let first = sim::first_difference(&one, &other);
    Err(Box::new(Divergence { others: IN_ONE_PROCESS, agreed: stretch.start, first }))
}

/// Between which events two runs part: from the last checkpoint they share to the first they do not.
#[must_use]
pub fn stretch(one: &[Checkpoint], other: &[Checkpoint]) -> Range<u64> {
    let (agreed, next) = parting(one, other);
    agreed..next.unwrap_or(u64::MAX).min(agreed + STRETCH_MAX)
}

/// How many events two runs have at the last checkpoint they share, and at the first they do not, if there is one.
#[must_use]
pub fn parting(one: &[Checkpoint], other: &[Checkpoint]) -> (u64, Option<u64>) {
    let agreed = sim::last_shared(one, other);
    let next = one.iter().chain(other).map(|each| each.events).filter(|events| *events > agreed).min();
    (agreed, next)
}
