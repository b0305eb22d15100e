//! The store: what survives of an engine, in one file of the data folder.
//!
//! It keeps the records of the control plane, the KV contents of actors, and their inputs. It decides nothing: it
//! applies a [`Batch`] in one transaction and answers the reads in it at their position. Every access runs inside
//! [`runtime::disk::blocking`]. What it needs of a database is [`face`]; the file is one such database, its layout is in
//! [`mod@file`]. How records are written is in [`record`], the semantics of actor KV in [`kv`].
//!
//! At most one engine writes. Each that opens the store reads who wrote last, and its first commit says that it does
//! from here on; every commit expects to find what the one before it left. So whoever was overtaken is refused, also
//! where no lock of a file keeps a second engine out.

pub mod backup;
mod batch;
mod compaction;
mod disk;
mod draft;
mod error;
pub mod face;
mod file;
pub mod kv;
mod location;
mod overlay;
mod record;
mod row;
#[cfg(test)]
mod tests;

use std::ops::ControlFlow;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use bytes::Bytes;
use machines::control::record::{Key, Record};

pub use batch::{Batch, Outcome, Write};
pub use error::StoreError;
pub use face::Size;
pub use location::Location;

use self::disk::Disk;
use self::draft::Draft;
use self::face::{Changes, Each, Face, Fault, Order, Range, Snapshot, Space};

/// Name of the store's file in the data folder.
pub const FILE_NAME: &str = "rehearsal.store";

/// Memory the database may use for pages unless told otherwise. Ours: the control plane's state is in memory anyway, so
/// this serves actor KV.
pub const CACHE_BYTES: usize = 64 * 1024 * 1024;

/// Largest file that is verified whenever it is opened. 64 MiB take 0.1 s of a core; 1 GiB takes 1.4 s of a core and up to
/// 15 s of a busy disk, in which an engine that comes back would not serve.
pub const VERIFIED_BYTES_MAX: u64 = 64 * 1024 * 1024;

/// The row that counts who has written: `u64`, little endian, one more with each engine.
const WRITER: &[u8] = b"writer";

/// The open store. One owner writes: [`commit`](Self::commit) takes it exclusively.
#[derive(Debug)]
pub struct Store {
    path: PathBuf,
    // `None` only while it is being closed.
    face: Option<Arc<dyn Face>>,
    /// What [`WRITER`] must say when this one writes.
    writer: Option<Bytes>,
    /// Whether that is this one.
    claimed: bool,
    /// Whether what is committed would reach no disk.
    read_only: bool,
}

impl Store {
    /// Opens the store in `folder`, and makes folder and file where they are missing. A file of at most
    /// [`VERIFIED_BYTES_MAX`] is verified (every page has a checksum): if it is damaged, it is refused instead of
    /// trusted. A larger one is trusted, and opens in a time that does not grow with it. A file of an earlier format is
    /// brought to the present one: it is read through once then.
    ///
    /// # Errors
    /// [`StoreError`]; nothing is written then to a file that is not ours, or is seen to be damaged.
    ///
    /// # Panics
    /// The database may, on a file that is damaged and too large to be verified.
    pub async fn open(folder: impl Into<PathBuf>) -> Result<Self, StoreError> {
        Location::new(folder).open().await
    }

    /// Opens the store that is in `folder` already, and verifies all of it, however large it is.
    ///
    /// # Errors
    /// [`StoreError`]; [`StoreError::Missing`] if there is none, or one whose making was cut short. Nothing is written
    /// then.
    pub async fn verify(folder: impl Into<PathBuf>) -> Result<Self, StoreError> {
        let path = folder.into().join(FILE_NAME);
        runtime::disk::blocking(move || {
            file::exists(&path)?;
            let file = runtime::disk::open(&path).map_err(StoreError::from_disk)?;
            let (backend, _) = file::existing(file, &path)?;
            let disk = Disk::open(backend, CACHE_BYTES, true);
            let disk = disk.map_err(|error| StoreError::from_fault(&path, error.into()))?;
            Self::on(Arc::new(disk), path)
        })
        .await
    }

    /// A store on any face.
    fn on(face: Arc<dyn Face>, path: PathBuf) -> Result<Self, StoreError> {
        let writer = face.snapshot().and_then(|snapshot| snapshot.get(Space::Meta, WRITER));
        let writer = writer.map_err(|fault| StoreError::from_fault(&path, fault))?;
        Ok(Self { path, face: Some(face), writer, claimed: false, read_only: false })
    }

