//! How the control plane stands, for the laws.

use protocol::view::{ActorView, ControlView, PoolView, RunnerView};

use super::Control;
use super::pool::{Pool, PoolKey};
use super::record::{Actor, Phase, Stage};
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

    fn pool_view(&self, key: &PoolKey, pool: &Pool) -> PoolView {
        PoolView {
            namespace: self.namespaces[&key.namespace].name.clone(),
            pool: key.name.clone(),
            desired: u32::try_from(pool.desired()).expect("max_runners is an u32"),
            streams: u32::try_from(pool.active.len()).expect("fewer streams than 2^32 are open"),
        }
    }
}

fn actor(actor: &Actor) -> ActorView {
    let (phase, runner) = match &actor.phase {
        Phase::Pending { .. } => ("pending", None),
        Phase::Allocated { runner, stage, .. } => {
            let stage = match stage {
                Stage::Starting { .. } => "starting",
                Stage::Running => "running",
                Stage::Stopping { .. } => "stopping",
            };
            (stage, Some(*runner))
        }
        Phase::Sleeping => ("sleeping", None),
        Phase::Backoff { .. } => ("backoff", None),
        Phase::Destroyed => ("destroyed", None),
    };
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
