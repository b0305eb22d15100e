//! Reading a backup, row by row, and not believing it before its end.

use std::io::{self, Read};

use machines::control::record::{Key, Record};
use xxhash_rust::xxh3::Xxh3Default;

use super::{FORMAT, Header, MAGIC, SPACES, tag};
use crate::store::face::Space;
use crate::store::{file, record};

/// Longest line at the beginning.
const LINE_BYTES_MAX: usize = 4096;
/// Longest key and value that are believed: several times what the engine stores in a row.
const ROW_BYTES_MAX: u32 = 64 * 1024 * 1024;

/// Why something is no backup that can be used.
#[derive(Debug, thiserror::Error)]
pub enum BackupError {
    /// It cannot be read.
    #[error("it cannot be read: {0}")]
    Unreadable(#[source] io::Error),
    /// It is something else.
    #[error("it is no backup of this engine")]
    Foreign,
    /// It is of another format.
    #[error("its format is {found:?}, this engine reads {ours}: restore it with the engine that made it")]
    Format {
        /// What it says.
        found: String,
        /// What is read.
        ours: String,
    },
    /// It has no end.
    #[error("it was cut short behind {rows} rows: make another")]
    Cut {
        /// Rows that are whole.
        rows: u64,
    },
    /// It is not what was written.
    #[error("it is damaged: {0}")]
    Damaged(String),
}

/// One row.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Row {
    pub(super) space: Space,
    pub(super) key: Vec<u8>,
    pub(super) value: Vec<u8>,
}

/// A backup that is being read.
pub struct Reading<R> {
    source: R,
    sum: Xxh3Default,
    header: Header,
    rows: u64,
}

/// What a whole backup holds.
#[derive(Debug, Default)]
pub struct Contents {
    /// Records of the control plane.
    pub records: Vec<(Key, Record)>,
    /// KV entries of all actors.
    pub kv: u64,
    /// Inputs of actors.
    pub inputs: u64,
    /// Keys and values, in bytes.
    pub bytes: u64,
}

impl<R: Read> Reading<R> {
    /// Reads what it says of itself.
    ///
    /// # Errors
    /// [`BackupError`].
    pub fn open(mut source: R) -> Result<Self, BackupError> {
        let mut sum = Xxh3Default::new();
        let magic = line(&mut source, &mut sum)?;
        let format = magic.strip_prefix(MAGIC).ok_or(BackupError::Foreign)?;
        if format.parse() != Ok(FORMAT) {
            let ours = FORMAT.to_string();
            return Err(BackupError::Format { found: format.to_owned(), ours });
        }
        let header = line(&mut source, &mut sum)?;
        let header: Header = serde_json::from_str(&header)
            .map_err(|error| BackupError::Damaged(format!("what it says of itself: {error}")))?;
        if !(1..=file::FORMAT).contains(&header.store_format) {
            let found = format!("{FORMAT} of a store of format {}", header.store_format);
            let ours = format!("those of stores of formats 1 to {}", file::FORMAT);
            return Err(BackupError::Format { found, ours });
        }
        Ok(Self { source, sum, header, rows: 0 })
    }

    /// What it says of itself.
    pub const fn header(&self) -> &Header {
        &self.header
    }

    /// The next row. `None`: this was all of it, and it is as it was written.
    ///
    /// # Errors
    /// [`BackupError`].
    pub fn next_row(&mut self) -> Result<Option<Row>, BackupError> {
        let [kind] = self.take::<1>()?;
        if kind == 0 {
            return self.end().map(|()| None);
        }
        let space = SPACES.into_iter().find(|space| tag(*space) == kind);
        let space = space.ok_or_else(|| BackupError::Damaged(format!("a row of kind {kind}")))?;
        let key = u32::from_le_bytes(self.take()?);
        let value = u32::from_le_bytes(self.take()?);
        let row = Row { space, key: self.bytes(key)?, value: self.bytes(value)? };
        self.rows += 1;
        Ok(Some(row))
    }

    /// Everything it holds, but the values of actors.
    ///
    /// # Errors
    /// [`BackupError`].
    pub fn contents(mut self) -> Result<Contents, BackupError> {
        let mut contents = Contents::default();
        while let Some(row) = self.next_row()? {
            contents.bytes += (row.key.len() + row.value.len()) as u64;
            match row.space {
                Space::Records => {
                    contents
                        .records
                        .push(record::decode(&row.key, &row.value).map_err(BackupError::Damaged)?);
                }
                Space::Kv => contents.kv += 1,
                Space::Inputs => contents.inputs += 1,
                Space::Meta => unreachable!("it is not copied"),
            }
        }
        Ok(contents)
    }

    fn end(&mut self) -> Result<(), BackupError> {
        let rows = u64::from_le_bytes(self.take()?);
        let expected = self.sum.digest128();
        let mut sum = [0; 16];
        self.source.read_exact(&mut sum).map_err(|error| unread(error, self.rows))?;
        if u128::from_le_bytes(sum) != expected {
            return Err(BackupError::Damaged("its sum is another".to_owned()));
        }
        if rows != self.rows || rows != self.header.rows {
            return Err(BackupError::Damaged(format!("{} of {rows} rows are there", self.rows)));
        }
        match self.source.read(&mut [0]) {
            Ok(0) => Ok(()),
            Ok(_) => Err(BackupError::Damaged("something stands behind its end".to_owned())),
            Err(error) => Err(BackupError::Unreadable(error)),
        }
    }

    fn take<const N: usize>(&mut self) -> Result<[u8; N], BackupError> {
        let mut bytes = [0; N];
        self.fill(&mut bytes)?;
        Ok(bytes)
    }

    fn bytes(&mut self, length: u32) -> Result<Vec<u8>, BackupError> {
        if length > ROW_BYTES_MAX {
            return Err(BackupError::Damaged(format!("a row of {length} bytes")));
        }
        let mut bytes = vec![0; usize::try_from(length).expect("64 MiB fit in memory")];
        self.fill(&mut bytes)?;
        Ok(bytes)
    }

    fn fill(&mut self, bytes: &mut [u8]) -> Result<(), BackupError> {
        self.source.read_exact(bytes).map_err(|error| unread(error, self.rows))?;
        self.sum.update(bytes);
        Ok(())
    }
}

fn line(source: &mut impl Read, sum: &mut Xxh3Default) -> Result<String, BackupError> {
    let mut text = Vec::new();
    loop {
        let mut byte = [0];
        match source.read_exact(&mut byte) {
            Ok(()) => {}
            Err(error) if error.kind() == io::ErrorKind::UnexpectedEof && text.is_empty() => {
                return Err(BackupError::Foreign);
            }
            Err(error) => return Err(unread(error, 0)),
        }
        sum.update(&byte);
        if byte == *b"\n" {
            return String::from_utf8(text).map_err(|_| BackupError::Foreign);
        }
        text.extend(byte);
        if text.len() > LINE_BYTES_MAX {
            return Err(BackupError::Foreign);
        }
    }
}

fn unread(error: io::Error, rows: u64) -> BackupError {
    match error.kind() {
        io::ErrorKind::UnexpectedEof => BackupError::Cut { rows },
        _ => BackupError::Unreadable(error),
    }
}
