//! The one place where an actor's phase and alarm change, so that indices, counts and deadlines cannot drift.
//!
//! A phase's deadline is stored by the wall clock, since a later process must know it, and kept to by the monotonic one
//! within a process: a wall clock that jumps neither ends every start under way nor puts its end off. An alarm is an
//! appointment, and keeps to the wall clock.

use protocol::id::{ActorId, RunnerId};
use protocol::time::{Mono, Wall};
use protocol::view::Fact;

use super::Control;
use super::effect::Effect;
use super::pool::PoolKey;
use super::record::{Actor, Key, Phase, Stage};
use super::step::Step;
use super::timers::Due;

/// When the phase must be looked at again.
pub(super) const fn deadline(phase: &Phase) -> Option<Wall> {
    match phase {
        Phase::Allocated {
            stage: Stage::Starting { deadline } | Stage::Stopping { deadline, .. }, ..
        } => Some(*deadline),
        Phase::Backoff { until } => Some(*until),
        Phase::Pending { .. }
        | Phase::Allocated { stage: Stage::Running, .. }
        | Phase::Sleeping
        | Phase::Destroyed => None,
    }
}

/// When the alarm rings: only asleep. In other phases a due alarm waits until the actor falls asleep.
pub(super) fn alarm(actor: &Actor) -> Option<Wall> {
    actor.alarm.filter(|_| actor.phase == Phase::Sleeping)
}

/// The runner that hosts an actor of this phase.
pub(super) const fn host(phase: &Phase) -> Option<RunnerId> {
    match phase {
        Phase::Allocated { runner, .. } => Some(*runner),
        Phase::Pending { .. } | Phase::Sleeping | Phase::Backoff { .. } | Phase::Destroyed => None,
    }
}

impl Control {
    /// Moves an actor to another phase, or its generation to another stage.
    pub(super) fn set_phase(&mut self, step: &mut Step, id: ActorId, phase: Phase) {
        let actor = self.actors.known(id);
        let pool = PoolKey::of_actor(actor);
        let before = actor.phase.clone();
        let (from, to) = (host(&before), host(&phase));
        let due = deadline(&phase);
        if due != deadline(&before) {
            self.appoint_phase(id, due);
        }
        self.actors.set_phase(id, phase.clone(), self.now.wall);
        if from.is_none() || from != to {
            assert!(from.is_none() || to.is_none(), "an actor never moves without a new generation");
            self.leave(step, id, &pool, &before);
            self.enter(id, &pool, &phase);
            step.pools.insert(pool);
        }
        self.appoint_alarm(id);
        step.changed(Key::Actor(id));
        step.routes.insert(id);
    }

    fn leave(&mut self, step: &mut Step, id: ActorId, pool: &PoolKey, phase: &Phase) {
        match phase {
            Phase::Pending { since } => {
                let haunts = self.haunts.get(&id).cloned().unwrap_or_default();
                let waited = self.pool_mut(pool).pending.remove((*since, id), &haunts);
                assert!(waited, "a pending actor is in the queue");
            }
            Phase::Allocated { runner, .. } => {
                self.pool_mut(pool).allocated -= 1;
                let host = self.runner_mut(*runner);
                assert!(host.actors.remove(&id), "a runner knows its actors");
                if host.actors.is_empty() {
                    step.emptied.insert(*runner);
                }
                self.rank(*runner);
            }
            Phase::Sleeping | Phase::Backoff { .. } | Phase::Destroyed => {}
        }
    }

    /// Enters the phase into the indices of pools and runners; for restored actors too.
    pub(super) fn enter(&mut self, id: ActorId, pool: &PoolKey, phase: &Phase) {
        match phase {
            Phase::Pending { since } => {
                let haunts = self.haunts.get(&id).cloned().unwrap_or_default();
                self.pool_mut(pool).pending.insert((*since, id), &haunts);
            }
            Phase::Allocated { runner, .. } => {
                self.pool_mut(pool).allocated += 1;
                let host = self.runner_mut(*runner);
                host.actors.insert(id);
                assert!(host.used() <= host.record.total_slots, "{runner:?} has a slot for {id:?}");
                self.rank(*runner);
            }
            Phase::Sleeping | Phase::Backoff { .. } | Phase::Destroyed => {}
        }
    }

    /// Sets the deadlines that follow from a restored actor.
    pub(super) fn appoint(&mut self, id: ActorId) {
        self.appoint_phase(id, deadline(&self.actors.known(id).phase));
        self.appoint_alarm(id);
    }

    fn appoint_phase(&mut self, id: ActorId, due: Option<Wall>) {
        let due = due.map(|due| self.by_mono(due));
        self.thresholds.put(Due::Phase(id), due);
    }

    fn appoint_alarm(&mut self, id: ActorId) {
        let alarm = alarm(self.actors.known(id));
        self.appointments.put(Due::Alarm(id), alarm);
    }

    /// A moment of the wall clock by the monotonic one, as both stand in this step.
    pub(super) fn by_mono(&self, at: Wall) -> Mono {
        self.now.mono + at.since(self.now.wall)
    }

    /// Replaces the alarm, which has not rung yet.
    pub(super) fn set_alarm(&mut self, step: &mut Step, id: ActorId, alarm: Option<Wall>) {
        let actor = self.actors.known_mut(id);
        (actor.alarm, actor.rings) = (alarm, false);
        self.appoint_alarm(id);
        step.changed(Key::Actor(id));
    }

    /// To the end of its pool's queue.
    pub(super) fn set_pending(&mut self, step: &mut Step, id: ActorId) {
        let pool = PoolKey::of_actor(self.actors.known(id));
        let since = self.end_of_queue(&pool);
        self.set_phase(step, id, Phase::Pending { since });
    }

    /// A date for a new last one of the queue: the wall clock may go back, the queue may not.
    pub(super) fn end_of_queue(&self, pool: &PoolKey) -> Wall {
        let last = self.pools.get(pool).and_then(|pool| pool.pending.last());
        last.map_or(self.now.wall, |(since, _)| self.now.wall.max(*since))
    }

    /// The last step of an actor's life; what it stored goes with it.
    pub(super) fn set_destroyed(&mut self, step: &mut Step, id: ActorId) {
        assert!(self.actors.known(id).phase != Phase::Destroyed, "an actor is destroyed once");
        self.set_phase(step, id, Phase::Destroyed);
        self.set_alarm(step, id, None);
        step.write(Effect::Erase { actor: id });
        step.fact(Fact::Destroyed { actor: id });
        self.appoint_purge();
    }
}
