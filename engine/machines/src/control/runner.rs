//! Runners: connected, waited for, drained, lost.

use std::collections::{BTreeMap, BTreeSet};

use protocol::error::CloseReason;
use protocol::id::{ActorId, ConnId, Generation, RunnerId, StreamId};
use protocol::mark;
use protocol::time::Wall;
use protocol::view::Fact;

use super::Control;
use super::evict::Eviction;
use super::generation::Ending;
use super::placement::Stand;
use super::pool::{Pool, PoolKey};
use super::record::{self, Key};
use super::runners::position;
use super::step::Step;
use super::timers::Due;

/// A runner that is not lost.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) struct Runner {
    /// Stored.
    pub(super) record: record::Runner,
    /// Its session.
    pub(super) conn: Option<ConnId>,
    /// Actors that are allocated to it.
    pub(super) actors: BTreeSet<ActorId>,
    /// The stream that holds it open.
    pub(super) stream: Option<StreamId>,
    /// Whether it was connected since this process began.
    pub(super) seen: bool,
    /// Whether it came while requests for runners of its pool were out, and none of them has named it yet.
    pub(super) unnamed: bool,
    /// Whether its process was known under another id before, which is lost.
    pub(super) returned: bool,
    /// Generations that were told to stop again on its session, once the barrier had passed.
    pub(super) asked: BTreeMap<ActorId, Generation>,
    /// Its actors leave it, a few at a time.
    pub(super) evicting: Option<Eviction>,
    /// Its last answer to a ping.
    pub(super) ponged: Option<Wall>,
    /// How long that answer took, in milliseconds.
    pub(super) rtt: u32,
    /// Where it stands among the runners of its pool that may be given actors, if it may.
    pub(super) stand: Option<Stand>,
}

impl Runner {
    pub(super) const fn new(record: record::Runner) -> Self {
        Self {
            record,
            conn: None,
            actors: BTreeSet::new(),
            stream: None,
            seen: false,
            unnamed: false,
            returned: false,
            asked: BTreeMap::new(),
            evicting: None,
            ponged: None,
            rtt: 0,
            stand: None,
        }
    }

    /// Slots in use, by its actors and by ended generations that linger.
    pub(super) fn used(&self) -> u32 {
        let used = self.actors.len() + self.record.lingering.len();
        u32::try_from(used).expect("slots in use never exceed a runner's slots")
    }

    /// Slots that can be given to actors.
    pub(super) fn free(&self) -> u32 {
        self.record.total_slots.saturating_sub(self.used())
    }
}

impl Control {
    /// A runner that an index or a record names.
    pub(super) fn runner_mut(&mut self, id: RunnerId) -> &mut Runner {
        self.runners.get_mut(&id).expect("an indexed runner exists")
    }

    pub(super) fn pool_mut(&mut self, key: &PoolKey) -> &mut Pool {
        if !self.pools.contains_key(key) {
            self.pools.insert(key.clone(), Pool::default());
        }
        self.pools.get_mut(key).expect("the pool was just made if it was missing")
    }

    pub(super) fn pool_of_runner(&mut self, id: RunnerId) -> &mut Pool {
        let key = PoolKey::of_runner(&self.runners[&id].record);
        self.pool_mut(&key)
    }

    /// The session on which commands may be sent: one whose barrier has passed.
    pub(super) fn ready_conn(&self, id: RunnerId) -> Option<ConnId> {
        self.ready(self.runners.get(&id)?)
    }

    /// That of this runner.
    pub(super) fn ready(&self, runner: &Runner) -> Option<ConnId> {
        let conn = runner.conn?;
        self.sessions[&conn].is_ready().then_some(conn)
    }

    /// Brings where the runner stands in its pool, and its stream, up to date.
    pub(super) fn rank(&mut self, id: RunnerId) {
        let seat = self.runners.seat(id).expect("who is ranked is known");
        let runner = self.runners.at(seat);
        let healthy = runner.conn.is_some_and(|conn| self.sessions[&conn].is_eligible());
        let (total, free, version) = (runner.record.total_slots, runner.free(), runner.record.version);
        // One that can host nothing at all must not hold back older versions.
        let takes = healthy && !runner.unnamed && runner.record.draining.is_none() && total > 0;
        let (stood, stream) = (runner.stand.is_some(), runner.stream);
        let pool = self.pools.get_mut(&PoolKey::of_runner(&runner.record)).expect("a runner has a pool");
        match (stood, takes) {
            (false, false) => {}
            (false, true) => {
                self.runners.at_mut(seat).stand = Some(pool.index.insert(seat, version, free, total));
            }
            (true, true) => pool.index.update(&mut self.runners, seat, free, total),
            (true, false) => {
                pool.index.remove(&mut self.runners, seat);
                self.runners.at_mut(seat).stand = None;
            }
        }
        if let Some(stream) = stream {
            self.file_stream(stream);
        }
    }

