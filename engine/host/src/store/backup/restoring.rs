//! A store made of a backup.

use std::fs;
use std::io::{self, Read};
use std::path::{Path, PathBuf};

use machines::control::record::{Key, Record};

use super::{BackupError, Reading};
use crate::store::face::{Changes, Face as _, Fault};
use crate::store::{CACHE_BYTES, FILE_NAME, StoreError, load_now, make_now};

/// What is written in one transaction. Ours: it is held in memory.
const TRANSACTION_BYTES: usize = 8 * 1024 * 1024;

/// Why a backup was not restored. Nothing that an engine would open is left in the folder then, but for
/// [`Unsynced`](Self::Unsynced).
#[derive(Debug, thiserror::Error)]
pub enum RestoringError {
    /// Something is in the folder.
    #[error("the folder {} is not empty: restore into one that is, or does not exist", path.display())]
    Occupied {
        /// The folder.
        path: PathBuf,
    },
    /// The backup is none that can be used.
    #[error(transparent)]
    Backup(#[from] BackupError),
    /// The store cannot be written.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The folder cannot be used.
    #[error("the folder {} cannot be used: {source}", path.display())]
    Folder {
        /// The folder.
        path: PathBuf,
        /// What the system says.
        source: io::Error,
    },
    /// The store is there, whole and under its name. Whether the name survives the loss of power is unknown.
    #[error(
        "the store is in {}, but its name may not survive a loss of power: the folder cannot be synced: {source}",
        path.display()
    )]
    Unsynced {
        /// The folder.
        path: PathBuf,
        /// What the system says.
        source: io::Error,
    },
}

/// Makes a store of the backup in `folder`, which is made or must be empty, but for what an interrupted one has left;
/// tells `progress` how many rows are written. Under the name that an engine opens it stands only once all of it is
/// durable, and `sound` has had a look at its records.
///
/// It blocks, and works on the host's file system.
///
/// # Errors
/// [`RestoringError`], and what `sound` says.
pub fn restore<R: Read, E: From<RestoringError>>(
    mut reading: Reading<R>,
    folder: &Path,
    mut progress: impl FnMut(u64),
    sound: impl FnOnce(Vec<(Key, Record)>) -> Result<(), E>,
) -> Result<(), E> {
    let failed = |source| RestoringError::Folder { path: folder.to_owned(), source };
    runtime::disk::create_folder(folder)
        .map_err(|error| RestoringError::from(StoreError::from_disk(error)))?;
    let part = folder.join(format!("{FILE_NAME}.part"));
    clear(folder, &part)?;
    let made = fill(&mut reading, &part, &mut progress).map_err(E::from).and_then(sound);
    if let Err(error) = made {
        // Nothing of it can be used; what cannot be removed is not opened either.
        fs::remove_file(&part).ok();
        return Err(error);
    }
    fs::rename(&part, folder.join(FILE_NAME)).map_err(failed)?;
    let synced = fs::File::open(folder).and_then(|folder| folder.sync_all());
    synced.map_err(|source| RestoringError::Unsynced { path: folder.to_owned(), source })?;
    Ok(())
}

/// Removes what an interrupted one has left, if there is nothing else.
fn clear(folder: &Path, part: &Path) -> Result<(), RestoringError> {
    let failed = |source| RestoringError::Folder { path: folder.to_owned(), source };
    let mut left = false;
    for entry in fs::read_dir(folder).map_err(failed)? {
        if entry.map_err(failed)?.path() != part {
            return Err(RestoringError::Occupied { path: folder.to_owned() });
        }
        left = true;
    }
    if left {
        // Whoever is still at work on it holds it.
        let held = runtime::disk::open_to_read(part).map_err(StoreError::from_disk)?;
        fs::remove_file(part).map_err(failed)?;
        drop(held);
    }
    Ok(())
}

/// Writes all rows, and reads the records of them.
fn fill<R: Read>(
    reading: &mut Reading<R>,
    part: &Path,
    progress: &mut impl FnMut(u64),
) -> Result<Vec<(Key, Record)>, RestoringError> {
    let disk = make_now(part, CACHE_BYTES)?;
    let commit = |changes| {
        let wrong = |fault: Fault| StoreError::from_commit(part, fault);
        disk.commit(changes).map_err(wrong)
    };
    let (mut changes, mut bytes, mut rows) = (Changes::default(), 0, 0);
    while let Some(row) = reading.next_row()? {
        bytes += row.key.len() + row.value.len();
        rows += 1;
        changes.put(row.space, row.key, row.value.into());
        if bytes >= TRANSACTION_BYTES {
            commit(std::mem::take(&mut changes))?;
            bytes = 0;
            progress(rows);
        }
    }
    commit(changes)?;
    progress(rows);
    let loaded = disk.snapshot().and_then(|snapshot| load_now(&*snapshot));
    Ok(loaded.map_err(|fault| StoreError::from_fault(part, fault))?)
}
