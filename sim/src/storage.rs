//! The seam between a node's disk and the files its process holds: moments, decisions, events, crashes.
//!
//! The disk itself (`disk`) is pure. Here it is given virtual time and decisions (`disk/NODE/…`), its operations are
//! folded into the digest, and a process that fell inside one falls when the poll returns. Next: `drive` is a node's
//! disk with what is decided of it, `file` an open file, `working` the wait for what was done.

mod drive;
mod file;
mod working;

use std::io;
use std::path::Path;

use crate::core::Core;
use crate::digest::Kind;
use crate::disk::{Disk, DiskFault, Draw};
use crate::effects::Effect;
use crate::node::NodeId;

pub(crate) use drive::Drive;
use file::SimFile;
use working::Working;

impl Core {
    /// A process begins to use the node's disk.
    pub(crate) fn disk_boot(&self, node: NodeId) {
        self.with_node(node, |state| state.drive.boot());
    }

    /// The process is gone, or the power with it.
    pub(crate) fn disk_gone(&self, node: NodeId, power: bool) {
        let now = self.now.get();
        let lost = self.with_node(node, |state| {
            let name = std::rc::Rc::clone(&state.name);
            let now = state.drive.time(now);
            state.drive.with(self, &name, |disk, draw| {
                let before = disk.counts().sectors_lost;
                if power {
                    disk.lose_power(now, draw);
                } else {
                    disk.kill(now, draw);
                }
                disk.counts().sectors_lost - before
            })
        });
        if lost > 0 {
            self.felt(Effect::LostSectors);
        }
    }

    pub(crate) fn file_exists(&self, path: &Path) -> bool {
        let (exists, changed) = self.with_node(self.current_node(), |state| {
            (state.drive.disk.exists(path), state.drive.changed.take())
        });
        if let Some(changed) = changed {
            self.felt(changed);
        }
        exists
    }

    pub(crate) fn open_file(&self, path: &Path) -> io::Result<SimFile> {
        let node = self.current_node();
        let opened = self.operate(node, 1, 0, |disk, draw| disk.open(path, draw));
        if let Some(changed) = self.with_node(node, |state| state.drive.changed.take()) {
            self.felt(changed);
        }
        Ok(SimFile { world: self.id, node, handle: opened? })
    }

    /// Runs synchronous work on files at this moment, and answers with the wait for it.
    pub(crate) fn blocking(&self, work: &mut dyn FnMut()) -> Working {
        let (node, now) = (self.current_node(), self.now.get());
        self.points.work();
        self.with_node(node, |state| {
            let now = state.drive.time(now);
            state.drive.disk.begin_section(now);
        });
        work();
        let until = self.with_node(node, |state| (!state.fenced).then(|| state.drive.disk.end_section()));
        Working { world: self.id, node, until, due: None, waits: None }
    }

    /// One operation of a node's process. What it was and how it went becomes an event.
    fn operate<R>(
        &self,
        node: NodeId,
        what: u64,
        content: u64,
        f: impl FnOnce(&mut Disk, Draw<'_>) -> Result<R, DiskFault>,
    ) -> io::Result<R> {
        let (done, fell, felt) = self.with_node(node, |state| {
            if state.fenced {
                return (Err(DiskFault::Fenced), false, [None; 3]);
            }
            let name = std::rc::Rc::clone(&state.name);
            let before = *state.drive.disk.counts();
            let done = state.drive.with(self, &name, f);
            let fell = state.drive.disk.has_crashed();
            if fell {
                state.fenced = true;
                state.falls = Some(state.drive.crash);
                self.falling.set(true);
            }
            let (disk, after) = (&state.drive.disk, state.drive.disk.counts());
            let felt = [
                (done.is_ok() && disk.was_slowed()).then_some(Effect::SlowDisk),
                (after.lied > before.lied).then_some(Effect::LyingSync),
                (after.rotten > before.rotten).then_some(Effect::FlippedBit),
            ];
            (done, fell, felt)
        });
        if fell {
            self.felt(Effect::DiskCrash);
            self.fence_network(node);
        }
        felt.into_iter().flatten().for_each(|effect| self.felt(effect));
        let outcome = match &done {
            Ok(_) => 0,
            Err(fault) => {
                if let Some(effect) = felt_of(*fault) {
                    self.felt(effect);
                }
                *fault as u64 + 1
            }
        };
        self.event(Kind::Disk, u64::from(node.0), content.rotate_left(8) ^ what << 4 ^ outcome);
        done.map_err(Into::into)
    }
}

/// What of an operation that fails was injected.
const fn felt_of(fault: DiskFault) -> Option<Effect> {
    match fault {
        DiskFault::Full => Some(Effect::DiskFull),
        DiskFault::ReadFailed => Some(Effect::ReadError),
        DiskFault::WriteFailed => Some(Effect::WriteError),
        DiskFault::SyncFailed => Some(Effect::SyncError),
        DiskFault::Crashed | DiskFault::Fenced | DiskFault::InUse | DiskFault::PastEnd => None,
    }
}
