//! A runner's Init: who it is, and which session is its own from here on.

use std::collections::BTreeMap;

use protocol::error::CloseReason;
use protocol::id::{ActorId, ConnId, Generation, NamespaceId, RunnerId, RunnerKey};
use protocol::limits::{ACTOR_NAMES_BYTES_MAX, METADATA_BYTES_MAX, NAME_BYTES_MAX};
use protocol::mark;
use protocol::view::Fact;
use protocol::wire::incarnation::is_another_life;

use super::Control;
use super::effect::Message;
use super::pool::PoolKey;
use super::record::{self, Key};
use super::session::Stage;
use super::step::Step;
use super::timers::Due;

/// What an Init says.
#[derive(Clone, Debug)]
pub(super) struct Introduction {
    pub(super) fresh: RunnerId,
    pub(super) pool: String,
    pub(super) version: u32,
    pub(super) total_slots: u32,
    pub(super) actor_names: BTreeMap<String, String>,
    pub(super) metadata: Option<String>,
}

impl Introduction {
    /// Whether it keeps to what may be kept of a runner.
    fn is_bounded(&self) -> bool {
        let name = |text: &str| (1..=NAME_BYTES_MAX).contains(&text.len());
        let names: usize = self.actor_names.iter().map(|(name, metadata)| name.len() + metadata.len()).sum();
        name(&self.pool)
            && self.actor_names.keys().all(|it| name(it))
            && names <= ACTOR_NAMES_BYTES_MAX
            && self.metadata.as_ref().is_none_or(|metadata| metadata.len() <= METADATA_BYTES_MAX)
    }
}

impl Control {
    /// Makes the socket the session of its runner. An older session of the same runner loses its rights in this very
    /// step. A runner that is not lost keeps its id, draining or not.
    pub(super) fn init(&mut self, step: &mut Step, conn: ConnId, namespace: NamespaceId, new: Introduction) {
        if !new.is_bounded() {
            mark!("control.init_out_of_bounds");
            self.reject(step, conn, CloseReason::InvalidInitialPacket);
            return;
        }
        let pool = PoolKey { namespace, name: new.pool.as_str().into() };
        let key = (pool.clone(), self.sessions[&conn].key.clone());
        if self.is_overtaken(conn, &key) {
            mark!("control.init_overtaken");
            self.close(step, conn, CloseReason::Eviction);
            return;
        }
        if self.reading && !self.knows(&pool, &self.sessions[&conn].key, &new) {
            mark!("reading.unknown_runner");
            // The one reason that asks a runner to come back later.
            self.close(step, conn, CloseReason::GoingAway);
            return;
        }
        self.learn_names(step, namespace, &new.actor_names);
        if let Some(known) = self.runner_keys.get(&key).copied() {
            if self.overslept(known) {
                mark!("control.runner_overslept");
                self.lose_runner(step, known);
            } else if self.is_replaced(known, &new) {
                // The one before may live on: under another id neither its events nor its writes are taken for those of
                // this one, and when it comes back it learns that nothing is its own any more.
                mark!("control.runner_replaced");
                self.remove_runner(step, known, CloseReason::Eviction);
            }
        }
        let id = match self.runner_keys.get(&key).copied() {
            Some(known) => {
                self.reconnect(step, known, new);
                known
            }
            None => {
                let id = new.fresh;
                let lingering = self.forget_departed(step, &key);
                let returned = !lingering.is_empty();
                if returned {
                    mark!("control.lost_runner_returns");
                }
                self.add_runner(self.new_runner(key, lingering, new));
                self.runner_mut(id).returned = returned;
                if self.thresholds.get(&Due::Heartbeat).is_none() {
                    self.beat(step);
                }
                id
            }
        };
        let runner = self.runner_mut(id);
        runner.conn = Some(conn);
        runner.seen = true;
        step.routes.extend(runner.actors.iter().copied());
        step.changed(Key::Runner(id));
        step.pools.insert(pool.clone());
        self.thresholds.clear(Due::Gone(id));
        self.thresholds.clear(Due::Init(conn));
        let drain_grace = self.pools[&pool].serverless().map(|config| millis(config.drain_grace()));
        let lost_threshold = millis(self.options.lost_threshold);
        let stop_threshold = millis(self.options.stop_threshold);
        step.send(conn, Message::Init { runner: id, lost_threshold, stop_threshold, drain_grace });
        let barrier = Some(self.ping(step, conn));
        self.heard(conn);
        let session = self.sessions.get_mut(&conn).expect("an open socket has a session");
        session.stage = Stage::Open { runner: id, barrier, stale: false };
        self.set_unnamed(id, self.may_be_requested(id));
        self.rank(id);
        let version = self.runners[&id].record.version;
        step.fact(Fact::RunnerConnected { runner: id, conn, pool: pool.name.to_string(), version });
        if !self.reading {
            self.take_up_drain(step, id);
        }
    }

