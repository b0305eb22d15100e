//! Runners: connected, waited for, drained, lost.

use std::collections::{BTreeMap, BTreeSet};

use protocol::error::CloseReason;
use protocol::id::{ActorId, ConnId, Generation, RunnerId, StreamId};
use protocol::mark;
use protocol::time::Wall;
use protocol::view::Fact;

use super::Control;
use super::generation::Ending;
use super::placement::Rank;
use super::pool::{Pool, PoolKey};
use super::record::{self, Key, StopCause};
use super::step::Step;
use super::stream::Fate;
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
    /// Whether there ever was one, as far as this process knows.
    pub(super) serverless: bool,
    /// Whether it was connected since this process began.
    pub(super) seen: bool,
    /// Whether its process was known under another id before, which is lost.
    pub(super) returned: bool,
    /// Generations that were told to stop again on its session, once the barrier had passed.
    pub(super) asked: BTreeMap<ActorId, Generation>,
    /// Its last answer to a ping.
    pub(super) ponged: Option<Wall>,
    /// How long that answer took, in milliseconds.
    pub(super) rtt: u32,
    /// Its place among the runners of its pool that may be given actors.
    pub(super) ranked: Option<Rank>,
}

impl Runner {
    pub(super) const fn new(record: record::Runner) -> Self {
        Self {
            record,
            conn: None,
            actors: BTreeSet::new(),
            stream: None,
            serverless: false,
            seen: false,
            returned: false,
            asked: BTreeMap::new(),
            ponged: None,
            rtt: 0,
            ranked: None,
        }
    }

    /// Slots in use, by its actors and by ended generations that linger.
    pub(super) fn used(&self) -> u32 {
        let used = self.actors.len() + self.record.lingering.len();
        u32::try_from(used).expect("slots in use never exceed a runner's slots")
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
        let conn = self.runners.get(&id)?.conn?;
        self.sessions[&conn].is_ready().then_some(conn)
    }

    /// Brings the runner's place in its pool, and that of its stream, up to date.
    pub(super) fn rank(&mut self, id: RunnerId) {
        let runner = &self.runners[&id];
        let healthy = runner.conn.is_some_and(|conn| self.sessions[&conn].is_eligible());
        let (total, used) = (runner.record.total_slots, runner.used());
        let rank = (healthy && runner.record.draining.is_none())
            .then(|| Rank::new(id, runner.record.version, total.saturating_sub(used), total))
            .flatten();
        let (before, stream) = (runner.ranked, runner.stream);
        if before != rank {
            let pool = self.pool_of_runner(id);
            if let Some(before) = before {
                assert!(pool.ranked.remove(&before), "a ranked runner is in its pool's ranking");
            }
            pool.ranked.extend(rank);
            self.runner_mut(id).ranked = rank;
        }
        if let Some(stream) = stream {
            self.file_stream(stream);
        }
    }

    /// Enters a runner that is new to this process.
    pub(super) fn add_runner(&mut self, record: record::Runner) {
        let pool = PoolKey::of_runner(&record);
        let (id, lingering) = (record.id, record.lingering.len());
        let known = self.runner_keys.insert((pool.clone(), record.key.clone()), id);
        assert!(known.is_none(), "a runner key names one runner");
        let former = self.runners.insert(id, Runner::new(record));
        assert!(former.is_none(), "a runner is entered once");
        let pool = self.pool_mut(&pool);
        pool.runners.insert(id);
        pool.lingering += lingering;
    }

    /// The runner gets nothing new, and its actors are asked to stop.
    pub(super) fn drain_runner(&mut self, step: &mut Step, id: RunnerId) {
        let now = self.now.wall;
        let runner = self.runner_mut(id);
        if runner.record.draining.is_some() {
            return;
        }
        runner.record.draining = Some(now);
        let stream = runner.stream;
        let actors: Vec<ActorId> = runner.actors.iter().copied().collect();
        step.changed(Key::Runner(id));
        step.pools.insert(PoolKey::of_runner(&runner.record));
        if let Some(stream) = stream.and_then(|stream| self.streams.get_mut(&stream))
            && stream.fate == Fate::Wanted
        {
            stream.fate = Fate::Draining;
        }
        self.rank(id);
        for actor in actors {
            self.stop(step, actor, StopCause::GoingAway);
        }
    }

    /// The session of a runner is gone, by whomever.
    pub(super) fn disconnect(&mut self, step: &mut Step, id: RunnerId) {
        let runner = self.runner_mut(id);
        assert!(runner.conn.take().is_some(), "only a connected runner loses its session");
        runner.asked.clear();
        let dead = runner.serverless && runner.stream.is_none();
        step.routes.extend(runner.actors.iter().copied());
        step.pools.insert(PoolKey::of_runner(&runner.record));
        step.fact(Fact::RunnerDisconnected { runner: id });
        self.thresholds.clear(Due::Faded(id));
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
        let runner = self.runners.remove(&id).expect("it is lost once");
        assert!(runner.actors.is_empty() && runner.ranked.is_none(), "a lost runner hosts nothing");
        let key = PoolKey::of_runner(&runner.record);
        let pool = self.pool_mut(&key);
        pool.runners.remove(&id);
        pool.lingering -= runner.record.lingering.len();
        self.runner_keys.remove(&(key.clone(), runner.record.key));
        self.thresholds.clear(Due::Gone(id));
        self.thresholds.clear(Due::Faded(id));
        step.pools.insert(key);
        step.changed(Key::Runner(id));
    }
}
