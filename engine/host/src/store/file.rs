//! The layout of the store's file: a stamp of our own in the first block, the database behind it.
//!
//! The stamp tells our files from everybody else's before a single byte is written, and tells a file whose making a
//! crash cut short (made again) from one that is damaged (refused): until the database has written its own magic
//! number, which it does last, nothing behind the stamp can matter.

use std::io;
use std::path::Path;

use redb::StorageBackend;
use runtime::disk::File;

use super::StoreError;
use super::overlay::Overlay;

/// Size of the first block; the database begins behind it. The page size of redb, so that its pages stay aligned.
const BLOCK: u64 = 4096;
/// What the first block begins with. The text behind it, up to the line's end, names the format.
const MAGIC: &[u8] = b"rehearsal store, format ";
/// The format this engine writes: the layout of tables. It reads all from 1 on. 1: the first, with a table of probes of its
/// own. 2: who writes, when it was probed and how much is stored are rows of one table.
pub(super) const FORMAT: u32 = 2;
/// Longest format name that is shown.
const FORMAT_BYTES_MAX: usize = 16;
/// Size of redb's own magic number, the first bytes of every database (its design document).
const REDB_MAGIC: usize = 9;
/// redb's header occupies its first page.
const REDB_HEADER: u64 = 4096;

/// There is a file, of whatever content.
pub(super) fn exists(path: &Path) -> Result<(), StoreError> {
    if runtime::disk::exists(path) { Ok(()) } else { Err(StoreError::Missing { path: path.to_owned() }) }
}

/// The database's part of the file.
#[derive(Debug)]
pub(super) struct Backend {
    file: File,
    /// Where it is written if not there.
    overlay: Option<Overlay>,
}

impl StorageBackend for Backend {
    fn len(&self) -> io::Result<u64> {
        let len = match &self.overlay {
            Some(overlay) => overlay.len(),
            None => self.file.len()?,
        };
        Ok(len.saturating_sub(BLOCK))
    }
    fn read(&self, offset: u64, out: &mut [u8]) -> io::Result<()> {
        match &self.overlay {
            Some(overlay) => overlay.read(&self.file, BLOCK + offset, out),
            None => self.file.read(BLOCK + offset, out),
        }
    }
    fn set_len(&self, len: u64) -> io::Result<()> {
        match &self.overlay {
            Some(overlay) => {
                overlay.set_len(BLOCK + len);
                Ok(())
            }
            None => self.file.set_len(BLOCK + len),
        }
    }
    fn sync_data(&self) -> io::Result<()> {
        match &self.overlay {
            Some(_) => Ok(()),
            None => self.file.sync(),
        }
    }
    fn write(&self, offset: u64, data: &[u8]) -> io::Result<()> {
        match &self.overlay {
            Some(overlay) => overlay.write(&self.file, BLOCK + offset, data),
            None => self.file.write(BLOCK + offset, data),
        }
    }
}

impl Backend {
    const fn of(file: File) -> Self {
        Self { file, overlay: None }
    }

    /// The same content, of which nothing is written to the file any more.
    pub(super) fn read_only(self) -> io::Result<Self> {
        let overlay = Some(Overlay::new(&self.file)?);
        Ok(Self { file: self.file, overlay })
    }

    /// The whole file.
    pub(super) fn file(&self) -> File {
        self.file.clone()
    }

    /// Says that the content is of [`FORMAT`], which it then has to be brought to.
    pub(super) fn stamp_again(file: &File) -> io::Result<()> {
        file.write(0, &stamp_text())?;
        file.sync()
    }
}

/// How a file is looked at: [`prepare`] or [`existing`].
pub(super) type Look = fn(File, &Path) -> Result<(Backend, u32), StoreError>;

/// Looks at the file, stamps it if it is new, and gives the database its part, with the format of its content.
pub(super) fn prepare(file: File, path: &Path) -> Result<(Backend, u32), StoreError> {
    match examine(&file, path)? {
        Found::Nothing => protocol::mark!("store_file_made"),
        Found::HalfMade => protocol::mark!("store_file_half_made"),
        Found::Store { format } => return Ok((Backend::of(file), format)),
    }
    stamp(&file).map_err(|error| StoreError::from_io(path, &error))?;
    Ok((Backend::of(file), FORMAT))
}

/// Looks at the file and gives the database its part, with the format of its content, if it holds a store already.
/// Writes nothing.
pub(super) fn existing(file: File, path: &Path) -> Result<(Backend, u32), StoreError> {
    match examine(&file, path)? {
        Found::Store { format } => Ok((Backend::of(file), format)),
        Found::Nothing | Found::HalfMade => Err(StoreError::Missing { path: path.to_owned() }),
    }
}

enum Found {
    Nothing,
    HalfMade,
    Store { format: u32 },
}

/// What a file of [`FORMAT`] begins with.
fn stamp_text() -> Vec<u8> {
    [MAGIC, FORMAT.to_string().as_bytes(), b"\n"].concat()
}

fn stamp(file: &File) -> io::Result<()> {
    let mut block = vec![0; usize::try_from(BLOCK).expect("a block fits in memory")];
    let text = stamp_text();
    block[..text.len()].copy_from_slice(&text);
    file.set_len(BLOCK)?;
    file.write(0, &block)?;
    // The stamp must be there before the database writes anything: nothing without a stamp is ever ours.
    file.sync()
}

fn examine(file: &File, path: &Path) -> Result<Found, StoreError> {
    let failed = |error: io::Error| StoreError::from_io(path, &error);
    let len = file.len().map_err(failed)?;
    let mut block = vec![0; usize::try_from(len.min(BLOCK)).expect("at most a block")];
    file.read(0, &mut block).map_err(failed)?;
    if len <= BLOCK && block.iter().all(|byte| *byte == 0) {
        return Ok(Found::Nothing);
    }
    let Some(rest) = block.strip_prefix(MAGIC) else {
        return Err(StoreError::Foreign { path: path.to_owned() });
    };
    let shown = &rest[..rest.len().min(FORMAT_BYTES_MAX)];
    let name = shown.split(|byte| *byte == b'\n').next().unwrap_or_default();
    let found = String::from_utf8_lossy(name).into_owned();
    let Some(format) = found.parse().ok().filter(|format| (1..=FORMAT).contains(format)) else {
        return Err(StoreError::Format { path: path.to_owned(), found, ours: FORMAT });
    };
    if len < BLOCK {
        return Err(StoreError::Damaged {
            path: path.to_owned(),
            reason: format!("it ends after {len} bytes"),
        });
    }
    if never_finished(file, len).map_err(failed)? { Ok(Found::HalfMade) } else { Ok(Found::Store { format }) }
}

/// Whether the database has no magic number yet and nothing behind its header.
fn never_finished(file: &File, len: u64) -> io::Result<bool> {
    let mut magic = [0; REDB_MAGIC];
    let behind = usize::try_from((len - BLOCK).min(magic.len() as u64)).expect("at most nine");
    file.read(BLOCK, &mut magic[..behind])?;
    if magic != [0; REDB_MAGIC] {
        return Ok(false);
    }
    let mut offset = BLOCK + REDB_HEADER;
    let mut chunk = vec![0; 64 * 1024];
    while offset < len {
        let size = usize::try_from((len - offset).min(chunk.len() as u64)).expect("at most a chunk");
        file.read(offset, &mut chunk[..size])?;
        if chunk[..size].iter().any(|byte| *byte != 0) {
            return Ok(false);
        }
        offset += size as u64;
    }
    Ok(true)
}
