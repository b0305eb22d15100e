//! The store: one file in the data folder, an ordered key-value database with transactions ([redb]) on
//! [`runtime::disk`].
//!
//! It keeps the records of the control plane, the KV contents of actors, and their inputs. It decides nothing: it
//! applies a [`Batch`] in one transaction and answers the reads in it at their position. Every access runs inside
//! [`runtime::disk::blocking`]. The layout of the file is in [`mod@file`], of its tables in
//! [`mod@tables`], the semantics of actor KV in [`kv`].

mod batch;
mod error;
mod file;
pub mod kv;
mod tables;

use std::path::{Path, PathBuf};
use std::sync::Arc;

use machines::control::record::{Key, Record};
use redb::{Builder, Database, ReadableDatabase as _, ReadableTable as _, ReadableTableMetadata as _};

pub use batch::{Batch, Outcome, Write};
pub use error::StoreError;

/// Name of the store's file in the data folder.
pub const FILE_NAME: &str = "rehearsal.store";

/// Memory the database may use for pages. Ours: the control plane's state is in memory anyway, so this serves actor KV.
const CACHE_BYTES: usize = 64 * 1024 * 1024;

/// Largest file that is verified whenever it is opened: as much as the cache keeps of it. 64 MiB take 0.1 s of a core;
/// 1 GiB takes 1.4 s of a core and up to 15 s of a busy disk, in which an engine that comes back would not serve.
pub const VERIFIED_BYTES_MAX: u64 = 64 * 1024 * 1024;

/// The open store. One owner writes: [`commit`](Self::commit) takes it exclusively.
#[derive(Debug)]
pub struct Store {
    path: PathBuf,
    // `None` only while it is being closed.
    database: Option<Arc<Database>>,
}

/// What the store holds, counted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    /// Records of the control plane.
    pub records: u64,
    /// KV entries of all actors.
    pub kv: u64,
    /// Inputs of actors.
    pub inputs: u64,
}

impl Store {
    /// Opens the store in `folder`, and makes folder and file where they are missing. A file of at most
    /// [`VERIFIED_BYTES_MAX`] is verified (every page has a checksum): if it is damaged, it is refused instead of
    /// trusted. A larger one is trusted, and opens in a time that does not grow with it.
    ///
    /// # Errors
    /// [`StoreError`]; nothing is written then to a file that is not ours, or is seen to be damaged.
    ///
    /// # Panics
    /// The database may, on a file that is damaged and too large to be verified.
    pub async fn open(folder: impl Into<PathBuf>) -> Result<Self, StoreError> {
        let folder = folder.into();
        runtime::disk::blocking(move || Self::open_now(&folder)).await
    }

    /// Opens the store that is in `folder` already, and verifies all of it, however large it is.
    ///
    /// # Errors
    /// [`StoreError`]; [`StoreError::Missing`] if there is none, or one whose making was cut short. Nothing is written
    /// then.
    pub async fn verify(folder: impl Into<PathBuf>) -> Result<Self, StoreError> {
        let folder = folder.into();
        runtime::disk::blocking(move || Self::verify_now(&folder)).await
    }

    fn open_now(folder: &Path) -> Result<Self, StoreError> {
        let path = folder.join(FILE_NAME);
        runtime::disk::create_folder(folder).map_err(StoreError::from_disk)?;
        let disk = runtime::disk::open(&path).map_err(StoreError::from_disk)?;
        let size = disk.len().map_err(|error| StoreError::from_io(&path, &error))?;
        let backend = file::prepare(disk, &path)?;
        Self::with(backend, path, size <= VERIFIED_BYTES_MAX)
    }

    fn verify_now(folder: &Path) -> Result<Self, StoreError> {
        let path = folder.join(FILE_NAME);
        if !runtime::disk::exists(&path) {
            return Err(StoreError::Missing { path });
        }
        let disk = runtime::disk::open(&path).map_err(StoreError::from_disk)?;
        let backend = file::existing(disk, &path)?;
        Self::with(backend, path, true)
    }

    fn with(backend: file::Backend, path: PathBuf, verified: bool) -> Result<Self, StoreError> {
        let database = Builder::new()
            .set_cache_size(CACHE_BYTES)
            .set_check_integrity_on_open(verified)
            .create_with_backend(backend)
            .map_err(|error| StoreError::from_open(&path, error))?;
        tables::create(&database).map_err(|error| StoreError::from_redb(&path, error))?;
        Ok(Self { path, database: Some(Arc::new(database)) })
    }

    /// Every record, in the order of their encoded keys.
    ///
    /// # Errors
    /// [`StoreError::Damaged`] when a record does not decode, and what reading may say.
    pub async fn load(&self) -> Result<Vec<(Key, Record)>, StoreError> {
        let (path, database) = (self.path.clone(), self.database());
        runtime::disk::blocking(move || load_now(&path, &database)).await
    }

    /// How much there is of each kind.
    ///
    /// # Errors
    /// What reading may say.
    pub async fn counts(&self) -> Result<Counts, StoreError> {
        let (path, database) = (self.path.clone(), self.database());
        runtime::disk::blocking(move || {
            count_now(&database).map_err(|error| StoreError::from_redb(&path, error))
        })
        .await
    }

    /// Applies a batch in one transaction and answers with one [`Outcome`] per [`Write`] that has one, in their order.
    /// When it returns, all of it is durable. A batch that changes nothing reads only.
    ///
    /// # Errors
    /// [`StoreError::Commit`]: whether the batch is durable is unknown then, and the store must be dropped and opened
    /// again (the database refuses everything after a failed sync).
    pub async fn commit(&mut self, batch: Batch) -> Result<Vec<Outcome>, StoreError> {
        let (path, database) = (self.path.clone(), self.database());
        runtime::disk::blocking(move || batch::apply(&database, batch, &path)).await
    }

    /// Closes the store; what was committed is durable already. Dropping it without this does the same, on the spot.
    pub async fn close(mut self) {
        if let Some(database) = self.database.take() {
            runtime::disk::blocking(move || drop(database)).await;
        }
    }

    fn database(&self) -> Arc<Database> {
        Arc::clone(self.database.as_ref().expect("a store that is being closed has no other user"))
    }
}

fn load_now(path: &Path, database: &Database) -> Result<Vec<(Key, Record)>, StoreError> {
    let failed = |error: redb::Error| StoreError::from_redb(path, error);
    let read = database.begin_read().map_err(|error| failed(error.into()))?;
    let records = read.open_table(tables::RECORDS).map_err(|error| failed(error.into()))?;
    let mut loaded = Vec::new();
    for row in records.iter().map_err(|error| failed(error.into()))? {
        let (key, value) = row.map_err(|error| failed(error.into()))?;
        let row = tables::decode_record(key.value(), value.value());
        loaded.push(row.map_err(|reason| StoreError::Damaged { path: path.to_owned(), reason })?);
    }
    Ok(loaded)
}

fn count_now(database: &Database) -> Result<Counts, redb::Error> {
    let read = database.begin_read()?;
    Ok(Counts {
        records: read.open_table(tables::RECORDS)?.len()?,
        kv: read.open_table(tables::KV)?.len()?,
        inputs: read.open_table(tables::INPUTS)?.len()?,
    })
}
