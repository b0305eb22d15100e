//! A map that keeps the order its entries came in.
//!
//! BARE writes a map as pairs in any order and forbids a key to come twice. A frame must re-encode equal, so the
//! order is kept; a doubled key is refused, in a frame as in a constructor.

use std::collections::BTreeSet;
use std::fmt;
use std::marker::PhantomData;

use serde::de::{Deserialize, Deserializer, Error, MapAccess, Visitor};
use serde::ser::{Serialize, SerializeMap, Serializer};

use crate::limits::MAP_ENTRIES_MAX;
use crate::wire::list::TOO_MANY;

/// What the decoder says of a key that comes twice; [`codec`](super::codec) knows it by this text.
pub(super) const DOUBLED_KEY: &str = "a key comes twice in a map";

/// Text keys to values, each key once, in the order of the wire.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct Map<V>(Vec<(String, V)>);

/// A key came twice.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the key {key:?} comes twice")]
pub struct DoubledKey {
    /// The key.
    pub key: String,
}

impl<V> Map<V> {
    /// A map without entries.
    pub const fn new() -> Self {
        Self(Vec::new())
    }

    /// The map of these entries, in this order.
    ///
    /// # Errors
    /// When a key comes twice.
    pub fn from_entries(entries: Vec<(String, V)>) -> Result<Self, DoubledKey> {
        let mut seen = BTreeSet::new();
        match entries.iter().find(|(key, _)| !seen.insert(key.as_str())) {
            Some((key, _)) => Err(DoubledKey { key: key.clone() }),
            None => Ok(Self(entries)),
        }
    }

    /// The value under exactly this key.
    pub fn get(&self, key: &str) -> Option<&V> {
        self.iter().find_map(|(known, value)| (known == key).then_some(value))
    }

    /// The entries in order.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = (&str, &V)> {
        self.0.iter().map(|(key, value)| (key.as_str(), value))
    }

    /// How many entries.
    pub const fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether there is none.
    pub const fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The entries, for [`Headers`](super::Headers), which keeps each key once by itself.
    pub(super) const fn entries_mut(&mut self) -> &mut Vec<(String, V)> {
        &mut self.0
    }
}

impl<V> Default for Map<V> {
    fn default() -> Self {
        Self::new()
    }
}

impl<V: fmt::Debug> fmt::Debug for Map<V> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_map().entries(self.iter()).finish()
    }
}

impl<V: Serialize> Serialize for Map<V> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(Some(self.0.len()))?;
        for (key, value) in &self.0 {
            map.serialize_entry(key, value)?;
        }
        map.end()
    }
}

struct Entries<V>(PhantomData<V>);

impl<'de, V: Deserialize<'de>> Visitor<'de> for Entries<V> {
    type Value = Vec<(String, V)>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "a map of at most {MAP_ENTRIES_MAX} entries")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut pairs: A) -> Result<Self::Value, A::Error> {
        let mut entries = Vec::new();
        while let Some(entry) = pairs.next_entry()? {
            if entries.len() == MAP_ENTRIES_MAX {
                return Err(A::Error::custom(TOO_MANY));
            }
            entries.push(entry);
        }
        Ok(entries)
    }
}

impl<'de, V: Deserialize<'de>> Deserialize<'de> for Map<V> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let entries = deserializer.deserialize_map(Entries(PhantomData))?;
        Self::from_entries(entries).map_err(|_| D::Error::custom(DOUBLED_KEY))
    }
}
