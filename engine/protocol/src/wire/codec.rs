//! Frames to messages and back.
//!
//! `serde_bare` alone takes trailing bytes, doubled keys, any non-zero byte as `true`, and varints longer than they
//! need be. A frame that means the same as another one but differs from it is a way to be misunderstood, so
//! [`decode`] takes only what [`encode`] would have written: it writes the message again and compares, without
//! keeping the copy.

use std::io;

use bytes::Bytes;
use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::limits::{FRAME_BYTES_MAX, RUNNER_FRAME_BYTES_MAX};
use crate::wire::{ToClient, ToServer, ToServerlessServer};
use crate::wire::{list, map};

/// What travels as one frame.
pub trait Message: Serialize + DeserializeOwned + sealed::Sealed {
    /// Largest frame that is read, in bytes.
    const BYTES_MAX: usize;
}

impl Message for ToServer {
    const BYTES_MAX: usize = RUNNER_FRAME_BYTES_MAX;
}
impl Message for ToClient {
    const BYTES_MAX: usize = FRAME_BYTES_MAX;
}
impl Message for ToServerlessServer {
    const BYTES_MAX: usize = FRAME_BYTES_MAX;
}

mod sealed {
    pub trait Sealed {}
    impl Sealed for super::ToServer {}
    impl Sealed for super::ToClient {}
    impl Sealed for super::ToServerlessServer {}
}

/// Why a frame is no message.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum DecodeError {
    /// The frame is longer than [`Message::BYTES_MAX`].
    #[error("a frame of {length} bytes: at most {limit}")]
    TooLong {
        /// Its length in bytes.
        length: usize,
        /// The bound in bytes.
        limit: usize,
    },
    /// The frame ends within the message.
    #[error("the frame ends within its message")]
    Truncated,
    /// The frame goes on after the message.
    #[error("{count} bytes after the message")]
    TrailingBytes {
        /// How many bytes are left over.
        count: usize,
    },
    /// A union or an enum has no variant of this tag.
    #[error("unknown tag: {reason}")]
    UnknownTag {
        /// The tag, and what is known.
        reason: String,
    },
    /// A key comes twice in a map.
    #[error("a key comes twice in a map")]
    DoubledKey,
    /// A list or map has more items than any lawful message.
    #[error("a list or map of too many items")]
    TooManyItems,
    /// A varint is longer than 64 bits.
    #[error("a varint of more than 64 bits")]
    Varint,
    /// Text is not UTF-8.
    #[error("text that is not utf-8")]
    Utf8,
    /// An id is malformed.
    #[error("{reason}")]
    Id {
        /// What is wrong with it.
        reason: String,
    },
    /// The frame could be understood, but it is not how the message is written: a varint longer than it need be, or a
    /// boolean or presence byte that is neither 0 nor 1.
    #[error("not the one way to write this message, from byte {offset} on")]
    NotCanonical {
        /// The first byte that would have been written differently, at most as far off as the write it belongs to.
        offset: usize,
    },
    /// Anything else that the decoder may say.
    #[error("malformed frame: {reason}")]
    Malformed {
        /// What it said.
        reason: String,
    },
}

/// Writes a message as one frame.
///
/// The sender keeps bodies within [`BODY_BYTES_MAX`](crate::limits::BODY_BYTES_MAX); a longer frame is written all the
/// same, and refused by whoever reads it.
pub fn encode<M: Message>(message: &M) -> Bytes {
    serde_bare::to_vec(message).expect("every list and map of a message knows its length").into()
}

/// Reads the message that is exactly this frame.
///
/// # Errors
/// When the frame is too long (checked before anything is allocated), or is not, byte for byte, what [`encode`] writes
/// for some message.
pub fn decode<M: Message>(frame: &[u8]) -> Result<M, DecodeError> {
    if frame.len() > M::BYTES_MAX {
        return Err(DecodeError::TooLong { length: frame.len(), limit: M::BYTES_MAX });
    }
    let message: M = serde_bare::from_slice(frame).map_err(|error| classify(&error))?;
    let mut expected = Comparison { rest: frame };
    match serde_bare::to_writer(&mut expected, &message) {
        Ok(()) if expected.rest.is_empty() => Ok(message),
        Ok(()) => Err(DecodeError::TrailingBytes { count: expected.rest.len() }),
        Err(_) => Err(DecodeError::NotCanonical { offset: frame.len() - expected.rest.len() }),
    }
}

/// A writer that takes only the bytes it expects.
struct Comparison<'a> {
    rest: &'a [u8],
}

impl io::Write for Comparison<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.rest = self.rest.strip_prefix(bytes).ok_or(io::ErrorKind::InvalidData)?;
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// serde's errors are texts. Those of our own types are known by constants, the decoder's by the texts that the tests
/// pin.
fn classify(error: &serde_bare::error::Error) -> DecodeError {
    if error.classify().is_eof() {
        return DecodeError::Truncated;
    }
    let text = error.to_string();
    match text.as_str() {
        map::DOUBLED_KEY => DecodeError::DoubledKey,
        list::TOO_MANY => DecodeError::TooManyItems,
        "invalid utf-8 in string" => DecodeError::Utf8,
        "continuation bit indicated an invalid variable-length integer" => DecodeError::Varint,
        "Enum identifiers larger than u32 are not supported" => DecodeError::UnknownTag { reason: text },
        id if id.starts_with("malformed id") => DecodeError::Id { reason: text },
        tag if tag.starts_with("invalid value: integer") => DecodeError::UnknownTag { reason: text },
        _ => DecodeError::Malformed { reason: text },
    }
}
