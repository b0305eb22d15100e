//! From stored records to a working control plane.
//!
//! Sessions, streams and watches died with the former process. Every stored runner counts as disconnected since this
//! moment, and has the lost threshold to come back; a serverless one the grace, or less ([`super::orphan`]).

use std::collections::{BTreeMap, BTreeSet};

use protocol::id::{ActorId, FetchId, NamespaceId, RunnerId, StreamId};
use protocol::mark;
use protocol::time::{Now, Wall};

use super::pool::PoolKey;
use super::record::{Actor, Departed, Key, Namespace, Phase, Record, Runner, Stage};
use super::roster::Roster;
use super::step::Step;
use super::timers::{Due, Timers};
use super::{Control, Effect, Options};

/// Why records are no state of a control plane: they were damaged, or written by something else.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum RestoreError {
    /// A record is stored under a key that is not its own.
    #[error("record under a foreign key: {0:?}")]
    ForeignKey(Key),
    /// Two records claim the same id, name or key.
    #[error("record claims what another has: {0:?}")]
    Doubled(Key),
    /// A record belongs to a namespace that does not exist.
    #[error("record of an unknown namespace: {0:?}")]
    NoNamespace(Key),
    /// An actor is allocated to a runner that does not exist, or is not of its pool.
    #[error("actor {actor} is allocated to runner {runner}, which cannot host it")]
    NoRunner {
        /// The actor.
        actor: ActorId,
        /// The runner.
        runner: RunnerId,
    },
    /// A runner hosts more actors than it has slots.
    #[error("runner {0} hosts more actors than it has slots")]
    NoSlot(RunnerId),
    /// An actor's phase, generation and dates contradict each other.
    #[error("actor {0} contradicts itself")]
    Contradiction(ActorId),
}

/// Name of the namespace that an empty store begins with.
const FIRST_NAMESPACE: &str = "default";

impl Control {
    /// Builds the control plane from its records, in any order, and wants what follows from them: a first namespace
    /// (with the id `fresh_namespace`) if the store was empty, streams for serverless pools.
    ///
    /// Socket, stream and ticket handles of the former process mean nothing to it: the driver closes what it still
    /// holds before it restores.
    ///
    /// # Errors
    /// When the records contradict each other or themselves.
    ///
    /// # Panics
    /// When an interval of the options is zero.
    pub fn restore(
        options: Options,
        now: Now,
        fresh_namespace: NamespaceId,
        records: impl IntoIterator<Item = (Key, Record)>,
        out: &mut Vec<Effect>,
    ) -> Result<Self, RestoreError> {
        assert!(!options.ping_interval.is_zero(), "pings need an interval");
        let mut control = Self::empty(options, now);
        let (mut actors, mut runners, mut configs, mut names, mut departed, mut healths) =
            (Vec::new(), Vec::new(), Vec::new(), Vec::new(), Vec::new(), Vec::new());
        for (key, record) in records {
            match record {
                Record::Namespace(namespace) => control.restore_namespace(key, namespace)?,
                Record::RunnerConfig(config) => configs.push((key, config)),
                Record::Actor(actor) => actors.push((key, actor)),
                Record::Runner(runner) => runners.push((key, runner)),
                Record::ActorName(metadata) => names.push((key, metadata)),
                Record::Departed(record) => departed.push((key, record)),
                Record::PoolHealth(health) => healths.push((key, health)),
                Record::Heartbeat(at) if key == Key::Heartbeat => control.heartbeat = Some(at),
                Record::Heartbeat(_) => return Err(RestoreError::ForeignKey(key)),
            }
        }
        let mut step = Step::default();
        for (key, config) in configs {
            let pool = PoolKey { namespace: config.namespace, name: config.pool };
            control.admit(&key, &pool.record(), pool.namespace)?;
            if control.pool_mut(&pool).config.replace(config.config).is_some() {
                return Err(RestoreError::Doubled(key));
            }
            control.poll_after_boot(&pool);
            control.await_late_runners(&pool);
            step.pools.insert(pool);
        }
        for (key, health) in healths {
            control.restore_health(&mut step, key, health)?;
        }
        for (key, runner) in runners {
            control.restore_runner(&mut step, key, runner)?;
        }
        for (key, record) in departed {
            control.restore_departed(&mut step, key, record)?;
        }
        for (key, actor) in actors {
            control.restore_actor(&mut step, key, actor)?;
        }
        for (key, metadata) in names {
            let Key::ActorName(namespace, name) = key.clone() else {
                return Err(RestoreError::ForeignKey(key));
            };
            control.admit(&key, &key, namespace)?;
            if control.actor_names.insert((namespace, name), metadata).is_some() {
                return Err(RestoreError::Doubled(key));
            }
        }
        control.find_orphans();
        control.appoint_purge();
        control.beat(&mut step);
        if control.namespaces.is_empty() {
            control.found(&mut step, fresh_namespace);
        }
        control.finish(step, out);
        Ok(control)
    }

