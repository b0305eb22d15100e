//! Serverless runners whose request died with the former engine, and the runners that take their places.
//!
//! The platform of such a runner may have ended it, and RivetKit 2.2.1 ends it by itself: to wait for it is to let its
//! actors' clients wait for nobody. It keeps its actors for the time that a runner has whose socket closed, and for less
//! once a new runner has come that could host them instead.

use protocol::id::RunnerId;
use protocol::mark;

use super::Control;
use super::pool::PoolKey;
use super::timers::Due;

impl Control {
    /// Knows which runners of the former engine host actors and had a request, once everything is restored.
    pub(super) fn find_orphans(&mut self) {
        let hosts = |runner: &&super::runner::Runner| runner.record.serverless && !runner.actors.is_empty();
        let orphans: Vec<(PoolKey, RunnerId)> = self
            .runners
            .values()
            .filter(hosts)
            .map(|runner| (PoolKey::of_runner(&runner.record), runner.record.id))
            .collect();
        for (pool, runner) in orphans {
            self.pool_mut(&pool).orphans.push_back(runner);
        }
    }

    /// A runner has come on a request of this engine: the next one that has not come back gives up its place.
    pub(super) fn succeed_orphan(&mut self, pool: &PoolKey) {
        while let Some(orphan) = self.pool_mut(pool).orphans.pop_front() {
            let away = |runner: &super::runner::Runner| !runner.seen && !runner.actors.is_empty();
            if !self.runners.get(&orphan).is_some_and(away) {
                continue;
            }
            mark!("control.orphan_succeeded");
            let hurried = self.now.mono + self.options.successor_grace;
            let due = Due::Gone(orphan);
            let gone = self.thresholds.get(&due).expect("a runner without session is waited for");
            self.thresholds.set(due, gone.min(hurried));
            return;
        }
    }
}