    /// Every record, in the order of their encoded keys.
    ///
    /// # Errors
    /// [`StoreError::Damaged`] when a record does not decode, and what reading may say.
    pub async fn load(&self) -> Result<Vec<(Key, Record)>, StoreError> {
        let (path, face) = (self.path.clone(), self.face());
        runtime::disk::blocking(move || {
            let loaded = face.snapshot().and_then(|snapshot| load_now(&*snapshot));
            loaded.map_err(|fault| StoreError::from_fault(&path, fault))
        })
        .await
    }

    /// The rows as they are now.
    pub(crate) async fn snapshot(&self) -> Result<Arc<dyn Snapshot>, StoreError> {
        let (path, face) = (self.path.clone(), self.face());
        let taken = runtime::disk::blocking(move || {
            let snapshot = face.snapshot()?;
            Ok(Arc::new(Held { snapshot, _face: face }) as Arc<dyn Snapshot>)
        });
        taken.await.map_err(|fault| StoreError::from_fault(&path, fault))
    }

    /// Whether somebody holds a [`snapshot`](Self::snapshot): the file cannot be opened anew meanwhile.
    pub(crate) fn is_held(&self) -> bool {
        self.face.as_ref().is_some_and(|face| Arc::strong_count(face) > 1)
    }

    /// How large it is.
    ///
    /// # Errors
    /// What reading may say.
    pub async fn size(&self) -> Result<Size, StoreError> {
        let (path, face) = (self.path.clone(), self.face());
        runtime::disk::blocking(move || face.size().map_err(|fault| StoreError::from_fault(&path, fault)))
            .await
    }

    /// Keys and values of all rows, in bytes, as of the last commit.
    #[must_use]
    pub fn stored_bytes(&self) -> u64 {
        self.face.as_ref().map_or(0, |face| face.stored_bytes())
    }

    /// Applies a batch in one transaction and answers with one [`Outcome`] per [`Write`] that has one, in their order.
    /// When it returns, all of it is durable. A batch that changes nothing reads only.
    ///
    /// # Errors
    /// [`StoreError::Overtaken`]: another engine writes, and nothing of the batch was written. [`StoreError::Commit`]:
    /// whether the batch is durable is unknown, and the store must be dropped and opened again (the database refuses
    /// everything after a failed sync).
    ///
    /// # Panics
    /// When a batch with changes is given to a store that is open to read only.
    pub async fn commit(&mut self, batch: Batch) -> Result<Vec<Outcome>, StoreError> {
        let (path, face, changes) = (self.path.clone(), self.face(), batch.changes());
        assert!(!changes || !self.read_only, "a store that is open to read is given no changes");
        let (writer, claim) = (self.writer.clone(), !self.claimed);
        let committed = runtime::disk::blocking(move || {
            commit_now(&*face, batch, writer, claim).map_err(|fault| StoreError::from_commit(&path, fault))
        });
        let (outcomes, claimed) = committed.await?;
        if changes {
            self.writer = claimed;
            self.claimed = true;
        }
        Ok(outcomes)
    }

    /// Closes the store; what was committed is durable already. Dropping it without this does the same, on the spot.
    pub async fn close(mut self) {
        if let Some(face) = self.face.take() {
            runtime::disk::blocking(move || drop(face)).await;
        }
    }

    fn face(&self) -> Arc<dyn Face> {
        Arc::clone(self.face.as_ref().expect("a store that is being closed has no other user"))
    }
}

/// A snapshot that is known to be held.
#[derive(Debug)]
struct Held {
    // Dropped first: it reads from the other.
    snapshot: Arc<dyn Snapshot>,
    _face: Arc<dyn Face>,
}

impl Snapshot for Held {
    fn get(&self, space: Space, key: &[u8]) -> Result<Option<Bytes>, Fault> {
        self.snapshot.get(space, key)
    }

    fn scan(&self, space: Space, range: &Range, order: Order, each: &mut Each<'_>) -> Result<(), Fault> {
        self.snapshot.scan(space, range, order, each)
    }

    fn count(&self, space: Space) -> Result<u64, Fault> {
        self.snapshot.count(space)
    }
}

