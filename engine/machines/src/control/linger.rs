//! Generations that were declared ended without their runner's word.
//!
//! Such a generation may still live in its process, and a KV request names no generation: so it *lingers*. It occupies
//! a slot and keeps later generations of its actor off that process, until its Stopped was read, or until a stop that
//! was sent again, there and then or after a reconnect, stayed unanswered for so long that nobody is there to answer:
//! RivetKit 2.2.1 ignores a stop for an actor it does not know, and forgets what it had to say of one that stopped while
//! the socket was down.

use std::collections::BTreeMap;
use std::time::Duration;

use protocol::id::{ActorId, Generation, RunnerId, RunnerKey};
use protocol::mark;

use super::Control;
use super::generation::stop_command;
use super::pool::PoolKey;
use super::record::{Departed, Key, Phase, Stage};
use super::step::Step;
use super::timers::Due;

/// How many heartbeats a busy store takes along in an interval: none of them is a transaction of its own.
const BEATS_ALONG: u32 = 2;

impl Control {
    /// Keeps the slot and the actor's later generations away until the runner says that this one has stopped.
    pub(super) fn linger(&mut self, step: &mut Step, runner: RunnerId, id: ActorId, generation: Generation) {
        if self.runners[&runner].asked.get(&id) == Some(&generation) {
            mark!("control.stop_unanswered_twice");
            return;
        }
        mark!("control.generation_lingers");
        if let Some(conn) = self.ready_conn(runner) {
            step.command(conn, stop_command(id, generation));
            // Who is asked while others are waits for the next round.
            if self.thresholds.get(&Due::Faded(runner)).is_none() {
                self.runner_mut(runner).asked.insert(id, generation);
                self.thresholds.set(Due::Faded(runner), self.now.mono + self.options.restop_threshold);
            }
        }
        let host = self.runner_mut(runner);
        let former = host.record.lingering.insert(id, generation);
        assert!(former.is_none(), "an actor is not placed where it lingers");
        self.haunt(id, runner, true);
        // The actor's own slot is freed when its phase changes, right after this.
        self.pool_of_runner(runner).lingering += 1;
        step.changed(Key::Runner(runner));
    }

    /// The one stale event that means something: a generation that was declared ended has stopped indeed.
    pub(super) fn stopped_late(
        &mut self,
        step: &mut Step,
        id: ActorId,
        runner: RunnerId,
        generation: Generation,
    ) {
        if self.runners[&runner].record.lingering.get(&id) == Some(&generation) {
            mark!("control.lingering_stopped");
            self.stop_lingering(step, runner, &[id]);
        }
    }

    /// The session's barrier has passed, and stops are sent again: from here on, who does not answer is not there.
    pub(super) fn await_answers(&mut self, step: &mut Step, id: RunnerId) {
        let runner = &self.runners[&id];
        let mut asked = runner.record.lingering.clone();
        // A process under a new id has stopped everything that it had under the former one.
        let bound = if runner.returned { self.options.lost_threshold } else { self.options.restop_threshold };
        let latest = self.now.wall + self.options.restop_threshold;
        for actor in runner.actors.clone() {
            let known = self.actors.known(actor);
            let generation = known.generation.expect("an allocated actor has a generation");
            let Phase::Allocated { runner, stage: Stage::Stopping { cause, ran, deadline }, last_event } =
                known.phase.clone()
            else {
                continue;
            };
            asked.insert(actor, generation);
            if deadline > latest {
                let stage = Stage::Stopping { cause, ran, deadline: latest };
                self.set_phase(step, actor, Phase::Allocated { runner, stage, last_event });
            }
        }
        if !self.runners[&id].record.lingering.is_empty() {
            self.thresholds.set(Due::Faded(id), self.now.mono + bound);
        }
        self.runner_mut(id).asked = asked;
    }

    /// What was asked to stop, when the barrier passed or since, has not answered.
    pub(super) fn faded(&mut self, step: &mut Step, id: RunnerId) {
        mark!("control.lingering_faded");
        let runner = &self.runners[&id];
        let silent = |(actor, generation): (&ActorId, &Generation)| {
            (runner.asked.get(actor) == Some(generation)).then_some(*actor)
        };
        let silent: Vec<ActorId> = runner.record.lingering.iter().filter_map(silent).collect();
        self.stop_lingering(step, id, &silent);
        let rest = self.runners[&id].record.lingering.clone();
        if let (false, Some(conn)) = (rest.is_empty(), self.ready_conn(id)) {
            mark!("control.lingering_asked_next");
            for (actor, generation) in &rest {
                step.command(conn, stop_command(*actor, *generation));
            }
            self.runner_mut(id).asked.extend(rest);
            self.thresholds.set(Due::Faded(id), self.now.mono + self.options.restop_threshold);
        }
    }

