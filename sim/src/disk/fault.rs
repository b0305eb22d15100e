//! Why a disk refuses.

use std::io;

/// Why an operation failed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum DiskFault {
    /// The process is gone, or was when the file was opened.
    #[error("the disk is fenced: its process has fallen")]
    Fenced,
    /// The process falls inside this operation.
    #[error("the process falls inside this operation")]
    Crashed,
    /// Somebody holds the file.
    #[error("the file is in use")]
    InUse,
    /// The file ends before the read does.
    #[error("read past the end of the file")]
    PastEnd,
    /// No room.
    #[error("no space left on device")]
    Full,
    /// The drive did not take what was to be synced.
    #[error("input/output error")]
    SyncFailed,
    /// Nothing was written.
    #[error("input/output error")]
    WriteFailed,
}

impl From<DiskFault> for io::Error {
    fn from(fault: DiskFault) -> Self {
        let kind = match fault {
            DiskFault::InUse => io::ErrorKind::WouldBlock,
            DiskFault::PastEnd => io::ErrorKind::UnexpectedEof,
            DiskFault::Full => io::ErrorKind::StorageFull,
            DiskFault::Fenced | DiskFault::Crashed | DiskFault::WriteFailed | DiskFault::SyncFailed => {
                io::ErrorKind::Other
            }
        };
        Self::new(kind, fault)
    }
}
