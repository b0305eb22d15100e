//! A node's disk with what is decided of it, and its own time, which stands still while it is stalled.

use std::collections::BTreeMap;

use crate::core::Core;
use crate::decide::StreamId;
use crate::disk::{Disk, DiskOptions, DiskSnapshot, Draw};
use crate::effects::Effect;
use crate::node::Fall;
use crate::waiters::Waiters;

/// A node's disk, with the streams of its decisions.
pub(crate) struct Drive {
    pub(crate) disk: Disk,
    streams: BTreeMap<&'static str, StreamId>,
    /// How the node falls if it falls inside an operation.
    pub(super) crash: Fall,
    /// The operation of the next process inside which it falls.
    crash_of_next: Option<u64>,
    /// Since when it is stalled, in virtual time.
    stalled: Option<u64>,
    /// For how long it was, in stalls that are over.
    lost: u64,
    /// Who waits for the end of the stall.
    pub(super) on_release: Waiters,
    /// What is on it is not what its node left there, and no process has met that yet.
    pub(super) changed: Option<Effect>,
}

impl Drive {
    pub(crate) fn new(options: DiskOptions) -> Self {
        Self {
            disk: Disk::new(options),
            streams: BTreeMap::new(),
            crash: Fall::Kill,
            crash_of_next: None,
            stalled: None,
            lost: 0,
            on_release: Waiters::default(),
            changed: None,
        }
    }

    /// The disk's time at `now`.
    pub(crate) fn time(&self, now: u64) -> u64 {
        self.stalled.unwrap_or(now) - self.lost
    }

    /// The virtual time at which the disk's is `at`; `None` while it is stalled.
    pub(super) fn when(&self, at: u64) -> Option<u64> {
        self.stalled.is_none().then(|| at.saturating_add(self.lost))
    }

    /// No operation ends from `now` on.
    pub(crate) fn stall(&mut self, now: u64) {
        self.stalled.get_or_insert(now);
    }

    /// Operations go on, with the time they had left. Answers with who waits for that, to be woken.
    pub(crate) fn release(&mut self, now: u64) -> Vec<std::task::Waker> {
        self.lost += self.stalled.take().map_or(0, |since| now - since);
        self.on_release.take_all()
    }

    /// The process falls inside an operation, so many operations from here; the next one, if none runs.
    pub(crate) const fn crash_in(&mut self, operations: u64, how: Fall, runs: bool) {
        self.crash = how;
        if runs {
            self.disk.crash_at(self.disk.operations().saturating_add(operations));
        } else {
            self.crash_of_next = Some(operations);
        }
    }

    /// It does not.
    pub(crate) const fn spare(&mut self) {
        self.disk.spare();
        self.crash_of_next = None;
    }

    /// A process begins to use it.
    pub(super) fn boot(&mut self) {
        self.disk.boot();
        if let Some(operation) = self.crash_of_next.take() {
            self.disk.crash_at(operation);
        }
    }

    /// What is on it is gone.
    pub(crate) fn wipe(&mut self) {
        if !self.disk.is_empty() {
            self.changed = Some(Effect::DiskWiped);
        }
        self.disk.wipe();
    }

    /// What is on it is taken out; something else is put in.
    pub(crate) fn exchange(&mut self, content: DiskSnapshot) -> DiskSnapshot {
        if !(self.disk.is_empty() && content.is_empty()) {
            self.changed = Some(Effect::DiskSwapped);
        }
        let before = self.disk.eject();
        self.disk.attach(content);
        before
    }

    /// Clean pages are forgotten; answers with in how many sectors what is read differs.
    pub(crate) fn drop_caches(&mut self, now: u64) -> u64 {
        let now = self.time(now);
        self.disk.drop_caches(now)
    }

    /// What is durable at `now`, in virtual time.
    pub(crate) fn snapshot(&self, now: u64) -> DiskSnapshot {
        self.disk.snapshot(self.time(now))
    }

    /// Works on the disk with decisions named after the node.
    pub(crate) fn with<R>(&mut self, core: &Core, name: &str, f: impl FnOnce(&mut Disk, Draw<'_>) -> R) -> R {
        let streams = &mut self.streams;
        let mut draw = |what: &'static str, bound: u64| {
            let stream = *streams.entry(what).or_insert_with(|| core.stream(&format!("disk/{name}/{what}")));
            core.draw_or(stream, bound, mildest(what, bound))
        };
        f(&mut self.disk, &mut draw)
    }
}

/// What a calm disk decides: whatever was written survives, nothing goes wrong (odds are the first values below a
/// bound), and a sync takes no longer than it must.
fn mildest(what: &str, bound: u64) -> u64 {
    match what {
        "sync" => 0,
        "loss" => 1,
        _ => bound - 1,
    }
}
