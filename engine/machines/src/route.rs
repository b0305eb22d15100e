//! Where requests for an actor may go: what `control` tells `gateway`.

use protocol::id::{ConnId, Generation};

/// The route to one actor, told anew at every change while somebody watches it. Always committed state.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Route {
    /// No such actor, or it was destroyed. Requests fail with `actor.not_found`.
    Unknown,
    /// Not reachable: hold new requests. Requests that were forwarded to an earlier generation or an earlier
    /// session will get no answer.
    Waiting,
    /// As [`Self::Waiting`], but runners of its pool could not be started of late: hold new requests for a moment only.
    Struggling,
    /// As [`Self::Struggling`], time and again, and none is being started right now: new requests fail with
    /// `guard.actor_runner_failed`.
    Failing,
    /// The actor is being stopped: hold new requests, those already forwarded to this session may still be answered.
    Draining {
        /// The session that still hosts it.
        conn: ConnId,
        /// Its generation.
        generation: Generation,
    },
    /// The actor is being destroyed: new requests fail with `actor.not_found`, those already forwarded to this session
    /// may still be answered.
    Ending {
        /// The session that still hosts it.
        conn: ConnId,
        /// Its generation.
        generation: Generation,
    },
    /// Forward to this session.
    Ready {
        /// The session that hosts it.
        conn: ConnId,
        /// Its generation.
        generation: Generation,
    },
}

impl Route {
    /// Whether a request that was forwarded to this session and generation may still be answered.
    pub fn hosts(self, conn: ConnId, generation: Generation) -> bool {
        match self {
            Self::Draining { conn: c, generation: g }
            | Self::Ending { conn: c, generation: g }
            | Self::Ready { conn: c, generation: g } => c == conn && g == generation,
            Self::Unknown | Self::Waiting | Self::Struggling | Self::Failing => false,
        }
    }
}