    /// Goes on with what a former life of the engine began, or ended.
    fn take_up_drain(&mut self, step: &mut Step, id: RunnerId) {
        if self.runners[&id].record.draining.is_some() && self.runners[&id].evicting.is_none() {
            // An upgrade let them leave slowly, in a former life of the engine.
            self.evict_all(step, id);
        }
        let runner = &self.runners[&id];
        if runner.record.serverless && runner.stream.is_none() {
            // Its request died with the engine that had made it, and another was made since.
            mark!("control.runner_without_request");
            self.drain_runner(step, id);
        }
    }

    /// Whether the runner's session is on a socket that was opened after this one: then this Init is an old one, late,
    /// and its sender has given the socket up.
    fn is_overtaken(&self, conn: ConnId, key: &(PoolKey, RunnerKey)) -> bool {
        let known = self.runner_keys.get(key).map(|id| &self.runners[id]);
        known.and_then(|runner| runner.conn).is_some_and(|session| session > conn)
    }

    /// Whether another process, or a later life of the same, has taken the runner's identity over.
    pub(super) fn is_replaced(&self, known: RunnerId, new: &Introduction) -> bool {
        is_another_life(self.runners[&known].record.metadata.as_deref(), new.metadata.as_deref())
    }

    fn new_runner(
        &self,
        (pool, key): (PoolKey, RunnerKey),
        lingering: BTreeMap<ActorId, Generation>,
        new: Introduction,
    ) -> record::Runner {
        let used = u32::try_from(lingering.len()).expect("what a runner hosted fitted its slots");
        record::Runner {
            id: new.fresh,
            namespace: pool.namespace,
            pool: pool.name,
            key,
            version: new.version,
            total_slots: new.total_slots.max(used),
            draining: None,
            serverless: false,
            created: self.now.wall,
            connected: self.now.wall,
            away_since: None,
            metadata: new.metadata,
            actor_names: new.actor_names,
            lingering,
        }
    }

    fn reconnect(&mut self, step: &mut Step, id: RunnerId, new: Introduction) {
        if let Some(old) = self.runner_mut(id).conn.take() {
            mark!("control.session_evicted");
            self.close(step, old, CloseReason::Eviction);
        }
        self.thresholds.clear(Due::Faded(id));
        // Out of the index, while what it stands there by changes.
        self.rank(id);
        let now = self.now.wall;
        let runner = self.runner_mut(id);
        runner.record.connected = now;
        runner.record.away_since = None;
        runner.returned = false;
        runner.asked.clear();
        let former = std::mem::replace(&mut runner.record.version, new.version);
        if former != new.version {
            mark!("control.runner_changes_version");
        }
        // Actors that it hosts keep their slots, whatever it says.
        runner.record.total_slots = new.total_slots.max(runner.used());
        runner.record.actor_names = new.actor_names;
        runner.record.metadata = new.metadata;
        let undrained = &mut self.pool_of_runner(id).undrained;
        if undrained.remove(&(former, id)) {
            undrained.insert((new.version, id));
        }
    }
}

fn millis(duration: std::time::Duration) -> i64 {
    i64::try_from(duration.as_millis()).unwrap_or(i64::MAX)
}
