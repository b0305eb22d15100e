//! Actor KV: what each operation means, and its bounds.
//!
//! The semantics are upstream's, with three differences: an empty value is a value, a prefix list finds keys whose
//! next byte is 0xff too, and a list whose answer would not fit in a frame fails instead of breaking the socket. A
//! request that breaks a bound has no effect at all.

use std::ops::ControlFlow;

use bytes::Bytes;
use protocol::id::ActorId;
use protocol::limits::{
    BODY_BYTES_MAX, KV_KEY_BYTES_MAX, KV_KEYS_MAX, KV_LIST_ITEMS_DEFAULT, KV_PUT_BYTES_MAX,
    KV_VALUE_BYTES_MAX, LIST_ITEMS_MAX,
};
use protocol::wire::{KvListQuery, KvMetadata, KvRequestData, KvResponseData};

use super::draft::Draft;
use super::face::{self, Fault, Order, Range, Space};
use super::row::{self, Row};

/// What `version` of an entry says: the engine that wrote it.
pub const VERSION: &str = env!("CARGO_PKG_VERSION");

/// Whether a request may change anything.
#[must_use]
pub const fn changes(request: &KvRequestData) -> bool {
    match request {
        KvRequestData::Get { .. } | KvRequestData::List { .. } => false,
        KvRequestData::Put { .. }
        | KvRequestData::Delete { .. }
        | KvRequestData::DeleteRange { .. }
        | KvRequestData::Drop => true,
    }
}

/// Why a request is refused, for the application's author; `None` if it keeps every bound.
#[must_use]
pub fn refusal(request: &KvRequestData) -> Option<&'static str> {
    match request {
        KvRequestData::Get { keys } | KvRequestData::Delete { keys } => keys_refusal(keys),
        KvRequestData::List { query, .. } => match query {
            KvListQuery::All => None,
            KvListQuery::Range { start, end, .. } => key_refusal(start).or_else(|| key_refusal(end)),
            KvListQuery::Prefix { key } => key_refusal(key),
        },
        KvRequestData::Put { keys, values } => put_refusal(keys, values),
        KvRequestData::DeleteRange { start, end } => key_refusal(start).or_else(|| key_refusal(end)),
        KvRequestData::Drop => None,
    }
}

fn key_refusal(key: &Bytes) -> Option<&'static str> {
    (key.len() > KV_KEY_BYTES_MAX).then_some("key is too long (max 2048 bytes)")
}

fn keys_refusal(keys: &[Bytes]) -> Option<&'static str> {
    if keys.len() > KV_KEYS_MAX {
        return Some("a maximum of 128 keys is allowed");
    }
    keys.iter().find_map(key_refusal)
}

fn put_refusal(keys: &[Bytes], values: &[Bytes]) -> Option<&'static str> {
    if keys.len() != values.len() {
        return Some("there must be as many values as keys");
    }
    if keys.len() > KV_KEYS_MAX {
        return Some("a maximum of 128 key-value entries is allowed");
    }
    let payload: usize = keys.iter().chain(values).map(Bytes::len).sum();
    if payload > KV_PUT_BYTES_MAX {
        return Some("total payload is too large (max 976 KiB)");
    }
    let value = || values.iter().any(|value| value.len() > KV_VALUE_BYTES_MAX);
    keys.iter().find_map(key_refusal).or_else(|| value().then_some("value is too large (max 128 KiB)"))
}

