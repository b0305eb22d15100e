//! What a runner says to the engine.

use serde::{Deserialize, Serialize};

use crate::wire::event::{Checkpoint, EventWrapper};
use crate::wire::kv::KvRequest;
use crate::wire::map::Map;
use crate::wire::tunnel::ToServerTunnelMessage;

/// A frame from a runner. The order of the variants is their tag on the wire.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all_fields = "camelCase")]
pub enum ToServer {
    /// The first frame of a socket, and never a second one.
    Init(ToServerInit),
    /// What happened to actors. After a reconnect all unacknowledged ones come again, in one frame.
    Events(Vec<EventWrapper>),
    /// Commands the runner will not need again.
    AckCommands {
        /// The last command taken, per actor and generation.
        last_command_checkpoints: Vec<Checkpoint>,
    },
    /// The runner wants to go: stop its actors and give it nothing new.
    Stopping,
    /// The answer to a ping.
    Pong {
        /// The ping's time, repeated.
        ts: i64,
    },
    /// Storage of an actor.
    KvRequest(KvRequest),
    /// A piece of a request or WebSocket session, towards the gateway.
    TunnelMessage(ToServerTunnelMessage),
}

/// Who a runner is.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ToServerInit {
    /// The pool it belongs to.
    pub name: String,
    /// Version of the application; higher ones replace lower ones.
    pub version: u32,
    /// How many actors it hosts at once.
    pub total_slots: u32,
    /// The actors it can host, by name.
    pub prepopulate_actor_names: Option<Map<ActorName>>,
    /// JSON about the runner, shown and never read.
    pub metadata: Option<String>,
}

/// What a runner tells about an actor name.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct ActorName {
    /// JSON about the name, shown and never read.
    pub metadata: String,
}
