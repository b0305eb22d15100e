//! Walks the whole state and panics where an index, a count or a deadline differs from what it follows from.

use protocol::id::ActorId;

use super::Control;
use super::phase;
use super::placement::Haunts;
use super::pool::{Pool, PoolKey};
use super::record::{self, Actor, Phase};
use super::runner::Runner;
use super::runners::position;
use super::session::Stage;
use super::stream::Fate;
use super::timers::Due;

impl Control {
    /// Checks every invariant. Costs time in proportion to the whole state.
    ///
    /// # Panics
    /// Where one does not hold.
    pub fn check(&self) {
        self.actors.check();
        if self.reading {
            // What it would change is left as it is.
            return self.check_sessions();
        }
        self.thresholds.check();
        self.appointments.check();
        assert_eq!(self.namespaces.len(), self.namespace_names.len(), "each namespace has one name");
        self.actors.iter().for_each(|actor| self.check_actor(actor));
        self.runners.values().for_each(|runner| self.check_runner(runner));
        assert_eq!(self.runners.len(), self.runner_keys.len(), "each runner has one key");
        self.check_sessions();
        self.pools.iter().for_each(|(key, pool)| self.check_pool(key, pool));
        self.check_streams();
        self.check_fetches();
        self.check_order();
        self.check_deadlines();
        let purge = self.appointments.get(&Due::Purge).is_some();
        assert_eq!(purge, self.actors.destroyed() > 0, "what is destroyed will be forgotten");
        assert!(
            self.observed.iter().all(|actor| self.watches.contains_key(actor)),
            "who is observed is watched"
        );
        for (actor, route) in &self.watches {
            assert_eq!(*route, Some(self.route(*actor)), "the gateway knows the route of {actor:?}");
        }
    }

    fn check_actor(&self, actor: &Actor) {
        let id = actor.id;
        assert!(self.namespaces.contains_key(&actor.namespace), "{id:?} has a namespace");
        let (due, deadline) = (self.thresholds.get(&Due::Phase(id)), phase::deadline(&actor.phase));
        assert_eq!(due.is_some(), deadline.is_some(), "{id:?} has a deadline where its phase has one");
        assert_eq!(self.appointments.get(&Due::Alarm(id)), phase::alarm(actor), "{id:?} alarm");
        let pool = self.pools.get(&PoolKey::of_actor(actor));
        match &actor.phase {
            Phase::Pending { since } => {
                assert!(pool.is_some_and(|pool| pool.pending.contains(&(*since, id))), "{id:?} is queued");
            }
            Phase::Allocated { runner, .. } => {
                assert!(actor.generation.is_some(), "{id:?} is allocated in a generation");
                let host = &self.runners[runner];
                assert!(host.actors.contains(&id), "{runner:?} hosts {id:?}");
                assert!(!host.record.lingering.contains_key(&id), "{id:?} is not placed where it lingers");
                assert_eq!(
                    PoolKey::of_runner(&host.record),
                    PoolKey::of_actor(actor),
                    "{id:?} is in its pool"
                );
            }
            Phase::Sleeping | Phase::Backoff { .. } | Phase::Destroyed => {}
        }
    }

