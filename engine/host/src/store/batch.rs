//! What one transaction does.

use bytes::Bytes;
use machines::control::record::{Key, Record};
use protocol::id::ActorId;
use protocol::wire::{KvRequestData, KvResponseData};

use super::draft::Draft;
use super::face::{Fault, Space};
use super::{kv, record};

/// The row that is written to see that the store can be: when that was, wall clock milliseconds.
const PROBE: &[u8] = b"probe";

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

/// Carries the batch out on what the draft sees, and leaves in it what is to be committed.
pub(super) fn apply(draft: &mut Draft, batch: Batch) -> Result<Vec<Outcome>, Fault> {
    let now = protocol::time::Wall(runtime::wall().as_millis()).to_wire();
    if batch.probe {
        draft.put(Space::Meta, PROBE.to_vec(), now.to_le_bytes().to_vec());
    }
    let mut outcomes = Vec::new();
    for step in batch.writes {
        outcomes.extend(take(draft, step, now)?);
    }
    Ok(outcomes)
}

fn take(draft: &mut Draft, step: Write, now: i64) -> Result<Option<Outcome>, Fault> {
    match step {
        Write::Put(key, record) => {
            draft.put(Space::Records, record::encode_key(&key), record::encode(&record));
            Ok(None)
        }
        Write::Delete(key) => {
            draft.remove(Space::Records, record::encode_key(&key));
            Ok(None)
        }
        Write::Kv { actor, request } => {
            kv::apply(draft, actor, request, now).map(|answer| Some(Outcome::Kv(answer)))
        }
        Write::KeepInput { actor, input } => {
            draft.put(Space::Inputs, actor.as_str().as_bytes().to_vec(), input);
            Ok(None)
        }
        Write::ReadInput { actor } => {
            draft.get(Space::Inputs, actor.as_str().as_bytes()).map(|input| Some(Outcome::Input(input)))
        }
        Write::Erase { actor } => {
            draft.remove(Space::Inputs, actor.as_str().as_bytes().to_vec());
            kv::apply(draft, actor, KvRequestData::Drop, now)?;
            Ok(None)
        }
    }
}
