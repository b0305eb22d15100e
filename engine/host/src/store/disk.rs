//! The face over one file: an embedded database ([redb]) on [`runtime::disk`].
//!
//! Each space is a table. A commit is durable before it returns (`fdatasync`); an open after a crash walks over no pages
//! (quick repair). Keys and values are counted as they come and go, in a row of [`Space::Meta`] that is written along.
//! The layout of the file around the database is in [`super::file`].

use std::collections::BTreeMap;
use std::ops::{Bound, ControlFlow};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use bytes::Bytes;
use redb::{
    Builder, Database, ReadOnlyTable, ReadableDatabase as _, ReadableTable as _, ReadableTableMetadata as _,
    Table, TableDefinition, TableError,
};
use runtime::disk::File;

use super::face::{Changes, Each, Face, Fault, Order, Range, Size, Snapshot, Space};
use super::file::Backend;

type Definition = TableDefinition<'static, &'static [u8], &'static [u8]>;
type Rows = ReadOnlyTable<&'static [u8], &'static [u8]>;

/// The row that counts keys and values of all other spaces: `u64`, little endian.
const BYTES: &[u8] = b"bytes";

/// The face over one file.
#[derive(Debug)]
pub(super) struct Disk {
    database: Database,
    file: File,
    stored_bytes: AtomicU64,
}

const fn table(space: Space) -> Definition {
    TableDefinition::new(space.name())
}

impl Disk {
    /// Opens the database behind `backend`, or makes it. `verified`: every page is read and its checksum compared.
    pub(super) fn open(backend: Backend, cache_bytes: usize, verified: bool) -> Result<Self, redb::Error> {
        let file = backend.file();
        let database = Builder::new()
            .set_cache_size(cache_bytes)
            .set_check_integrity_on_open(verified)
            .create_with_backend(backend)?;
        let disk = Self { database, file, stored_bytes: AtomicU64::new(0) };
        let stored = disk.read()?.stored_bytes()?;
        disk.stored_bytes.store(stored, Ordering::Relaxed);
        Ok(disk)
    }

    /// Makes every table, and counts what is in them.
    pub(super) fn prepare(&self) -> Result<(), redb::Error> {
        let read = self.read()?;
        if read.tables.len() == Space::ALL.len() && read.bytes_row()?.is_some() {
            return Ok(());
        }
        let stored = read.stored_bytes()?;
        drop(read);
        let mut write = self.database.begin_write()?;
        write.set_quick_repair(true);
        for space in Space::ALL {
            write.open_table(table(space))?;
        }
        write.open_table(table(Space::Meta))?.insert(BYTES, stored.to_le_bytes().as_slice())?;
        // Format 1 noted its probes in a table of another kind.
        write.delete_table(TableDefinition::<(), i64>::new("probe"))?;
        write.commit()?;
        Ok(())
    }

    /// Gives room that no row uses back to the file system. Takes the time that moving the rows takes; a crash in it
    /// leaves a file whose next opening reads all of it. Whether anything was moved.
    pub(super) fn compact(&mut self) -> Result<bool, redb::Error> {
        match self.database.compact() {
            Ok(moved) => Ok(moved),
            Err(redb::CompactionError::Storage(error)) => Err(error.into()),
            Err(error) => Err(redb::Error::Corrupted(error.to_string())),
        }
    }

    fn read(&self) -> Result<Read, redb::Error> {
        let read = self.database.begin_read()?;
        let mut tables = BTreeMap::new();
        for space in Space::ALL {
            match read.open_table(table(space)) {
                Ok(rows) => drop(tables.insert(space, rows)),
                // A file of an earlier format that is only looked at.
                Err(TableError::TableDoesNotExist(_)) => {}
                Err(error) => return Err(error.into()),
            }
        }
        Ok(Read { tables })
    }

    fn write(&self, changes: &Changes) -> Result<Result<(), Fault>, redb::Error> {
        let mut write = self.database.begin_write()?;
        // A file that a crash left behind opens without a walk over all its pages.
        write.set_quick_repair(true);
        let before = self.stored_bytes.load(Ordering::Relaxed);
        let mut bytes = before;
        {
            let mut tables = BTreeMap::new();
            let touched = changes.expected.keys().map(|(space, _)| space);
            for space in touched.chain(changes.cleared.keys()).chain(changes.entries.keys()) {
                if !tables.contains_key(space) {
                    tables.insert(*space, write.open_table(table(*space))?);
                }
            }
            for ((space, key), expected) in &changes.expected {
                let found = tables[space].get(key.as_slice())?;
                if found.as_ref().map(|found| found.value()) != expected.as_deref() {
                    return Ok(Err(Fault::Overtaken));
                }
            }
            for (space, ranges) in &changes.cleared {
                let rows = tables.get_mut(space).expect("it was opened above");
                for range in ranges {
                    clear(rows, range, &mut bytes)?;
                }
            }
            for (space, entries) in &changes.entries {
                let rows = tables.get_mut(space).expect("it was opened above");
                let mut uncounted = 0;
                let bytes = if *space == Space::Meta { &mut uncounted } else { &mut bytes };
                for (key, value) in entries {
                    change(rows, key, value.as_deref(), bytes)?;
                }
            }
            if bytes != before {
                tables.remove(&Space::Meta);
                write.open_table(table(Space::Meta))?.insert(BYTES, bytes.to_le_bytes().as_slice())?;
            }
        }
        write.commit()?;
        self.stored_bytes.store(bytes, Ordering::Relaxed);
        Ok(Ok(()))
    }
}

