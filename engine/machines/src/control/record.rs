//! What is stored: the whole durable state, one record a noun.
//!
//! Everything else of the control plane (sessions, streams, watches, placement index, pending queue) is derived from
//! records, or lives only as long as the process.

use std::collections::BTreeMap;
use std::sync::Arc;

use protocol::api::{self, CrashPolicy};
use protocol::error::{ActorError, RunnerPoolError};
use protocol::id::{ActorId, Generation, NamespaceId, RunnerId, RunnerKey};
use protocol::time::Wall;
use serde::{Deserialize, Serialize};

/// A text that many hold: names of actors and pools, of which there are few against the actors that bear them.
pub type Text = Arc<str>;

/// The name of a record; ordered, so that a store can keep records in key order.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum Key {
    /// A namespace.
    Namespace(NamespaceId),
    /// A pool's configuration, by namespace and pool name.
    RunnerConfig(NamespaceId, String),
    /// An actor.
    Actor(ActorId),
    /// A runner that is not lost.
    Runner(RunnerId),
    /// Names of actors seen in a namespace.
    ActorName(NamespaceId, String),
    /// What a lost runner hosted, by namespace, pool name and the key under which its process may come back.
    Departed(NamespaceId, String, RunnerKey),
    /// When the engine was alive at the latest.
    Heartbeat,
    /// Why runners of a pool cannot be started, by namespace and pool name; there is one while they cannot.
    PoolHealth(NamespaceId, String),
}

/// A stored record.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Record {
    /// A namespace.
    Namespace(Namespace),
    /// A pool's configuration.
    RunnerConfig(RunnerConfig),
    /// An actor.
    Actor(Actor),
    /// A runner.
    Runner(Runner),
    /// Metadata (JSON text) of an actor name.
    ActorName(String),
    /// What a lost runner hosted.
    Departed(Departed),
    /// When the engine was alive at the latest; there is one while there are runners.
    Heartbeat(Wall),
    /// Why runners of a pool cannot be started.
    PoolHealth(PoolHealth),
}

/// A namespace.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Namespace {
    /// Its id.
    pub id: NamespaceId,
    /// Unique, DNS-like.
    pub name: String,
    /// For people.
    pub display_name: String,
    /// When it was created.
    pub created: Wall,
}

/// A pool's configuration.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct RunnerConfig {
    /// Namespace.
    pub namespace: NamespaceId,
    /// Pool name.
    pub pool: Text,
    /// As given.
    pub config: api::RunnerConfig,
}

/// Why runners of a pool cannot be started.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct PoolHealth {
    /// The last failure.
    pub error: RunnerPoolError,
    /// When it was reported.
    pub since: Wall,
    /// Starts in a row that went well since.
    pub successes: u32,
}

/// An actor.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Actor {
    /// Its id.
    pub id: ActorId,
    /// Namespace.
    pub namespace: NamespaceId,
    /// Its kind.
    pub name: Text,
    /// Unique per (namespace, name) among actors that are not destroyed.
    pub key: Option<Text>,
    /// Pool that hosts it.
    pub pool: Text,
    /// What follows a crash.
    pub crash_policy: CrashPolicy,
    /// Whether the driver stored an input for its start.
    pub has_input: bool,
    /// The last generation that was placed; `None` before the first.
    pub generation: Option<Generation>,
    /// Where it stands.
    pub phase: Phase,
    /// When it shall be woken.
    pub alarm: Option<Wall>,
    /// The alarm has rung, and the start that it asked for has not come to anything yet.
    #[serde(default)]
    pub rings: bool,
    /// Restarts in a row, for the backoff.
    pub retries: u32,
    /// When the last of them was.
    pub retried: Option<Wall>,
    /// Why it is not running, for people.
    pub failure: Option<Box<ActorError>>,
    /// When it was created.
    pub created: Wall,
    /// When it first ran.
    pub started: Option<Wall>,
    /// When it became reachable, if it is.
    pub connectable: Option<Wall>,
    /// When it went to sleep, if it sleeps.
    pub slept: Option<Wall>,
    /// When it was destroyed.
    pub destroyed: Option<Wall>,
}

/// Where an actor stands.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Phase {
    /// Waits for a free slot.
    Pending {
        /// Since when; the queue is first-in, first-out.
        since: Wall,
    },
    /// Has a slot on a runner: its current generation is assigned to that runner's session.
    Allocated {
        /// The runner.
        runner: RunnerId,
        /// How far it is.
        stage: Stage,
        /// Index of the last event taken of this generation.
        last_event: Option<i64>,
    },
    /// Sleeps; a request or an alarm wakes it.
    Sleeping,
    /// Waits before the next start.
    Backoff {
        /// Until when.
        until: Wall,
    },
    /// For ever gone.
    Destroyed,
}

/// How far an allocated generation is.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Stage {
    /// The start command is out (or will be when the session is ready); no Running yet.
    Starting {
        /// Running must come by then.
        deadline: Wall,
    },
    /// Its Running event is stored: the start is never sent again.
    Running,
    /// The stop command is out.
    Stopping {
        /// Why, which decides what follows.
        cause: StopCause,
        /// Whether Running was seen.
        ran: bool,
        /// Stopped must come by then.
        deadline: Wall,
    },
}

/// Why an actor is stopped.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum StopCause {
    /// It wanted to sleep.
    Sleep {
        /// Somebody asked for it meanwhile: start it again at once.
        wake: bool,
    },
    /// It wanted to end, or was deleted.
    Destroy,
    /// Its runner drains: start it elsewhere.
    GoingAway,
    /// A caller wanted it started anew, wherever there is a place.
    Reschedule,
}

/// A runner that is not lost.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Runner {
    /// Its id.
    pub id: RunnerId,
    /// Namespace.
    pub namespace: NamespaceId,
    /// Pool name.
    pub pool: Text,
    /// Identity over reconnects, unique per (namespace, pool) among runners that are not lost.
    pub key: RunnerKey,
    /// Version of the application.
    pub version: u32,
    /// Actors it can host at one time.
    pub total_slots: u32,
    /// Whether it is being drained.
    pub draining: Option<Wall>,
    /// Whether a stream held it open, ever: without one its platform may freeze it at any moment.
    #[serde(default)]
    pub serverless: bool,
    /// When it first connected.
    pub created: Wall,
    /// When it last connected.
    pub connected: Wall,
    /// Since when the engine knows nothing of it: its last heartbeat before it went down, until the runner is back.
    pub away_since: Option<Wall>,
    /// JSON text for people.
    pub metadata: Option<String>,
    /// Names it can host.
    pub actor_names: BTreeMap<String, String>,
    /// Generations that were declared ended without its word: each occupies a slot until its Stopped was
    /// read, and keeps later generations of its actor off this runner, since a KV request names no generation.
    pub lingering: BTreeMap<ActorId, Generation>,
}

/// What a lost runner hosted.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Departed {
    /// Its generations, those that lingered included.
    pub actors: BTreeMap<ActorId, Generation>,
    /// From here on its process has stopped them by itself.
    pub until: Wall,
}