    fn check_runner(&self, runner: &Runner) {
        let record = &runner.record;
        let id = record.id;
        let key = (PoolKey::of_runner(record), record.key.clone());
        assert_eq!(self.runner_keys.get(&key), Some(&id), "{id:?} is known by its key");
        for actor in &runner.actors {
            assert_eq!(
                phase::host(&self.actors.known(*actor).phase),
                Some(id),
                "{actor:?} is hosted by {id:?}"
            );
        }
        assert!(runner.used() <= record.total_slots, "{id:?} uses no more slots than it has");
        match runner.conn {
            Some(conn) => {
                let back = matches!(self.sessions[&conn].stage, Stage::Open { runner, .. } if runner == id);
                assert!(back, "the session of {id:?} points back");
                assert!(runner.seen, "{id:?} was seen");
            }
            None => assert!(self.thresholds.get(&Due::Gone(id)).is_some(), "{id:?} is waited for"),
        }
        let eligible = runner.conn.is_some_and(|conn| self.sessions[&conn].is_eligible());
        let takes = eligible && !runner.unnamed && record.draining.is_none() && record.total_slots > 0;
        let unnamed = self.thresholds.get(&Due::Unnamed(id)).is_some();
        assert_eq!(runner.unnamed, unnamed, "{id:?} is to be named in time");
        assert!(!unnamed || runner.actors.is_empty(), "{id:?} hosts nothing before it is named");
        assert_eq!(runner.stand.is_some(), takes, "{id:?} can be chosen if it may take actors");
        let evicts = self.thresholds.get(&Due::Evict(id)).is_some();
        assert_eq!(runner.evicting.is_some(), evicts, "{id:?} is left at a pace");
        assert!(
            runner.evicting.is_none() || record.draining.is_some(),
            "only a draining runner is left: {id:?}"
        );
        if record.draining.is_some() && runner.conn.is_some() && runner.evicting.is_none() {
            let left = |actor: &ActorId| {
                let phase = &self.actors.known(*actor).phase;
                matches!(phase, Phase::Allocated { stage: record::Stage::Stopping { .. }, .. })
            };
            assert!(runner.actors.iter().all(left), "whoever is on the draining {id:?} was asked to stop");
        }
        if let Some(stream) = runner.stream {
            assert_eq!(self.streams[&stream].runner(), Some(id), "the stream of {id:?} points back");
        }
    }

    fn check_sessions(&self) {
        for (conn, session) in &self.sessions {
            if let Stage::Open { runner, .. } = session.stage {
                assert_eq!(self.runners[&runner].conn, Some(*conn), "an open session is its runner's");
            }
        }
    }

    fn check_order(&self) {
        let listed: usize = self.listed_runners.values().map(std::collections::BTreeSet::len).sum();
        assert_eq!(listed, self.runners.len(), "each runner is listed once");
        let mut haunts = std::collections::BTreeMap::<ActorId, Haunts>::new();
        for runner in self.runners.values() {
            let record = &runner.record;
            assert!(
                self.listed_runners[&record.namespace].contains(&position(record)),
                "{runner:?} is listed"
            );
            for actor in record.lingering.keys() {
                haunts.entry(*actor).or_default().insert(record.id);
            }
        }
        assert_eq!(self.haunts, haunts, "where generations linger is known");
    }

    fn check_pool(&self, key: &PoolKey, pool: &Pool) {
        assert!(!pool.is_empty(), "an empty pool is forgotten: {key:?}");
        assert!(self.namespaces.contains_key(&key.namespace), "{key:?} has a namespace");
        for (since, actor) in pool.pending.iter() {
            let actor = self.actors.known(*actor);
            assert_eq!(actor.phase, Phase::Pending { since: *since }, "the queue holds pending actors");
            assert_eq!(PoolKey::of_actor(actor), *key, "the queue holds the pool's actors");
        }
        let haunts = |id: ActorId| self.haunts.get(&id).cloned().unwrap_or_default();
        pool.pending.check(haunts);
        let runners = || pool.runners.iter().map(|(_, id)| &self.runners[id]);
        let mine = self.runners.values().filter(|runner| PoolKey::of_runner(&runner.record) == *key);
        assert_eq!(mine.count(), pool.runners.len(), "the pool knows its runners");
        assert!(
            runners().all(|runner| PoolKey::of_runner(&runner.record) == *key),
            "the runners are the pool's"
        );
        let allocated: usize = runners().map(|runner| runner.actors.len()).sum();
        assert_eq!(pool.allocated, allocated, "slots in use are counted");
        let lingering: usize = runners().map(|runner| runner.record.lingering.len()).sum();
        assert_eq!(pool.lingering, lingering, "lingering generations are counted");
        pool.index.check(runners().filter_map(|runner| {
            let record = &runner.record;
            let seat = self.runners.seat(record.id)?;
            Some((seat, runner.stand?, record.version, runner.free(), record.total_slots))
        }));
        assert!(pool.idle.is_subset(&pool.active), "only an active stream is idle");
        let streams = self.streams.values().filter(|stream| stream.pool == *key);
        assert_eq!(streams.clone().count(), pool.streams, "streams are counted");
        let unanswered = streams.filter(|stream| stream.runner().is_none()).count();
        assert_eq!(pool.unanswered, unanswered, "streams that named nobody are counted");
        self.check_health(key, pool);
        self.check_metadata(key, pool);
        self.check_versions(key, pool);
        assert!(self.next_placement(pool).is_none(), "nobody waits while there is room");
        assert!(pool.coming.is_subset(&pool.active), "only an active stream is on its way");
        let retries = self.thresholds.get(&Due::Retry(key.clone())).is_some();
        if !retries && pool.coming.len() < self.options.streams_coming_max {
            assert!(pool.active.len() >= pool.desired(), "no stream is missing without a reason");
        }
    }