    /// Enters a runner that is new to this process.
    pub(super) fn add_runner(&mut self, record: record::Runner) {
        let pool = PoolKey::of_runner(&record);
        let (id, lingering) = (record.id, record.lingering.len());
        let (version, drains) = (record.version, record.draining.is_some());
        let position = position(&record);
        self.listed_runners.entry(record.namespace).or_default().insert(position);
        for actor in record.lingering.keys() {
            self.haunt(*actor, id, true);
        }
        let known = self.runner_keys.insert((pool.clone(), record.key.clone()), id);
        assert!(known.is_none(), "a runner key names one runner");
        self.runners.insert(Runner::new(record));
        let pool = self.pool_mut(&pool);
        pool.runners.insert(position);
        if !drains {
            pool.undrained.insert((version, id));
        }
        pool.lingering += lingering;
    }

    /// The runner gets nothing new, and its actors are asked to stop.
    pub(super) fn drain_runner(&mut self, step: &mut Step, id: RunnerId) {
        self.retire_runner(step, id);
        self.evict_all(step, id);
        step.emptied.insert(id);
    }

    /// The runner gets nothing new.
    pub(super) fn retire_runner(&mut self, step: &mut Step, id: RunnerId) {
        let now = self.now.wall;
        let runner = self.runner_mut(id);
        if runner.record.draining.is_some() {
            return;
        }
        runner.record.draining = Some(now);
        let version = runner.record.version;
        let stream = runner.stream;
        step.changed(Key::Runner(id));
        step.fact(Fact::RunnerDrains { runner: id });
        step.pools.insert(PoolKey::of_runner(&runner.record));
        if let Some(stream) = stream {
            self.leave_to_runner(step, stream);
        }
        assert!(self.pool_of_runner(id).undrained.remove(&(version, id)), "{id:?} was not drained before");
        self.rank(id);
    }

    /// The session of a runner is gone, by whomever.
    pub(super) fn disconnect(&mut self, step: &mut Step, id: RunnerId) {
        let reading = self.reading;
        let runner = self.runner_mut(id);
        assert!(runner.conn.take().is_some(), "only a connected runner loses its session");
        runner.asked.clear();
        let drained = runner.record.draining.is_some()
            && runner.actors.is_empty()
            && runner.record.lingering.is_empty();
        if drained {
            // Who dials next under its key may be its successor, which shall not inherit the drain.
            mark!("control.drained_runner_left");
        }
        let dead = !reading && (drained || (runner.record.serverless && runner.stream.is_none()));
        step.routes.extend(runner.actors.iter().copied());
        step.pools.insert(PoolKey::of_runner(&runner.record));
        step.fact(Fact::RunnerDisconnected { runner: id });
        self.thresholds.clear(Due::Faded(id));
        self.set_unnamed(id, false);
        self.rank(id);
        if dead {
            self.lose_runner(step, id);
        } else {
            self.thresholds.set(Due::Gone(id), self.now.mono + self.options.grace);
        }
    }

    /// The runner is gone for ever: its actors lose their generation, and its key means a new runner from here on.
    pub(super) fn lose_runner(&mut self, step: &mut Step, id: RunnerId) {
        mark!("control.runner_lost");
        self.remove_runner(step, id, CloseReason::TimedOut);
    }

    /// Forgets the runner and closes its socket, if it is there, for this reason.
    pub(super) fn remove_runner(&mut self, step: &mut Step, id: RunnerId, reason: CloseReason) {
        let runner = self.runner_mut(id);
        let (conn, stream) = (runner.conn.take(), runner.stream);
        let actors: Vec<ActorId> = runner.actors.iter().copied().collect();
        if let Some(conn) = conn {
            self.close(step, conn, reason);
        }
        step.fact(Fact::RunnerLost { runner: id });
        self.rank(id);
        self.depart(step, id);
        for actor in actors {
            self.end_generation(step, actor, &Ending::RunnerLost);
        }
        if let Some(stream) = stream {
            self.close_stream(step, stream, "runner_lost");
        }
        let runner = self.runners.remove(id).expect("it is lost once");
        assert!(runner.actors.is_empty() && runner.stand.is_none(), "a lost runner hosts nothing");
        let key = PoolKey::of_runner(&runner.record);
        for actor in runner.record.lingering.keys() {
            self.haunt(*actor, id, false);
        }
        let position = position(&runner.record);
        let listed = self.listed_runners.get_mut(&key.namespace).expect("a runner is listed");
        listed.remove(&position);
        if listed.is_empty() {
            self.listed_runners.remove(&key.namespace);
        }
        let pool = self.pool_mut(&key);
        pool.runners.remove(&position);
        pool.undrained.remove(&(runner.record.version, id));
        pool.lingering -= runner.record.lingering.len();
        self.runner_keys.remove(&(key.clone(), runner.record.key));
        for due in [Due::Gone(id), Due::Faded(id), Due::Evict(id), Due::Stays(id), Due::Unnamed(id)] {
            self.thresholds.clear(due);
        }
        step.pools.insert(key);
        step.changed(Key::Runner(id));
    }
}
