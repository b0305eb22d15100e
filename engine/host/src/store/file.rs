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

/// Size of the first block; the database begins behind it. The page size of redb, so that its pages stay aligned.
const BLOCK: u64 = 4096;
/// What the first block begins with. The text behind it, up to the line's end, names the format.
const MAGIC: &[u8] = b"rehearsal store, format ";
/// The format this engine writes and reads: the layout of tables and records.
const FORMAT: &str = "1";
/// Longest format name that is shown.
const FORMAT_BYTES_MAX: usize = 16;
/// redb's own magic number, the first bytes of every database (its design document).
const REDB_MAGIC: [u8; 9] = [b'r', b'e', b'd', b'b', 0x1A, 0x0A, 0xA9, 0x0D, 0x0A];
/// redb's header occupies its first page.
const REDB_HEADER: u64 = 4096;

/// The database's part of the file.
#[derive(Debug)]
pub(super) struct Backend(File);

impl StorageBackend for Backend {
    fn len(&self) -> io::Result<u64> {
        Ok(self.0.len()?.saturating_sub(BLOCK))
    }
    fn read(&self, offset: u64, out: &mut [u8]) -> io::Result<()> {
        self.0.read(BLOCK + offset, out)
    }
    fn set_len(&self, len: u64) -> io::Result<()> {
        self.0.set_len(BLOCK + len)
    }
    fn sync_data(&self) -> io::Result<()> {
        self.0.sync()
    }
    fn write(&self, offset: u64, data: &[u8]) -> io::Result<()> {
        self.0.write(BLOCK + offset, data)
    }
}

/// Looks at the file, stamps it if it is new, and gives the database its part.
pub(super) fn prepare(file: File, path: &Path) -> Result<Backend, StoreError> {
    match examine(&file, path)? {
        Found::Nothing => {
            protocol::mark!("store_file_made");
            stamp(&file).map_err(|error| StoreError::from_io(path, &error))?;
        }
        Found::HalfMade => {
            protocol::mark!("store_file_half_made");
            stamp(&file).map_err(|error| StoreError::from_io(path, &error))?;
        }
        Found::Store => {}
    }
    Ok(Backend(file))
}

/// Looks at the file and gives the database its part, if it holds a store already. Writes nothing.
pub(super) fn existing(file: File, path: &Path) -> Result<Backend, StoreError> {
    match examine(&file, path)? {
        Found::Store => Ok(Backend(file)),
        Found::Nothing | Found::HalfMade => Err(StoreError::Missing { path: path.to_owned() }),
    }
}

enum Found {
    Nothing,
    HalfMade,
    Store,
}

fn stamp(file: &File) -> io::Result<()> {
    let mut block = vec![0; usize::try_from(BLOCK).expect("a block fits in memory")];
    let text = [MAGIC, FORMAT.as_bytes(), b"\n"].concat();
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
    if name != FORMAT.as_bytes() {
        let found = String::from_utf8_lossy(name).into_owned();
        return Err(StoreError::Format { path: path.to_owned(), found, ours: FORMAT });
    }
    if len < BLOCK {
        return Err(StoreError::Damaged {
            path: path.to_owned(),
            reason: format!("it ends after {len} bytes"),
        });
    }
    if never_finished(file, len).map_err(failed)? { Ok(Found::HalfMade) } else { Ok(Found::Store) }
}

/// Whether the database has no magic number yet and nothing behind its header.
fn never_finished(file: &File, len: u64) -> io::Result<bool> {
    let mut magic = [0; REDB_MAGIC.len()];
    let behind = usize::try_from((len - BLOCK).min(magic.len() as u64)).expect("at most nine");
    file.read(BLOCK, &mut magic[..behind])?;
    if magic == REDB_MAGIC {
        return Ok(false);
    }
    if magic != [0; REDB_MAGIC.len()] {
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
