//! A node's disk: files, what of them is durable, and what a power loss leaves.
//!
//! It is pure: no clock, no chance, no world. Times are nanoseconds of virtual time, handed in; whatever is left open
//! is asked of a [`Draw`]. It outlives the process that uses it and the power of its host.
//!
//! One queue: the disk does one operation at a time, in the order they are called, each for its modelled time. The
//! caller runs a synchronous closure at one moment of virtual time ([`Disk::begin_section`], operations,
//! [`Disk::end_section`]) and lets the task wait for the time that was reached; the operations count as done in the
//! course of that wait. A process or host that falls at some time in it has done exactly those up to there.
//!
//! What is modelled of a Linux host with one drive: writes go to the page cache and are read from there; they become
//! durable when a sync *ends*; before it, the kernel may write back any of them, sector by sector, in any order, so a
//! power loss leaves any subset, each 512-byte sector whole. File lengths are metadata and persist in order (a journal
//! keeps them). A new file's name is durable when `open` ends. A process that is killed loses no write, but the one
//! that was under way may be cut at a page. A sync that fails leaves what it covered to chance for good: later syncs
//! do not cover it again, though it is still read.
//!
//! Next: `operations` is what a process does, `file` one file, `loss` what a power loss leaves, `trouble` what is
//! injected, `snapshot` what is on it apart from it, `options` the times.

mod counts;
mod fault;
mod file;
mod loss;
mod often;
mod operations;
mod options;
mod snapshot;
#[cfg(test)]
mod tests;
mod trouble;

use std::collections::BTreeMap;
use std::path::PathBuf;

use file::FileState;
use trouble::Trouble;

pub use counts::DiskCounts;
pub(crate) use fault::DiskFault;
pub use often::Often;
pub use options::DiskOptions;
pub use snapshot::DiskSnapshot;

/// Bytes that persist or vanish as one. Drives promise no more (a logical block).
pub(crate) const SECTOR: usize = 512;

/// Bytes the kernel copies as one from a process (x86-64's page).
const PAGE: usize = 4096;

/// Decides something: called with what is decided and among how many (above zero), answers below that.
pub(crate) type Draw<'a> = &'a mut (dyn FnMut(&'static str, u64) -> u64 + 'a);

/// An open file of one process. It is refused once that process is gone.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct FileHandle {
    place: usize,
    serial: u64,
}

/// A node's disk.
#[derive(Clone, Debug)]
pub(crate) struct Disk {
    options: DiskOptions,
    names: BTreeMap<PathBuf, usize>,
    files: Vec<FileState>,
    /// No process may use it.
    fenced: bool,
    /// The next open file's serial; never reused.
    serial: u64,
    /// When the last operation ends.
    busy_until: u64,
    /// When the last operation of the running section ends.
    section: u64,
    /// Operations of this process.
    operations: u64,
    /// The operation inside which this process falls.
    crash_at: Option<u64>,
    /// When the operation began inside which it fell.
    crashed: Option<u64>,
    /// All times are multiplied by this.
    slowness: u32,
    /// The last operation took longer by that.
    slowed: bool,
    /// Bytes all files may hold together.
    capacity: u64,
    /// What is injected.
    trouble: Trouble,
    counts: DiskCounts,
}

impl Disk {
    /// An empty disk, without a process.
    #[must_use]
    pub(crate) fn new(options: DiskOptions) -> Self {
        Self {
            options,
            names: BTreeMap::new(),
            files: Vec::new(),
            fenced: true,
            serial: 0,
            busy_until: 0,
            section: 0,
            operations: 0,
            crash_at: None,
            crashed: None,
            slowness: 1,
            slowed: false,
            capacity: options.capacity,
            trouble: Trouble::default(),
            counts: DiskCounts::default(),
        }
    }

    /// A process begins to use it. Operations count from zero; a crash that was not met, and a failure of one operation of
    /// the process before, are forgotten.
    ///
    /// # Panics
    /// If one uses it already.
    pub(crate) fn boot(&mut self) {
        assert!(self.fenced, "a disk has one process at a time");
        self.fenced = false;
        self.operations = 0;
        self.crash_at = None;
        self.crashed = None;
        self.trouble.next = false;
    }

