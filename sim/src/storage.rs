//! The seam between a node's disk and the files its process holds: moments, decisions, events, crashes.
//!
//! The disk itself (`disk`) is pure. Here it is given virtual time and decisions (`disk/NODE/…`), its operations are
//! folded into the digest, and a process that fell inside one falls when the poll returns.

use std::collections::BTreeMap;
use std::future::Future;
use std::io;
use std::path::Path;
use std::pin::Pin;
use std::task::{Context, Poll};

use runtime::world::BlockFile;
use xxhash_rust::xxh3::xxh3_64;

use crate::agenda::DueKey;
use crate::core::{self, Core};
use crate::decide::StreamId;
use crate::digest::Kind;
use crate::disk::{Disk, DiskFault, DiskOptions, Draw, FileHandle};
use crate::effects::Effect;
use crate::node::{Fall, NodeId};
use crate::points::PointKind;
use crate::registry::WorldId;

/// A node's disk, with the streams of its decisions.
pub(crate) struct Drive {
    pub(crate) disk: Disk,
    streams: BTreeMap<&'static str, StreamId>,
    /// How the node falls if it falls inside an operation.
    crash: Fall,
    /// The operation of the next process inside which it falls.
    crash_of_next: Option<u64>,
}

impl Drive {
    pub(crate) fn new(options: DiskOptions) -> Self {
        Self { disk: Disk::new(options), streams: BTreeMap::new(), crash: Fall::Kill, crash_of_next: None }
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
    fn boot(&mut self) {
        self.disk.boot();
        if let Some(operation) = self.crash_of_next.take() {
            self.disk.crash_at(operation);
        }
    }

    /// Works on the disk with decisions named after the node.
    fn with<R>(&mut self, core: &Core, name: &str, f: impl FnOnce(&mut Disk, Draw<'_>) -> R) -> R {
        let streams = &mut self.streams;
        let mut draw = |what: &'static str, bound: u64| {
            let stream = *streams.entry(what).or_insert_with(|| core.stream(&format!("disk/{name}/{what}")));
            core.draw(stream, bound)
        };
        f(&mut self.disk, &mut draw)
    }
}

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
        self.with_node(self.current_node(), |state| state.drive.disk.exists(path))
    }

    pub(crate) fn open_file(&self, path: &Path) -> io::Result<SimFile> {
        let node = self.current_node();
        let opened = self.operate(node, 1, 0, |disk, draw| disk.open(path, draw));
        Ok(SimFile { world: self.id, node, handle: opened? })
    }

    /// Runs synchronous work on files at this moment, and answers with the wait for it.
    pub(crate) fn blocking(&self, work: &mut dyn FnMut()) -> Working {
        let (node, now) = (self.current_node(), self.now.get());
        self.points.work();
        self.with_node(node, |state| state.drive.disk.begin_section(now));
        work();
        let until = self.with_node(node, |state| (!state.fenced).then(|| state.drive.disk.end_section()));
        Working { world: self.id, node, until, due: None }
    }

    /// One operation of a node's process. What it was and how it went becomes an event.
    fn operate<R>(
        &self,
        node: NodeId,
        what: u64,
        content: u64,
        f: impl FnOnce(&mut Disk, Draw<'_>) -> Result<R, DiskFault>,
    ) -> io::Result<R> {
        let (done, fell, slow) = self.with_node(node, |state| {
            if state.fenced {
                return (Err(DiskFault::Fenced), false, false);
            }
            let name = std::rc::Rc::clone(&state.name);
            let done = state.drive.with(self, &name, f);
            let fell = state.drive.disk.has_crashed();
            if fell {
                state.fenced = true;
                state.falls = Some(state.drive.crash);
                self.falling.set(true);
            }
            (done, fell, state.drive.disk.is_slow())
        });
        if fell {
            self.felt(Effect::DiskCrash);
            self.fence_network(node);
        }
        if slow {
            self.felt(Effect::SlowDisk);
        }
        let outcome = match &done {
            Ok(_) => 0,
            Err(fault) => {
                match fault {
                    DiskFault::Full | DiskFault::WriteFailed | DiskFault::SyncFailed => {
                        self.felt(Effect::DiskError);
                    }
                    DiskFault::Crashed | DiskFault::Fenced | DiskFault::InUse | DiskFault::PastEnd => {}
                }
                *fault as u64 + 1
            }
        };
        self.event(Kind::Disk, u64::from(node.0), content.rotate_left(8) ^ what << 4 ^ outcome);
        done.map_err(Into::into)
    }
}

/// The wait for the modelled time of work on files.
pub(crate) struct Working {
    world: WorldId,
    node: NodeId,
    /// `None`: the process has fallen.
    until: Option<u64>,
    due: Option<DueKey>,
}

impl Future for Working {
    type Output = ();
    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<()> {
        let Some(until) = self.until else { return Poll::Pending };
        core::with(self.world, |core| {
            let now = core.now.get();
            if now >= until {
                core.with_node(self.node, |state| state.drive.disk.settle(now));
                return Poll::Ready(());
            }
            self.due = Some(core.keep_timer(self.due, until, context.waker()));
            Poll::Pending
        })
    }
}

impl Drop for Working {
    fn drop(&mut self) {
        if let Some(due) = self.due
            && core::is_here(self.world)
        {
            core::with(self.world, |core| core.unschedule(due));
        }
    }
}

/// An open file.
#[derive(Debug)]
pub(crate) struct SimFile {
    world: WorldId,
    node: NodeId,
    handle: FileHandle,
}

impl SimFile {
    fn operate<R>(
        &self,
        point: Option<PointKind>,
        what: u64,
        content: u64,
        f: impl FnOnce(&mut Disk, Draw<'_>) -> Result<R, DiskFault>,
    ) -> io::Result<R> {
        core::with(self.world, |core| {
            if let Some(kind) = point {
                core.meet_operation(kind, self.node);
            }
            core.operate(self.node, what, content, f)
        })
    }
}

impl BlockFile for SimFile {
    fn len(&self) -> io::Result<u64> {
        self.operate(None, 2, 0, |disk, _| disk.len(self.handle))
    }
    fn read(&self, offset: u64, out: &mut [u8]) -> io::Result<()> {
        self.operate(None, 3, offset, |disk, _| disk.read(self.handle, offset, out))
    }
    fn write(&self, offset: u64, data: &[u8]) -> io::Result<()> {
        let content = xxh3_64(data) ^ offset;
        self.operate(Some(PointKind::DiskWrite), 4, content, |disk, _| disk.write(self.handle, offset, data))
    }
    fn set_len(&self, len: u64) -> io::Result<()> {
        self.operate(Some(PointKind::DiskWrite), 5, len, |disk, _| disk.set_len(self.handle, len))
    }
    fn sync(&self) -> io::Result<()> {
        self.operate(Some(PointKind::DiskSync), 6, 0, |disk, draw| disk.sync(self.handle, draw))
    }
}

impl Drop for SimFile {
    fn drop(&mut self) {
        if core::is_here(self.world) {
            core::with(self.world, |core| {
                core.with_node(self.node, |state| {
                    if !state.fenced {
                        state.drive.disk.close(self.handle);
                    }
                });
            });
        }
    }
}
