//! Everything that can happen to the gateway.

use protocol::error::WebSocketEnd;
use protocol::id::{ActorId, BodyId, ConnId, RequestId, Ticket};

use crate::route::Route;

/// One input of a gateway step.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Input {
    /// Time has passed, nothing else.
    Tick,
    /// A client's request, fully read and within the size limit. Ends in exactly one of `Respond` (the last with
    /// `more` false) or `Fail`, or in `ClientGone`.
    Request {
        /// The client.
        ticket: Ticket,
        /// The actor it is for.
        actor: ActorId,
        /// Whether it may be carried out twice (GET, HEAD, OPTIONS: RFC 9110 §9.2.1).
        safe: bool,
        /// Its id on the wire, from entropy; the machine takes the next free one if it is in use.
        fresh: RequestId,
    },
    /// A client wants a WebSocket to an actor. Ends in `Fail` or `Refuse`, in `CloseClient` after an `Accept`, in
    /// [`ClientEvent::Closed`], or in `ClientGone`.
    WebSocket {
        /// The client.
        ticket: Ticket,
        /// The actor it is for.
        actor: ActorId,
        /// Its id on the wire, as that of a request.
        fresh: RequestId,
    },
    /// The client went away.
    ClientGone {
        /// The client.
        ticket: Ticket,
    },
    /// The route of an actor that is watched, from the control plane.
    Route {
        /// The actor.
        actor: ActorId,
        /// Its route.
        route: Route,
    },
    /// The head of a response, on the session that read it.
    ResponseStart {
        /// The session.
        conn: ConnId,
        /// The request.
        request: RequestId,
        /// Status, headers and first part of the body, held by the driver.
        body: BodyId,
        /// Whether chunks follow.
        more: bool,
        /// The runner said that the request did not reach the actor (`x-rivet-error: runner.actor_not_found`).
        undelivered: bool,
    },
    /// A part of a response.
    ResponseChunk {
        /// The session.
        conn: ConnId,
        /// The request.
        request: RequestId,
        /// The part, held by the driver.
        body: BodyId,
        /// Whether chunks follow.
        more: bool,
    },
    /// The head of a response or a part of it, with more bytes than the platform carries; nobody holds it.
    ResponseTooLarge {
        /// The session.
        conn: ConnId,
        /// The request.
        request: RequestId,
    },
    /// The runner gives the request up.
    ResponseAbort {
        /// The session.
        conn: ConnId,
        /// The request.
        request: RequestId,
    },
    /// A runner says something of a WebSocket.
    FromActor {
        /// The session.
        conn: ConnId,
        /// Its id on the wire.
        request: RequestId,
        /// What.
        event: ActorEvent,
    },
    /// A client says something on its WebSocket.
    FromClient {
        /// The client.
        ticket: Ticket,
        /// What.
        event: ClientEvent,
    },
}

/// What a runner says of a WebSocket.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum ActorEvent {
    /// The actor takes it.
    Accepted,
    /// A message.
    Message {
        /// The message, held by the driver.
        body: BodyId,
        /// Its length.
        bytes: usize,
    },
    /// A message that the platform does not carry; nobody holds it.
    Unfit {
        /// Why not.
        why: WebSocketEnd,
    },
    /// The actor closed it.
    Closed {
        /// Code and reason, held by the driver.
        body: BodyId,
        /// The runner said that it did not reach the actor (`runner.actor_not_found`).
        undelivered: bool,
    },
}

/// What a client says on its WebSocket, and what becomes of what it is sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum ClientEvent {
    /// A message.
    Message {
        /// The message, held by the driver.
        body: BodyId,
    },
    /// Messages were written to its connection: there is room for others.
    Took {
        /// How many.
        messages: u32,
        /// How long all of them.
        bytes: usize,
    },
    /// It is there: a pong, or anything else.
    Heard,
    /// A message that the platform does not carry; nobody holds it.
    Unfit {
        /// Why not.
        why: WebSocketEnd,
    },
    /// It closed.
    Closed {
        /// Code and reason, held by the driver.
        body: BodyId,
    },
}
