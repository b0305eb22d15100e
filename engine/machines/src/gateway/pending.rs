//! One request that has not ended: for whom, until when, how far it is. A WebSocket is one until it is closed.

use protocol::id::{ActorId, ConnId, Generation, RequestId};
use protocol::time::Mono;

use super::Options;

/// A request that has not ended.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) struct Pending {
    pub(super) actor: ActorId,
    pub(super) kind: Kind,
    /// It is not forwarded any more from then on. Counts from the arrival, over all attempts.
    pub(super) ready_by: Mono,
    /// It is not held any longer than until then while its actor's pool struggles.
    pub(super) fail_by: Mono,
    /// Whether its actor's pool struggles, as the route last told.
    pub(super) struggling: bool,
    /// How often it was forwarded.
    pub(super) attempts: u32,
    /// The id it wants on the wire next, if that is free.
    pub(super) wants: RequestId,
    /// Ids it has or had on the wire, kept until it ends so that no other request is mistaken for it. The last one is
    /// that of the current attempt.
    pub(super) ids: Vec<RequestId>,
    pub(super) stage: Stage,
    /// Which generation on which session sent it back last, since it was not there.
    pub(super) sent_back: Option<(ConnId, Generation)>,
}

/// What a request wants.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) enum Kind {
    /// A response.
    Response {
        /// Whether it may be carried out twice.
        safe: bool,
    },
    /// A WebSocket.
    WebSocket,
}

/// How far a request is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) enum Stage {
    /// Held until its actor is ready.
    Waiting {
        /// The runner sent it back: not again before this, unless the route changes.
        held: Option<Mono>,
    },
    /// With the runner.
    Forwarded {
        conn: ConnId,
        generation: Generation,
        /// Whether a part of the response was passed on.
        begun: bool,
        /// The next part must come by then.
        by: Mono,
    },
    /// A WebSocket that both sides have.
    Open(Open),
}

/// An open WebSocket.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) struct Open {
    pub(super) conn: ConnId,
    pub(super) generation: Generation,
    /// The number of the next message to the actor.
    pub(super) next: u16,
    /// Messages that wait for the client.
    pub(super) messages: u32,
    /// How long all of them.
    pub(super) bytes: usize,
    /// When the client was heard of last.
    pub(super) heard: Mono,
    /// When it is asked whether it is there, or given up.
    pub(super) ping_at: Mono,
}

impl Pending {
    /// One that has just arrived.
    pub(super) fn new(actor: ActorId, kind: Kind, fresh: RequestId, now: Mono, options: &Options) -> Self {
        Self {
            actor,
            kind,
            ready_by: now + options.ready_timeout,
            fail_by: now + options.fail_fast,
            struggling: false,
            attempts: 0,
            wants: fresh,
            ids: Vec::new(),
            stage: Stage::Waiting { held: None },
            sent_back: None,
        }
    }

    /// Whether it may be forwarded again although it may have reached the actor. Nobody has said anything on a WebSocket
    /// before it is open.
    pub(super) const fn is_repeatable(&self) -> bool {
        match self.kind {
            Kind::Response { safe } => safe,
            Kind::WebSocket => true,
        }
    }

    /// The id of the current attempt, if there is one.
    pub(super) fn id(&self) -> Option<RequestId> {
        match self.stage {
            Stage::Waiting { .. } => None,
            Stage::Forwarded { .. } | Stage::Open(_) => self.ids.last().copied(),
        }
    }

    pub(super) fn due(&self) -> Mono {
        match self.stage {
            Stage::Waiting { held } => held.into_iter().fold(self.held_by(), Mono::min),
            Stage::Forwarded { by, .. } => by,
            Stage::Open(open) => open.ping_at,
        }
    }

    /// When it fails if its actor does not become ready.
    fn held_by(&self) -> Mono {
        if self.struggling { self.fail_by.min(self.ready_by) } else { self.ready_by }
    }

    pub(super) fn due_reason(&self) -> &'static str {
        match self.stage {
            Stage::Waiting { held: Some(held) } if held < self.held_by() => "retry",
            Stage::Waiting { .. } if self.held_by() < self.ready_by => "pool recovers",
            Stage::Waiting { .. } => "actor ready",
            Stage::Forwarded { begun: false, .. } if self.kind == Kind::WebSocket => "websocket open",
            Stage::Forwarded { begun: false, .. } => "response start",
            Stage::Forwarded { begun: true, .. } => "response chunk",
            Stage::Open(_) => "websocket ping",
        }
    }
}
