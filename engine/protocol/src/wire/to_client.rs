//! What the engine says to a runner.

use serde::{Deserialize, Serialize};

use crate::id::RunnerId;
use crate::wire::command::CommandWrapper;
use crate::wire::event::Checkpoint;
use crate::wire::kv::KvResponse;
use crate::wire::tunnel::ToClientTunnelMessage;

/// A frame to a runner. The order of the variants is their tag on the wire.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all_fields = "camelCase")]
pub enum ToClient {
    /// The answer to the runner's init. A runner that had another id before stops all its actors.
    Init(ToClientInit),
    /// What to do with actors.
    Commands(Vec<CommandWrapper>),
    /// Events the runner need not send again.
    AckEvents {
        /// The last event taken, per actor and generation.
        last_event_checkpoints: Vec<Checkpoint>,
    },
    /// The answer to a storage request.
    KvResponse(KvResponse),
    /// A piece of a request or WebSocket session, towards an actor.
    TunnelMessage(ToClientTunnelMessage),
    /// Asks for a sign of life.
    Ping {
        /// Time of sending, wall clock milliseconds.
        ts: i64,
    },
}

/// Who the engine takes the runner for.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ToClientInit {
    /// The runner's id, the same as long as the engine has not lost it.
    pub runner_id: RunnerId,
    /// Thresholds the runner keeps to.
    pub metadata: ProtocolMetadata,
}

/// The thresholds of the session, in milliseconds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ProtocolMetadata {
    /// A runner without its socket for so long stops all its actors.
    pub runner_lost_threshold: i64,
    /// Time an actor has to stop.
    pub actor_stop_threshold: i64,
    /// Time a serverless runner has to drain; none in normal mode.
    pub serverless_drain_grace_period: Option<i64>,
}