    fn empty(options: Options, now: Now) -> Self {
        Self {
            options,
            now,
            reading: false,
            namespaces: BTreeMap::new(),
            namespace_names: BTreeMap::new(),
            actor_names: BTreeMap::new(),
            actors: super::actors::Actors::default(),
            runners: Roster::default(),
            runner_keys: BTreeMap::new(),
            listed_runners: BTreeMap::new(),
            haunts: BTreeMap::new(),
            departed: BTreeMap::new(),
            heartbeat: None,
            sessions: BTreeMap::new(),
            pools: BTreeMap::new(),
            streams: BTreeMap::new(),
            next_stream: StreamId(1),
            fetches: BTreeMap::new(),
            metadata_calls: 0,
            next_fetch: FetchId(1),
            watches: BTreeMap::new(),
            observed: BTreeSet::new(),
            thresholds: Timers::default(),
            appointments: Timers::default(),
        }
    }

    fn found(&mut self, step: &mut Step, id: NamespaceId) {
        let name = FIRST_NAMESPACE.to_owned();
        let namespace = Namespace { id, display_name: name.clone(), name, created: self.now.wall };
        step.changed(Key::Namespace(id));
        assert!(self.add_namespace(namespace), "the first namespace is alone");
    }

    pub(super) fn admit(&self, key: &Key, own: &Key, namespace: NamespaceId) -> Result<(), RestoreError> {
        if key != own {
            return Err(RestoreError::ForeignKey(key.clone()));
        }
        if !self.namespaces.contains_key(&namespace) {
            return Err(RestoreError::NoNamespace(key.clone()));
        }
        Ok(())
    }

    fn restore_namespace(&mut self, key: Key, namespace: Namespace) -> Result<(), RestoreError> {
        if key != Key::Namespace(namespace.id) {
            return Err(RestoreError::ForeignKey(key));
        }
        if self.add_namespace(namespace) { Ok(()) } else { Err(RestoreError::Doubled(key)) }
    }

    fn restore_runner(&mut self, step: &mut Step, key: Key, mut runner: Runner) -> Result<(), RestoreError> {
        self.admit(&key, &Key::Runner(runner.id), runner.namespace)?;
        let name = (PoolKey::of_runner(&runner), runner.key.clone());
        if self.runner_keys.contains_key(&name) || self.runners.contains_key(&runner.id) {
            return Err(RestoreError::Doubled(key));
        }
        let id = runner.id;
        if usize::try_from(runner.total_slots).is_ok_and(|slots| runner.lingering.len() > slots) {
            return Err(RestoreError::NoSlot(id));
        }
        if runner.away_since.is_none() {
            // Nothing is known of it since the former process fell, whoever was connected then.
            runner.away_since = Some(self.heartbeat.unwrap_or(self.now.wall));
            step.changed(key);
        }
        // The request that held a serverless one open died with the former process.
        let awaited = if runner.serverless { self.options.grace } else { self.options.lost_threshold };
        self.add_runner(runner);
        self.thresholds.set(Due::Gone(id), self.now.mono + awaited);
        Ok(())
    }

