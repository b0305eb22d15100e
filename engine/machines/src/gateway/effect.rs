//! Everything the gateway can want.

use protocol::error::ApiError;
use protocol::id::{ActorId, BodyId, ConnId, Generation, RequestId, Ticket};
use protocol::view::Fact;

use crate::websocket::Close;

/// One effect of a gateway step, performed in order.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Effect {
    /// For the control plane: wake the actor and tell its route.
    Watch {
        /// The actor.
        actor: ActorId,
    },
    /// For the control plane: nobody waits for the actor any more, but WebSockets to it are open. `Watch` again follows
    /// when somebody does.
    Observe {
        /// The actor.
        actor: ActorId,
    },
    /// For the control plane: no more.
    Unwatch {
        /// The actor.
        actor: ActorId,
    },
    /// For the control plane: the runner says, time and again, that it does not host the generation it is asked for.
    Disowned {
        /// The actor.
        actor: ActorId,
        /// Its generation, as its route said.
        generation: Generation,
        /// The session that was asked.
        conn: ConnId,
    },
    /// Send the whole request to the session, under this id.
    Forward {
        /// The request's client; the driver holds its bytes until `Respond` or `Fail`.
        ticket: Ticket,
        /// The actor.
        actor: ActorId,
        /// The session.
        conn: ConnId,
        /// Its id on the wire.
        request: RequestId,
    },
    /// Tell the runner that nobody waits for this any more.
    Abort {
        /// The session.
        conn: ConnId,
        /// The request.
        request: RequestId,
    },
    /// Give this part of the response to the client; the first has status and headers.
    Respond {
        /// The client.
        ticket: Ticket,
        /// The part.
        body: BodyId,
        /// Whether more follows.
        more: bool,
    },
    /// Answer the client with an error; after a first `Respond`: break its connection off.
    Fail {
        /// The client.
        ticket: Ticket,
        /// Why.
        error: ApiError,
    },
    /// Ask the session for a WebSocket, under this id.
    Open {
        /// The client; the driver holds its request until `Accept`, `Refuse` or `Fail`.
        ticket: Ticket,
        /// The actor.
        actor: ActorId,
        /// The session.
        conn: ConnId,
        /// Its id on the wire.
        request: RequestId,
    },
    /// Tell the client that its WebSocket is open.
    Accept {
        /// The client.
        ticket: Ticket,
        /// The session, which does not change any more.
        conn: ConnId,
    },
    /// Tell the client that the actor closed its WebSocket before it was open.
    Refuse {
        /// The client.
        ticket: Ticket,
        /// Code and reason.
        body: BodyId,
    },
    /// Give the client's message to the actor.
    ToActor {
        /// The session.
        conn: ConnId,
        /// The WebSocket.
        request: RequestId,
        /// Its number: counts from 0, the `Open`, and wraps.
        index: u16,
        /// The message.
        body: BodyId,
    },
    /// Give the actor's message to the client.
    ToClient {
        /// The client.
        ticket: Ticket,
        /// The message.
        body: BodyId,
    },
    /// Tell the runner that a WebSocket is over.
    CloseActor {
        /// The session.
        conn: ConnId,
        /// The WebSocket.
        request: RequestId,
        /// The number of this message.
        index: u16,
        /// How.
        close: Close,
    },
    /// Close the client's WebSocket, after what was sent before.
    CloseClient {
        /// The client.
        ticket: Ticket,
        /// How.
        close: Close,
    },
    /// Ask the client whether it is there.
    Ping {
        /// The client.
        ticket: Ticket,
    },
    /// Forget a payload nobody needs.
    Drop {
        /// The payload.
        body: BodyId,
    },
    /// Something a law wants to know.
    Fact(Fact),
}