    /// A generation of the actor begins or ceases to linger on the runner. An actor that waits changes its place among
    /// those that wait.
    pub(super) fn haunt(&mut self, id: ActorId, runner: RunnerId, begins: bool) {
        let before = self.haunts.remove(&id).unwrap_or_default();
        let mut after = before.clone();
        let changed = if begins { after.insert(runner) } else { after.remove(&runner) };
        assert!(changed, "{id:?} begins and ceases to linger on {runner:?} once");
        if let Some(actor) = self.actors.get(id)
            && let Phase::Pending { since } = actor.phase
        {
            let key = PoolKey::of_actor(actor);
            let queue = &mut self.pool_mut(&key).pending;
            assert!(queue.remove((since, id), &before), "a pending actor is in the queue");
            queue.insert((since, id), &after);
        }
        if !after.is_empty() {
            self.haunts.insert(id, after);
        }
    }

    fn stop_lingering(&mut self, step: &mut Step, id: RunnerId, actors: &[ActorId]) {
        let host = self.runner_mut(id);
        for actor in actors {
            assert!(host.record.lingering.remove(actor).is_some(), "only what lingers stops lingering");
            host.asked.remove(actor);
        }
        if host.record.lingering.is_empty() {
            self.thresholds.clear(Due::Faded(id));
        }
        for actor in actors {
            self.haunt(*actor, id, false);
        }
        let pool = PoolKey::of_runner(&self.runners[&id].record);
        self.pool_mut(&pool).lingering -= actors.len();
        self.rank(id);
        step.changed(Key::Runner(id));
        step.pools.insert(pool);
    }

    /// Remembers what a runner hosts that is being lost. Its process may live on, come back under the same key, and
    /// then still stop those actors, on a session that is not theirs: until it has said that they stopped, they linger
    /// there.
    pub(super) fn depart(&mut self, step: &mut Step, id: RunnerId) {
        let runner = &self.runners[&id];
        let generation =
            |id: &ActorId| self.actors.known(*id).generation.expect("an allocated actor has a generation");
        let mut hosted: BTreeMap<_, _> = runner.actors.iter().map(|id| (*id, generation(id))).collect();
        hosted.extend(&runner.record.lingering);
        if !hosted.is_empty() {
            let name = (PoolKey::of_runner(&runner.record), runner.record.key.clone());
            let until = self.now.wall + self.departed_kept();
            self.remember_departed(name.clone(), Departed { actors: hosted, until });
            step.changed(departed_key(&name));
        }
    }

    /// How long that is remembered. Twice the lost threshold is enough: after one it has stopped them by itself.
    pub(super) fn departed_kept(&self) -> Duration {
        self.options.lost_threshold * 2
    }

    /// Enters what a lost runner hosted; for restored records too.
    pub(super) fn remember_departed(&mut self, name: (PoolKey, RunnerKey), departed: Departed) {
        let until = self.by_mono(departed.until);
        self.thresholds.set(Due::Departed(name.0.clone(), name.1.clone()), until);
        self.departed.insert(name, departed);
    }

    /// What a runner hosted that was lost, and is forgotten here.
    pub(super) fn forget_departed(
        &mut self,
        step: &mut Step,
        name: &(PoolKey, RunnerKey),
    ) -> BTreeMap<ActorId, Generation> {
        let Some(departed) = self.departed.remove(name) else { return BTreeMap::new() };
        self.thresholds.clear(Due::Departed(name.0.clone(), name.1.clone()));
        step.changed(departed_key(name));
        departed.actors
    }

    /// Whether a runner comes back after so long that its process has stopped its actors by itself: the engine was
    /// down meanwhile, and what the runner said of it may be lost.
    pub(super) fn overslept(&self, id: RunnerId) -> bool {
        let away = self.runners[&id].record.away_since;
        away.is_some_and(|since| self.now.wall.since(since) >= self.options.lost_threshold)
    }

    /// Notes it in a transaction that is made anyway, unless it was noted a moment ago.
    pub(super) fn beat_along(&mut self, step: &mut Step) {
        let interval = self.options.heartbeat_interval;
        if self.heartbeat.is_some_and(|last| self.now.wall.since(last) >= interval / BEATS_ALONG) {
            self.beat(step);
        }
    }

    /// Notes that this process lives, while there are runners: how long it was gone is asked when they come back.
    pub(super) fn beat(&mut self, step: &mut Step) {
        let beats = !self.runners.is_empty();
        if !beats && self.heartbeat.is_none() {
            return;
        }
        self.heartbeat = beats.then_some(self.now.wall);
        step.changed(Key::Heartbeat);
        let next = beats.then_some(self.now.mono + self.options.heartbeat_interval);
        self.thresholds.put(Due::Heartbeat, next);
    }
}

/// The key of its record.
pub(super) fn departed_key((pool, key): &(PoolKey, RunnerKey)) -> Key {
    Key::Departed(pool.namespace, pool.name.to_string(), key.clone())
}
