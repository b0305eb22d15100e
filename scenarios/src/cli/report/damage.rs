//! What makes a report one that nobody has written.

use super::Report;

/// No search has so many runs; numbers of them are below this.
const RUNS_MAX: u64 = 1 << 53;

impl Report {
    /// What is wrong with it, if anything is: what is taken for granted of reports further on.
    pub(super) fn damage(&self) -> Option<&'static str> {
        let Some(of) = self.parts.first().map(|part| part.shard.of) else { return Some("it has no parts") };
        let shards = self.parts.iter().map(|part| part.shard);
        if !shards.clone().all(|shard| shard.is_sound() && shard.of == of) {
            return Some("its parts are no shards of one search");
        }
        if !shards.is_sorted_by(|one, next| one < next) {
            return Some("a shard is in it twice, or out of order");
        }
        if self.search.scenarios.is_empty() || self.tallies.len() != self.search.scenarios.len() {
            return Some("it has not one tally for each scenario");
        }
        let end = |runs: Option<u64>| runs.unwrap_or(RUNS_MAX).min(RUNS_MAX);
        if !self.parts.iter().all(|part| part.done.are_sound(end(part.runs))) {
            return Some("what was done is no set of runs");
        }
        let done = sum(self.parts.iter().map(|part| part.done.count()));
        if done.is_none() || done != sum(self.tallies.iter().map(|tally| tally.seeds)) {
            return Some("its tallies are not of the runs that were done");
        }
        let failed = sum(self.tallies.iter().map(|tally| tally.failures));
        if failed != Some(self.failures.len() as u64) {
            return Some("its tallies do not count its failures");
        }
        None
    }
}

/// `None` if it is too large for any true one.
fn sum(mut numbers: impl Iterator<Item = u64>) -> Option<u64> {
    numbers.try_fold(0, u64::checked_add)
}
