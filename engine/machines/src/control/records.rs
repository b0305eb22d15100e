//! The stored form of the whole state.

use super::Control;
use super::linger::departed_key;
use super::pool::{Pool, PoolKey};
use super::record::{Key, Record, RunnerConfig};

impl Control {
    /// Every record as it should be stored.
    pub fn records(&self) -> impl Iterator<Item = (Key, Record)> {
        let namespaces =
            self.namespaces.values().map(|it| (Key::Namespace(it.id), Record::Namespace(it.clone())));
        let configs = self.pools.iter().filter_map(|(key, pool)| Some((key.record(), config(key, pool)?)));
        let actors = self.actors.iter().map(|it| (Key::Actor(it.id), Record::Actor(it.clone())));
        let runners =
            self.runners.values().map(|it| (Key::Runner(it.record.id), Record::Runner(it.record.clone())));
        let names = self.actor_names.iter().map(|((namespace, name), metadata)| {
            (Key::ActorName(*namespace, name.clone()), Record::ActorName(metadata.clone()))
        });
        let departed =
            self.departed.iter().map(|(name, it)| (departed_key(name), Record::Departed(it.clone())));
        let health = self.pools.iter().filter_map(|(key, pool)| {
            Some((key.health_record(), Record::PoolHealth(pool.health.stored()?.clone())))
        });
        let heartbeat = self.heartbeat.map(|at| (Key::Heartbeat, Record::Heartbeat(at)));
        namespaces
            .chain(configs)
            .chain(actors)
            .chain(runners)
            .chain(names)
            .chain(departed)
            .chain(heartbeat)
            .chain(health)
    }

    /// One record as it should be stored; none if it should not.
    pub(super) fn record(&self, key: &Key) -> Option<Record> {
        match key {
            Key::Namespace(id) => self.namespaces.get(id).cloned().map(Record::Namespace),
            Key::RunnerConfig(namespace, name) => {
                let key = PoolKey { namespace: *namespace, name: name.as_str().into() };
                config(&key, self.pools.get(&key)?)
            }
            Key::Actor(id) => self.actors.get(*id).cloned().map(Record::Actor),
            Key::Runner(id) => self.runners.get(id).map(|runner| Record::Runner(runner.record.clone())),
            Key::ActorName(namespace, name) => {
                self.actor_names.get(&(*namespace, name.clone())).cloned().map(Record::ActorName)
            }
            Key::Departed(namespace, pool, key) => {
                let pool = PoolKey { namespace: *namespace, name: pool.as_str().into() };
                self.departed.get(&(pool, key.clone())).cloned().map(Record::Departed)
            }
            Key::Heartbeat => self.heartbeat.map(Record::Heartbeat),
            Key::PoolHealth(namespace, name) => {
                let key = PoolKey { namespace: *namespace, name: name.as_str().into() };
                self.pools.get(&key)?.health.stored().cloned().map(Record::PoolHealth)
            }
        }
    }
}

fn config(key: &PoolKey, pool: &Pool) -> Option<Record> {
    let config = pool.config.clone()?;
    Some(Record::RunnerConfig(RunnerConfig { namespace: key.namespace, pool: key.name.clone(), config }))
}
