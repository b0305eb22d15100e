//! A pool: the actors that wait in it, the runners that offer slots to it, the streams that hold serverless runners
//! open.
//!
//! Who gets which slot is decided in [`super::placement`], how many streams there are in [`super::tend`].

use std::collections::{BTreeSet, VecDeque};

use protocol::api;
use protocol::id::{NamespaceId, RunnerId, StreamId};
use protocol::time::Mono;

use super::health::Health;
use super::metadata::Metadata;
use super::placement::{Index, Queue};
use super::record::{self, Text};
use super::runners::RunnerPosition;

/// The name of a pool.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) struct PoolKey {
    pub(super) namespace: NamespaceId,
    pub(super) name: Text,
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
        record::Key::RunnerConfig(self.namespace, self.name.to_string())
    }

    /// The key of its health's record.
    pub(super) fn health_record(&self) -> record::Key {
        record::Key::PoolHealth(self.namespace, self.name.to_string())
    }
}

/// A pool. It exists while it has a configuration, a waiting actor, a runner or a stream.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub(super) struct Pool {
    /// Stored.
    pub(super) config: Option<api::RunnerConfig>,
    /// Pending actors, first-in first-out.
    pub(super) pending: Queue,
    /// How many of its actors have a slot.
    pub(super) allocated: usize,
    /// Its runners, in list order.
    pub(super) runners: BTreeSet<RunnerPosition>,
    /// Slots of its runners that an ended generation still occupies.
    pub(super) lingering: usize,
    /// Those runners that may be given actors; full ones too, so that an older version gets nothing new while the newest
    /// is full.
    pub(super) index: Index,
    /// Streams that count for the desired number: neither draining nor closing.
    pub(super) active: BTreeSet<StreamId>,
    /// Those of them whose runner hosts nothing (or is not there yet).
    pub(super) idle: BTreeSet<StreamId>,
    /// Those of these whose runner is known, oldest version first.
    pub(super) idle_versions: BTreeSet<(u32, StreamId)>,
    /// Active ones that are on their way: what slots they bring is not known yet.
    pub(super) coming: BTreeSet<StreamId>,
    /// All streams, draining and closing ones included.
    pub(super) streams: usize,
    /// Those that have named no runner yet.
    pub(super) unanswered: usize,
    /// Until when runners may come whose request ended before it named them.
    pub(super) late_until: Option<Mono>,
    /// Failed waves of streams in a row.
    pub(super) failures: u32,
    /// Streams that were opened between two counted failures are one wave: they fail for one reason, and count once.
    pub(super) wave: u64,
    /// Whether its runners can be started.
    pub(super) health: Health,
    /// What its application told of itself.
    pub(super) metadata: Metadata,
    /// Its runners that are not drained, oldest version first.
    pub(super) undrained: BTreeSet<(u32, RunnerId)>,
    /// The stream on its way that is to bring a runner of a newer version, beyond the desired number.
    pub(super) scout: Option<StreamId>,
    /// Its runners that hosted actors on a request of the former engine, in the order in which new ones take their places.
    pub(super) orphans: VecDeque<RunnerId>,
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

    /// How many more of its actors may have a slot: a serverless pool hosts `max_concurrent_actors` at one time, whoever
    /// brought the slots; further ones wait.
    pub(super) fn headroom(&self) -> usize {
        let most = self.serverless().map(|config| config.max_concurrent_actors);
        let most = most.and_then(|most| usize::try_from(most).ok()).unwrap_or(usize::MAX);
        most.saturating_sub(self.allocated)
    }

    /// Actors that wait for nothing but a slot.
    pub(super) fn waiting(&self) -> usize {
        self.pending.len().min(self.headroom())
    }

    /// Slots in use or asked for. An actor in backoff asks for none yet.
    pub(super) fn slots(&self) -> usize {
        self.waiting() + self.allocated + self.lingering
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
        let by_queue = match self.waiting() {
            0 => 0,
            waiting => settled + waiting.div_ceil(per_runner),
        };
        by_slots.max(by_queue).max(count(config.min_runners)).min(count(config.max_runners))
    }
}
