//! Being asked to stop: in order first, at once when asked again.

use std::sync::Arc;
use std::sync::atomic::{AtomicU8, Ordering};

use runtime::signals::Signals;
use tokio::sync::Notify;

const DRAIN: u8 = 1;
const STOP: u8 = 2;

/// Asks whoever holds the other end to stop.
#[derive(Clone, Debug)]
pub struct Stop(Arc<State>);

/// Told when to stop. Clones share it.
#[derive(Clone, Debug)]
pub struct Shutdown(Arc<State>);

#[derive(Debug, Default)]
struct State {
    level: AtomicU8,
    waiters: Notify,
}

/// Both ends of a request to stop. A [`Stop`] that is dropped asks for nothing.
#[must_use]
pub fn shutdown() -> (Stop, Shutdown) {
    let state = Arc::new(State::default());
    (Stop(Arc::clone(&state)), Shutdown(state))
}

impl Stop {
    /// Stop in order: finish, save, tell the engine.
    pub fn drain(&self) {
        self.0.raise(DRAIN);
    }

    /// Stop at once.
    pub fn now(&self) {
        self.0.raise(STOP);
    }

    /// Passes signals on: the first one drains, the second one stops at once. Ends after the second.
    pub async fn follow(self, mut signals: Signals) {
        signals.terminate().await;
        self.drain();
        signals.terminate().await;
        self.now();
    }

    /// Passes another request to stop on. Ends when that one asks to stop at once.
    pub async fn relay(self, from: Shutdown) {
        from.draining().await;
        self.drain();
        from.stopped().await;
        self.now();
    }
}

impl Shutdown {
    /// Ends when asked to stop, in order or at once.
    pub async fn draining(&self) {
        self.0.reached(DRAIN).await;
    }

    /// Ends when asked to stop at once.
    pub async fn stopped(&self) {
        self.0.reached(STOP).await;
    }

    /// Whether it was asked to stop, in order or at once.
    #[must_use]
    pub fn is_draining(&self) -> bool {
        self.0.level.load(Ordering::Acquire) >= DRAIN
    }
}

impl State {
    fn raise(&self, level: u8) {
        self.level.fetch_max(level, Ordering::AcqRel);
        self.waiters.notify_waiters();
    }

    async fn reached(&self, level: u8) {
        loop {
            let notified = self.waiters.notified();
            // Created before the look: a request in between is not missed.
            if self.level.load(Ordering::Acquire) >= level {
                return;
            }
            notified.await;
        }
    }
}
