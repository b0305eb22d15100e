//! A process that is stopped for a while, or asked to stop for good.

use crate::core::Core;
use crate::digest::Kind;
use crate::effects::Effect;
use crate::node::{NodeId, Status};
use crate::tasks::TaskId;

impl Core {
    #[inline]
    pub(crate) fn is_paused(&self, node: NodeId) -> bool {
        self.paused.get() > 0 && self.nodes.borrow()[node.index()].paused
    }

    /// Puts a ready task aside until its node goes on.
    pub(crate) fn park(&self, node: NodeId, task: TaskId) {
        self.felt(Effect::Pause);
        self.with_node(node, |state| state.parked.push(task));
    }

    /// The script stops a process from running, or lets it go on.
    pub(crate) fn set_paused(&self, node: NodeId, paused: bool) {
        self.with_node(node, |state| state.stopped = paused && state.status == Status::Running);
        self.update_pause(node);
    }

    /// A process stands still while the script or a strike wants it to.
    pub(crate) fn update_pause(&self, node: NodeId) {
        let is_held = self.is_held(node);
        let (paused, changed, parked, dies) = self.with_node(node, |state| {
            let paused = state.stopped || is_held;
            let may = state.status == Status::Running && state.paused != paused;
            if may {
                state.paused = paused;
            }
            let dies = may && !paused && state.asked > 0 && !state.takes_signals;
            (paused, may, if paused { Vec::new() } else { std::mem::take(&mut state.parked) }, dies)
        });
        if !changed {
            return;
        }
        self.event(Kind::Node, u64::from(node.0), if paused { 100 } else { 101 });
        self.paused.set(if paused { self.paused.get() + 1 } else { self.paused.get() - 1 });
        if dies {
            return self.fell(node, Status::Killed);
        }
        self.tasks.resume(parked);
    }

    /// Asks a process to stop, as SIGTERM does: one that has not taken over its signals dies of it, or as soon as it
    /// goes on.
    pub(crate) fn ask_to_stop(&self, node: NodeId) {
        let (dies, wakes) = self.with_node(node, |state| {
            let runs = state.status == Status::Running;
            state.asked += u64::from(runs);
            (runs && !state.takes_signals && !state.paused, state.on_asked.take_all())
        });
        self.event(Kind::Node, u64::from(node.0), 102);
        if dies {
            self.fell(node, Status::Killed);
        }
        for waker in wakes {
            waker.wake();
        }
    }
}
