//! Everything a runner can want.

use protocol::id::{ActorId, BodyId, ConnId, GatewayId, Generation, RequestId, RunnerId, Ticket};
use protocol::view::Fact;
use protocol::wire;

use crate::websocket::Close;

/// One effect of a runner step, performed in order.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Effect {
    /// Open a WebSocket to the engine under this handle; `Dialled` or `Closed` follows.
    Dial {
        /// The handle.
        conn: ConnId,
    },
    /// Close the socket (or give up the dial), after what was sent before; `Closed` still follows, soon: after
    /// [`crate::runner::Options::dial_timeout`] the runner goes on without it.
    Hangup {
        /// The socket.
        conn: ConnId,
        /// Whether this is the orderly end (`pegboard.runner_shutdown`).
        shutdown: bool,
    },
    /// A message without payload.
    Send {
        /// The socket.
        conn: ConnId,
        /// What.
        message: Message,
    },
    /// A KV request.
    SendKv {
        /// The socket.
        conn: ConnId,
        /// Whose KV.
        actor: ActorId,
        /// Its id.
        request: u32,
        /// The request; kept by the driver until `KvDone` or `KvFailed`.
        body: BodyId,
    },
    /// An actor's response to a client.
    SendResponse {
        /// The socket.
        conn: ConnId,
        /// The gateway.
        gateway: GatewayId,
        /// The request.
        request: RequestId,
        /// Status, headers and body.
        body: BodyId,
    },
    /// Tell the gateway that the request reached no actor: 503 with `x-rivet-error: runner.actor_not_found`.
    SendUndelivered {
        /// The socket.
        conn: ConnId,
        /// The gateway.
        gateway: GatewayId,
        /// The request.
        request: RequestId,
    },
    /// Tell the gateway that the runner has more requests than it takes: 503 for the client.
    SendOverloaded {
        /// The socket.
        conn: ConnId,
        /// The gateway.
        gateway: GatewayId,
        /// The request.
        request: RequestId,
    },
    /// Tell the gateway that the request will get no answer (its instance ended).
    SendAbort {
        /// The socket.
        conn: ConnId,
        /// The gateway.
        gateway: GatewayId,
        /// The request.
        request: RequestId,
    },
    /// A piece of a WebSocket towards its client.
    SendWebSocket {
        /// The socket.
        conn: ConnId,
        /// The gateway.
        gateway: GatewayId,
        /// The WebSocket.
        request: RequestId,
        /// Its number: counts from 0 and wraps.
        index: u16,
        /// What.
        piece: Piece,
    },
    /// Run user code: start an instance. `Started` or `Stopped` follows.
    StartInstance {
        /// Its actor.
        actor: ActorId,
        /// Its generation.
        generation: Generation,
        /// Its configuration.
        body: BodyId,
    },
    /// End an instance; `Stopped` follows. At most once gracefully, then at most once not.
    StopInstance {
        /// Its actor.
        actor: ActorId,
        /// Its generation.
        generation: Generation,
        /// Whether it may finish what it does and save; else it is cut off (its rights are gone).
        graceful: bool,
    },
    /// Give a request, or a WebSocket, to an instance.
    Deliver {
        /// Its actor.
        actor: ActorId,
        /// Its generation.
        generation: Generation,
        /// The gateway.
        gateway: GatewayId,
        /// The request.
        request: RequestId,
        /// Method, path, headers and body; or what a WebSocket was opened with.
        body: BodyId,
    },
    /// Give a client's message to the instance that has its WebSocket.
    DeliverMessage {
        /// The gateway.
        gateway: GatewayId,
        /// The WebSocket.
        request: RequestId,
        /// The message.
        body: BodyId,
    },
    /// Tell the instance that has a WebSocket that it is over. Follows on every `Deliver` of one, unless the instance
    /// closed it.
    DeliverClose {
        /// The gateway.
        gateway: GatewayId,
        /// The WebSocket.
        request: RequestId,
        /// How.
        close: Close,
    },
    /// Fire the abort signal of a request.
    Cancel {
        /// Its actor.
        actor: ActorId,
        /// Its generation.
        generation: Generation,
        /// The gateway.
        gateway: GatewayId,
        /// The request.
        request: RequestId,
    },
    /// A KV request was answered.
    KvDone {
        /// Who asked.
        ticket: Ticket,
        /// The answer.
        body: BodyId,
    },
    /// A KV request failed.
    KvFailed {
        /// Who asked.
        ticket: Ticket,
        /// How.
        failure: StoreFailure,
    },
    /// An alarm, or that there is none any more, is stored.
    AlarmKept {
        /// Who set it.
        ticket: Ticket,
    },
    /// An alarm was not set, or nobody knows.
    AlarmFailed {
        /// Who set it.
        ticket: Ticket,
        /// How.
        failure: StoreFailure,
    },
    /// The engine's first Init under this id: the runner can host actors under it. A second one means that the engine
    /// had given the runner up.
    Ready {
        /// Its id.
        runner: RunnerId,
    },
    /// Disconnected for the lost threshold: every instance was cut off. A serverless event stream ends with this; the
    /// runner goes on dialling.
    Lost,
    /// It is over: no instance runs any more. What still comes in is dropped, KV requests fail as not done.
    Ended {
        /// Why.
        reason: EndReason,
    },
    /// Forget a payload nobody needs.
    Drop {
        /// The payload.
        body: BodyId,
    },
    /// Something a law wants to know.
    Fact(Fact),
}

/// A piece of a WebSocket towards its client.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Piece {
    /// The actor takes it.
    Open,
    /// A message.
    Message(BodyId),
    /// Its end; as the first piece, a refusal.
    Close(Close),
}

/// A message to the engine without payload.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Message {
    /// The first of a socket; the driver adds pool name, version, actor names and metadata.
    Init {
        /// Slots.
        total_slots: u32,
    },
    /// What happened to actors.
    Events(Vec<wire::EventWrapper>),
    /// Commands that need not be sent again.
    AckCommands(Vec<wire::Checkpoint>),
    /// Wants to be drained.
    Stopping,
    /// Answer to a ping.
    Pong {
        /// As received.
        ts: i64,
    },
}

/// How something failed that was asked of the engine's store.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum StoreFailure {
    /// It was never sent, or the engine refused it: it had no effect.
    NotDone,
    /// It was sent and its answer is lost: it may or may not have had its effect.
    Indeterminate,
}

/// Why a runner ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum EndReason {
    /// Drained: every actor stopped in order.
    Drained,
    /// Stopped at once by its owner.
    Stopped,
    /// Another runner with the same key took over.
    Evicted,
    /// The engine will never take it.
    Refused,
    /// The engine said again and again that it does not know the namespace.
    NamespaceUnknown,
    /// Draining took longer than its grace; actors were cut off.
    DrainTimeout,
    /// The engine left more than [`crate::runner::Options::events_max`] events unacknowledged: a defect of it.
    Overflow,
}
