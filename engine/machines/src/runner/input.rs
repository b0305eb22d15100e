//! Everything that can happen to a runner.

use protocol::id::{ActorId, BodyId, ConnId, GatewayId, Generation, RequestId, RunnerId, Ticket};
use protocol::wire;

/// One input of a runner step.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Input {
    /// Time has passed, nothing else.
    Tick,
    /// Begin: dial the engine.
    Start,
    /// The dial of `conn` succeeded: the WebSocket is open.
    Dialled {
        /// As in [`crate::runner::Effect::Dial`].
        conn: ConnId,
    },
    /// The dial failed, or its socket closed.
    Closed {
        /// The socket.
        conn: ConnId,
        /// What it means.
        class: CloseClass,
        /// A random number for the wait before the next dial.
        jitter: u64,
    },
    /// A message of the engine, in the order of the socket.
    Frame {
        /// The socket.
        conn: ConnId,
        /// What it said.
        frame: Frame,
    },
    /// What an instance did, or wants.
    Instance {
        /// Its actor.
        actor: ActorId,
        /// Its generation.
        generation: Generation,
        /// What.
        event: InstanceEvent,
    },
    /// Stop gracefully: let the engine move the actors, then end.
    Drain,
    /// Stop at once.
    Stop,
}

/// What a closed socket means for the next dial.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum CloseClass {
    /// Refused, reset, timed out, going away: dial again.
    Retry,
    /// Another runner with the same key took over (`ws.eviction`): end.
    Evicted,
    /// The engine will never take this runner (bad token, invalid request): end.
    Refused,
    /// The engine does not know the namespace: it may be made in a moment, so a few more dials.
    NamespaceUnknown,
}

/// A message of the engine, without payload.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Frame {
    /// Answer to Init.
    Init {
        /// The runner's id.
        runner: RunnerId,
        /// Milliseconds.
        lost_threshold: i64,
        /// Milliseconds.
        drain_grace: Option<i64>,
    },
    /// Start an actor.
    Start {
        /// Which command of which generation.
        checkpoint: wire::Checkpoint,
        /// Its configuration, held by the driver.
        body: BodyId,
    },
    /// Stop an actor.
    StopActor {
        /// Which command of which generation.
        checkpoint: wire::Checkpoint,
    },
    /// Events that need not be kept.
    AckEvents(Vec<wire::Checkpoint>),
    /// Answer it.
    Ping {
        /// Told back.
        ts: i64,
    },
    /// Answer to a KV request.
    KvResponse {
        /// Which.
        request: u32,
        /// The answer.
        body: BodyId,
    },
    /// The engine's refusal of a KV request: this sending of it had no effect.
    KvRefused {
        /// Which.
        request: u32,
        /// The answer.
        body: BodyId,
    },
    /// A client's request for an actor.
    Request {
        /// The gateway that sent it.
        gateway: GatewayId,
        /// Its id there.
        request: RequestId,
        /// The actor.
        actor: ActorId,
        /// Method, path, headers and body.
        body: BodyId,
    },
    /// Nobody waits for this request any more.
    RequestAbort {
        /// The gateway.
        gateway: GatewayId,
        /// The request.
        request: RequestId,
    },
    /// A client's WebSocket for an actor.
    WebSocketOpen {
        /// The gateway that sent it.
        gateway: GatewayId,
        /// Its id there.
        request: RequestId,
        /// The actor.
        actor: ActorId,
        /// Path and headers.
        body: BodyId,
    },
    /// A client's message on its WebSocket.
    WebSocketMessage {
        /// The gateway.
        gateway: GatewayId,
        /// The WebSocket.
        request: RequestId,
        /// The message.
        body: BodyId,
        /// Its length.
        bytes: usize,
    },
    /// A client's WebSocket is over.
    WebSocketClose {
        /// The gateway.
        gateway: GatewayId,
        /// The WebSocket.
        request: RequestId,
        /// Code and reason.
        body: BodyId,
    },
    /// Does not decode, or is of no use here.
    Invalid,
}

impl Frame {
    /// The payload it brings, if any.
    pub const fn body(&self) -> Option<BodyId> {
        match self {
            Self::Start { body, .. }
            | Self::KvResponse { body, .. }
            | Self::KvRefused { body, .. }
            | Self::Request { body, .. }
            | Self::WebSocketOpen { body, .. }
            | Self::WebSocketMessage { body, .. }
            | Self::WebSocketClose { body, .. } => Some(*body),
            Self::Init { .. }
            | Self::StopActor { .. }
            | Self::AckEvents(_)
            | Self::Ping { .. }
            | Self::RequestAbort { .. }
            | Self::Invalid => None,
        }
    }
}

/// What an instance did, or wants.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum InstanceEvent {
    /// Its start returned.
    Started,
    /// It has ended, after a stop or by itself; nothing of it runs any more.
    Stopped {
        /// Why, if it failed; cut at 512 bytes.
        error: Option<String>,
    },
    /// It wants to sleep.
    Sleep,
    /// It wants to be destroyed.
    Destroy,
    /// It sets or clears its alarm.
    Alarm {
        /// Who is told when the engine has stored it.
        ticket: Ticket,
        /// Ms since the epoch.
        at: Option<i64>,
    },
    /// It asks for its KV.
    Kv {
        /// Whom the answer goes to.
        ticket: Ticket,
        /// Whether sending it twice changes nothing (reads, puts, deletes of whole keys).
        repeatable: bool,
        /// The request.
        body: BodyId,
    },
    /// User code is given a client's request, from here on.
    Begun {
        /// The gateway.
        gateway: GatewayId,
        /// The request.
        request: RequestId,
    },
    /// It answers a client's request.
    Respond {
        /// The gateway.
        gateway: GatewayId,
        /// The request.
        request: RequestId,
        /// Status, headers and body.
        body: BodyId,
    },
    /// It does something with a client's WebSocket.
    WebSocket {
        /// The gateway.
        gateway: GatewayId,
        /// The WebSocket.
        request: RequestId,
        /// What.
        event: WebSocketEvent,
    },
}

/// What an instance does with a WebSocket.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum WebSocketEvent {
    /// It takes it: the client may speak.
    Accept,
    /// It sends a message.
    Say {
        /// The message.
        body: BodyId,
    },
    /// It has read the oldest message that waited for it.
    Took {
        /// How long it was.
        bytes: usize,
    },
    /// It closes it.
    Close {
        /// Code and reason.
        body: BodyId,
    },
}
