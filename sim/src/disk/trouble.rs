//! What is injected into a disk: operations that fail or lie, full and slow drives, bits that flip at rest.

use super::{Disk, Draw, Often};

/// How often which kind of operation goes wrong.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Trouble {
    pub(super) reads: Often,
    pub(super) writes: Often,
    pub(super) syncs: Often,
    pub(super) lies: Often,
    /// The next write or sync fails, whichever it is.
    pub(super) next: bool,
}

impl Disk {
    /// Reads fail with [`DiskFault::ReadFailed`](super::DiskFault::ReadFailed) (`read error`).
    pub(crate) const fn fail_reads(&mut self, often: Often) {
        self.trouble.reads = often;
    }

    /// Writes and changes of length fail with [`DiskFault::WriteFailed`](super::DiskFault::WriteFailed) (`write error`);
    /// of a write any number of its first pages is written (`write error page`).
    pub(crate) const fn fail_writes(&mut self, often: Often) {
        self.trouble.writes = often;
    }

    /// Syncs fail with [`DiskFault::SyncFailed`](super::DiskFault::SyncFailed) (`sync error`).
    pub(crate) const fn fail_syncs(&mut self, often: Often) {
        self.trouble.syncs = often;
    }

    /// The next write, change of length or sync fails, and has done nothing.
    pub(crate) const fn fail_operation(&mut self) {
        self.trouble.next = true;
    }

    /// Syncs that have something to do end well and do nothing (`lying sync`). What they covered waits for the next
    /// one that does not lie.
    pub(crate) const fn lie_in_syncs(&mut self, often: Often) {
        self.trouble.lies = often;
    }

    /// All operations take `times` as long as modelled (at least once).
    pub(crate) fn slow_down(&mut self, times: u32) {
        self.slowness = times.max(1);
    }

    /// Whether the last operation took longer than modelled.
    pub(crate) const fn was_slowed(&self) -> bool {
        self.slowed
    }

    /// All files together hold at most `bytes`; what would exceed that fails with
    /// [`DiskFault::Full`](super::DiskFault::Full). `None`: the options' capacity.
    pub(crate) fn limit(&mut self, bytes: Option<u64>) {
        self.capacity = bytes.unwrap_or(self.options.capacity);
    }

    /// Flips so many bits of what is durable at `now`, each of them any (`flip`). What is clean is read from the drive
    /// again from then on. Answers with how many: none of an empty disk.
    pub(crate) fn rot(&mut self, bits: u32, now: u64, draw: Draw<'_>) -> u32 {
        self.settle(now);
        let total: u64 = self.files.iter().map(|file| file.bits()).sum();
        if total == 0 {
            return 0;
        }
        for _ in 0..bits {
            let mut bit = draw("flip", total);
            for file in &mut self.files {
                if bit < file.bits() {
                    file.flip(bit);
                    break;
                }
                bit -= file.bits();
            }
        }
        for file in &mut self.files {
            let _rotten = file.drop_cache();
        }
        bits
    }

    /// The kernel forgets every clean page: what is read from then on is what the drive has. Only what failed syncs
    /// lost differs. Answers with in how many sectors.
    pub(crate) fn drop_caches(&mut self, now: u64) -> u64 {
        self.settle(now);
        self.files.iter_mut().map(super::file::FileState::drop_cache).sum()
    }
}
