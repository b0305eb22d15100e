//! Runners that may have come on a request, before the request names them.
//!
//! A serverless runner lives as long as its request, and which request is its own, only the request says. One whose
//! request ended before may be gone in a moment, and RivetKit 2.2.1 stays and pings for ever, but starts no actor any
//! more: so nothing is placed on a runner that dials while requests of its pool are out, or were a moment ago, until one
//! of them has named it. Whoever dials at any other time into a serverless pool has come by itself, and is taken at once.

use protocol::error::CloseReason;
use protocol::id::RunnerId;
use protocol::mark;

use super::Control;
use super::pool::PoolKey;
use super::step::Step;
use super::timers::Due;

impl Control {
    /// Whether a request may be what the runner came for. One that hosts actors was named, or has come by itself, in a
    /// former life of the engine.
    pub(super) fn may_be_requested(&self, id: RunnerId) -> bool {
        let runner = &self.runners[&id];
        let pool = &self.pools[&PoolKey::of_runner(&runner.record)];
        let late = pool.late_until.is_some_and(|until| self.now.mono < until);
        pool.serverless().is_some()
            && (pool.unanswered > 0 || late)
            && !runner.record.serverless
            && runner.actors.is_empty()
    }

    /// Whether the runner must be named before it hosts anything. Its place is brought up to date by the caller.
    pub(super) fn set_unnamed(&mut self, id: RunnerId, unnamed: bool) {
        self.runner_mut(id).unnamed = unnamed;
        let by = self.now.mono + self.options.stream_timeout;
        self.thresholds.put(Due::Unnamed(id), unnamed.then_some(by));
    }

    /// A request has ended, here or with the former engine, and its runner may be on its way.
    pub(super) fn await_late_runners(&mut self, key: &PoolKey) {
        let until = self.now.mono + self.options.stream_timeout;
        self.pool_mut(key).late_until = Some(until);
    }

    /// The pool asks for no runners any more: whoever is there may host its actors.
    pub(super) fn name_all(&mut self, key: &PoolKey) {
        let unnamed = self.pools[key].runners.iter().map(|(_, id)| *id);
        let unnamed: Vec<RunnerId> = unnamed.filter(|id| self.runners[id].unnamed).collect();
        for id in unnamed {
            self.set_unnamed(id, false);
            self.rank(id);
        }
    }

    /// No request has named it: it is asked to come back. One whose request has ended does not; any other is taken when
    /// no request is out.
    pub(super) fn stays_unnamed(&mut self, step: &mut Step, id: RunnerId) {
        mark!("control.runner_unnamed");
        self.remove_runner(step, id, CloseReason::GoingAway);
    }
}
