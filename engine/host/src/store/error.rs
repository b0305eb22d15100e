//! What can go wrong with a store, one clear line each.

use std::io;
use std::path::{Path, PathBuf};

use runtime::disk::DiskError;

use super::face::Fault;

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
    /// The content has a layout that this engine does not know. Nothing was written to the file.
    #[error(
        "{} has format {found:?}, this engine reads formats 1 to {ours}: use the engine that wrote it, which is a \
         newer one, or restore a backup that this one can read; it was not touched",
        path.display()
    )]
    Format {
        /// The file.
        path: PathBuf,
        /// The format it names.
        found: String,
        /// The newest format that this engine knows.
        ours: u32,
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
    /// Another engine writes since this one has opened the store. Nothing was written.
    #[error("another engine has taken over the store {}: this one may not write any more", path.display())]
    Overtaken {
        /// The file.
        path: PathBuf,
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

    /// Whether waiting may heal it: the disk does not do what it is asked, and nothing is known to be wrong with what is
    /// on it.
    pub(crate) const fn may_pass(&self) -> bool {
        match self {
            Self::InUse { .. } | Self::Unreadable { .. } | Self::Commit { .. } => true,
            Self::Missing { .. }
            | Self::Foreign { .. }
            | Self::Format { .. }
            | Self::Damaged { .. }
            | Self::Overtaken { .. } => false,
        }
    }

    /// What it is, without the place where it is: for people who may not see the file system.
    pub(crate) fn reason(&self) -> String {
        match self {
            Self::Unreadable { reason, .. } | Self::Commit { reason, .. } | Self::Damaged { reason, .. } => {
                reason.clone()
            }
            Self::InUse { .. } => "it is in use".to_owned(),
            Self::Missing { .. } => "it is gone".to_owned(),
            Self::Foreign { .. } => "it is not one of this engine".to_owned(),
            Self::Format { found, .. } => format!("it has format {found:?}"),
            Self::Overtaken { .. } => "another engine has taken it over".to_owned(),
        }
    }

    /// While reading.
    pub(super) fn from_fault(path: &Path, fault: Fault) -> Self {
        let path = path.to_owned();
        match fault {
            Fault::Overtaken => Self::Overtaken { path },
            Fault::Damaged(reason) => Self::Damaged { path, reason },
            Fault::Failed(reason) => Self::Unreadable { path, reason },
        }
    }

    /// While writing.
    pub(super) fn from_commit(path: &Path, fault: Fault) -> Self {
        let path = path.to_owned();
        match fault {
            Fault::Overtaken => Self::Overtaken { path },
            Fault::Damaged(reason) | Fault::Failed(reason) => Self::Commit { path, reason },
        }
    }
}
