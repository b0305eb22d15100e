//! Everything the control plane can want.

use std::collections::BTreeMap;

use protocol::api;
use protocol::error::{ApiError, CloseReason, ServerlessMetadataError};
use protocol::id::{ActorId, BodyId, ConnId, FetchId, Generation, RunnerId, StreamId, Ticket};
use protocol::view::Fact;
use protocol::wire;

use super::record::{Key, Record};
use crate::route::Route;

/// One effect of a control step. Writes belong to the step's transaction; the others are performed, in order, after
/// that transaction is durable.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Effect {
    /// Write: store a record.
    Put(Key, Box<Record>),
    /// Write: remove a record.
    Delete(Key),
    /// Write: carry out a KV request inside the transaction, at this position; its answer goes to `conn` after the
    /// commit. Reads too, so that they see the writes before them.
    Kv {
        /// Whose KV.
        actor: ActorId,
        /// The generation that asked, as the session's assignment says.
        generation: Generation,
        /// The session that asked.
        conn: ConnId,
        /// Told back.
        request: u32,
        /// The request.
        body: BodyId,
    },
    /// Write: carry out a read of an actor's KV inside the transaction, at this position, whoever hosts it; its answer
    /// goes to a caller of the API after the commit.
    ReadKv {
        /// Whom the answer goes to.
        ticket: Ticket,
        /// Whose KV.
        actor: ActorId,
        /// The request.
        body: BodyId,
    },
    /// Write: keep this payload as the actor's input.
    KeepInput {
        /// The actor.
        actor: ActorId,
        /// The input.
        body: BodyId,
    },
    /// Write: remove all KV and the input of a destroyed actor.
    Erase {
        /// The actor.
        actor: ActorId,
    },
    /// The answer to an API call.
    Answer {
        /// Whom.
        ticket: Ticket,
        /// What.
        answer: Box<Result<Answer, ApiError>>,
    },
    /// A message to a runner.
    Send {
        /// The session.
        conn: ConnId,
        /// What.
        message: Message,
    },
    /// Close a runner's socket, after everything sent before.
    Close {
        /// The socket.
        conn: ConnId,
        /// Why.
        reason: CloseReason,
    },
    /// Request a serverless stream.
    OpenStream {
        /// Its handle.
        stream: StreamId,
        /// Where and for whom.
        target: StreamTarget,
    },
    /// Drop a serverless stream; `StreamEnded` still follows.
    CloseStream {
        /// The stream.
        stream: StreamId,
    },
    /// Ask an application for its metadata.
    FetchMetadata {
        /// The request.
        fetch: FetchId,
        /// The application's base URL; `/metadata` is appended.
        url: String,
        /// Configured headers.
        headers: BTreeMap<String, String>,
    },
    /// Nobody waits for that any more: no input of it follows.
    DropFetch {
        /// The request.
        fetch: FetchId,
    },
    /// For the gateway: the route of a watched actor.
    Route {
        /// The actor.
        actor: ActorId,
        /// Its route.
        route: Route,
    },
    /// Forget a payload nobody needs.
    Drop {
        /// The payload.
        body: BodyId,
    },
    /// Something a law wants to know.
    Fact(Fact),
}

/// What an API call answers.
#[expect(clippy::large_enum_variant, reason = "an effect holds it in a box of its own")]
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Answer {
    /// One actor.
    Actor {
        /// As the API shows it.
        actor: api::Actor,
        /// Whether this call created it.
        created: bool,
    },
    /// Actors, with the cursor of the next page.
    Actors(Vec<api::Actor>, Option<String>),
    /// Actor names with metadata.
    ActorNames(BTreeMap<String, String>, Option<String>),
    /// The actor is destroyed or on its way there.
    Deleted,
    /// The actor does as was asked, or will.
    Steered,
    /// Stored; whether url or headers differ from before.
    RunnerConfigStored {
        /// Whether the endpoint changed.
        endpoint_config_changed: bool,
    },
    /// Configurations by pool name, with the last failure of each pool.
    RunnerConfigs(BTreeMap<String, api::RunnerConfigEntry>, Option<String>),
    /// The configuration is gone.
    RunnerConfigDeleted,
    /// What an application said of itself when it was asked: the version of what it was built with.
    Endpoint(Result<String, ServerlessMetadataError>),
    /// The metadata of a pool's application was read anew.
    MetadataRefreshed,
    /// Names of pools that have runners.
    RunnerNames(Vec<String>, Option<String>),
    /// Runners.
    Runners(Vec<api::Runner>, Option<String>),
    /// Namespaces.
    Namespaces(Vec<api::Namespace>, Option<String>),
    /// The new namespace.
    Namespace(api::Namespace),
    /// The control plane works.
    Healthy,
}

/// A message to a runner, without payload.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Message {
    /// Answer to Init.
    Init {
        /// The runner's id.
        runner: RunnerId,
        /// Milliseconds.
        lost_threshold: i64,
        /// Milliseconds.
        stop_threshold: i64,
        /// Milliseconds; only for runners of a serverless pool.
        drain_grace: Option<i64>,
    },
    /// Start or stop actors.
    Commands(Vec<Command>),
    /// Events the runner need not keep.
    AckEvents(Vec<wire::Checkpoint>),
    /// Asks for a Pong.
    Ping {
        /// Told back.
        ts: i64,
    },
    /// A KV request that was refused.
    KvRefused {
        /// Told back.
        request: u32,
        /// For people.
        message: &'static str,
    },
}

/// A command for one generation of an actor.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Command {
    /// The actor.
    pub actor: ActorId,
    /// Its generation.
    pub generation: Generation,
    /// Position in the generation's commands, from 0.
    pub index: i64,
    /// What to do.
    pub kind: CommandKind,
}

/// Start or stop.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum CommandKind {
    /// Start it; the driver adds the stored input.
    Start {
        /// Its kind.
        name: String,
        /// Its key.
        key: Option<String>,
        /// When it was created, ms since the epoch.
        create_ts: i64,
        /// Whether an input is stored.
        has_input: bool,
    },
    /// Stop it.
    Stop,
}

/// Where a serverless stream goes, and what it asks for.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct StreamTarget {
    /// Namespace name.
    pub namespace: String,
    /// Pool name.
    pub pool: String,
    /// Base URL of the application; `/start` is appended.
    pub url: String,
    /// Configured headers.
    pub headers: BTreeMap<String, String>,
    /// Slots the runner shall offer.
    pub slots: u32,
}
