//! Backups: all rows of a store at one moment, as one stream of bytes.
//!
//! A line that names the format, a line of JSON ([`Header`]), then row after row: a byte for its space, the lengths of
//! key and value (`u32`, little endian), both. A zero byte ends the rows; behind it their number (`u64`) and the XXH3-128
//! of everything before the sum itself. Without that end a backup is none. Rows are as they are in the store, versions of
//! records included, so an engine reads backups of the formats whose stores it reads. What is about the store itself
//! ([`Space::Meta`]) stays out.
//!
//! `Copying` writes one, [`Reading`] reads one, [`restore`] makes a store of one; none of them holds more than a piece.

mod reading;
mod restoring;

use std::ops::ControlFlow;
use std::sync::Arc;

use bytes::{BufMut as _, Bytes, BytesMut};
use serde::{Deserialize, Serialize};
use xxhash_rust::xxh3::Xxh3Default;

pub use reading::{BackupError, Contents, Reading, Row};
pub use restoring::{RestoringError, restore};

use super::face::{self, Fault, Order, Range, Snapshot, Space};
use super::file;

/// What a backup begins with. The number behind it, up to the line's end, is its format.
const MAGIC: &str = "rehearsal backup, format ";
/// The format that is written and read.
const FORMAT: u32 = 1;
/// What is copied, in this order.
const SPACES: [Space; 3] = [Space::Records, Space::Kv, Space::Inputs];
/// What is read before it is sent on. Ours: large enough that a piece costs more than its hand-over.
const PIECE_BYTES: usize = 256 * 1024;

/// What a backup says of itself.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Header {
    /// Format of the store it was made from.
    pub store_format: u32,
    /// Version of the engine that made it.
    pub engine: String,
    /// When, wall clock milliseconds.
    pub made: u64,
    /// Rows that follow.
    pub rows: u64,
}

/// A backup that is being written.
pub(crate) struct Copying {
    snapshot: Arc<dyn Snapshot>,
    sum: Xxh3Default,
    rows: u64,
    stage: Stage,
}

#[derive(Debug)]
enum Stage {
    Begin,
    /// The rows of a space (an index into [`SPACES`]) from this key on.
    Rows(usize, Vec<u8>),
    Ended,
}

impl Copying {
    pub(crate) fn of(snapshot: Arc<dyn Snapshot>) -> Self {
        Self { snapshot, sum: Xxh3Default::new(), rows: 0, stage: Stage::Begin }
    }

    /// The next piece; none after the last. It may block.
    pub(crate) fn next(&mut self) -> Result<Option<Bytes>, Fault> {
        let mut piece = BytesMut::new();
        while piece.len() < PIECE_BYTES {
            match &self.stage {
                Stage::Begin => {
                    self.begin(&mut piece)?;
                    self.stage = Stage::Rows(0, Vec::new());
                }
                Stage::Rows(at, from) if *at < SPACES.len() => {
                    let (at, from) = (*at, from.clone());
                    self.stage = match self.rows(SPACES[at], from, &mut piece)? {
                        Some(next) => Stage::Rows(at, next),
                        None => Stage::Rows(at + 1, Vec::new()),
                    };
                }
                Stage::Rows(..) => {
                    piece.put_u8(0);
                    piece.put_u64_le(self.rows);
                    self.sum.update(&piece);
                    piece.put_u128_le(self.sum.digest128());
                    self.stage = Stage::Ended;
                    return Ok(Some(piece.freeze()));
                }
                Stage::Ended => return Ok(None),
            }
        }
        self.sum.update(&piece);
        Ok(Some(piece.freeze()))
    }

    fn begin(&self, piece: &mut BytesMut) -> Result<(), Fault> {
        let mut rows = 0;
        for space in SPACES {
            rows += self.snapshot.count(space)?;
        }
        let header = Header {
            store_format: file::FORMAT,
            engine: env!("CARGO_PKG_VERSION").to_owned(),
            made: runtime::wall().as_millis(),
            rows,
        };
        let header = serde_json::to_string(&header).expect("text and numbers are JSON");
        piece.put_slice(format!("{MAGIC}{FORMAT}\n{header}\n").as_bytes());
        Ok(())
    }

    /// Fills the piece with rows from this key on; where to go on, if it became full.
    fn rows(&mut self, space: Space, from: Vec<u8>, piece: &mut BytesMut) -> Result<Option<Vec<u8>>, Fault> {
        let (mut next, mut rows) = (None, 0);
        let range = Range { start: from, end: None };
        self.snapshot.scan(space, &range, Order::Forward, &mut |key, value| {
            piece.put_u8(tag(space));
            piece.put_u32_le(length(key)?);
            piece.put_u32_le(length(value)?);
            piece.put_slice(key);
            piece.put_slice(value);
            rows += 1;
            if piece.len() < PIECE_BYTES {
                return Ok(ControlFlow::Continue(()));
            }
            next = Some(face::after(key));
            Ok(ControlFlow::Break(()))
        })?;
        self.rows += rows;
        Ok(next)
    }
}

fn length(bytes: &[u8]) -> Result<u32, Fault> {
    u32::try_from(bytes.len()).map_err(|_| Fault::Damaged("a row of 4 GiB".to_owned()))
}

/// The byte that a row of the space begins with. Never changes.
const fn tag(space: Space) -> u8 {
    match space {
        Space::Records => 1,
        Space::Kv => 2,
        Space::Inputs => 3,
        Space::Meta => 4,
    }
}
