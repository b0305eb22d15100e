//! How records of the control plane are written.
//!
//! A key is BARE. A value is one byte, the version of the encoding, and the record in JSON: pool configurations need a
//! format that describes itself. What an earlier version wrote is lifted to the present one when it is read, and written
//! anew when it changes; what a later one wrote is refused, file and record alike.
//!
//! Whoever changes what a record looks like raises [`VERSION`], says in [`lift`] how the former one becomes the new
//! one, and adds a file of examples beside those that the tests read.

use machines::control::record::{Key, Record};
use serde_json::Value;

/// The version that is written. 1: the first. 2: the health of pools, and stops for a reschedule. 3: alarms that ring.
pub(super) const VERSION: u8 = 3;

pub(super) fn encode_key(key: &Key) -> Vec<u8> {
    serde_bare::to_vec(key).expect("keys hold ids and text only")
}

pub(super) fn encode(record: &Record) -> Vec<u8> {
    let mut value = vec![VERSION];
    serde_json::to_writer(&mut value, record).expect("records hold text, numbers and JSON, in maps by text");
    value
}

/// The record of a row; the error says what is wrong with it, for people.
pub(super) fn decode(key: &[u8], value: &[u8]) -> Result<(Key, Record), String> {
    let decoded = serde_bare::from_slice(key).map_err(|error| format!("the key of a record: {error}"))?;
    let (version, text) = value.split_first().ok_or("an empty record")?;
    let record = match *version {
        VERSION => serde_json::from_slice(text),
        version @ 1..VERSION => serde_json::from_slice(text).and_then(|mut record| {
            (version..VERSION).for_each(|from| lift(from, &mut record));
            serde_json::from_value(record)
        }),
        version => return Err(format!("a record of version {version}, this engine reads 1 to {VERSION}")),
    };
    record.map(|record| (decoded, record)).map_err(|error| {
        // The key itself may be text of users.
        format!("a record of version {version}: {error}")
    })
}

/// What a record of version `from` looks like in the next one.
fn lift(from: u8, record: &mut Value) {
    match from {
        // It has kinds and causes that 1 did not know; what 1 wrote is the same in 2.
        1 => debug_assert!(record.is_object(), "a record is an object by its kind"),
        // Its alarms were over when they rang.
        2 => debug_assert!(record.is_object(), "a record is an object by its kind"),
        from => unreachable!("no record has version {from}"),
    }
}
