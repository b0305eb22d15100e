//! Ending tasks: a signal that is given once, and a count of those who have not ended yet.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use tokio::sync::{Notify, mpsc};

/// A signal that is given at most once, seen by everybody who waits for it, then or later.
#[derive(Clone, Debug, Default)]
pub(crate) struct Halt(Arc<Signal>);

#[derive(Debug, Default)]
struct Signal {
    given: AtomicBool,
    bell: Notify,
}

impl Halt {
    /// Not given yet.
    pub(crate) fn new() -> Self {
        Self::default()
    }

    /// Gives the signal. Again: nothing.
    pub(crate) fn give(&self) {
        self.0.given.store(true, Ordering::Release);
        self.0.bell.notify_waiters();
    }

    pub(crate) fn is_given(&self) -> bool {
        self.0.given.load(Ordering::Acquire)
    }

    /// Waits until it is given.
    pub(crate) async fn given(&self) {
        let bell = self.0.bell.notified();
        let mut bell = std::pin::pin!(bell);
        // Enlisted before the flag is read, so that no signal falls in between.
        bell.as_mut().enable();
        if !self.is_given() {
            bell.await;
        }
    }
}

/// Held by a task while it lives.
#[derive(Clone, Debug)]
pub(crate) struct Alive {
    _line: mpsc::Sender<()>,
}

/// Waits for all who hold an [`Alive`] of it.
#[derive(Debug)]
pub(crate) struct Roll(mpsc::Receiver<()>);

/// A roll and the first entry in it.
pub(crate) fn roll() -> (Alive, Roll) {
    let (line, end) = mpsc::channel(1);
    (Alive { _line: line }, Roll(end))
}

impl Roll {
    /// Waits until every entry is gone.
    pub(crate) async fn empty(&mut self) {
        let nothing = self.0.recv().await;
        assert!(nothing.is_none(), "nobody speaks on the line");
    }
}
