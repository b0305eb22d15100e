//! What a script does to a node's disk.

use crate::disk::{DiskCounts, DiskSnapshot, Often};
use crate::effects::Effect;
use crate::node::handle::Node;
use crate::node::{Fall, Status};

/// That something goes wrong, as traces tell it.
fn told(what: &str, often: Often) -> String {
    match often {
        Often::Never => format!("none of its {what}"),
        Often::Times(count) => format!("its next {count} {what}"),
        Often::Always => format!("all of its {what}"),
        Often::Odds(odds) => format!("{} of {} of its {what}", odds.num, odds.den),
    }
}

/// Its disk. Syncs, reads and writes fail as Linux tells it: `EIO` (5) and `ENOSPC` (28).
impl Node {
    /// Lets it fall inside the `k`th disk operation from this moment on (1 is the next one), and forgets an earlier
    /// wish of this kind. Where no process runs, those of the next one count. A process that ends first takes the wish
    /// with it.
    ///
    /// # Panics
    /// If `k` is zero.
    pub fn crash_in_disk_operation(&self, k: u64, how: Fall) {
        assert!(k > 0, "the next disk operation is the first");
        self.fault(|| format!("it falls in disk operation {k} from here by {how:?}"));
        self.core.with_node(self.guest(), |state| {
            let runs = state.status == Status::Running;
            state.drive.crash_in(k - 1, how, runs);
        });
    }

    /// Takes back [`crash_in_disk_operation`](Self::crash_in_disk_operation), if it has not happened.
    pub fn spare(&self) {
        self.fault(|| "it is spared".to_owned());
        self.core.with_node(self.id, |state| state.drive.spare());
    }

    /// How many disk operations this process has done.
    #[must_use]
    pub fn disk_operations(&self) -> u64 {
        self.core.with_node(self.id, |state| state.drive.disk.operations())
    }

    /// Lets reads of its disk fail. Odds are decided in `disk/NODE/read error`.
    ///
    /// # Panics
    /// If they are odds out of nothing; as in all calls that take [`Often`].
    pub fn fail_reads(&self, often: impl Into<Often>) {
        let often = self.often("reads fail", often.into());
        self.core.with_node(self.id, |state| state.drive.disk.fail_reads(often));
    }

    /// Lets writes to its disk, and changes of a file's length, fail. Odds are decided in `disk/NODE/write error`; of a
    /// write that fails any number of its first pages is written (`disk/NODE/write error page`).
    pub fn fail_writes(&self, often: impl Into<Often>) {
        let often = self.often("writes fail", often.into());
        self.core.with_node(self.id, |state| state.drive.disk.fail_writes(often));
    }

    /// Lets syncs of its disk fail. Odds are decided in `disk/NODE/sync error`. What such a sync covered is clean from
    /// then on, as Linux has it: it is still read, no later sync covers it, and what of it the drive took is decided
    /// (`disk/NODE/loss…`). [`drop_caches`](Self::drop_caches) shows it.
    pub fn fail_syncs(&self, often: impl Into<Often>) {
        let often = self.often("syncs fail", often.into());
        self.core.with_node(self.id, |state| state.drive.disk.fail_syncs(often));
    }

    /// Lets syncs of its disk do nothing and end well: a drive with a volatile cache that says it has none. Odds are
    /// decided in `disk/NODE/lying sync`. The next sync that does not lie covers the same. No store survives it: a
    /// check that stays content under it checks nothing.
    pub fn lie_in_syncs(&self, often: impl Into<Often>) {
        let often = self.often("syncs lie", often.into());
        self.core.with_node(self.id, |state| state.drive.disk.lie_in_syncs(often));
    }

    fn often(&self, what: &str, often: Often) -> Often {
        often.check(what);
        self.fault(|| told(what, often));
        often
    }

