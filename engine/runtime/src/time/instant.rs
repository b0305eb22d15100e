//! Points on a monotonic clock.

use std::sync::OnceLock;
use std::time::Duration;

use crate::world;

/// The host's instant, which tokio's and hyper's timers take.
#[expect(clippy::disallowed_types, reason = "this is where our clock meets tokio's and hyper's")]
pub(crate) type StdInstant = std::time::Instant;

/// A point on a monotonic clock: nanoseconds since an origin that the process (or the world) chose. Only differences
/// mean anything. Its range is 584 years; arithmetic stops at both ends.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Instant(u64);

impl Instant {
    /// From nanoseconds since the origin.
    #[must_use]
    pub const fn from_nanos(nanos: u64) -> Self {
        Self(nanos)
    }
    /// Nanoseconds since the origin.
    #[must_use]
    pub const fn as_nanos(self) -> u64 {
        self.0
    }
    /// Time from `earlier` to this point, zero if it lies ahead.
    #[must_use]
    pub const fn saturating_since(self, earlier: Self) -> Duration {
        Duration::from_nanos(self.0.saturating_sub(earlier.0))
    }
    /// Time from `earlier` to this point, `None` if it lies ahead.
    #[must_use]
    pub const fn checked_since(self, earlier: Self) -> Option<Duration> {
        match self.0.checked_sub(earlier.0) {
            Some(nanos) => Some(Duration::from_nanos(nanos)),
            None => None,
        }
    }
    /// Time from this point to the clock's present, zero if it lies ahead.
    #[must_use]
    pub fn elapsed(self) -> Duration {
        now().saturating_since(self)
    }
}

fn nanos(span: Duration) -> u64 {
    u64::try_from(span.as_nanos()).unwrap_or(u64::MAX)
}

impl std::ops::Add<Duration> for Instant {
    type Output = Self;
    fn add(self, span: Duration) -> Self {
        Self(self.0.saturating_add(nanos(span)))
    }
}

impl std::ops::AddAssign<Duration> for Instant {
    fn add_assign(&mut self, span: Duration) {
        *self = *self + span;
    }
}

impl std::ops::Sub<Duration> for Instant {
    type Output = Self;
    fn sub(self, span: Duration) -> Self {
        Self(self.0.saturating_sub(nanos(span)))
    }
}

/// Time between two points, zero if the right one lies ahead.
impl std::ops::Sub for Instant {
    type Output = Duration;
    fn sub(self, earlier: Self) -> Duration {
        self.saturating_since(earlier)
    }
}

impl std::fmt::Debug for Instant {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(out, "{:?}", Duration::from_nanos(self.0))
    }
}

/// The monotonic clock: the node's in a world, the host's otherwise.
#[must_use]
#[inline]
pub fn now() -> Instant {
    match world::current() {
        Some(world) => world.now(),
        None => from_std(host_now()),
    }
}

#[inline]
fn host_now() -> StdInstant {
    StdInstant::now()
}

/// The host's instant that stands for our origin. It is a constant of the process, not state: only differences to it
/// are ever visible. It must be taken outside every world, whose clock may be intercepted and far ahead of the host's:
/// readings before the origin are all zero. So whoever hosts a world asks for [`now`] before.
#[inline]
fn origin() -> StdInstant {
    static ORIGIN: OnceLock<StdInstant> = OnceLock::new();
    *ORIGIN.get_or_init(host_now)
}

/// Our point for one of the host's.
#[inline]
pub(crate) fn from_std(instant: StdInstant) -> Instant {
    Instant(nanos(instant.saturating_duration_since(origin())))
}

/// One of the host's for our point: what libraries get that insist on the standard type. In a world it stands for the
/// node's clock.
#[inline]
pub(crate) fn to_std(instant: Instant) -> StdInstant {
    let origin = origin();
    // Past what the host can represent, a year stands for never.
    const YEAR: Duration = Duration::from_secs(365 * 24 * 3600);
    origin.checked_add(Duration::from_nanos(instant.0)).unwrap_or_else(|| host_now() + YEAR)
}
