//! What the machines on both ends of a WebSocket have in common.

use protocol::error::WebSocketEnd;
use protocol::id::BodyId;

/// How a WebSocket is closed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Close {
    /// As the other end said; code and reason are held by the driver.
    Said(BodyId),
    /// By the platform.
    Because(WebSocketEnd),
}
