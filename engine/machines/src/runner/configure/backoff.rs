//! How long to wait before the next attempt: exponential with full jitter, so that many applications that lost the
//! same engine do not come back in step.

use std::time::Duration;

use super::Options;

/// The longest wait that `failures` earlier failures in a row allow.
#[must_use]
pub fn bound(options: &Options, failures: u32, background: bool) -> Duration {
    let max = if background { options.background } else { options.backoff_max };
    // Past 2^30 any base that makes sense has reached the maximum.
    options.backoff_base.saturating_mul(1 << failures.min(30)).min(max)
}

/// A wait between nothing and that bound.
#[must_use]
pub fn wait(options: &Options, failures: u32, background: bool, jitter: u64) -> Duration {
    let nanos = u64::try_from(bound(options, failures, background).as_nanos()).unwrap_or(u64::MAX);
    // The remainder of a random u64 by a wait of seconds is uniform to one part in a hundred million.
    Duration::from_nanos(jitter % nanos.saturating_add(1).max(1))
}
