//! Why a runner's socket was closed: the code and the reason text of its close frame.

use crate::id::RayId;
use crate::limits::CLOSE_REASON_BYTES_MAX;

/// Normal closure, RFC 6455 §7.4.1.
const NORMAL: u16 = 1000;
/// Internal error, RFC 6455 §7.4.1 and its errata; Rivet closes with it for every reason that is not an end in order.
const INTERNAL: u16 = 1011;

/// Why a runner's socket was closed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum CloseReason {
    /// Another socket of the same runner took over. The one reason after which a runner does not come back.
    Eviction,
    /// The peer closed first.
    ConnectionClosed,
    /// The engine is shutting down; come back.
    GoingAway,
    /// No init within its time.
    TimedOutWaitingForInit,
    /// The first frame is no init.
    InvalidInitialPacket,
    /// A frame does not decode, or must not come at this time (a second init).
    InvalidPacket,
    /// Nothing was heard for too long.
    TimedOut,
    /// The URL of the socket lacks something or names another protocol version.
    InvalidUrl,
    /// The URL names a namespace that does not exist.
    NamespaceNotFound,
    /// The token is missing or wrong.
    Unauthorized,
    /// The engine failed.
    InternalError,
    /// The runner has drained and goes.
    RunnerShutdown,
}

impl CloseReason {
    /// All reasons.
    pub const ALL: &[Self] = &[
        Self::Eviction,
        Self::ConnectionClosed,
        Self::GoingAway,
        Self::TimedOutWaitingForInit,
        Self::InvalidInitialPacket,
        Self::InvalidPacket,
        Self::TimedOut,
        Self::InvalidUrl,
        Self::NamespaceNotFound,
        Self::Unauthorized,
        Self::InternalError,
        Self::RunnerShutdown,
    ];

    /// The code of the close frame.
    pub const fn code(self) -> u16 {
        match self {
            Self::Eviction | Self::ConnectionClosed | Self::RunnerShutdown => NORMAL,
            Self::GoingAway
            | Self::TimedOutWaitingForInit
            | Self::InvalidInitialPacket
            | Self::InvalidPacket
            | Self::TimedOut
            | Self::InvalidUrl
            | Self::NamespaceNotFound
            | Self::Unauthorized
            | Self::InternalError => INTERNAL,
        }
    }

    /// `group.code`.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Eviction => "ws.eviction",
            Self::ConnectionClosed => "ws.connection_closed",
            Self::GoingAway => "ws.going_away",
            Self::TimedOutWaitingForInit => "ws.timed_out_waiting_for_init",
            Self::InvalidInitialPacket => "ws.invalid_initial_packet",
            Self::InvalidPacket => "ws.invalid_packet",
            Self::TimedOut => "ws.timed_out",
            Self::InvalidUrl => "ws.invalid_url",
            Self::NamespaceNotFound => "namespace.not_found",
            Self::Unauthorized => "api.unauthorized",
            Self::InternalError => "core.internal_error",
            Self::RunnerShutdown => "pegboard.runner_shutdown",
        }
    }

    /// The reason text of the close frame: `group.code`, and `#ray` if there is one to look up.
    pub fn text(self, ray: Option<RayId>) -> String {
        let text = match ray {
            Some(ray) => format!("{}#{ray}", self.as_str()),
            None => self.as_str().to_owned(),
        };
        assert!(text.len() <= CLOSE_REASON_BYTES_MAX, "a close reason fits its frame");
        text
    }

    /// The reason in a received close frame; none if it is nobody's we know.
    pub fn from_text(text: &str) -> Option<Self> {
        let code = text.split_once('#').map_or(text, |(code, _)| code);
        Self::ALL.iter().copied().find(|reason| reason.as_str() == code)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_reason_fits_its_frame_and_comes_back() {
        let ray = RayId::from_entropy([7; 16]);
        for reason in CloseReason::ALL {
            assert_eq!(CloseReason::from_text(&reason.text(Some(ray))), Some(*reason));
            assert_eq!(CloseReason::from_text(&reason.text(None)), Some(*reason));
        }
        assert_eq!(CloseReason::from_text("ws.evictio"), None);
        assert_eq!(CloseReason::from_text(""), None);
    }

    #[test]
    fn going_away_reads_as_seen_on_the_wire() {
        let ray: RayId = "lru532mv3l1ka7hpuwk1bnpzlsal00".parse().unwrap();
        assert_eq!(CloseReason::GoingAway.text(Some(ray)), "ws.going_away#lru532mv3l1ka7hpuwk1bnpzlsal00");
        assert_eq!((CloseReason::GoingAway.code(), CloseReason::Eviction.code()), (1011, 1000));
    }
}