/// Opens the file, brought to the present format.
fn open_now(path: PathBuf, cache_bytes: usize) -> Result<Store, StoreError> {
    let disk = make_now(&path, cache_bytes)?;
    Store::on(Arc::new(disk), path)
}

fn make_now(path: &Path, cache_bytes: usize) -> Result<Disk, StoreError> {
    make_of(path, cache_bytes, file::prepare)
}

/// As [`open_now`], if there is one.
fn reopen_now(path: PathBuf, cache_bytes: usize) -> Result<Store, StoreError> {
    file::exists(&path)?;
    let disk = make_of(&path, cache_bytes, file::existing)?;
    Store::on(Arc::new(disk), path)
}

/// Opens the file in which `look` finds the database's part, and brings its content to the present format.
fn make_of(path: &Path, cache_bytes: usize, look: file::Look) -> Result<Disk, StoreError> {
    let file = runtime::disk::open(path).map_err(StoreError::from_disk)?;
    let size = file.len().map_err(|error| StoreError::from_io(path, &error))?;
    let (backend, format) = look(file, path)?;
    let whole = backend.file();
    let wrong = |error: redb::Error| StoreError::from_fault(path, error.into());
    let disk = Disk::open(backend, cache_bytes, size <= VERIFIED_BYTES_MAX).map_err(wrong)?;
    if format != file::FORMAT {
        protocol::mark!("store_of_an_earlier_format");
        // Before the content is of it: a crash in between leaves a file that no earlier engine opens, that is read as
        // it is (reading does without tables and rows that are missing), and that the next opening brings there.
        file::Backend::stamp_again(&whole).map_err(|error| StoreError::from_io(path, &error))?;
    }
    disk.prepare().map_err(wrong)?;
    Ok(disk)
}

/// Opens the file as it is, and writes nothing to it.
fn open_to_read_now(path: PathBuf, cache_bytes: usize) -> Result<Store, StoreError> {
    file::exists(&path)?;
    let file = runtime::disk::open_to_read(&path).map_err(StoreError::from_disk)?;
    let (backend, _) = file::existing(file, &path)?;
    let backend = backend.read_only().map_err(|error| StoreError::from_io(&path, &error))?;
    let disk = Disk::open(backend, cache_bytes, false);
    let disk = disk.map_err(|error| StoreError::from_fault(&path, error.into()))?;
    Ok(Store { read_only: true, ..Store::on(Arc::new(disk), path)? })
}

fn load_now(snapshot: &dyn Snapshot) -> Result<Vec<(Key, Record)>, Fault> {
    let mut loaded = Vec::new();
    snapshot.scan(Space::Records, &Range::all(), Order::Forward, &mut |key, value| {
        loaded.push(record::decode(key, value).map_err(Fault::Damaged)?);
        Ok(ControlFlow::Continue(()))
    })?;
    Ok(loaded)
}

/// The outcomes, and what the row of the writer says from here on.
fn commit_now(
    face: &dyn Face,
    batch: Batch,
    writer: Option<Bytes>,
    claim: bool,
) -> Result<(Vec<Outcome>, Option<Bytes>), Fault> {
    let changes = batch.changes();
    let mut draft = Draft::new(face.snapshot()?);
    let outcomes = batch::apply(&mut draft, batch)?;
    let mut draft = draft.into_changes();
    // What was read without a write was durable before.
    if !changes {
        return Ok((outcomes, writer));
    }
    let claimed = claim_writer(&mut draft, writer, claim)?;
    face.commit(draft)?;
    Ok((outcomes, claimed))
}

/// Expects the writer that was found, and becomes the next if this is its first commit.
fn claim_writer(changes: &mut Changes, writer: Option<Bytes>, claim: bool) -> Result<Option<Bytes>, Fault> {
    changes.expect(Space::Meta, WRITER, writer.clone());
    if !claim {
        return Ok(writer);
    }
    let count = match writer.as_deref() {
        Some(count) => count.try_into().map(u64::from_le_bytes),
        None => Ok(0),
    };
    let count = count.map_err(|_| Fault::Damaged("the count of writers is none".to_owned()))?;
    let claimed = Bytes::from((count + 1).to_le_bytes().to_vec());
    changes.put(Space::Meta, WRITER.to_vec(), claimed.clone());
    Ok(Some(claimed))
}
