//! Counting facts, and logging them for whoever follows one actor.

use std::collections::BTreeSet;
use std::sync::Arc;

use parking_lot::Mutex;
use protocol::id::RunnerId;
use protocol::view::{Fact, Witness};

use super::{Metrics, names};

/// The target of log lines that tell facts, one at level trace for each.
const TARGET: &str = "host::facts";

/// A witness that counts what it is told, and tells it on.
pub(crate) struct Counting {
    metrics: Metrics,
    next: Arc<dyn Witness>,
    /// Runners whose drain has not finished. Locked twice in the life of a runner.
    draining: Mutex<BTreeSet<RunnerId>>,
}

impl Counting {
    pub(crate) fn new(metrics: Metrics, next: Arc<dyn Witness>) -> Self {
        Self { metrics, next, draining: Mutex::default() }
    }
}

impl Witness for Counting {
    fn tell(&self, fact: &Fact) {
        let counters = &*self.metrics.0;
        tracing::trace!(target: TARGET, ?fact);
        match fact {
            Fact::Placed { .. } => counters.placements.add(0),
            Fact::Running { .. } => counters.starts.add(0),
            Fact::Ended { how, .. } => counters.ends.add(names::end(*how)),
            Fact::Destroyed { .. } => counters.destroyed.add(0),
            Fact::RunnerConnected { .. } => counters.runners.add(0),
            Fact::RunnerDisconnected { .. } => counters.runners.add(1),
            Fact::RunnerDrains { runner } => {
                counters.drains_begun.add(0);
                self.draining.lock().insert(*runner);
            }
            Fact::RunnerLost { runner } => {
                counters.runners.add(2);
                if self.draining.lock().remove(runner) {
                    counters.drains_finished.add(0);
                }
            }
            Fact::StreamOpened { .. } => counters.streams_opened.add(0),
            Fact::StreamEnded { reason, .. } => counters.streams_ended.add(names::stream_end(reason)),
            Fact::Forwarded { attempt, .. } => counters.forwards.add(usize::from(*attempt > 0)),
            // Counted where they are asked for; the others are told by runners, not by engines.
            Fact::KvCommitted { .. }
            | Fact::RunnerOvertaken { .. }
            | Fact::InstanceStarted { .. }
            | Fact::InstanceStopped { .. }
            | Fact::Delivered { .. }
            | Fact::EventStreamEnded { .. } => {}
        }
        self.next.tell(fact);
    }

    fn committed(&self) {
        self.next.committed();
    }

    fn restarted(&self) {
        self.next.restarted();
    }
}
