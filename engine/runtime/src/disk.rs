//! Files that a storage engine sits on.
//!
//! Storage engines are synchronous, so they enter by [`blocking`]: a blocking thread under tokio; in a world the
//! closure runs at once and the task then waits the modelled time of what it did. Everything else here is synchronous
//! and belongs inside that closure: outside it, a real disk would stop the thread for everybody.
//!
//! ```
//! # runtime::process::block_on(None, async {
//! # let folder = tempfile::tempdir().unwrap();
//! # let path = folder.path().join("store");
//! let length = runtime::disk::blocking(move || -> Result<u64, Box<dyn std::error::Error + Send + Sync>> {
//!     let file = runtime::disk::open(&path)?;
//!     file.write(0, b"kept")?;
//!     file.sync()?;
//!     Ok(file.len()?)
//! })
//! .await;
//! assert_eq!(length.unwrap(), 4);
//! # }).unwrap();
//! ```
//!
//! What was written is durable only when the *await* of the closure in which it was synced has ended.

mod host;

use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use crate::world::{self, BlockFile};

/// Why a file could not be opened.
#[derive(Debug, thiserror::Error)]
pub enum DiskError {
    /// Another process (or another opening in this one) holds it.
    #[error("{} is in use by another process", path.display())]
    InUse {
        /// The file.
        path: PathBuf,
    },
    /// It cannot be read and written, or not be created.
    #[error("cannot open {}: {source}", path.display())]
    Unreadable {
        /// The file or folder.
        path: PathBuf,
        /// What the system says.
        source: io::Error,
    },
}

impl DiskError {
    fn of(path: &Path, source: io::Error) -> Self {
        match source.kind() {
            io::ErrorKind::WouldBlock => Self::InUse { path: path.to_owned() },
            _ => Self::Unreadable { path: path.to_owned(), source },
        }
    }
}

/// An open, locked file. Clones share it; the last one to be dropped releases the lock.
#[derive(Clone, Debug)]
pub struct File(Arc<dyn BlockFile>);

/// Opens `path` for reading and writing and locks it for this process; creates it (durably, though empty, and for its
/// owner only) if it is missing. The folder must exist. Call it inside [`blocking`].
///
/// # Errors
/// [`DiskError`].
pub fn open(path: impl AsRef<Path>) -> Result<File, DiskError> {
    let path = path.as_ref();
    let opened = match world::current() {
        Some(world) => world.open(path).map(Arc::from),
        None => host::open(path),
    };
    opened.map(File).map_err(|source| DiskError::of(path, source))
}

/// Opens `path`, which must be there, for reading only, and locks it as [`open`] does: also where the file system takes
/// no writes at all. A world opens it as [`open`] does. Call it inside [`blocking`].
///
/// # Errors
/// [`DiskError`].
pub fn open_to_read(path: impl AsRef<Path>) -> Result<File, DiskError> {
    let path = path.as_ref();
    let opened = match world::current() {
        Some(world) if world.exists(path) => world.open(path).map(Arc::from),
        Some(_) => Err(io::ErrorKind::NotFound.into()),
        None => host::open_to_read(path),
    };
    opened.map(File).map_err(|source| DiskError::of(path, source))
}

/// Whether there is a file at `path`. Call it inside [`blocking`].
#[must_use]
pub fn exists(path: impl AsRef<Path>) -> bool {
    match world::current() {
        Some(world) => world.exists(path.as_ref()),
        None => path.as_ref().exists(),
    }
}

/// Creates a folder and those above it, where missing: durably, and for their owner only. A world's disk has no folders:
/// any path is a name there. Call it inside [`blocking`].
///
/// # Errors
/// [`DiskError::Unreadable`] if it cannot be created.
pub fn create_folder(path: impl AsRef<Path>) -> Result<(), DiskError> {
    let path = path.as_ref();
    match world::current() {
        Some(_) => Ok(()),
        None => host::create_folder(path)
            .map_err(|source| DiskError::Unreadable { path: path.to_owned(), source }),
    }
}

impl File {
    /// Length in bytes.
    ///
    /// # Errors
    /// What the system says.
    pub fn len(&self) -> io::Result<u64> {
        self.0.len()
    }
    /// Whether it holds nothing.
    ///
    /// # Errors
    /// What the system says.
    pub fn is_empty(&self) -> io::Result<bool> {
        self.0.is_empty()
    }
    /// Fills `out` from `offset`.
    ///
    /// # Errors
    /// [`io::ErrorKind::UnexpectedEof`] if the file ends before `out` is full, and what else the system says.
    pub fn read(&self, offset: u64, out: &mut [u8]) -> io::Result<()> {
        self.0.read(offset, out)
    }
    /// Writes all of `data` at `offset`, extending the file with zeros where needed. Not durable before a sync.
    ///
    /// # Errors
    /// What the system says; some of `data` may be written then.
    pub fn write(&self, offset: u64, data: &[u8]) -> io::Result<()> {
        self.0.write(offset, data)
    }
    /// Cuts or zero-extends. Not durable before a sync.
    ///
    /// # Errors
    /// What the system says.
    pub fn set_len(&self, len: u64) -> io::Result<()> {
        self.0.set_len(len)
    }
    /// Makes everything written so far durable (`fdatasync`).
    ///
    /// # Errors
    /// What the system says. What was written since the last successful sync may or may not be durable then, and a
    /// later sync that succeeds says nothing about it: reopen and look.
    pub fn sync(&self) -> io::Result<()> {
        self.0.sync()
    }
}

/// Runs `work`, which may use files, where it stops nobody else, and answers with what it returns when that is
/// durable (as far as it was synced). A panic in `work` is passed on. Once it has started, dropping the future does
/// not end `work`.
///
/// # Panics
/// Outside both a world and a tokio runtime.
pub async fn blocking<T, F>(work: F) -> T
where
    T: Send + 'static,
    F: FnOnce() -> T + Send + 'static,
{
    if world::current().is_none() {
        return host::blocking(work).await;
    }
    let (done, wait) = in_world(work);
    wait.await;
    done
}

fn in_world<T>(work: impl FnOnce() -> T) -> (T, world::Answer<()>) {
    let (mut work, mut done) = (Some(work), None);
    let wait = world::home_of("disk").blocking(&mut || done = work.take().map(|work| work()));
    (done.expect("a world runs the work before it answers"), wait)
}
