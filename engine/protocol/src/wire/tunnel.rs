//! Tunnel messages: HTTP requests and WebSocket sessions between gateway and actor, in pieces.

use bytes::Bytes;
use serde::{Deserialize, Serialize};

use crate::id::{ActorId, GatewayId, RequestId};
use crate::wire::headers::Headers;

/// Which request a piece belongs to, and its number.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct MessageId {
    /// The gateway that holds the client.
    pub gateway_id: GatewayId,
    /// The request there.
    pub request_id: RequestId,
    /// Counts from 0 in each direction of each request, and wraps.
    pub message_index: u16,
}

/// A piece towards an actor.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ToClientTunnelMessage {
    /// Its place.
    pub message_id: MessageId,
    /// What it is.
    pub message_kind: ToClientKind,
}

/// A piece towards the gateway.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ToServerTunnelMessage {
    /// Its place.
    pub message_id: MessageId,
    /// What it is.
    pub message_kind: ToServerKind,
}

/// What goes towards an actor. The order of the variants is their tag on the wire.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all_fields = "camelCase")]
pub enum ToClientKind {
    /// A request begins.
    RequestStart {
        /// Whom it is for.
        actor_id: ActorId,
        /// Its method, upper case.
        method: String,
        /// Path with query.
        path: String,
        /// Its headers, names in lower case.
        headers: Headers,
        /// Its whole body, or the first piece of a streamed one.
        body: Option<Bytes>,
        /// Whether chunks follow.
        stream: bool,
    },
    /// More of a streamed request's body.
    RequestChunk {
        /// The bytes.
        body: Bytes,
        /// Whether they are the last.
        finish: bool,
    },
    /// The client is gone.
    RequestAbort,
    /// A WebSocket begins.
    WebSocketOpen {
        /// Whom it is for.
        actor_id: ActorId,
        /// Path with query.
        path: String,
        /// The headers of the upgrade, names in lower case.
        headers: Headers,
    },
    /// A message from the client.
    WebSocketMessage {
        /// The payload.
        data: Bytes,
        /// Whether it is binary; otherwise text.
        binary: bool,
    },
    /// The client closed.
    WebSocketClose {
        /// Its code.
        code: Option<u16>,
        /// Its reason.
        reason: Option<String>,
    },
}

/// The header by which a runner says that an answer is its own and no actor's: `group.code`.
pub const ERROR_HEADER: &str = "x-rivet-error";
/// The request reached no actor, says a runner, with status 503.
pub const RUNNER_ACTOR_NOT_FOUND: &str = "runner.actor_not_found";
/// The same, as newer runners of upstream say it.
pub const ENVOY_ACTOR_NOT_FOUND: &str = "envoy.actor_not_found";

/// What goes towards the gateway. The order of the variants is their tag on the wire.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all_fields = "camelCase")]
pub enum ToServerKind {
    /// The response begins.
    ResponseStart {
        /// Its status.
        status: u16,
        /// Its headers.
        headers: Headers,
        /// Its whole body, or the first piece of a streamed one.
        body: Option<Bytes>,
        /// Whether chunks follow.
        stream: bool,
    },
    /// More of a streamed response's body.
    ResponseChunk {
        /// The bytes.
        body: Bytes,
        /// Whether they are the last.
        finish: bool,
    },
    /// There will be no (more of the) response.
    ResponseAbort,
    /// The actor accepts the WebSocket.
    WebSocketOpen {
        /// Whether the session may outlive the actor's sleep.
        can_hibernate: bool,
    },
    /// A message from the actor.
    WebSocketMessage {
        /// The payload.
        data: Bytes,
        /// Whether it is binary; otherwise text.
        binary: bool,
    },
    /// The actor has stored the effect of the client's messages so far.
    WebSocketMessageAck {
        /// The last of them.
        index: u16,
    },
    /// The actor closed.
    WebSocketClose {
        /// Its code.
        code: Option<u16>,
        /// Its reason.
        reason: Option<String>,
        /// Whether only the actor ends, and the client's socket is kept for its next generation.
        hibernate: bool,
    },
}
