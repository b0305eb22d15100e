//! Waits that double, with full jitter: many clients that lost the same engine do not come back in step.

use std::time::Duration;

/// The longest wait after so many failures in a row before this one.
pub(super) fn bound(base: Duration, max: Duration, failures: u32) -> Duration {
    // Past 2^30 any base that makes sense has reached the maximum.
    base.saturating_mul(1 << failures.min(30)).min(max)
}

/// Anywhere between nothing and a bound.
pub(super) fn within(bound: Duration, jitter: u64) -> Duration {
    let nanos = bound.as_nanos().saturating_mul(u128::from(jitter)) >> 64;
    Duration::from_nanos(u64::try_from(nanos).unwrap_or(u64::MAX))
}
