//! Why a client's WebSocket was closed by the platform, and not by the client or the actor: the code and the reason
//! that the other side reads.

use std::fmt;

use crate::id::RayId;
use crate::limits::CLOSE_REASON_BYTES_MAX;

/// Normal closure, RFC 6455 §7.4.1.
const NORMAL: u16 = 1000;
/// No close came at all, RFC 6455 §7.4.1: never sent in a frame, only told to user code.
const ABNORMAL: u16 = 1006;
/// A text message that is none, RFC 6455 §7.4.1.
const INVALID_TEXT: u16 = 1007;
/// Message too big, RFC 6455 §7.4.1.
const TOO_BIG: u16 = 1009;
/// Internal error, RFC 6455 §7.4.1 and its errata; Rivet closes with it for every reason that is not an end in order.
const INTERNAL: u16 = 1011;

/// Why the platform ended a WebSocket between a client and an actor.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum WebSocketEnd {
    /// The actor stops in order (it sleeps, moves or is destroyed): come again.
    ActorStopped,
    /// The actor's generation, or the session that hosted it, is gone without a word.
    ActorLost,
    /// The actor is gone for ever.
    ActorNotFound,
    /// The actor takes no WebSockets.
    Unsupported,
    /// The actor does not run on this runner: it may be tried elsewhere.
    NotHere,
    /// The runner has as many requests as it takes.
    Overloaded,
    /// The request that should become a WebSocket is none that an actor could read.
    Unreadable,
    /// The actor did not accept in time.
    OpenTimeout,
    /// A message is larger than the platform carries.
    MessageTooLarge,
    /// A message that should be text is no UTF-8.
    InvalidText,
    /// Whoever should read does not: more waits for it than is kept.
    PendingLimit,
    /// The client was not heard of for too long.
    TimedOut,
    /// The client went away without a close.
    ClientGone,
    /// The engine is shutting down.
    GoingAway,
    /// The runner's session with the engine broke: whatever the client still said is lost.
    Disconnected,
}

impl WebSocketEnd {
    /// All of them.
    pub const ALL: &[Self] = &[
        Self::ActorStopped,
        Self::ActorLost,
        Self::ActorNotFound,
        Self::Unsupported,
        Self::NotHere,
        Self::Overloaded,
        Self::Unreadable,
        Self::OpenTimeout,
        Self::MessageTooLarge,
        Self::InvalidText,
        Self::PendingLimit,
        Self::TimedOut,
        Self::ClientGone,
        Self::GoingAway,
        Self::Disconnected,
    ];

    /// The code of the close.
    pub const fn code(self) -> u16 {
        match self {
            Self::ActorStopped => NORMAL,
            Self::MessageTooLarge => TOO_BIG,
            Self::InvalidText => INVALID_TEXT,
            Self::Disconnected => ABNORMAL,
            Self::ActorLost
            | Self::ActorNotFound
            | Self::Unsupported
            | Self::NotHere
            | Self::Overloaded
            | Self::Unreadable
            | Self::OpenTimeout
            | Self::PendingLimit
            | Self::TimedOut
            | Self::ClientGone
            | Self::GoingAway => INTERNAL,
        }
    }

    /// `group.code`; Rivet's wherever it has the reason.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::ActorStopped => "actor.stopped",
            Self::ActorLost => "actor.lost",
            Self::ActorNotFound => "actor.not_found",
            Self::Unsupported => "actor.websocket_unsupported",
            Self::NotHere => crate::wire::RUNNER_ACTOR_NOT_FOUND,
            Self::Overloaded => "runner.overloaded",
            Self::Unreadable => "request.invalid",
            Self::OpenTimeout => "guard.websocket_open_timeout",
            Self::MessageTooLarge => "ws.message_too_large",
            Self::InvalidText => "ws.invalid_text",
            Self::PendingLimit => "guard.websocket_pending_limit_reached",
            Self::TimedOut => "ws.timed_out",
            Self::ClientGone => "ws.downstream_closed",
            Self::GoingAway => "ws.going_away",
            Self::Disconnected => "ws.disconnected",
        }
    }

    /// The reason text of a close frame to a client: `group.code#ray`.
    pub fn text(self, ray: RayId) -> String {
        let text = format!("{}#{ray}", self.as_str());
        assert!(text.len() <= CLOSE_REASON_BYTES_MAX, "a close reason fits its frame");
        text
    }
}

impl fmt::Display for WebSocketEnd {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn every_end_fits_its_frame_and_is_told_apart() {
        let ray = RayId::from_entropy([7; 16]);
        let texts: BTreeSet<_> = WebSocketEnd::ALL.iter().map(|end| end.text(ray)).collect();
        assert_eq!(texts.len(), WebSocketEnd::ALL.len());
    }

    #[test]
    fn only_an_end_in_order_is_a_normal_closure() {
        let normal: Vec<_> = WebSocketEnd::ALL.iter().filter(|end| end.code() == NORMAL).collect();
        assert_eq!(normal, [&WebSocketEnd::ActorStopped]);
    }
}