    fn check_streams(&self) {
        for (id, stream) in &self.streams {
            let pool = &self.pools[&stream.pool];
            assert_eq!(
                pool.active.contains(id),
                stream.fate == Fate::Wanted,
                "{id:?} counts if it is wanted"
            );
            if matches!(stream.fate, Fate::Closing { .. }) {
                continue;
            }
            assert!(self.thresholds.get(&Due::Stream(*id)).is_some(), "{id:?} has a deadline");
            let host = stream.runner().map(|runner| &self.runners[&runner]);
            assert!(host.is_none_or(|host| host.stream == Some(*id)), "the runner of {id:?} points back");
            let drains = host.is_some_and(|host| host.record.draining.is_some());
            assert_eq!(
                drains,
                stream.runner().is_some() && stream.fate != Fate::Wanted,
                "{id:?} drains with its runner"
            );
            let idle = stream.fate == Fate::Wanted && host.is_none_or(|host| host.actors.is_empty());
            assert_eq!(pool.idle.contains(id), idle, "{id:?} is idle if its runner hosts nothing");
            let version = host.filter(|_| idle).map(|host| host.record.version);
            assert_eq!(stream.idle_version, version, "{id:?} is idle in the version of its runner");
            let known = version.is_none_or(|version| pool.idle_versions.contains(&(version, *id)));
            assert!(known && pool.idle_versions.len() <= pool.idle.len(), "{id:?} is found by its version");
            let coming = stream.fate == Fate::Wanted && self.is_coming(stream);
            assert_eq!(pool.coming.contains(id), coming, "{id:?} is on its way until its runner is ready");
        }
    }

    fn check_deadlines(&self) {
        for due in self.thresholds.subjects().chain(self.appointments.subjects()) {
            let exists = match due {
                Due::Init(conn) => matches!(self.sessions[conn].stage, Stage::Fresh { .. }),
                Due::Ping(conn) | Due::Stale(conn) | Due::Silent(conn) => {
                    matches!(self.sessions[conn].stage, Stage::Open { .. })
                }
                Due::Gone(runner) => self.runners[runner].conn.is_none(),
                Due::Departed(pool, key) => self.departed.contains_key(&(pool.clone(), key.clone())),
                Due::Faded(runner) => !self.runners[runner].record.lingering.is_empty(),
                Due::Evict(runner) => self.runners[runner].evicting.is_some(),
                Due::Stays(runner) => self.runners[runner].record.draining.is_some(),
                Due::Unnamed(runner) => self.runners[runner].conn.is_some(),
                Due::Heartbeat => self.heartbeat.is_some(),
                Due::Stream(stream) | Due::Lifespan(stream) | Due::Drained(stream) => {
                    !matches!(self.streams[stream].fate, Fate::Closing { .. })
                }
                Due::Retry(pool) | Due::Reports(pool) | Due::Aged(pool) | Due::Poll(pool) => {
                    self.pools.contains_key(pool)
                }
                Due::Fetch(fetch) => self.fetches.contains_key(fetch),
                Due::Phase(actor) | Due::Alarm(actor) => self.actors.get(*actor).is_some(),
                Due::Purge => self.actors.destroyed() > 0,
            };
            assert!(exists, "a deadline's subject exists: {due:?}");
        }
        assert!(
            self.sessions.iter().all(|(conn, session)| match session.stage {
                Stage::Fresh { .. } => self.thresholds.get(&Due::Init(*conn)).is_some(),
                Stage::Open { .. } => self.thresholds.get(&Due::Silent(*conn)).is_some(),
                Stage::Closing => true,
            }),
            "each socket that lives has a deadline"
        );
    }
}
