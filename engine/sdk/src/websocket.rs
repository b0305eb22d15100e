//! What both ends of a WebSocket say: messages, and how it ended.

use bytes::Bytes;
use protocol::error::{WebSocketEnd, cut};
use protocol::limits::{CLOSE_REASON_BYTES_MAX, WEBSOCKET_MESSAGE_BYTES_MAX};

/// A message, of at most 20 MiB.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Message {
    /// Text.
    Text(String),
    /// Bytes.
    Binary(Bytes),
}

/// How a WebSocket ended.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct CloseInfo {
    /// The code (RFC 6455 §7.4); 1005 if there was none, 1006 if the connection went without a close.
    pub code: u16,
    /// The reason; `group.code` where it was the platform that closed.
    pub reason: String,
}

/// Why a message was not sent.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SendError {
    /// The WebSocket is over.
    #[error("the WebSocket is closed: {} {}", .0.code, .0.reason)]
    Closed(CloseInfo),
    /// It is larger than the platform carries. The WebSocket lives on.
    #[error("a message of more than {limit} bytes")]
    TooLarge {
        /// The bound.
        limit: usize,
    },
}

/// No code came with a close, RFC 6455 §7.4.1.
const NO_CODE: u16 = 1005;

impl Message {
    /// Its text, if it is one.
    #[must_use]
    pub fn as_text(&self) -> Option<&str> {
        match self {
            Self::Text(text) => Some(text),
            Self::Binary(_) => None,
        }
    }

    /// Its length in bytes.
    #[must_use]
    pub const fn len(&self) -> usize {
        match self {
            Self::Text(text) => text.len(),
            Self::Binary(bytes) => bytes.len(),
        }
    }

    /// Whether it has no bytes.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Whether the platform carries it.
    pub(crate) const fn check(&self) -> Result<(), SendError> {
        let limit = WEBSOCKET_MESSAGE_BYTES_MAX;
        if self.len() > limit { Err(SendError::TooLarge { limit }) } else { Ok(()) }
    }

    /// As the tunnel carries it: its bytes, and whether they are binary.
    pub(crate) fn into_wire(self) -> (Bytes, bool) {
        match self {
            Self::Text(text) => (text.into(), false),
            Self::Binary(bytes) => (bytes, true),
        }
    }

    /// The reverse. The gateway lets no other text in than UTF-8.
    pub(crate) fn from_wire(data: Bytes, binary: bool) -> Self {
        if binary {
            return Self::Binary(data);
        }
        Self::Text(String::from_utf8(data.into()).unwrap_or_else(|error| {
            protocol::mark!("sdk_websocket_text_repaired");
            String::from_utf8_lossy(error.as_bytes()).into_owned()
        }))
    }
}

impl From<String> for Message {
    fn from(text: String) -> Self {
        Self::Text(text)
    }
}

impl From<&str> for Message {
    fn from(text: &str) -> Self {
        Self::Text(text.to_owned())
    }
}

impl From<Bytes> for Message {
    fn from(bytes: Bytes) -> Self {
        Self::Binary(bytes)
    }
}

impl CloseInfo {
    /// An end with this code and reason, cut to the 123 bytes that a close carries.
    pub(crate) fn new(code: Option<u16>, reason: Option<&str>) -> Self {
        let reason = cut(reason.unwrap_or_default(), CLOSE_REASON_BYTES_MAX).to_owned();
        Self { code: code.unwrap_or(NO_CODE), reason }
    }
}

impl From<WebSocketEnd> for CloseInfo {
    fn from(end: WebSocketEnd) -> Self {
        Self { code: end.code(), reason: end.as_str().to_owned() }
    }
}
