//! How an actor's KV entries are written: each begins with a byte that names its layout, so that a later version can read
//! what an earlier one wrote.

use bytes::Bytes;
use protocol::id::ActorId;

/// Layout byte of a KV row.
const ROW_LAYOUT: u8 = 1;

/// Where an actor's KV entry lives.
pub(super) fn kv_key(actor: ActorId, key: &[u8]) -> Vec<u8> {
    [actor.as_str().as_bytes(), key].concat()
}

/// One KV entry: layout byte, length of the version, version, time of writing (`i64`, little endian), value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Row {
    /// Version of the engine that wrote it.
    pub(super) version: Bytes,
    /// When, in wall clock milliseconds.
    pub(super) update_ts: i64,
    /// The value.
    pub(super) value: Bytes,
}

pub(super) fn encode_row(version: &[u8], update_ts: i64, value: &[u8]) -> Vec<u8> {
    let length = u8::try_from(version.len()).expect("a version has fewer than 256 bytes");
    let mut row = Vec::with_capacity(10 + version.len() + value.len());
    row.extend_from_slice(&[ROW_LAYOUT, length]);
    row.extend_from_slice(version);
    row.extend_from_slice(&update_ts.to_le_bytes());
    row.extend_from_slice(value);
    row
}

/// `None` when the row is not one.
pub(super) fn decode_row(row: &[u8]) -> Option<Row> {
    let (&[layout, length], rest) = row.split_first_chunk::<2>()?;
    if layout != ROW_LAYOUT {
        return None;
    }
    let (version, rest) = rest.split_at_checked(usize::from(length))?;
    let (update_ts, value) = rest.split_first_chunk::<8>()?;
    Some(Row {
        version: Bytes::copy_from_slice(version),
        update_ts: i64::from_le_bytes(*update_ts),
        value: Bytes::copy_from_slice(value),
    })
}
