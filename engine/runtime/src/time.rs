//! Points in time, clocks, and waiting for them.
//!
//! Monotonic time is [`Instant`], wall time is [`Wall`]. Durable deadlines are wall time, thresholds are monotonic.
//! Not here: hyper's timer, which is in [`crate::http`].

mod instant;
mod interval;
mod sleep;
mod timeout;
mod wall;

pub use instant::{Instant, now};
pub use interval::{Interval, interval};
pub use sleep::{Sleep, sleep, sleep_until};
pub use timeout::{Elapsed, Timeout, timeout, timeout_at};
pub use wall::{Wall, wall};

pub(crate) use instant::{StdInstant, from_std, to_std};
