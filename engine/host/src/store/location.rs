//! Where a store is, and how it is opened: to write, or to read what is there while the disk takes no writes.

use std::path::PathBuf;
use std::sync::Arc;

use super::{CACHE_BYTES, FILE_NAME, Size, Store, StoreError, compaction};

/// The folder of a store, and the memory its pages may take.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Location {
    /// The folder.
    pub folder: PathBuf,
    /// Bytes of memory for pages.
    pub cache_bytes: usize,
}

impl Location {
    /// A folder, with the usual memory.
    pub fn new(folder: impl Into<PathBuf>) -> Self {
        Self { folder: folder.into(), cache_bytes: CACHE_BYTES }
    }

    /// The file.
    pub(super) fn file(&self) -> PathBuf {
        self.folder.join(FILE_NAME)
    }

    /// Opens it as [`Store::open`] does.
    ///
    /// # Errors
    /// As there.
    pub async fn open(&self) -> Result<Store, StoreError> {
        let at = self.clone();
        runtime::disk::blocking(move || {
            runtime::disk::create_folder(&at.folder).map_err(StoreError::from_disk)?;
            super::open_now(at.file(), at.cache_bytes)
        })
        .await
    }

    /// Opens what is there, to write. None is made.
    ///
    /// # Errors
    /// As [`open`](Self::open); [`StoreError::Missing`] if there is none.
    pub async fn reopen(&self) -> Result<Store, StoreError> {
        let at = self.clone();
        runtime::disk::blocking(move || super::reopen_now(at.file(), at.cache_bytes)).await
    }

    /// Opens it, and gives room back to the file system first where much is wasted and little is to be moved.
    ///
    /// # Errors
    /// As [`open`](Self::open).
    pub async fn open_tidy(&self) -> Result<Store, StoreError> {
        let at = self.clone();
        runtime::disk::blocking(move || {
            runtime::disk::create_folder(&at.folder).map_err(StoreError::from_disk)?;
            Store::on(Arc::new(compaction::open_tidy(&at.file(), at.cache_bytes)?), at.file())
        })
        .await
    }

    /// Gives all room that no row uses back to the file system, however long that takes. The sizes before and after.
    ///
    /// # Errors
    /// [`StoreError`]; [`StoreError::Missing`] if there is no store.
    pub async fn compact(&self) -> Result<(Size, Size), StoreError> {
        let at = self.clone();
        runtime::disk::blocking(move || compaction::compact(&at.file(), at.cache_bytes)).await
    }

    /// Opens what is there without a write to the disk: what an unfinished commit left is repaired in memory. Nothing may
    /// be committed to it.
    ///
    /// # Errors
    /// [`StoreError`]; [`StoreError::Missing`] if there is none.
    pub async fn open_to_read(&self) -> Result<Store, StoreError> {
        let at = self.clone();
        runtime::disk::blocking(move || super::open_to_read_now(at.file(), at.cache_bytes)).await
    }
}
