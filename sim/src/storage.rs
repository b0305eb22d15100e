//! The seam between a node's disk and the files inhabitants hold.

use std::collections::BTreeMap;
use std::future::Future;
use std::io;
use std::path::{Path, PathBuf};
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use runtime::world::BlockFile;

use crate::agenda::DueKey;
use crate::core::{self, Core};
use crate::node::{NodeId, NodeState};
use crate::registry::WorldId;
use crate::trace::nanos;

/// One file: as the process sees it, and as a power loss leaves it.
#[derive(Debug, Default)]
struct Content {
    seen: Vec<u8>,
    durable: Vec<u8>,
    held: bool,
}

/// A node's disk.
#[derive(Debug, Default)]
pub(crate) struct Disk {
    files: BTreeMap<PathBuf, Content>,
    cost: Duration,
}

impl Core {
    /// The process is gone, or the power: files are let go, and after a power loss hold what is durable.
    pub(crate) fn disk_gone(&self, node: NodeId, power: bool) {
        self.with_node(node, |state| {
            for content in state.disk.files.values_mut() {
                content.held = false;
                if power {
                    content.seen.clone_from(&content.durable);
                }
            }
        });
    }

    pub(crate) fn files_held(&self, node: &NodeState) -> usize {
        node.disk.files.values().filter(|content| content.held).count()
    }

    pub(crate) fn file_exists(&self, path: &Path) -> bool {
        self.with_node(self.current_node(), |state| state.disk.files.contains_key(path))
    }

    pub(crate) fn open_file(&self, path: &Path) -> io::Result<SimFile> {
        let node = self.current_node();
        self.with_node(node, |state| {
            let content = state.disk.files.entry(path.to_owned()).or_default();
            if std::mem::replace(&mut content.held, true) {
                return Err(io::ErrorKind::WouldBlock.into());
            }
            Ok(SimFile { world: self.id, node, boot: state.boot, path: path.to_owned() })
        })
    }

    /// Runs work on files and answers with the wait for it.
    pub(crate) fn blocking(&self, work: &mut dyn FnMut()) -> Working {
        let node = self.current_node();
        self.with_node(node, |state| state.disk.cost = Duration::ZERO);
        work();
        let (fallen, cost) = self.with_node(node, |state| (state.fenced, state.disk.cost));
        let until = self.now.get() + nanos(cost);
        Working { world: self.id, until: (!fallen).then_some(until), due: None }
    }
}

/// The wait for the modelled time of work on files.
pub(crate) struct Working {
    world: WorldId,
    /// `None`: the node has fallen.
    until: Option<u64>,
    due: Option<DueKey>,
}

impl Future for Working {
    type Output = ();
    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<()> {
        let Some(until) = self.until else { return Poll::Pending };
        core::with(self.world, |core| {
            if core.now.get() >= until {
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
    boot: u32,
    path: PathBuf,
}

impl SimFile {
    fn with<R>(&self, cost: Duration, f: impl FnOnce(&mut Content) -> io::Result<R>) -> io::Result<R> {
        core::with(self.world, |core| {
            core.with_node(self.node, |state| {
                if state.fenced || state.boot != self.boot {
                    return Err(io::Error::other("the node has fallen"));
                }
                if let Some((left, how)) = &mut state.crash {
                    *left -= 1;
                    if *left == 0 {
                        state.falls = Some(*how);
                        state.fenced = true;
                        core.falling.set(true);
                        return Err(io::Error::other("the node has fallen"));
                    }
                }
                state.disk.cost += cost;
                f(state.disk.files.get_mut(&self.path).expect("an open file is kept"))
            })
        })
    }
}

impl BlockFile for SimFile {
    fn len(&self) -> io::Result<u64> {
        self.with(Duration::ZERO, |content| Ok(content.seen.len() as u64))
    }
    fn read(&self, offset: u64, out: &mut [u8]) -> io::Result<()> {
        self.with(Duration::from_micros(20), |content| {
            let bytes = content.seen.get(offset as usize..offset as usize + out.len());
            out.copy_from_slice(bytes.ok_or(io::ErrorKind::UnexpectedEof)?);
            Ok(())
        })
    }
    fn write(&self, offset: u64, data: &[u8]) -> io::Result<()> {
        self.with(Duration::from_micros(10), |content| {
            let end = offset as usize + data.len();
            if content.seen.len() < end {
                content.seen.resize(end, 0);
            }
            content.seen[offset as usize..end].copy_from_slice(data);
            Ok(())
        })
    }
    fn set_len(&self, len: u64) -> io::Result<()> {
        self.with(Duration::from_micros(10), |content| {
            content.seen.resize(len as usize, 0);
            Ok(())
        })
    }
    fn sync(&self) -> io::Result<()> {
        self.with(Duration::from_millis(1), |content| {
            content.durable.clone_from(&content.seen);
            Ok(())
        })
    }
}

impl Drop for SimFile {
    fn drop(&mut self) {
        if core::is_here(self.world) {
            core::with(self.world, |core| {
                core.with_node(self.node, |state| {
                    if state.boot == self.boot
                        && let Some(content) = state.disk.files.get_mut(&self.path)
                    {
                        content.held = false;
                    }
                });
            });
        }
    }
}
