//! Times as machines see them: readings that were taken elsewhere and handed in.
//!
//! Nothing here reads a clock. What must survive a restart is [`Wall`], what measures silence or delay is [`Mono`].
//! All arithmetic saturates, so that a deadline far away stays far away.

use std::fmt;
use std::ops::{Add, AddAssign, Sub};
use std::time::Duration;

use serde::{Deserialize, Serialize};

/// A reading of the monotonic clock, in nanoseconds since an origin that only this process (this boot) knows. It
/// never goes back, and means nothing to another process: never stored, never sent.
#[derive(Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
pub struct Mono(pub u64);

/// A reading of the wall clock, in milliseconds since 1970-01-01 UTC. It may jump either way.
#[derive(Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Wall(pub u64);

/// Both clocks, read at the same moment: what a machine is told with each input.
#[derive(Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
pub struct Now {
    /// For thresholds within this process's life.
    pub mono: Mono,
    /// For whatever is stored or shown.
    pub wall: Wall,
}

crate::api::schema::number!(Wall, Integer, "milliseconds since 1970-01-01 UTC");

impl Mono {
    /// The origin.
    pub const ZERO: Self = Self(0);
    /// Later than any reading: never.
    pub const MAX: Self = Self(u64::MAX);

    /// Time passed since `earlier`; zero when `earlier` is later.
    pub const fn since(self, earlier: Self) -> Duration {
        Duration::from_nanos(self.0.saturating_sub(earlier.0))
    }
}

impl Wall {
    /// 1970-01-01 UTC.
    pub const ZERO: Self = Self(0);
    /// Later than any reading: never.
    pub const MAX: Self = Self(u64::MAX);

    /// Time passed since `earlier`; zero when `earlier` is later.
    pub const fn since(self, earlier: Self) -> Duration {
        Duration::from_millis(self.0.saturating_sub(earlier.0))
    }

    /// The reading as the runner protocol carries times, `i64` milliseconds; the far end stays the far end.
    pub fn to_wire(self) -> i64 {
        i64::try_from(self.0).unwrap_or(i64::MAX)
    }

    /// A time out of the runner protocol. One before 1970 (only a broken or hostile runner sends it) is 1970.
    pub fn from_wire(ms: i64) -> Self {
        Self(u64::try_from(ms).unwrap_or(0))
    }
}

impl Now {
    /// Both clocks, `step` later and undisturbed.
    #[must_use]
    pub fn after(self, step: Duration) -> Self {
        Self { mono: self.mono + step, wall: self.wall + step }
    }
}

impl Add<Duration> for Mono {
    type Output = Self;

    fn add(self, step: Duration) -> Self {
        Self(self.0.saturating_add(u64::try_from(step.as_nanos()).unwrap_or(u64::MAX)))
    }
}

impl Sub<Duration> for Mono {
    type Output = Self;

    fn sub(self, step: Duration) -> Self {
        Self(self.0.saturating_sub(u64::try_from(step.as_nanos()).unwrap_or(u64::MAX)))
    }
}

impl AddAssign<Duration> for Mono {
    fn add_assign(&mut self, step: Duration) {
        *self = *self + step;
    }
}

impl Add<Duration> for Wall {
    type Output = Self;

    fn add(self, step: Duration) -> Self {
        Self(self.0.saturating_add(u64::try_from(step.as_millis()).unwrap_or(u64::MAX)))
    }
}

impl Sub<Duration> for Wall {
    type Output = Self;

    fn sub(self, step: Duration) -> Self {
        Self(self.0.saturating_sub(u64::try_from(step.as_millis()).unwrap_or(u64::MAX)))
    }
}

impl AddAssign<Duration> for Wall {
    fn add_assign(&mut self, step: Duration) {
        *self = *self + step;
    }
}

impl fmt::Debug for Mono {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match *self {
            Self::MAX => write!(f, "never"),
            Self(ns) => write!(f, "{}.{:06}s", ns / 1_000_000_000, ns % 1_000_000_000 / 1_000),
        }
    }
}

impl fmt::Debug for Wall {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match *self {
            Self::MAX => write!(f, "never"),
            Self(ms) => write!(f, "w{ms}"),
        }
    }
}

impl fmt::Debug for Now {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?}/{:?}", self.mono, self.wall)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn arithmetic_saturates_at_both_ends() {
        assert_eq!(Mono::MAX + Duration::from_secs(1), Mono::MAX);
        assert_eq!(Mono(5) + Duration::MAX, Mono::MAX);
        assert_eq!(Wall(5) - Duration::from_secs(1), Wall::ZERO);
        assert_eq!(Mono(3).since(Mono(7)), Duration::ZERO);
        assert_eq!(Wall(1_500).since(Wall(1_000)), Duration::from_millis(500));
    }

    #[test]
    fn wire_times_stay_in_range() {
        assert_eq!(Wall::from_wire(-1), Wall::ZERO);
        assert_eq!(Wall::MAX.to_wire(), i64::MAX);
        assert_eq!(Wall::from_wire(Wall(1_795_297_294_498).to_wire()), Wall(1_795_297_294_498));
    }

    #[test]
    fn debug_is_short() {
        let now = Now { mono: Mono(12_345_678_900), wall: Wall(42) };
        assert_eq!(format!("{now:?}"), "12.345678s/w42");
        assert_eq!(format!("{:?}", Mono::MAX), "never");
    }
}
