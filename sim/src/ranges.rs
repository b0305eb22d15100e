//! Decisions within ranges, made of decisions below a bound: the same for streams of every world.

use std::ops::RangeInclusive;
use std::time::Duration;

/// A value within the range, both ends included.
///
/// # Panics
/// If the range is empty, or holds every 64-bit value.
pub(crate) fn within(range: &RangeInclusive<u64>, below: impl FnOnce(u64) -> u64) -> u64 {
    assert!(range.start() <= range.end(), "a decision among nothing");
    range.start() + below(range.end() - range.start() + 1)
}

/// A span within the range, in whole microseconds.
///
/// # Panics
/// If the range is empty.
pub(crate) fn span(range: &RangeInclusive<Duration>, below: impl FnOnce(u64) -> u64) -> Duration {
    let micros = |span: &Duration| u64::try_from(span.as_micros()).unwrap_or(u64::MAX - 1);
    Duration::from_micros(within(&(micros(range.start())..=micros(range.end())), below))
}
