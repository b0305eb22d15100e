//! The tables and how their rows are written.
//!
//! Every value begins with a byte that names its layout, so that a later version can read what an earlier one wrote.
//! Records are JSON behind it: pool configurations need a format that describes itself.

use bytes::Bytes;
use machines::control::record::{Key, Record};
use protocol::id::ActorId;
use redb::{Database, TableDefinition};

/// Records of the control plane: key in BARE → layout byte, then the record in JSON.
pub(super) const RECORDS: TableDefinition<'static, &[u8], &[u8]> = TableDefinition::new("records");
/// Actor KV: actor id, then the key → [`Row`].
pub(super) const KV: TableDefinition<'static, &[u8], &[u8]> = TableDefinition::new("kv");
/// Actor inputs: actor id → the input as given.
pub(super) const INPUTS: TableDefinition<'static, &[u8], &[u8]> = TableDefinition::new("inputs");

/// One row, written to see that the store can be: when that was, wall clock milliseconds.
pub(super) const PROBE: TableDefinition<'static, (), i64> = TableDefinition::new("probe");

/// Layout byte of a record.
const RECORD_LAYOUT: u8 = 1;
/// Layout byte of a KV row.
const ROW_LAYOUT: u8 = 1;

/// Makes the tables where they are missing.
pub(super) fn create(database: &Database) -> Result<(), redb::Error> {
    let missing = {
        use redb::ReadableDatabase as _;
        database.begin_read()?.list_tables()?.count() < 4
    };
    if !missing {
        return Ok(());
    }
    let mut write = database.begin_write()?;
    write.set_quick_repair(true);
    for table in [RECORDS, KV, INPUTS] {
        write.open_table(table)?;
    }
    write.open_table(PROBE)?;
    write.commit()?;
    Ok(())
}

pub(super) fn encode_key(key: &Key) -> Vec<u8> {
    serde_bare::to_vec(key).expect("keys hold ids and text only")
}

pub(super) fn encode_record(record: &Record) -> Vec<u8> {
    let mut value = vec![RECORD_LAYOUT];
    serde_json::to_writer(&mut value, record).expect("records hold text, numbers and JSON, in maps by text");
    value
}

/// The record of a row; the error says what is wrong with it, for people.
pub(super) fn decode_record(key: &[u8], value: &[u8]) -> Result<(Key, Record), String> {
    let decoded = serde_bare::from_slice(key).map_err(|error| format!("the key of a record: {error}"))?;
    let (layout, value) = value.split_first().ok_or("an empty record")?;
    if *layout != RECORD_LAYOUT {
        return Err(format!("a record of layout {layout}, this engine reads {RECORD_LAYOUT}"));
    }
    let record = serde_json::from_slice(value).map_err(|error| format!("the record {decoded:?}: {error}"))?;
    Ok((decoded, record))
}

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
