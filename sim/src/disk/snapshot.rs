//! What is on a disk, apart from the disk: taken out, put in, kept for later.

use std::collections::BTreeMap;
use std::path::PathBuf;

use super::Disk;
use super::file::FileState;

/// What was on a node's disk at a moment: what a power loss leaves in the worst case. Made by
/// [`Node::snapshot_disk`](crate::Node::snapshot_disk), brought back by [`Node::attach_disk`](crate::Node::attach_disk).
#[derive(Clone, Debug, Default)]
pub struct DiskSnapshot {
    names: BTreeMap<PathBuf, usize>,
    files: Vec<FileState>,
}

impl DiskSnapshot {
    /// Whether there is no file.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.names.is_empty()
    }
}

impl Disk {
    /// Whether there is no file.
    pub(crate) fn is_empty(&self) -> bool {
        self.names.is_empty()
    }

    /// What is durable at `now`.
    pub(crate) fn snapshot(&self, now: u64) -> DiskSnapshot {
        let mut left = self.clone();
        left.lose_power(now, &mut |_, _| 0);
        left.eject()
    }

    /// Takes out what is on it. A host that is up writes back first, as it does when a file system is unmounted.
    ///
    /// # Panics
    /// If a process uses it.
    pub(crate) fn eject(&mut self) -> DiskSnapshot {
        assert!(self.fenced, "a disk is taken out while no process uses it");
        self.files.iter_mut().for_each(FileState::write_back);
        DiskSnapshot { names: std::mem::take(&mut self.names), files: std::mem::take(&mut self.files) }
    }

    /// Puts in what was on another disk, or on this one earlier; what was on it is gone.
    ///
    /// # Panics
    /// If a process uses it.
    pub(crate) fn attach(&mut self, snapshot: DiskSnapshot) {
        assert!(self.fenced, "a disk is put in while no process uses it");
        self.names = snapshot.names;
        self.files = snapshot.files;
    }
}
