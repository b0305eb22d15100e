//! Everything that can happen to the gateway.

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
}
