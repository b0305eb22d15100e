//! Points on a wall clock.

use std::time::Duration;

use crate::world;

/// A point on a wall clock: milliseconds since 1970-01-01 UTC. It may jump.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Default)]
pub struct Wall(pub u64);

impl Wall {
    /// Milliseconds since 1970-01-01 UTC.
    #[must_use]
    pub const fn as_millis(self) -> u64 {
        self.0
    }
    /// Time from `earlier` to this point, zero if it lies ahead (the clock may have jumped).
    #[must_use]
    pub const fn saturating_since(self, earlier: Self) -> Duration {
        Duration::from_millis(self.0.saturating_sub(earlier.0))
    }
}

/// Rounds down to whole milliseconds and stops at the end of the range.
impl std::ops::Add<Duration> for Wall {
    type Output = Self;
    fn add(self, span: Duration) -> Self {
        Self(self.0.saturating_add(u64::try_from(span.as_millis()).unwrap_or(u64::MAX)))
    }
}

/// The wall clock: the node's in a world, the host's otherwise. A host clock set before 1970 reads as zero.
#[must_use]
pub fn wall() -> Wall {
    match world::current() {
        Some(world) => world.wall(),
        None => host_wall(),
    }
}

#[expect(clippy::disallowed_types, reason = "the one place that reads the host's wall clock")]
fn host_wall() -> Wall {
    use std::time::SystemTime;
    let since = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or(Duration::ZERO);
    Wall(u64::try_from(since.as_millis()).unwrap_or(u64::MAX))
}