/// Removes every row of the range.
fn clear(
    rows: &mut Table<'_, &'static [u8], &'static [u8]>,
    range: &Range,
    bytes: &mut u64,
) -> Result<(), redb::Error> {
    let mut gone = 0;
    rows.retain_in::<&[u8], _>(bounds(range), |key, value| {
        gone += length(key, value);
        false
    })?;
    *bytes = bytes.saturating_sub(gone);
    Ok(())
}

/// Gives a key another value, or none.
fn change(
    rows: &mut Table<'_, &'static [u8], &'static [u8]>,
    key: &[u8],
    value: Option<&[u8]>,
    bytes: &mut u64,
) -> Result<(), redb::Error> {
    let former = match value {
        Some(value) => {
            *bytes += length(key, value);
            rows.insert(key, value)?
        }
        None => rows.remove(key)?,
    };
    if let Some(former) = former {
        *bytes = bytes.saturating_sub(length(key, former.value()));
    }
    Ok(())
}

fn length(key: &[u8], value: &[u8]) -> u64 {
    (key.len() + value.len()) as u64
}

fn bounds(range: &Range) -> (Bound<&[u8]>, Bound<&[u8]>) {
    let end = range.end.as_deref().map_or(Bound::Unbounded, Bound::Excluded);
    (Bound::Included(range.start.as_slice()), end)
}

impl Face for Disk {
    fn snapshot(&self) -> Result<Arc<dyn Snapshot>, Fault> {
        Ok(Arc::new(self.read().map_err(Fault::from)?))
    }

    fn commit(&self, changes: Changes) -> Result<(), Fault> {
        self.write(&changes).map_err(Fault::from)?
    }

    fn stored_bytes(&self) -> u64 {
        self.stored_bytes.load(Ordering::Relaxed)
    }

    fn size(&self) -> Result<Size, Fault> {
        let read = self.read().map_err(Fault::from)?;
        Ok(Size {
            file_bytes: self.file.len().map_err(|error| Fault::Failed(error.to_string()))?,
            stored_bytes: self.stored_bytes(),
            records: read.count(Space::Records)?,
            kv: read.count(Space::Kv)?,
            inputs: read.count(Space::Inputs)?,
        })
    }
}

/// The tables at one moment; one that is missing has no rows.
struct Read {
    tables: BTreeMap<Space, Rows>,
}

impl std::fmt::Debug for Read {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        out.debug_set().entries(self.tables.keys()).finish()
    }
}

impl Read {
    fn bytes_row(&self) -> Result<Option<u64>, redb::Error> {
        let Some(rows) = self.tables.get(&Space::Meta) else { return Ok(None) };
        let Some(row) = rows.get(BYTES)? else { return Ok(None) };
        let count = row.value().try_into().map(u64::from_le_bytes);
        count.map(Some).map_err(|_| redb::Error::Corrupted("the count of stored bytes is none".to_owned()))
    }

    /// As it was counted; a file of an earlier format is read through.
    fn stored_bytes(&self) -> Result<u64, redb::Error> {
        if let Some(counted) = self.bytes_row()? {
            return Ok(counted);
        }
        let mut stored = 0;
        for (_, rows) in self.tables.iter().filter(|(space, _)| **space != Space::Meta) {
            for row in rows.iter()? {
                let (key, value) = row?;
                stored += length(key.value(), value.value());
            }
        }
        Ok(stored)
    }
}

impl Snapshot for Read {
    fn get(&self, space: Space, key: &[u8]) -> Result<Option<Bytes>, Fault> {
        let Some(rows) = self.tables.get(&space) else { return Ok(None) };
        let found = rows.get(key).map_err(|error| Fault::from(redb::Error::from(error)))?;
        Ok(found.map(|found| Bytes::copy_from_slice(found.value())))
    }

    fn scan(&self, space: Space, range: &Range, order: Order, each: &mut Each<'_>) -> Result<(), Fault> {
        let Some(rows) = self.tables.get(&space).filter(|_| !range.is_empty()) else { return Ok(()) };
        let failed = |error: redb::StorageError| Fault::from(redb::Error::from(error));
        let mut rows = rows.range::<&[u8]>(bounds(range)).map_err(failed)?;
        let mut next = || match order {
            Order::Forward => rows.next(),
            Order::Reverse => rows.next_back(),
        };
        while let Some(row) = next() {
            let (key, value) = row.map_err(failed)?;
            if let ControlFlow::Break(()) = each(key.value(), value.value())? {
                break;
            }
        }
        Ok(())
    }

    fn count(&self, space: Space) -> Result<u64, Fault> {
        let Some(rows) = self.tables.get(&space) else { return Ok(0) };
        rows.len().map_err(|error| Fault::from(redb::Error::from(error)))
    }
}

impl From<redb::Error> for Fault {
    /// Tells rows that are wrong from a disk that does not answer.
    fn from(error: redb::Error) -> Self {
        use std::io::ErrorKind::{InvalidData, UnexpectedEof};
        match error {
            redb::Error::Io(error) if !matches!(error.kind(), InvalidData | UnexpectedEof) => {
                Self::Failed(error.to_string())
            }
            redb::Error::PreviousIo => Self::Failed(redb::Error::PreviousIo.to_string()),
            error => Self::Damaged(error.to_string()),
        }
    }
}