    fn restore_departed(
        &mut self,
        step: &mut Step,
        key: Key,
        mut departed: Departed,
    ) -> Result<(), RestoreError> {
        let Key::Departed(namespace, pool, runner) = key.clone() else {
            return Err(RestoreError::ForeignKey(key));
        };
        self.admit(&key, &key, namespace)?;
        let name = (PoolKey { namespace, name: pool.into() }, runner);
        if self.runner_keys.contains_key(&name) {
            return Err(RestoreError::Doubled(key));
        }
        let latest = self.now.wall + self.departed_kept();
        if departed.until > latest {
            mark!("control.departed_shortened");
            departed.until = latest;
            step.changed(key);
        }
        self.remember_departed(name, departed);
        Ok(())
    }

    fn restore_actor(&mut self, step: &mut Step, key: Key, mut actor: Actor) -> Result<(), RestoreError> {
        self.admit(&key, &Key::Actor(actor.id), actor.namespace)?;
        let (id, pool) = (actor.id, PoolKey::of_actor(&actor));
        let allocated = matches!(actor.phase, Phase::Allocated { .. });
        let doomed = super::actors::doomed(&actor.phase);
        if doomed != actor.destroyed.is_some() || (allocated && actor.generation.is_none()) {
            return Err(RestoreError::Contradiction(id));
        }
        if let Phase::Allocated { runner, .. } = actor.phase {
            let host = self.runners.get(&runner).filter(|host| PoolKey::of_runner(&host.record) == pool);
            let host = host.ok_or(RestoreError::NoRunner { actor: id, runner })?;
            if host.record.lingering.contains_key(&id) {
                return Err(RestoreError::Contradiction(id));
            }
            if host.used() >= host.record.total_slots {
                return Err(RestoreError::NoSlot(runner));
            }
        }
        if self.prolong(&mut actor) {
            step.changed(key.clone());
        }
        let phase = actor.phase.clone();
        if !self.actors.insert(actor) {
            return Err(RestoreError::Doubled(key));
        }
        self.enter(id, &pool, &phase);
        self.appoint(id);
        step.pools.insert(pool);
        Ok(())
    }

    /// No runner could report while the engine was away: whatever was to start or stop has its time again. And what is
    /// later than it could have been set was set before the clock went back.
    fn prolong(&self, actor: &mut Actor) -> bool {
        let (now, options) = (self.now.wall, &self.options);
        let retried = actor.retried.map(|last| last.min(now + options.backoff_max()));
        let earlier = std::mem::replace(&mut actor.retried, retried) != retried;
        self.prolong_phase(actor) || earlier
    }

    fn prolong_phase(&self, actor: &mut Actor) -> bool {
        let (now, options) = (self.now.wall, &self.options);
        let earliest = now + options.start_threshold;
        let (deadline, earliest, latest) = match &mut actor.phase {
            Phase::Allocated { stage: Stage::Starting { deadline }, .. } => (deadline, earliest, earliest),
            Phase::Allocated { stage: Stage::Stopping { deadline, .. }, .. } => {
                (deadline, earliest, (now + options.stop_threshold).max(earliest))
            }
            Phase::Backoff { until } => (until, Wall::ZERO, now + options.backoff_max()),
            Phase::Pending { .. }
            | Phase::Allocated { stage: Stage::Running, .. }
            | Phase::Sleeping
            | Phase::Destroyed => return false,
        };
        let kept = (*deadline).clamp(earliest, latest);
        if kept == *deadline {
            return false;
        }
        mark!("control.deadline_prolonged");
        *deadline = kept;
        true
    }
}
