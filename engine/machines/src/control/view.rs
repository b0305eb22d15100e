//! How the control plane stands, for the laws, and how much of everything there is, for people.

use protocol::view::{ActorView, ControlCounts, ControlView, PoolCounts, PoolView, RunnerView};

use super::Control;
use super::actors::Standing;
use super::phase;
use super::pool::{Pool, PoolKey};
use super::record::{Actor, Phase};
use super::runner::Runner;

impl Control {
    /// Read-only facts about every actor, runner and serverless pool.
    pub fn view(&self) -> ControlView {
        let living = self.actors.iter().filter(|actor| actor.phase != Phase::Destroyed);
        let serverless =
            self.pools.iter().filter(|(_, pool)| pool.streams > 0 || pool.serverless().is_some());
        ControlView {
            actors: living.map(actor).collect(),
            runners: self.runners.values().map(runner).collect(),
            pools: serverless.map(|(key, pool)| self.pool_view(key, pool)).collect(),
            sockets: self.sessions.len(),
            watched: self.watches.len(),
        }
    }

    /// How much of everything there is. It costs a walk over runners and pools, not over actors.
    pub fn counts(&self) -> ControlCounts {
        let connected = self.runners.values().filter(|runner| runner.conn.is_some()).count();
        let slots = |of: fn(&Runner) -> u32| {
            let each = self.runners.values().map(|runner| usize::try_from(of(runner)).unwrap_or(usize::MAX));
            each.fold(0_usize, usize::saturating_add)
        };
        ControlCounts {
            actors: self.actors.counts().map(|(standing, count)| (standing.name(), count)).collect(),
            runners_connected: connected,
            runners_awaited: self.runners.len() - connected,
            runners_draining: self.runners.values().filter(|it| it.record.draining.is_some()).count(),
            slots_used: slots(Runner::used),
            slots_free: slots(Runner::free),
            sockets: self.sessions.len(),
            pools: self.pools.iter().map(|(key, pool)| self.pool_counts(key, pool)).collect(),
        }
    }

    fn pool_counts(&self, key: &PoolKey, pool: &Pool) -> PoolCounts {
        PoolCounts {
            namespace: self.namespaces[&key.namespace].name.clone(),
            pool: key.name.to_string(),
            desired: pool.desired(),
            streams: pool.active.len(),
            pending: pool.pending.len(),
            runners: pool.runners.len(),
            failing: pool.health.error().is_some(),
        }
    }

    fn pool_view(&self, key: &PoolKey, pool: &Pool) -> PoolView {
        PoolView {
            namespace: self.namespaces[&key.namespace].name.clone(),
            pool: key.name.to_string(),
            desired: u32::try_from(pool.desired()).expect("max_runners is an u32"),
            streams: u32::try_from(pool.active.len()).expect("fewer streams than 2^32 are open"),
        }
    }
}

fn actor(actor: &Actor) -> ActorView {
    let (phase, runner) = (Standing::of(&actor.phase).name(), phase::host(&actor.phase));
    ActorView { actor: actor.id, phase, generation: actor.generation, runner }
}

fn runner(runner: &Runner) -> RunnerView {
    RunnerView {
        runner: runner.record.id,
        conn: runner.conn,
        total_slots: runner.record.total_slots,
        used_slots: runner.used(),
        lingering_slots: u32::try_from(runner.record.lingering.len()).expect("they are among the used slots"),
        draining: runner.record.draining.is_some(),
    }
}
