//! Storage of an actor, as it asks for it.
//!
//! A request names no generation: which session may speak for the actor is decided by the engine. How many keys one
//! operation may have is decided there too, with an answer; the bound here only keeps a frame's cost in memory.

use bytes::Bytes;
use serde::{Deserialize, Serialize};

use crate::id::ActorId;
use crate::limits::LIST_ITEMS_MAX;
use crate::wire::list;

/// A storage request.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct KvRequest {
    /// Whose storage.
    pub actor_id: ActorId,
    /// Names the request to the runner; counts per runner.
    pub request_id: u32,
    /// What to do.
    pub data: KvRequestData,
}

/// A storage answer. Answers may come in any order.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct KvResponse {
    /// The request's.
    pub request_id: u32,
    /// The outcome.
    pub data: KvResponseData,
}

/// What to do with an actor's storage. The order of the variants is their tag on the wire.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all_fields = "camelCase")]
pub enum KvRequestData {
    /// Read these keys.
    Get {
        /// The keys.
        #[serde(deserialize_with = "list::at_most::<LIST_ITEMS_MAX, _, _>")]
        keys: Vec<Bytes>,
    },
    /// Read a range.
    List {
        /// Which.
        query: KvListQuery,
        /// Whether from its end; none is no.
        reverse: Option<bool>,
        /// At most so many; none is the engine's default.
        limit: Option<u64>,
    },
    /// Write, all or nothing.
    Put {
        /// The keys.
        #[serde(deserialize_with = "list::at_most::<LIST_ITEMS_MAX, _, _>")]
        keys: Vec<Bytes>,
        /// A value for each key.
        #[serde(deserialize_with = "list::at_most::<LIST_ITEMS_MAX, _, _>")]
        values: Vec<Bytes>,
    },
    /// Remove these keys.
    Delete {
        /// The keys.
        #[serde(deserialize_with = "list::at_most::<LIST_ITEMS_MAX, _, _>")]
        keys: Vec<Bytes>,
    },
    /// Remove a range. Answered by [`KvResponseData::Delete`].
    DeleteRange {
        /// Its first key.
        start: Bytes,
        /// The key behind its last.
        end: Bytes,
    },
    /// Remove everything.
    Drop,
}

/// Which keys to list.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum KvListQuery {
    /// All.
    All,
    /// Those from `start` to `end`.
    Range {
        /// The first.
        start: Bytes,
        /// The last.
        end: Bytes,
        /// Whether `end` itself is left out.
        exclusive: bool,
    },
    /// Those that begin so.
    Prefix {
        /// The beginning.
        key: Bytes,
    },
}

/// How a storage request went. The order of the variants is their tag on the wire.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum KvResponseData {
    /// Refused, or failed without effect.
    Error {
        /// Why.
        message: String,
    },
    /// What was found of the keys asked for.
    Get {
        /// The keys that exist.
        #[serde(deserialize_with = "list::at_most::<LIST_ITEMS_MAX, _, _>")]
        keys: Vec<Bytes>,
        /// Their values.
        #[serde(deserialize_with = "list::at_most::<LIST_ITEMS_MAX, _, _>")]
        values: Vec<Bytes>,
        /// About each.
        #[serde(deserialize_with = "list::at_most::<LIST_ITEMS_MAX, _, _>")]
        metadata: Vec<KvMetadata>,
    },
    /// What was found in the range.
    List {
        /// The keys, in order.
        #[serde(deserialize_with = "list::at_most::<LIST_ITEMS_MAX, _, _>")]
        keys: Vec<Bytes>,
        /// Their values.
        #[serde(deserialize_with = "list::at_most::<LIST_ITEMS_MAX, _, _>")]
        values: Vec<Bytes>,
        /// About each.
        #[serde(deserialize_with = "list::at_most::<LIST_ITEMS_MAX, _, _>")]
        metadata: Vec<KvMetadata>,
    },
    /// Written, and durable.
    Put,
    /// Removed, and durable.
    Delete,
    /// Emptied, and durable.
    Drop,
}

/// About a stored value.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct KvMetadata {
    /// Version of the engine that wrote it, as text bytes.
    pub version: Bytes,
    /// Time of writing, wall clock milliseconds.
    pub update_ts: i64,
}
