//! Ids of thirty characters, `[0-9a-z]{30}`, as Rivet's engine makes them.
//!
//! To everybody but [`from_entropy`](ActorId::from_entropy) they are opaque: compared, printed, never parsed further.

use std::fmt;
use std::str::FromStr;

use serde::de::Visitor;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// Length of every opaque id in bytes. The same as Rivet's, so that a stored id fits wherever theirs did.
pub const ID_BYTES: usize = 30;

/// Digits of an id that carry entropy: 36²⁶ > 2¹²⁸, so all sixteen bytes fit.
const ENTROPY_DIGITS: usize = 26;

/// The last four characters of every id made here. In Rivet's ids they name the datacenter and the id version; ours
/// are constant.
const SUFFIX: &[u8; ID_BYTES - ENTROPY_DIGITS] = b"al00";

/// Characters an id's short `Debug` shows.
const SHORT: usize = 6;

/// Why a text is no id.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum IdError {
    /// The text has another length than thirty bytes.
    #[error("malformed id: {length} bytes instead of {ID_BYTES}")]
    Length {
        /// Length of the text in bytes.
        length: usize,
    },
    /// A byte of the text is none of `0-9` and `a-z`.
    #[error("malformed id: byte {byte:#04x} at {position}")]
    Character {
        /// Index of the first such byte.
        position: usize,
        /// The byte.
        byte: u8,
    },
}

fn parse(text: &[u8]) -> Result<[u8; ID_BYTES], IdError> {
    let bytes: [u8; ID_BYTES] = text.try_into().map_err(|_| IdError::Length { length: text.len() })?;
    match bytes.iter().position(|byte| !matches!(byte, b'0'..=b'9' | b'a'..=b'z')) {
        Some(position) => Err(IdError::Character { position, byte: bytes[position] }),
        None => Ok(bytes),
    }
}

/// Writes the low digit first: the high digits of sixteen bytes hardly differ from zero, and the short `Debug` shows
/// the first six.
fn spell(entropy: [u8; 16]) -> [u8; ID_BYTES] {
    const DIGITS: &[u8; 36] = b"0123456789abcdefghijklmnopqrstuvwxyz";
    let mut rest = u128::from_le_bytes(entropy);
    let mut id = [b'0'; ID_BYTES];
    for digit in &mut id[..ENTROPY_DIGITS] {
        *digit = DIGITS[usize::try_from(rest % 36).expect("a remainder below 36 fits")];
        rest /= 36;
    }
    assert_eq!(rest, 0, "26 digits hold every u128");
    id[ENTROPY_DIGITS..].copy_from_slice(SUFFIX);
    id
}

struct IdVisitor;

impl Visitor<'_> for IdVisitor {
    type Value = [u8; ID_BYTES];

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "an id of {ID_BYTES} characters 0-9 and a-z")
    }

    fn visit_str<E: serde::de::Error>(self, text: &str) -> Result<Self::Value, E> {
        parse(text.as_bytes()).map_err(E::custom)
    }
}

macro_rules! opaque {
    ($(#[$doc:meta])* $name:ident, $short:literal) => {
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name([u8; ID_BYTES]);

        impl $name {
            /// The id that these sixteen bytes spell. Different bytes spell different ids.
            pub fn from_entropy(entropy: [u8; 16]) -> Self {
                Self(spell(entropy))
            }

            /// The thirty characters.
            pub fn as_str(&self) -> &str {
                std::str::from_utf8(&self.0).expect("an id holds 0-9 and a-z only")
            }
        }

        crate::api::schema::text!($name, "thirty characters 0-9 and a-z", Some("^[0-9a-z]{30}$"));

        impl FromStr for $name {
            type Err = IdError;

            fn from_str(text: &str) -> Result<Self, IdError> {
                parse(text.as_bytes()).map(Self)
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.pad(self.as_str())
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, concat!($short, ":{}"), &self.as_str()[..SHORT])
            }
        }

        impl Serialize for $name {
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.serialize_str(self.as_str())
            }
        }

        impl<'de> Deserialize<'de> for $name {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                deserializer.deserialize_str(IdVisitor).map(Self)
            }
        }
    };
}

opaque!(
    /// An actor, through all its generations.
    ActorId,
    "a"
);
opaque!(
    /// A runner: what the engine calls a (namespace, name, runner key) that it knows.
    RunnerId,
    "r"
);
opaque!(
    /// A namespace.
    NamespaceId,
    "n"
);
opaque!(
    /// One request through the engine, in logs, in `x-rivet-ray-id` and behind a close reason.
    RayId,
    "ray"
);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn entropy_spells_a_valid_id_and_the_extremes_differ() {
        let zero = ActorId::from_entropy([0; 16]);
        let full = ActorId::from_entropy([0xff; 16]);
        assert_eq!(zero.as_str(), "00000000000000000000000000al00");
        for id in [zero, full] {
            assert_eq!(id.as_str().parse::<ActorId>(), Ok(id));
        }
        assert_ne!(zero, full);
    }

    #[test]
    fn low_entropy_bytes_show_in_the_short_debug() {
        let mut entropy = [0; 16];
        entropy[0] = 35;
        let id = RunnerId::from_entropy(entropy);
        assert_eq!(format!("{id:?}"), "r:z00000");
        assert_eq!(format!("{id}"), "z0000000000000000000000000al00");
    }

    #[test]
    fn every_malformed_text_is_told_apart() {
        assert_eq!("zzz".parse::<ActorId>(), Err(IdError::Length { length: 3 }));
        let upper = "9i3halmrv1puua7r2mvi49taqjBl00";
        assert_eq!(upper.parse::<ActorId>(), Err(IdError::Character { position: 26, byte: b'B' }));
        let umlaut = "ü3halmrv1puua7r2mvi49taqjbl00";
        assert_eq!(umlaut.len(), ID_BYTES);
        assert_eq!(umlaut.parse::<ActorId>(), Err(IdError::Character { position: 0, byte: 0xc3 }));
    }

    #[test]
    fn json_is_the_text_and_is_validated() {
        let id: ActorId = "9i3halmrv1puua7r2mvi49taqjbl00".parse().unwrap();
        let json = serde_json::to_string(&id).unwrap();
        assert_eq!(json, "\"9i3halmrv1puua7r2mvi49taqjbl00\"");
        assert_eq!(serde_json::from_str::<ActorId>(&json).unwrap(), id);
        let error = serde_json::from_str::<ActorId>("\"zzz\"").unwrap_err().to_string();
        assert!(error.starts_with("malformed id: 3 bytes"), "{error}");
    }
}
