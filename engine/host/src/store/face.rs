//! The store face: all that the engine asks of a database.
//!
//! Keys are byte strings in order, in a few [`Space`]s. Reading goes through a [`Snapshot`]; writing is one
//! [`Changes`], data, which a [`Face`] applies whole or not at all. Nothing here knows files, pages or the library
//! behind it, so that a store which several processes share can stand behind it too: what one engine expects of the
//! rows it does not write ([`Changes::expect`]) is checked in the same transaction. The file is [`super::disk`]; how
//! reads see the writes before them in one batch is [`super::draft`].

use std::collections::BTreeMap;
use std::fmt;
use std::ops::ControlFlow;
use std::sync::Arc;

use bytes::Bytes;

/// What the rows of a key are about. Ordered as they are backed up.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Space {
    /// Facts about the store itself: who writes, when it was last probed.
    Meta,
    /// Records of the control plane.
    Records,
    /// KV of all actors.
    Kv,
    /// Inputs of actors.
    Inputs,
}

/// A database as the engine sees it.
///
/// One owner calls [`commit`](Self::commit); snapshots may be held and read meanwhile. All of it may block.
pub trait Face: fmt::Debug + Send + Sync {
    /// The rows as the last commit left them. They stay so however long it is held, and what was overwritten meanwhile
    /// takes room as long.
    ///
    /// # Errors
    /// [`Fault`], never [`Fault::Overtaken`].
    fn snapshot(&self) -> Result<Arc<dyn Snapshot>, Fault>;

    /// Applies all of it in one transaction: either every expectation held and every change is made, or none is. When it
    /// returns, what was changed is durable: it survives the loss of power.
    ///
    /// # Errors
    /// [`Fault::Overtaken`] when an expectation did not hold; nothing was changed. After any other, whether it was
    /// applied is unknown, and the face answers nothing any more: it is to be opened again.
    fn commit(&self, changes: Changes) -> Result<(), Fault>;

    /// Keys and values of all rows but those of [`Space::Meta`], in bytes, as of the last commit.
    fn stored_bytes(&self) -> u64;

    /// How large it is.
    ///
    /// # Errors
    /// As [`snapshot`](Self::snapshot).
    fn size(&self) -> Result<Size, Fault>;
}

/// The rows at one moment.
pub trait Snapshot: fmt::Debug + Send + Sync {
    /// The value of a key.
    ///
    /// # Errors
    /// [`Fault`], never [`Fault::Overtaken`].
    fn get(&self, space: Space, key: &[u8]) -> Result<Option<Bytes>, Fault>;

    /// Gives each row of the range to `each`, in the order of their keys or in reverse, until it breaks off.
    ///
    /// # Errors
    /// As [`get`](Self::get), and what `each` says.
    fn scan(&self, space: Space, range: &Range, order: Order, each: &mut Each<'_>) -> Result<(), Fault>;

    /// How many rows there are.
    ///
    /// # Errors
    /// As [`get`](Self::get).
    fn count(&self, space: Space) -> Result<u64, Fault>;
}

/// Takes one row, key and value, and says whether to go on.
pub type Each<'a> = dyn FnMut(&[u8], &[u8]) -> Result<ControlFlow<()>, Fault> + 'a;

/// In which direction rows are read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Order {
    /// The least key first.
    Forward,
    /// The greatest key first.
    Reverse,
}

/// Keys from `start` on, up to and without `end`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Range {
    /// The least key in it.
    pub start: Vec<u8>,
    /// The least key above it; none if it has no end.
    pub end: Option<Vec<u8>>,
}

/// What one transaction expects and changes. The ranges are cleared first, then the entries are made; later calls win
/// over earlier ones.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Changes {
    pub(super) expected: BTreeMap<(Space, Vec<u8>), Option<Bytes>>,
    pub(super) cleared: BTreeMap<Space, Vec<Range>>,
    /// `None` removes.
    pub(super) entries: BTreeMap<Space, BTreeMap<Vec<u8>, Option<Bytes>>>,
}

/// How large a store is, in bytes and rows. What it costs to know does not grow with it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, serde::Serialize)]
pub struct Size {
    /// What it takes on the disk, pages kept for later included.
    pub file_bytes: u64,
    /// Keys and values of all rows.
    pub stored_bytes: u64,
    /// Records of the control plane.
    pub records: u64,
    /// KV entries of all actors.
    pub kv: u64,
    /// Inputs of actors.
    pub inputs: u64,
}

/// Why a database does not answer.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Fault {
    /// An expectation did not hold: somebody else writes.
    #[error("another engine has taken it over")]
    Overtaken,
    /// What is stored does not hold together.
    #[error("{0}")]
    Damaged(String),
    /// The disk, or whatever is beneath, does not do what it is asked.
    #[error("{0}")]
    Failed(String),
}

impl Space {
    /// All of them.
    pub const ALL: [Self; 4] = [Self::Meta, Self::Records, Self::Kv, Self::Inputs];

    /// Its stable name.
    pub(super) const fn name(self) -> &'static str {
        match self {
            Self::Meta => "meta",
            Self::Records => "records",
            Self::Kv => "kv",
            Self::Inputs => "inputs",
        }
    }
}

impl Range {
    /// Every key.
    #[must_use]
    pub const fn all() -> Self {
        Self { start: Vec::new(), end: None }
    }

    /// The keys that begin with these bytes.
    #[must_use]
    pub fn prefix(prefix: Vec<u8>) -> Self {
        let end = successor(prefix.clone());
        Self { start: prefix, end }
    }

    /// Whether no key can be in it.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.end.as_ref().is_some_and(|end| *end <= self.start)
    }

    /// Whether the key is in it.
    #[must_use]
    pub fn holds(&self, key: &[u8]) -> bool {
        key >= self.start.as_slice() && self.end.as_ref().is_none_or(|end| key < end.as_slice())
    }
}

/// The least key above this one.
pub(super) fn after(key: &[u8]) -> Vec<u8> {
    [key, &[0]].concat()
}

/// The least byte string above all that begin with `prefix`; none if there is none.
fn successor(mut prefix: Vec<u8>) -> Option<Vec<u8>> {
    while prefix.last() == Some(&0xff) {
        prefix.pop();
    }
    *prefix.last_mut()? += 1;
    Some(prefix)
}

impl Changes {
    /// The transaction fails unless the key has this value, or none.
    pub fn expect(&mut self, space: Space, key: &[u8], value: Option<Bytes>) {
        self.expected.insert((space, key.to_vec()), value);
    }

    /// Gives the key a value.
    pub fn put(&mut self, space: Space, key: Vec<u8>, value: Bytes) {
        self.entries.entry(space).or_default().insert(key, Some(value));
    }

    /// Removes the key.
    pub fn remove(&mut self, space: Space, key: Vec<u8>) {
        self.entries.entry(space).or_default().insert(key, None);
    }

    /// Removes every key of the range.
    pub fn clear(&mut self, space: Space, range: Range) {
        if range.is_empty() {
            return;
        }
        if let Some(entries) = self.entries.get_mut(&space) {
            entries.retain(|key, _| !range.holds(key));
        }
        self.cleared.entry(space).or_default().push(range);
    }
}
