//! Commands: what a runner shall do with an actor, numbered per actor and generation.

use bytes::Bytes;
use serde::{Deserialize, Serialize};

use crate::id::{GatewayId, RequestId};
use crate::wire::event::Checkpoint;

/// A command with its place.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct CommandWrapper {
    /// Where in the stream it belongs.
    pub checkpoint: Checkpoint,
    /// What to do.
    pub inner: Command,
}

/// What to do with an actor.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Command {
    /// Start this generation.
    StartActor(StartActor),
    /// Stop this generation.
    StopActor,
}

/// A start.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct StartActor {
    /// What to start.
    pub config: ActorConfig,
    /// WebSocket sessions that hibernated and belong to this actor.
    pub hibernating_requests: Vec<HibernatingRequest>,
}

/// What an actor is started with.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ActorConfig {
    /// The actor's name: which of the application's actors it is.
    pub name: String,
    /// Its key.
    pub key: Option<String>,
    /// Time of the allocation (not of the actor's creation), wall clock milliseconds.
    pub create_ts: i64,
    /// Its input, opaque to the engine.
    pub input: Option<Bytes>,
}

/// A WebSocket session that waits for its actor to wake.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct HibernatingRequest {
    /// The gateway that holds the client's socket.
    pub gateway_id: GatewayId,
    /// The session there.
    pub request_id: RequestId,
}
