//! Everything that can happen to the control plane.

mod stream_end;

use std::collections::BTreeMap;

use protocol::api::{self, CrashPolicy};
use protocol::error::{ApiError, ServerlessMetadataError};
use protocol::id::{
    ActorId, BodyId, ConnId, FetchId, Generation, NamespaceId, RunnerId, RunnerKey, StreamId, Ticket,
};
use protocol::wire;

pub use stream_end::StreamEnd;

/// One input of a control step.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Input {
    /// Time has passed, nothing else.
    Tick,
    /// An API call; answered by [`crate::control::Effect::Answer`] with its ticket, exactly once.
    Api {
        /// Whom the answer goes to.
        ticket: Ticket,
        /// What is asked.
        call: Call,
    },
    /// The gateway holds requests for this actor: wake it if it sleeps, and tell its route now and at each change.
    Watch {
        /// The actor; need not exist.
        actor: ActorId,
    },
    /// Nobody waits for an actor that is watched any more, but WebSockets to it are open: tell its route as before, and
    /// let it sleep.
    Observe {
        /// The actor.
        actor: ActorId,
    },
    /// The gateway holds no more requests for it.
    Unwatch {
        /// The actor.
        actor: ActorId,
    },
    /// The runner says, time and again, that it does not host this generation.
    Disowned {
        /// The actor.
        actor: ActorId,
        /// Its generation, as its route said.
        generation: Generation,
        /// The session that said so.
        conn: ConnId,
    },
    /// A runner opened a socket. Its Init must follow within [`crate::control::Options::init_timeout`].
    SocketOpened {
        /// The socket. Handles are given out in the order in which sockets are opened, and never reused.
        conn: ConnId,
        /// Name of the namespace it asks for.
        namespace: String,
        /// Identity of the runner over reconnects.
        key: RunnerKey,
    },
    /// A frame of a runner, in the order of the socket. Tunnel messages go to the gateway instead.
    Frame {
        /// The socket.
        conn: ConnId,
        /// What it said.
        frame: Frame,
    },
    /// A frame that does not decode, or is not binary.
    FrameInvalid {
        /// The socket.
        conn: ConnId,
    },
    /// The socket is gone, by whomever; the last input of it.
    SocketClosed {
        /// The socket.
        conn: ConnId,
    },
    /// A serverless stream answered with status 200 and the right content type.
    StreamOpened {
        /// The stream.
        stream: StreamId,
    },
    /// Its Init event: the runner that it holds open.
    StreamInit {
        /// The stream.
        stream: StreamId,
        /// As the application says.
        runner: RunnerId,
    },
    /// Any other event on it (a ping).
    StreamPing {
        /// The stream.
        stream: StreamId,
    },
    /// An application was asked for its metadata; the only input of this request.
    Metadata {
        /// The request.
        fetch: FetchId,
        /// What it told, or why it did not.
        told: Result<AppFacts, ServerlessMetadataError>,
    },
    /// It ended or could not be opened; the last input of it.
    StreamEnded {
        /// The stream.
        stream: StreamId,
        /// How.
        end: StreamEnd,
    },
}

/// An API call, already validated by `protocol::api` where no state is needed.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Call {
    /// `POST /actors`: fails with `actor.duplicate_key` when the key is taken.
    CreateActor(NewActor),
    /// `PUT /actors`: answers the existing actor when the key is taken.
    GetOrCreateActor(NewActor),
    /// `PUT /actors` while none can be created: answers the existing actor when the key is taken.
    FindActor {
        /// As [`Self::GetOrCreateActor`].
        new: NewActor,
        /// What the caller is told if there is none.
        refusal: ApiError,
    },
    /// `GET /actors`.
    ListActors {
        /// Namespace name.
        namespace: String,
        /// Which.
        filter: ActorFilter,
    },
    /// `DELETE /actors/{id}`.
    DeleteActor {
        /// Namespace name, if the caller named one.
        namespace: Option<String>,
        /// The actor.
        actor: ActorId,
    },
    /// `POST /actors/{id}/sleep`.
    SleepActor {
        /// Namespace name, if the caller named one.
        namespace: Option<String>,
        /// The actor.
        actor: ActorId,
    },
    /// `POST /actors/{id}/reschedule`.
    RescheduleActor {
        /// Namespace name, if the caller named one.
        namespace: Option<String>,
        /// The actor.
        actor: ActorId,
    },
    /// `GET /actors/names`.
    ListActorNames {
        /// Namespace name.
        namespace: String,
        /// Page.
        page: Page,
    },
    /// `GET /actors/{id}/kv/keys/{key}`: answered by the driver, from the transaction, unless it is refused.
    ReadKv {
        /// Namespace name, if the caller named one.
        namespace: Option<String>,
        /// The actor.
        actor: ActorId,
        /// The request, held by the driver.
        body: BodyId,
    },
    /// `PUT /runner-configs/{pool}`.
    UpsertRunnerConfig {
        /// Namespace name.
        namespace: String,
        /// Pool name.
        pool: String,
        /// Validated configuration.
        config: api::RunnerConfig,
    },
    /// `GET /runner-configs`.
    ListRunnerConfigs {
        /// Namespace name.
        namespace: String,
        /// Only these pools; all if empty.
        pools: Vec<String>,
        /// Only pools of this kind.
        variant: Option<api::PoolVariant>,
        /// Page.
        page: Page,
    },
    /// `DELETE /runner-configs/{pool}`.
    DeleteRunnerConfig {
        /// Namespace name.
        namespace: String,
        /// Pool name.
        pool: String,
    },
    /// `POST /runner-configs/serverless-health-check`: answered when the application has, or has not in time.
    CheckEndpoint {
        /// Its base URL.
        url: String,
        /// Headers of the request.
        headers: BTreeMap<String, String>,
    },
    /// `POST /runner-configs/{pool}/refresh-metadata`: likewise.
    RefreshMetadata {
        /// Namespace name.
        namespace: String,
        /// Pool name.
        pool: String,
    },
    /// `GET /runners`.
    ListRunners {
        /// Namespace name.
        namespace: String,
        /// Only runners of this pool.
        pool: Option<String>,
        /// Only these; all if empty.
        ids: Vec<RunnerId>,
        /// Page.
        page: Page,
    },
    /// `GET /runners/names`.
    ListRunnerNames {
        /// Namespace name.
        namespace: String,
        /// Page.
        page: Page,
    },
    /// `GET /namespaces`.
    ListNamespaces {
        /// Only this name.
        name: Option<String>,
        /// Only these; all if empty.
        ids: Vec<NamespaceId>,
        /// Page.
        page: Page,
    },
    /// `POST /namespaces`.
    CreateNamespace {
        /// Its id, from entropy.
        fresh: NamespaceId,
        /// DNS-like name.
        name: String,
        /// For people.
        display_name: String,
    },
    /// Answers once this step's position is durable: whether the control plane works (`GET /health`).
    Health,
}

