//! What one transaction does.

use std::path::Path;

use bytes::Bytes;
use machines::control::record::{Key, Record};
use protocol::id::ActorId;
use protocol::wire::{KvRequestData, KvResponseData};
use redb::{Database, Table};

use super::{StoreError, kv, tables};

/// Writes and reads in the order they take effect.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Batch {
    writes: Vec<Write>,
    /// Writes a row of its own, so that a store that cannot be written says so.
    probe: bool,
}

/// One step of a transaction.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Write {
    /// Stores a record.
    Put(Key, Box<Record>),
    /// Removes a record.
    Delete(Key),
    /// Carries out a KV request; outcome [`Outcome::Kv`].
    Kv {
        /// Whose KV.
        actor: ActorId,
        /// The request.
        request: KvRequestData,
    },
    /// Keeps an actor's input.
    KeepInput {
        /// The actor.
        actor: ActorId,
        /// The input.
        input: Bytes,
    },
    /// Reads an actor's input; outcome [`Outcome::Input`].
    ReadInput {
        /// The actor.
        actor: ActorId,
    },
    /// Removes all KV and the input of an actor.
    Erase {
        /// The actor.
        actor: ActorId,
    },
}

/// What a step of a transaction gave.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// The answer to a KV request.
    Kv(KvResponseData),
    /// An actor's input, if one is stored.
    Input(Option<Bytes>),
}

impl Batch {
    /// Nothing yet.
    #[must_use]
    pub const fn new() -> Self {
        Self { writes: Vec::new(), probe: false }
    }

    /// Adds a step.
    pub fn push(&mut self, write: Write) {
        self.writes.push(write);
    }

    /// Makes the batch fail if the store could not be written, even if it writes nothing.
    pub fn probe(&mut self) {
        self.probe = true;
    }

    /// Whether it has nothing to do.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.writes.is_empty() && !self.probe
    }

    /// Whether it leaves the store other than it was; if not, it only reads.
    pub(crate) fn changes(&self) -> bool {
        self.writes.iter().any(|write| match write {
            Write::Put(..) | Write::Delete(_) | Write::KeepInput { .. } | Write::Erase { .. } => true,
            Write::Kv { request, .. } => kv::changes(request),
            Write::ReadInput { .. } => false,
        }) || self.probe
    }
}

pub(super) fn apply(database: &Database, batch: Batch, path: &Path) -> Result<Vec<Outcome>, StoreError> {
    transact(database, batch).map_err(|error| StoreError::from_commit(path, &error))
}

fn transact(database: &Database, batch: Batch) -> Result<Vec<Outcome>, redb::Error> {
    let (changes, probe) = (batch.changes(), batch.probe);
    let mut write = database.begin_write()?;
    // A file that a crash left behind opens without a walk over all its pages.
    write.set_quick_repair(true);
    let mut outcomes = Vec::new();
    {
        let mut open = Open {
            records: write.open_table(tables::RECORDS)?,
            kv: write.open_table(tables::KV)?,
            inputs: write.open_table(tables::INPUTS)?,
            update_ts: protocol::time::Wall(runtime::wall().as_millis()).to_wire(),
        };
        if probe {
            write.open_table(tables::PROBE)?.insert((), open.update_ts)?;
        }
        for step in batch.writes {
            outcomes.extend(open.step(step)?);
        }
    }
    // What was read without a write was durable before.
    if changes {
        write.commit()?
    } else {
        write.abort()?
    }
    Ok(outcomes)
}

struct Open<'a> {
    records: Table<'a, &'static [u8], &'static [u8]>,
    kv: Table<'a, &'static [u8], &'static [u8]>,
    inputs: Table<'a, &'static [u8], &'static [u8]>,
    update_ts: i64,
}

impl Open<'_> {
    fn step(&mut self, step: Write) -> Result<Option<Outcome>, redb::Error> {
        use redb::ReadableTable as _;
        match step {
            Write::Put(key, record) => {
                let (key, record) = (tables::encode_key(&key), tables::encode_record(&record));
                self.records.insert(key.as_slice(), record.as_slice())?;
                Ok(None)
            }
            Write::Delete(key) => {
                self.records.remove(tables::encode_key(&key).as_slice())?;
                Ok(None)
            }
            Write::Kv { actor, request } => kv::apply(&mut self.kv, actor, request, self.update_ts)
                .map(|answer| Some(Outcome::Kv(answer))),
            Write::KeepInput { actor, input } => {
                self.inputs.insert(actor.as_str().as_bytes(), input.as_ref())?;
                Ok(None)
            }
            Write::ReadInput { actor } => {
                let input = self.inputs.get(actor.as_str().as_bytes())?;
                Ok(Some(Outcome::Input(input.map(|input| Bytes::copy_from_slice(input.value())))))
            }
            Write::Erase { actor } => {
                self.inputs.remove(actor.as_str().as_bytes())?;
                kv::apply(&mut self.kv, actor, KvRequestData::Drop, self.update_ts)?;
                Ok(None)
            }
        }
    }
}
