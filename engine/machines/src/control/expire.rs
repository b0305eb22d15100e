//! What follows when a deadline comes.

use protocol::error::CloseReason;
use protocol::id::ActorId;
use protocol::mark;

use super::Control;
use super::generation::Ending;
use super::pool::PoolKey;
use super::record::{Phase, Stage};
use super::session;
use super::step::Step;
use super::timers::Due;

impl Control {
    /// Carries out every deadline that has come, the earliest of each clock first. Each either moves on or is gone
    /// afterwards, so this ends.
    pub(super) fn expire(&mut self, step: &mut Step) {
        while let Some(due) = self.thresholds.pop(self.now.mono) {
            self.due(step, due);
        }
        while let Some(due) = self.appointments.pop(self.now.wall) {
            self.due(step, due);
        }
    }

    fn due(&mut self, step: &mut Step, due: Due) {
        match due {
            Due::Init(conn) => {
                mark!("control.init_timeout");
                self.reject(step, conn, CloseReason::TimedOutWaitingForInit);
            }
            Due::Ping(conn) => {
                self.ping(step, conn);
            }
            Due::Stale(conn) => self.go_stale(step, conn),
            Due::Silent(conn) => {
                mark!("control.runner_silent");
                if let session::Stage::Open { runner, .. } = self.sessions[&conn].stage {
                    self.lose_runner(step, runner);
                }
            }
            Due::Gone(runner) => self.lose_runner(step, runner),
            Due::Departed(pool, key) => {
                self.forget_departed(step, &(pool, key));
            }
            Due::Faded(runner) => self.faded(step, runner),
            Due::Evict(runner) => self.evict(step, runner),
            Due::Stays(runner) => self.stays(step, runner),
            Due::Unnamed(runner) => self.stays_unnamed(step, runner),
            Due::Heartbeat => self.beat(step),
            Due::Stream(stream) => self.stream_timed_out(step, stream),
            Due::Lifespan(stream) => {
                mark!("control.stream_lifespan");
                self.end_lifespan(step, stream);
            }
            Due::Drained(stream) => {
                mark!("control.stream_drain_timeout");
                self.close_stream(step, stream, "drain_timeout");
            }
            Due::Retry(pool) => {
                step.pools.insert(pool);
            }
            Due::Poll(pool) => self.poll(step, &pool),
            Due::Fetch(fetch) => self.fetch_timed_out(step, fetch),
            Due::Reports(pool) => self.count_reports(step, &pool),
            Due::Aged(pool) => {
                mark!("control.pool_error_aged");
                self.forget_health(step, &pool);
            }
            Due::Phase(actor) => self.phase_due(step, actor),
            Due::Alarm(actor) => self.ring(step, actor),
            Due::Purge => self.purge(step),
        }
    }

    fn phase_due(&mut self, step: &mut Step, id: ActorId) {
        match &self.actors.known(id).phase {
            Phase::Allocated { stage: Stage::Starting { .. } | Stage::Stopping { .. }, .. } => {
                mark!("control.no_response");
                self.end_generation(step, id, &Ending::NoResponse);
            }
            Phase::Backoff { .. } => self.set_pending(step, id),
            Phase::Pending { .. }
            | Phase::Allocated { stage: Stage::Running, .. }
            | Phase::Sleeping
            | Phase::Destroyed => unreachable!("this phase has no deadline"),
        }
    }

    /// Looks again at every pool that this step touched: free slots to waiting actors, streams to their desired
    /// number. Each pass acts only where something is missing, so this ends.
    pub(super) fn settle(&mut self, step: &mut Step) {
        loop {
            while let Some(runner) = step.emptied.pop_first() {
                self.emptied(step, runner);
            }
            let Some(key) = step.pools.pop_first() else { break };
            self.place(step, &key);
            self.upgrade(step, &key);
            self.tend(step, &key);
            self.tell_mood(step, &key);
            self.forget_pool(&key);
        }
    }

    fn forget_pool(&mut self, key: &PoolKey) {
        if self.pools.get(key).is_some_and(super::pool::Pool::is_empty) {
            self.pools.remove(key);
            for due in [
                Due::Retry(key.clone()),
                Due::Reports(key.clone()),
                Due::Aged(key.clone()),
                Due::Poll(key.clone()),
            ] {
                self.thresholds.clear(due);
            }
        }
    }
}