/// What an application tells of itself.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct AppFacts {
    /// Version of what it was built with, for people.
    pub runtime_version: String,
    /// Version of the application; higher is newer.
    pub version: Option<u32>,
    /// Actor names it can host, with their metadata (JSON text).
    pub actor_names: BTreeMap<String, String>,
}

/// What `POST` and `PUT /actors` ask for.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct NewActor {
    /// The id it gets if it is created, from entropy.
    pub fresh: ActorId,
    /// Namespace name.
    pub namespace: String,
    /// Actor name (its kind).
    pub name: String,
    /// Unique per (namespace, name) among living actors.
    pub key: Option<String>,
    /// Pool that hosts it.
    pub pool: String,
    /// What follows a crash.
    pub crash_policy: CrashPolicy,
    /// Input for its start, held by the driver.
    pub input: Option<BodyId>,
}

/// Which actors to list.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum ActorFilter {
    /// These ids, at most 32; unknown ones are left out.
    Ids(Vec<ActorId>),
    /// All of a name, newest first.
    Name {
        /// Actor name.
        name: String,
        /// Only this key.
        key: Option<String>,
        /// Also destroyed ones.
        include_destroyed: bool,
        /// Page.
        page: Page,
    },
}

/// One page of a listing.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Page {
    /// At most this many rows, 1..=1000. Default 100 (upstream).
    pub limit: usize,
    /// Where the last page ended, as its answer said.
    pub cursor: Option<String>,
}

impl Page {
    /// The rows of this page, of all that are behind its cursor, and the cursor of the next page if there are more.
    pub(super) fn cut<T>(
        &self,
        mut rest: impl Iterator<Item = T>,
        cursor: impl FnOnce(&T) -> String,
    ) -> (Vec<T>, Option<String>) {
        let rows: Vec<T> = rest.by_ref().take(self.limit).collect();
        let more = rest.next().is_some();
        let next = rows.last().filter(|_| more).map(cursor);
        (rows, next)
    }
}

/// A runner's message, without payload.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Frame {
    /// The first message of a socket.
    Init {
        /// The id it gets if its key is not known, from entropy.
        fresh: RunnerId,
        /// Pool name.
        pool: String,
        /// Version of the application; higher is newer.
        version: u32,
        /// Actors it can host at one time.
        total_slots: u32,
        /// Actor names it can host, with their metadata (JSON text).
        actor_names: BTreeMap<String, String>,
        /// JSON text for people.
        metadata: Option<String>,
    },
    /// What happened to its actors.
    Events(Vec<RunnerEvent>),
    /// Commands it will not need again.
    AckCommands(Vec<wire::Checkpoint>),
    /// It wants to be drained.
    Stopping,
    /// Answer to a ping.
    Pong {
        /// As sent.
        ts: i64,
    },
    /// A KV request; the body stays with the driver.
    Kv {
        /// Chosen by the runner, told back.
        request: u32,
        /// Whose KV.
        actor: ActorId,
        /// What it does.
        op: KvOp,
        /// The request.
        body: BodyId,
    },
}

/// One event of an actor.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct RunnerEvent {
    /// Whose.
    pub actor: ActorId,
    /// Of which generation.
    pub generation: Generation,
    /// Position in the generation's events, from 0.
    pub index: i64,
    /// What happened.
    pub event: wire::Event,
}

/// Whether a KV request changes anything, and how much it carries.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum KvOp {
    /// Get or list.
    Read,
    /// Put, delete, delete range or drop.
    Write,
}