/// Carries out a request on the KV of all actors.
pub(super) fn apply(
    draft: &mut Draft,
    actor: ActorId,
    request: KvRequestData,
    update_ts: i64,
) -> Result<KvResponseData, Fault> {
    if let Some(message) = refusal(&request) {
        protocol::mark!("kv_refused");
        return Ok(KvResponseData::Error { message: message.to_owned() });
    }
    match request {
        KvRequestData::Get { keys } => get(draft, actor, keys),
        KvRequestData::List { query, reverse, limit } => {
            let order = if reverse.unwrap_or(false) { Order::Reverse } else { Order::Forward };
            list(draft, actor, &query, order, limit)
        }
        KvRequestData::Put { keys, values } => {
            for (key, value) in keys.iter().zip(&values) {
                let row = row::encode_row(VERSION.as_bytes(), update_ts, value);
                draft.put(Space::Kv, row::kv_key(actor, key), row);
            }
            Ok(KvResponseData::Put)
        }
        KvRequestData::Delete { keys } => {
            for key in &keys {
                draft.remove(Space::Kv, row::kv_key(actor, key));
            }
            Ok(KvResponseData::Delete)
        }
        KvRequestData::DeleteRange { start, end } => {
            let query = KvListQuery::Range { start, end, exclusive: true };
            draft.clear(Space::Kv, range(actor, &query));
            Ok(KvResponseData::Delete)
        }
        KvRequestData::Drop => {
            draft.clear(Space::Kv, range(actor, &KvListQuery::All));
            Ok(KvResponseData::Drop)
        }
    }
}

fn get(draft: &Draft, actor: ActorId, keys: Vec<Bytes>) -> Result<KvResponseData, Fault> {
    let mut found = Found::default();
    for key in keys {
        if let Some(row) = draft.get(Space::Kv, &row::kv_key(actor, &key))? {
            found.push(key, &row)?;
        }
    }
    let Found { keys, values, metadata, .. } = found;
    Ok(KvResponseData::Get { keys, values, metadata })
}

fn list(
    draft: &Draft,
    actor: ActorId,
    query: &KvListQuery,
    order: Order,
    limit: Option<u64>,
) -> Result<KvResponseData, Fault> {
    let limit = limit.map_or(KV_LIST_ITEMS_DEFAULT, |limit| usize::try_from(limit).unwrap_or(usize::MAX));
    let (mut found, mut too_large) = (Found::default(), false);
    let skip = actor.as_str().len();
    draft.scan(Space::Kv, &range(actor, query), order, &mut |key, row| {
        if found.keys.len() == limit {
            return Ok(ControlFlow::Break(()));
        }
        found.push(Bytes::copy_from_slice(key.get(skip..).unwrap_or_default()), row)?;
        too_large = found.bytes > BODY_BYTES_MAX || found.keys.len() > LIST_ITEMS_MAX;
        Ok(if too_large { ControlFlow::Break(()) } else { ControlFlow::Continue(()) })
    })?;
    if too_large {
        protocol::mark!("kv_list_too_large");
        let message = "the list is too large (max 20 MiB and 65536 entries): use a limit".to_owned();
        return Ok(KvResponseData::Error { message });
    }
    let Found { keys, values, metadata, .. } = found;
    Ok(KvResponseData::List { keys, values, metadata })
}

/// Where the entries are that a query means, within one actor.
fn range(actor: ActorId, query: &KvListQuery) -> Range {
    match query {
        KvListQuery::All => Range::prefix(row::kv_key(actor, &[])),
        KvListQuery::Prefix { key } => Range::prefix(row::kv_key(actor, key)),
        KvListQuery::Range { start, end, exclusive } => {
            let end = row::kv_key(actor, end);
            let end = if *exclusive { end } else { face::after(&end) };
            Range { start: row::kv_key(actor, start), end: Some(end) }
        }
    }
}

#[derive(Default)]
struct Found {
    keys: Vec<Bytes>,
    values: Vec<Bytes>,
    metadata: Vec<KvMetadata>,
    bytes: usize,
}

impl Found {
    fn push(&mut self, key: Bytes, row: &[u8]) -> Result<(), Fault> {
        let Row { version, update_ts, value } = row::decode_row(row)
            .ok_or_else(|| Fault::Damaged("a KV entry of an unknown layout".to_owned()))?;
        self.bytes += key.len() + value.len() + version.len() + 8;
        self.keys.push(key);
        self.values.push(value);
        self.metadata.push(KvMetadata { version, update_ts });
        Ok(())
    }
}