    /// Lets its kernel forget all clean pages, as it may at any time: what is read next is what the drive has. It
    /// differs from what was read before only where a sync failed.
    pub fn drop_caches(&self) {
        self.fault(|| "its page cache is dropped".to_owned());
        let now = self.core.now.get();
        let (lost, runs) = self
            .core
            .with_node(self.id, |state| (state.drive.drop_caches(now), state.status == Status::Running));
        if lost > 0 && runs {
            self.core.felt(Effect::DroppedPages);
        }
    }

    /// Flips so many bits of what is durable on its disk, each of them any (`disk/NODE/flip`). What is clean is read
    /// from the drive again. Answers with how many: none of an empty disk.
    pub fn flip_bits(&self, bits: u32) -> u32 {
        self.fault(|| format!("{bits} bits of its disk flip"));
        let now = self.core.now.get();
        self.core.with_node(self.id, |state| {
            let name = std::rc::Rc::clone(&state.name);
            let now = state.drive.time(now);
            state.drive.with(&self.core, &name, |disk, draw| disk.rot(bits, now, draw))
        })
    }

    /// Lets its disk hold at most so many bytes; `None`: as many as the options say.
    pub fn limit_disk(&self, bytes: Option<u64>) {
        self.fault(|| format!("its disk holds at most {bytes:?} bytes"));
        self.core.with_node(self.id, |state| state.drive.disk.limit(bytes));
    }

    /// Lets its disk take so many times as long.
    pub fn slow_disk(&self, times: u32) {
        self.fault(|| format!("its disk takes {times} times as long"));
        self.core.with_node(self.id, |state| state.drive.disk.slow_down(times));
    }

    /// Stalls its disk: nothing that is under way or begun ends, until it is [released](Self::release_disk), also for
    /// the processes that follow.
    pub fn stall_disk(&self) {
        self.fault(|| "its disk stalls".to_owned());
        let now = self.core.now.get();
        self.core.with_node(self.id, |state| state.drive.stall(now));
    }

    /// Lets its disk go on: each operation takes the time it had left.
    pub fn release_disk(&self) {
        self.fault(|| "its disk goes on".to_owned());
        let now = self.core.now.get();
        for waker in self.core.with_node(self.id, |state| state.drive.release(now)) {
            waker.wake();
        }
    }

    /// Empties its disk.
    ///
    /// # Panics
    /// If its process runs.
    pub fn wipe_disk(&self) {
        self.fault(|| "its disk is wiped".to_owned());
        self.core.with_node(self.id, |state| state.drive.wipe());
    }

    /// Swaps the content of its disk with another node's, as when drives are plugged into the wrong hosts. What was
    /// injected stays with the node. A host that is up unmounts before: all that was written goes along.
    ///
    /// # Panics
    /// If a process of either runs.
    pub fn swap_disks(&self, other: &Self) {
        self.fault(|| format!("its disk is swapped with that of {}", other.name()));
        if self.id != other.id {
            let mine = self.core.with_node(self.id, |state| state.drive.exchange(DiskSnapshot::default()));
            let theirs = self.core.with_node(other.id, |state| state.drive.exchange(mine));
            self.core.with_node(self.id, |state| state.drive.exchange(theirs));
        }
    }

    /// What is durable on its disk at this moment: a crash-consistent copy.
    #[must_use]
    pub fn snapshot_disk(&self) -> DiskSnapshot {
        let now = self.core.now.get();
        self.core.with_node(self.id, |state| state.drive.snapshot(now))
    }

    /// Puts a copy in the place of what is on its disk: one of an earlier time, or of another node.
    ///
    /// # Panics
    /// If its process runs.
    pub fn attach_disk(&self, snapshot: &DiskSnapshot) {
        self.fault(|| "its disk holds an earlier snapshot".to_owned());
        self.core.with_node(self.id, |state| drop(state.drive.exchange(snapshot.clone())));
    }

    /// What was felt of its disk.
    #[must_use]
    pub fn disk_counts(&self) -> DiskCounts {
        self.core.with_node(self.id, |state| *state.drive.disk.counts())
    }
}
