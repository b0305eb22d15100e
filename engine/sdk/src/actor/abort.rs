//! Being told that nobody waits any more.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use tokio::sync::Notify;

/// Fires once, and stays fired: the client of a request is gone, or the instance is being stopped. Clones share it.
#[derive(Clone, Debug, Default)]
pub struct AbortSignal(Arc<State>);

#[derive(Debug, Default)]
struct State {
    fired: AtomicBool,
    waiters: Notify,
}

impl AbortSignal {
    /// Whether it has fired.
    #[must_use]
    pub fn is_aborted(&self) -> bool {
        self.0.fired.load(Ordering::Acquire)
    }

    /// Ends when it fires; at once if it has.
    pub async fn aborted(&self) {
        let notified = self.0.waiters.notified();
        // Created before the look: a signal that fires in between is not missed.
        if !self.is_aborted() {
            notified.await;
        }
    }

    pub(crate) fn fire(&self) {
        self.0.fired.store(true, Ordering::Release);
        self.0.waiters.notify_waiters();
    }
}
