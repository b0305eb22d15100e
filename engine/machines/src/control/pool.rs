//! A pool: the actors that wait in it, the runners that offer slots to it, the streams that hold serverless runners
//! open.
//!
//! Who gets which slot is decided in [`super::placement`], how many streams there are in [`super::tend`].

use std::collections::BTreeSet;

use protocol::api;
use protocol::error::RunnerPoolError;
use protocol::id::{ActorId, NamespaceId, RunnerId, StreamId};
use protocol::time::Wall;

use super::placement::Rank;
use super::record;

/// The name of a pool.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) struct PoolKey {
    pub(super) namespace: NamespaceId,
    pub(super) name: String,
}

impl PoolKey {
    pub(super) fn of_actor(actor: &record::Actor) -> Self {
        Self { namespace: actor.namespace, name: actor.pool.clone() }
    }

    pub(super) fn of_runner(runner: &record::Runner) -> Self {
        Self { namespace: runner.namespace, name: runner.pool.clone() }
    }

    /// The key of its configuration's record.
    pub(super) fn record(&self) -> record::Key {
        record::Key::RunnerConfig(self.namespace, self.name.clone())
    }
}

/// A pool. It exists while it has a configuration, a waiting actor, a runner or a stream.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub(super) struct Pool {
    /// Stored.
    pub(super) config: Option<api::RunnerConfig>,
    /// Pending actors, first-in first-out.
    pub(super) pending: BTreeSet<(Wall, ActorId)>,
    /// How many of its actors have a slot.
    pub(super) allocated: usize,
    /// Its runners.
    pub(super) runners: BTreeSet<RunnerId>,
    /// Slots of its runners that an ended generation still occupies.
    pub(super) lingering: usize,
    /// Those runners that may be given actors, best first; full ones too, so that an older version gets nothing new
    /// while the newest is full.
    pub(super) ranked: BTreeSet<Rank>,
    /// Streams that count for the desired number: neither draining nor closing.
    pub(super) active: BTreeSet<StreamId>,
    /// Those of them whose runner hosts nothing (or is not there yet).
    pub(super) idle: BTreeSet<StreamId>,
    /// Those of them that are on their way: what slots they bring is not known yet.
    pub(super) coming: BTreeSet<StreamId>,
    /// All streams, draining and closing ones included.
    pub(super) streams: usize,
    /// Failed waves of streams in a row.
    pub(super) failures: u32,
    /// Streams that were opened between two counted failures are one wave: they fail for one reason, and count once.
    pub(super) wave: u64,
    /// The last failure of a stream, until one gets its Init.
    pub(super) error: Option<RunnerPoolError>,
}

impl Pool {
    /// Whether nothing would be lost by forgetting it.
    pub(super) fn is_empty(&self) -> bool {
        self.config.is_none()
            && self.pending.is_empty()
            && self.allocated == 0
            && self.runners.is_empty()
            && self.streams == 0
    }

    /// Its serverless configuration.
    pub(super) fn serverless(&self) -> Option<&api::ServerlessConfig> {
        self.config.as_ref().and_then(api::RunnerConfig::serverless)
    }

    /// Slots in use or asked for. An actor in backoff asks for none yet.
    pub(super) fn slots(&self) -> usize {
        self.pending.len() + self.allocated + self.lingering
    }

    /// Streams it shall have: enough for its slots and the margin, and, for whoever waits although every settled
    /// stream has offered what it has (slots of an older version, fewer than asked for, or held by a generation that
    /// lingers), as many more as still must come; within the configured bounds. To be asked after placement.
    pub(super) fn desired(&self) -> usize {
        let Some(config) = self.serverless() else { return 0 };
        let per_runner = usize::try_from(config.slots_per_runner.max(1)).expect("a u32 fits a usize");
        let count = |bound: u32| usize::try_from(bound).expect("a u32 fits a usize");
        let by_slots = count(config.runners_margin) + self.slots().div_ceil(per_runner);
        let settled = self.active.len() - self.coming.len();
        let by_queue = match self.pending.len() {
            0 => 0,
            waiting => settled + waiting.div_ceil(per_runner),
        };
        by_slots.max(by_queue).max(count(config.min_runners)).min(count(config.max_runners))
    }
}
