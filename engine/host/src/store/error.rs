//! What can go wrong with a store, one clear line each.

use std::io;
use std::path::{Path, PathBuf};

use runtime::disk::DiskError;

/// Why the store could not be opened, read or written.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// Another process holds it.
    #[error("the store {} is in use by another process", path.display())]
    InUse {
        /// The file.
        path: PathBuf,
    },
    /// It cannot be opened, read or written.
    #[error("the store {} cannot be used: {reason}", path.display())]
    Unreadable {
        /// The file or folder.
        path: PathBuf,
        /// What the system says.
        reason: String,
    },
    /// There is none yet.
    #[error("there is no store in {}", path.display())]
    Missing {
        /// The file.
        path: PathBuf,
    },
    /// The file is not one of ours. Nothing was written to it.
    #[error("{} is not a store of this engine; it was not touched", path.display())]
    Foreign {
        /// The file.
        path: PathBuf,
    },
    /// The file was written by a version with another layout. Nothing was written to it.
    #[error("the store {} has format {found:?}, this engine reads {ours:?}; it was not touched", path.display())]
    Format {
        /// The file.
        path: PathBuf,
        /// The format it names.
        found: String,
        /// The format of this engine.
        ours: &'static str,
    },
    /// The file is ours, and its content does not hold together.
    #[error("the store {} is damaged: {reason}", path.display())]
    Damaged {
        /// The file.
        path: PathBuf,
        /// Where it does not.
        reason: String,
    },
    /// A transaction failed. Whether it is durable is unknown; open the store again.
    #[error("a transaction on the store {} failed: {reason}", path.display())]
    Commit {
        /// The file.
        path: PathBuf,
        /// What the database says.
        reason: String,
    },
}

impl StoreError {
    pub(super) fn from_disk(error: DiskError) -> Self {
        match error {
            DiskError::InUse { path } => Self::InUse { path },
            DiskError::Unreadable { path, source } => Self::Unreadable { path, reason: source.to_string() },
        }
    }

    pub(super) fn from_io(path: &Path, error: &io::Error) -> Self {
        Self::Unreadable { path: path.to_owned(), reason: error.to_string() }
    }

    pub(super) fn from_open(path: &Path, error: redb::DatabaseError) -> Self {
        Self::from_redb(path, error.into())
    }

    /// Tells a file that is wrong from a disk that does not answer.
    pub(super) fn from_redb(path: &Path, error: redb::Error) -> Self {
        let path = path.to_owned();
        match error {
            redb::Error::Io(error)
                if !matches!(error.kind(), io::ErrorKind::InvalidData | io::ErrorKind::UnexpectedEof) =>
            {
                Self::Unreadable { path, reason: error.to_string() }
            }
            error => Self::Damaged { path, reason: error.to_string() },
        }
    }

    pub(super) fn from_commit(path: &Path, error: &redb::Error) -> Self {
        Self::Commit { path: path.to_owned(), reason: error.to_string() }
    }
}
