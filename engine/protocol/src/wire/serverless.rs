//! What a serverless application writes into its event stream: which runner it started.
//!
//! One `data` line holds base64 of a little-endian `u16` version and then the message in BARE.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::{Deserialize, Serialize};

use crate::id::RunnerId;
use crate::limits::SSE_DATA_BYTES_MAX;
use crate::wire::PROTOCOL_VERSION;
use crate::wire::codec::{DecodeError, decode, encode};

/// A message in the event stream.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all_fields = "camelCase")]
pub enum ToServerlessServer {
    /// The runner that this request started has its id.
    Init {
        /// The runner, as the engine called it on its socket.
        runner_id: RunnerId,
        /// The protocol it speaks there.
        runner_protocol_version: u16,
    },
}

/// Why the data of an event is no message.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PayloadError {
    /// The data is longer than any message.
    #[error("{length} bytes of event data: at most {SSE_DATA_BYTES_MAX}")]
    TooLong {
        /// Its length in bytes.
        length: usize,
    },
    /// The data is not base64 (RFC 4648 §4, padded).
    #[error("event data is not base64: {reason}")]
    Base64 {
        /// What is wrong with it.
        reason: String,
    },
    /// The data ends within its version.
    #[error("event data ends within its version")]
    NoVersion,
    /// The data is of another version.
    #[error("event data of protocol version {version}: this engine speaks {PROTOCOL_VERSION}")]
    Version {
        /// Its version.
        version: u16,
    },
    /// The message does not decode.
    #[error(transparent)]
    Message(#[from] DecodeError),
}

/// The `data` of an event that says this.
pub fn encode_payload(message: &ToServerlessServer) -> String {
    let mut bytes = PROTOCOL_VERSION.to_le_bytes().to_vec();
    bytes.extend_from_slice(&encode(message));
    STANDARD.encode(bytes)
}

/// What the `data` of an event says.
///
/// # Errors
/// When the data is too long, no base64, of another protocol version, or holds no whole message.
pub fn decode_payload(data: &str) -> Result<ToServerlessServer, PayloadError> {
    if data.len() > SSE_DATA_BYTES_MAX {
        return Err(PayloadError::TooLong { length: data.len() });
    }
    let bytes = STANDARD.decode(data).map_err(|error| PayloadError::Base64 { reason: error.to_string() })?;
    let (version, message) = bytes.split_first_chunk::<2>().ok_or(PayloadError::NoVersion)?;
    match u16::from_le_bytes(*version) {
        PROTOCOL_VERSION => Ok(decode(message)?),
        version => Err(PayloadError::Version { version }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The payload that RivetKit 2.2.1 wrote for this runner.
    const SEEN: &str = "BwAAHjkyYjB2NTN5bjh2ODMxM2I1a2phcmd4NGwwY2wwMAcA";

    #[test]
    fn the_payload_seen_on_the_wire_comes_back_the_same() {
        let message = decode_payload(SEEN).unwrap();
        let runner_id = "92b0v53yn8v8313b5kjargx4l0cl00".parse().unwrap();
        assert_eq!(message, ToServerlessServer::Init { runner_id, runner_protocol_version: 7 });
        assert_eq!(encode_payload(&message), SEEN);
    }

    #[test]
    fn each_kind_of_bad_data_has_its_error() {
        let long = "A".repeat(SSE_DATA_BYTES_MAX + 1);
        assert_eq!(decode_payload(&long), Err(PayloadError::TooLong { length: long.len() }));
        assert!(matches!(decode_payload("*"), Err(PayloadError::Base64 { .. })));
        assert!(matches!(decode_payload(&SEEN[..SEEN.len() - 1]), Err(PayloadError::Base64 { .. })));
        assert_eq!(decode_payload(""), Err(PayloadError::NoVersion));
        assert_eq!(decode_payload("CAAA"), Err(PayloadError::Version { version: 8 }));
        assert_eq!(decode_payload("BwAA"), Err(PayloadError::Message(DecodeError::Truncated)));
    }
}
