//! Ticking at a period.

use std::future::poll_fn;
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use super::{Instant, Sleep, now, sleep_until};

/// A tick that comes this late (or less) does not move those after it. Tokio's value: its timer rounds up to a
/// millisecond, and a busy scheduler adds some.
const SLACK: Duration = Duration::from_millis(5);

/// Ticks at a period. The first tick is at once. A late tick moves those after it: at least one period lies between
/// two ticks, and missed ones are not made up for (tokio's `MissedTickBehavior::Delay`).
#[derive(Debug)]
pub struct Interval {
    period: Duration,
    // Boxed so that an interval can be moved between ticks.
    next: Pin<Box<Sleep>>,
}

/// Ticks each `period`, the first time at once.
///
/// # Panics
/// If `period` is zero: it would tick without end and without time passing.
#[must_use]
pub fn interval(period: Duration) -> Interval {
    assert!(!period.is_zero(), "an interval needs a period above zero");
    Interval { period, next: Box::pin(sleep_until(now())) }
}

impl Interval {
    /// Waits for the next tick and answers with the point it was due. Dropping the future loses no tick.
    pub async fn tick(&mut self) -> Instant {
        poll_fn(|context| self.poll_tick(context)).await
    }

    /// Polls for the next tick.
    pub fn poll_tick(&mut self, context: &mut Context<'_>) -> Poll<Instant> {
        ready!(self.next.as_mut().poll(context));
        let due = self.next.deadline();
        let present = now();
        let next = if present.saturating_since(due) > SLACK { present } else { due } + self.period;
        self.next.as_mut().reset(next);
        Poll::Ready(due)
    }

    /// The next tick comes one period from the present.
    pub fn reset(&mut self) {
        self.next.as_mut().reset(now() + self.period);
    }

    /// Time between ticks.
    #[must_use]
    pub fn period(&self) -> Duration {
        self.period
    }
}
