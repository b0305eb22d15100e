//! Actor KV: what each operation means, and its bounds.
//!
//! The semantics are upstream's, with three differences: an empty value is a value, a prefix list finds keys whose
//! next byte is 0xff too, and a list whose answer would not fit in a frame fails instead of breaking the socket. A
//! request that breaks a bound has no effect at all.

use std::ops::Bound;

use bytes::Bytes;
use protocol::id::ActorId;
use protocol::limits::{
    BODY_BYTES_MAX, KV_KEY_BYTES_MAX, KV_KEYS_MAX, KV_LIST_ITEMS_DEFAULT, KV_PUT_BYTES_MAX,
    KV_VALUE_BYTES_MAX, LIST_ITEMS_MAX,
};
use protocol::wire::{KvListQuery, KvMetadata, KvRequestData, KvResponseData};
use redb::{ReadableTable as _, Table};

use super::tables::{self, Row};

/// What `version` of an entry says: the engine that wrote it.
pub const VERSION: &str = env!("CARGO_PKG_VERSION");

type Entries<'a> = Table<'a, &'static [u8], &'static [u8]>;

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

/// Carries out a request on the table of all actors.
pub(super) fn apply(
    table: &mut Entries<'_>,
    actor: ActorId,
    request: KvRequestData,
    update_ts: i64,
) -> Result<KvResponseData, redb::Error> {
    if let Some(message) = refusal(&request) {
        protocol::mark!("kv_refused");
        return Ok(KvResponseData::Error { message: message.to_owned() });
    }
    match request {
        KvRequestData::Get { keys } => get(table, actor, keys),
        KvRequestData::List { query, reverse, limit } => {
            list(table, Span::of(actor, &query), reverse.unwrap_or(false), limit)
        }
        KvRequestData::Put { keys, values } => {
            for (key, value) in keys.iter().zip(&values) {
                let row = tables::encode_row(VERSION.as_bytes(), update_ts, value);
                table.insert(tables::kv_key(actor, key).as_slice(), row.as_slice())?;
            }
            Ok(KvResponseData::Put)
        }
        KvRequestData::Delete { keys } => {
            for key in &keys {
                table.remove(tables::kv_key(actor, key).as_slice())?;
            }
            Ok(KvResponseData::Delete)
        }
        KvRequestData::DeleteRange { start, end } => {
            let query = KvListQuery::Range { start, end, exclusive: true };
            remove_all(table, &Span::of(actor, &query))?;
            Ok(KvResponseData::Delete)
        }
        KvRequestData::Drop => {
            remove_all(table, &Span::of(actor, &KvListQuery::All))?;
            Ok(KvResponseData::Drop)
        }
    }
}

fn get(table: &Entries<'_>, actor: ActorId, keys: Vec<Bytes>) -> Result<KvResponseData, redb::Error> {
    let mut found = Found::default();
    for key in keys {
        if let Some(row) = table.get(tables::kv_key(actor, &key).as_slice())? {
            found.push(key, row.value())?;
        }
    }
    let Found { keys, values, metadata, .. } = found;
    Ok(KvResponseData::Get { keys, values, metadata })
}

fn list(
    table: &Entries<'_>,
    span: Span,
    reverse: bool,
    limit: Option<u64>,
) -> Result<KvResponseData, redb::Error> {
    let limit = limit.map_or(KV_LIST_ITEMS_DEFAULT, |limit| usize::try_from(limit).unwrap_or(usize::MAX));
    let mut found = Found::default();
    if span.is_empty() || limit == 0 {
        return Ok(found.into_list());
    }
    let mut range = table.range::<&[u8]>(span.bounds())?;
    while let Some(row) = if reverse { range.next_back() } else { range.next() } {
        let (key, row) = row?;
        if found.keys.len() == limit {
            break;
        }
        let key = key.value().get(span.skip..).unwrap_or_default();
        found.push(Bytes::copy_from_slice(key), row.value())?;
        if found.bytes > BODY_BYTES_MAX || found.keys.len() > LIST_ITEMS_MAX {
            protocol::mark!("kv_list_too_large");
            let message = "the list is too large (max 20 MiB and 65536 entries): use a limit".to_owned();
            return Ok(KvResponseData::Error { message });
        }
    }
    Ok(found.into_list())
}

fn remove_all(table: &mut Entries<'_>, span: &Span) -> Result<(), redb::Error> {
    if !span.is_empty() {
        table.retain_in::<&[u8], _>(span.bounds(), |_, _| false)?;
    }
    Ok(())
}

/// A range of the table of all actors, within one actor.
struct Span {
    /// Bytes of a table key that are not the actor's key.
    skip: usize,
    start: Vec<u8>,
    end: Vec<u8>,
    /// Whether `end` itself is in.
    inclusive: bool,
}

impl Span {
    fn of(actor: ActorId, query: &KvListQuery) -> Self {
        let skip = actor.as_str().len();
        let prefix = |key: &[u8]| {
            let start = tables::kv_key(actor, key);
            let end = successor(start.clone());
            Self { skip, start, end, inclusive: false }
        };
        match query {
            KvListQuery::All => prefix(&[]),
            KvListQuery::Prefix { key } => prefix(key),
            KvListQuery::Range { start, end, exclusive } => Self {
                skip,
                start: tables::kv_key(actor, start),
                end: tables::kv_key(actor, end),
                inclusive: !exclusive,
            },
        }
    }

    fn is_empty(&self) -> bool {
        self.start > self.end || (self.start == self.end && !self.inclusive)
    }

    fn bounds(&self) -> (Bound<&[u8]>, Bound<&[u8]>) {
        let end = if self.inclusive { Bound::Included } else { Bound::Excluded };
        (Bound::Included(self.start.as_slice()), end(self.end.as_slice()))
    }
}

/// The least byte string above all that begin with `prefix`, which begins with an actor's id.
fn successor(mut prefix: Vec<u8>) -> Vec<u8> {
    while prefix.last() == Some(&0xff) {
        prefix.pop();
    }
    let last = prefix.last_mut().expect("an actor's id holds no 0xff");
    *last += 1;
    prefix
}

#[derive(Default)]
struct Found {
    keys: Vec<Bytes>,
    values: Vec<Bytes>,
    metadata: Vec<KvMetadata>,
    bytes: usize,
}

impl Found {
    fn push(&mut self, key: Bytes, row: &[u8]) -> Result<(), redb::Error> {
        let Row { version, update_ts, value } = tables::decode_row(row)
            .ok_or_else(|| redb::Error::Corrupted("a KV entry of an unknown layout".to_owned()))?;
        self.bytes += key.len() + value.len() + version.len() + 8;
        self.keys.push(key);
        self.values.push(value);
        self.metadata.push(KvMetadata { version, update_ts });
        Ok(())
    }

    fn into_list(self) -> KvResponseData {
        let Self { keys, values, metadata, .. } = self;
        KvResponseData::List { keys, values, metadata }
    }
}
