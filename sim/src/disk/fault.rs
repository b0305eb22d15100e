//! Why a disk refuses.

use std::io;

/// Linux's number for an input/output error (`asm-generic/errno-base.h`); the standard library has no stable kind for it.
const EIO: i32 = 5;

/// Linux's number for a file system without room (the same).
const ENOSPC: i32 = 28;

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
    /// The drive does not give what was to be read.
    #[error("input/output error")]
    ReadFailed,
    /// The drive did not take what was to be written, or not all of it.
    #[error("input/output error")]
    WriteFailed,
}

impl From<DiskFault> for io::Error {
    fn from(fault: DiskFault) -> Self {
        let kind = match fault {
            DiskFault::Full => return Self::from_raw_os_error(ENOSPC),
            DiskFault::SyncFailed | DiskFault::ReadFailed | DiskFault::WriteFailed => {
                return Self::from_raw_os_error(EIO);
            }
            DiskFault::InUse => io::ErrorKind::WouldBlock,
            DiskFault::PastEnd => io::ErrorKind::UnexpectedEof,
            DiskFault::Fenced | DiskFault::Crashed => io::ErrorKind::Other,
        };
        Self::new(kind, fault)
    }
}