    /// From here on every operation fails, until [`boot`](Self::boot). For the time between the fall of a node and the
    /// end of its futures: storage engines write when they are dropped.
    pub(crate) const fn fence(&mut self) {
        self.fenced = true;
    }

    /// The process is gone at `now`, the kernel lives: what was written stays readable, and unsynced as it was. The
    /// operation under way is cut at some page, those after it never were. Its locks are free.
    pub(crate) fn kill(&mut self, now: u64, draw: Draw<'_>) {
        let at = self.fall(now);
        self.keep_names(|file| file.began_by(at));
        for file in &mut self.files {
            file.cut(at);
            file.cut_under_way(at, draw);
        }
    }

    /// The power is gone at `now`: of what no sync covered that had ended by then, any subset persists.
    pub(crate) fn lose_power(&mut self, now: u64, draw: Draw<'_>) {
        let at = self.fall(now);
        self.keep_names(|file| file.is_made_by(at) || (file.began_by(at) && draw("loss name", 2) == 1));
        for file in &mut self.files {
            file.cut(at);
            file.lose_power(draw, &mut self.counts);
        }
    }

    /// The process is over; answers with the moment up to which its operations were done.
    fn fall(&mut self, now: u64) -> u64 {
        // A process that fell inside an operation has done those before it, whatever the clock says.
        let at = self.crashed.unwrap_or(now).max(now);
        self.settle(at);
        self.fence();
        self.busy_until = self.busy_until.min(at);
        for file in &mut self.files {
            file.holder = None;
        }
        at
    }

    /// Files that are not kept never were. Their places stay, empty: open files are known by them.
    fn keep_names(&mut self, mut keep: impl FnMut(&FileState) -> bool) {
        let files = &mut self.files;
        self.names.retain(|_, place| {
            let kept = keep(&files[*place]);
            if !kept {
                files[*place] = FileState::new((0, 0));
            }
            kept
        });
    }

    /// All files are gone.
    ///
    /// # Panics
    /// If a process uses it.
    pub(crate) fn wipe(&mut self) {
        drop(self.eject());
    }

    /// Lets the process fall inside its operation number `operation`, counted from zero since its boot: that one and
    /// all after it fail. The owner asks [`has_crashed`](Self::has_crashed) when the closure returns, and then kills
    /// it or cuts the power. One that was done already is never met.
    pub(crate) const fn crash_at(&mut self, operation: u64) {
        self.crash_at = Some(operation);
    }

    /// Takes back [`crash_at`](Self::crash_at), if it was not met.
    pub(crate) const fn spare(&mut self) {
        self.crash_at = None;
    }

    /// Whether the process falls inside its next operation.
    #[must_use]
    pub(crate) fn falls_next(&self) -> bool {
        self.crash_at == Some(self.operations)
    }

    /// Whether the process fell inside an operation.
    #[must_use]
    pub(crate) const fn has_crashed(&self) -> bool {
        self.crashed.is_some()
    }

    /// Operations of this process so far: where [`crash_at`](Self::crash_at) may point to.
    #[must_use]
    pub(crate) const fn operations(&self) -> u64 {
        self.operations
    }

    /// How many files are open.
    #[must_use]
    pub(crate) fn open_files(&self) -> usize {
        self.files.iter().filter(|file| file.holder.is_some()).count()
    }

    /// Synchronous work begins at `now`. What earlier work synced is durable as far as it had ended.
    pub(crate) fn begin_section(&mut self, now: u64) {
        self.settle(now);
        self.section = now;
        self.busy_until = self.busy_until.max(now);
    }

    /// The synchronous work is over: until when its task waits.
    #[must_use]
    pub(crate) const fn end_section(&self) -> u64 {
        self.section
    }

    /// Time has reached `now`: syncs that ended by then are durable.
    pub(crate) fn settle(&mut self, now: u64) {
        for file in &mut self.files {
            file.settle(now, &mut self.counts);
        }
    }

    /// What was felt so far.
    #[must_use]
    pub(crate) const fn counts(&self) -> &DiskCounts {
        &self.counts
    }
}
