//! Bounding how long a future may take.

use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use pin_project_lite::pin_project;
use tokio::task::coop;

use super::{Instant, Sleep, sleep, sleep_until};

/// The deadline came before the future ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("deadline has elapsed")]
pub struct Elapsed;

pin_project! {
    /// A future with a deadline. Made by [`timeout`] and [`timeout_at`].
    #[derive(Debug)]
    #[must_use = "a timeout does nothing unless awaited"]
    pub struct Timeout<F> {
        #[pin]
        future: F,
        #[pin]
        sleep: Sleep,
    }
}

/// Gives `future` until `span` from the present, then drops it when this is dropped. The future is polled first: one
/// that is ready wins over its deadline.
pub fn timeout<F: Future>(span: Duration, future: F) -> Timeout<F> {
    Timeout { future, sleep: sleep(span) }
}

/// Gives `future` until `deadline`, as [`timeout`] does.
pub fn timeout_at<F: Future>(deadline: Instant, future: F) -> Timeout<F> {
    Timeout { future, sleep: sleep_until(deadline) }
}

impl<F: Future> Future for Timeout<F> {
    type Output = Result<F::Output, Elapsed>;
    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        let this = self.project();
        let had_budget = coop::has_budget_remaining();
        if let Poll::Ready(output) = this.future.poll(context) {
            return Poll::Ready(Ok(output));
        }
        // A future that always spends tokio's whole budget would keep the timer from ever being looked at.
        let elapsed = if had_budget && !coop::has_budget_remaining() {
            Pin::new(&mut coop::unconstrained(this.sleep)).poll(context)
        } else {
            this.sleep.poll(context)
        };
        elapsed.map(|()| Err(Elapsed))
    }
}
