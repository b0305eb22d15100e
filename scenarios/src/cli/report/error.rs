//! Why a report is of no use.

use std::io;
use std::path::PathBuf;

use crate::search::Shard;

use super::VERSION;

/// Why reports are of no use.
#[derive(Debug, thiserror::Error)]
pub(in crate::cli) enum ReportError {
    /// It cannot be read or written.
    #[error("{}: {source}", path.display())]
    File {
        /// Where.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// It is none.
    #[error("{}: not a report of a search: {source}", path.display())]
    Form {
        /// Where.
        path: PathBuf,
        /// Why.
        source: serde_json::Error,
    },
    /// It was written by another version.
    #[error("{}: a report of version {version}, this is {VERSION}", path.display())]
    Version {
        /// Where.
        path: PathBuf,
        /// Its version.
        version: u32,
    },
    /// It is of another search.
    #[error("{}: a report of another search: {theirs}; this is {ours}", path.display())]
    Other {
        /// Where.
        path: PathBuf,
        /// What it is of.
        theirs: String,
        /// What it should be of.
        ours: String,
    },
    /// It is of the same search, by other code.
    #[error("{}: a report of other code: {what}", path.display())]
    Code {
        /// Where.
        path: PathBuf,
        /// What differs.
        what: &'static str,
    },
    /// Its parts do not belong together.
    #[error("{}: a damaged report: {what}", path.display())]
    Damaged {
        /// Where.
        path: PathBuf,
        /// What is wrong.
        what: &'static str,
    },
    /// It holds a shard that another one holds.
    #[error("{}: shard {shard} is in another report, too", path.display())]
    Twice {
        /// Where.
        path: PathBuf,
        /// Which.
        shard: Shard,
    },
}
