//! How many runners live.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use tokio::sync::Notify;

/// Counts runners. Clones share the count.
#[derive(Clone, Debug, Default)]
pub(super) struct Active(Arc<State>);

#[derive(Debug, Default)]
struct State {
    count: AtomicUsize,
    left: Notify,
}

/// A runner's place, given back when dropped.
#[derive(Debug)]
pub(super) struct Place(Active);

impl Active {
    /// A place, if fewer than `max` are taken.
    pub(super) fn enter(&self, max: usize) -> Option<Place> {
        let more = |count| (count < max).then_some(count + 1);
        self.0.count.fetch_update(Ordering::AcqRel, Ordering::Acquire, more).ok()?;
        Some(Place(self.clone()))
    }

    pub(super) fn count(&self) -> usize {
        self.0.count.load(Ordering::Acquire)
    }

    /// Ends when no place is taken.
    pub(super) async fn none(&self) {
        loop {
            let left = self.0.left.notified();
            // Created before the look: a place given back in between is not missed.
            if self.count() == 0 {
                return;
            }
            left.await;
        }
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        self.0.0.count.fetch_sub(1, Ordering::AcqRel);
        self.0.0.left.notify_waiters();
    }
}
