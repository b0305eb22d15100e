//! Records as the API shows them.

use protocol::api::{self, DATACENTER};
use protocol::error::ActorError;

use super::Control;
use super::pool::PoolKey;
use super::record::{Actor, Namespace, Phase, Text};
use super::runner::Runner;

impl Control {
    /// An actor, with why it does not run although it should.
    pub(super) fn show_actor(&self, actor: &Actor) -> api::Actor {
        let pending = match actor.phase {
            Phase::Pending { since } => Some(since),
            Phase::Allocated { .. } | Phase::Sleeping | Phase::Backoff { .. } | Phase::Destroyed => None,
        };
        let reschedule = match actor.phase {
            Phase::Backoff { until } => Some(until),
            Phase::Allocated { .. } | Phase::Sleeping | Phase::Pending { .. } | Phase::Destroyed => None,
        };
        api::Actor {
            actor_id: actor.id,
            name: actor.name.to_string(),
            key: actor.key.as_ref().map(Text::to_string),
            namespace_id: actor.namespace,
            datacenter: DATACENTER.to_owned(),
            runner_name_selector: actor.pool.to_string(),
            crash_policy: actor.crash_policy,
            create_ts: actor.created,
            start_ts: actor.started,
            pending_allocation_ts: pending,
            connectable_ts: actor.connectable,
            sleep_ts: actor.slept,
            reschedule_ts: reschedule,
            destroy_ts: actor.destroyed,
            error: self.show_error(actor),
        }
    }

    /// While an actor waits for a slot, why there is none says more than how its last generation ended.
    fn show_error(&self, actor: &Actor) -> Option<ActorError> {
        if !matches!(actor.phase, Phase::Pending { .. }) {
            return actor.failure.as_deref().cloned();
        }
        let pool = self.pools.get(&PoolKey::of_actor(actor));
        let error = pool.and_then(|pool| pool.health.error().cloned());
        match (error, &actor.failure) {
            (Some(error), _) => Some(ActorError::RunnerPoolError(error)),
            (None, Some(failure)) => Some((**failure).clone()),
            (None, None) => Some(ActorError::NoCapacity),
        }
    }
}

/// A runner.
pub(super) fn runner(runner: &Runner) -> api::Runner {
    let record = &runner.record;
    // Text that is no JSON was never read by anybody either: it is left out.
    let metadata = record.metadata.as_deref().and_then(|text| serde_json::from_str(text).ok());
    api::Runner {
        runner_id: record.id,
        namespace_id: record.namespace,
        datacenter: DATACENTER.to_owned(),
        name: record.pool.to_string(),
        key: record.key.clone(),
        version: record.version,
        total_slots: record.total_slots,
        remaining_slots: runner.free(),
        create_ts: record.created,
        drain_ts: record.draining,
        stop_ts: None,
        last_ping_ts: runner.ponged.unwrap_or(record.connected),
        last_connected_ts: Some(record.connected),
        last_rtt: runner.rtt,
        metadata,
    }
}

/// A namespace.
pub(super) fn namespace(namespace: &Namespace) -> api::Namespace {
    api::Namespace {
        namespace_id: namespace.id,
        name: namespace.name.clone(),
        display_name: namespace.display_name.clone(),
        create_ts: namespace.created,
    }
}
