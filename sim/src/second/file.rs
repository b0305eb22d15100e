//! Files: blocks in memory that outlive the process. A sync says nothing, since nothing is ever lost.

use std::collections::BTreeMap;
use std::io;
use std::path::{Path, PathBuf};

use madsim::task::NodeId;
use runtime::world::BlockFile;

use super::node::NodeState;
use super::shared;

/// A node's files, and who holds them.
#[derive(Default)]
pub(super) struct Files(BTreeMap<PathBuf, Held>);

#[derive(Default)]
struct Held {
    content: Vec<u8>,
    open: bool,
}

impl Files {
    pub(super) fn exists(&self, path: &Path) -> bool {
        self.0.contains_key(path)
    }

    /// The process is gone, and its locks with it.
    pub(super) fn unlock(&mut self) {
        for held in self.0.values_mut() {
            held.open = false;
        }
    }

    /// How many are open.
    pub(super) fn held(&self) -> usize {
        self.0.values().filter(|held| held.open).count()
    }

    pub(super) fn open(&mut self, path: &Path) -> io::Result<()> {
        let held = self.0.entry(path.to_owned()).or_default();
        if std::mem::replace(&mut held.open, true) {
            return Err(io::ErrorKind::WouldBlock.into());
        }
        Ok(())
    }
}

/// An open file of one process of a node.
#[derive(Debug)]
pub(super) struct File {
    pub(super) node: NodeId,
    /// Which process of the node: what a former one holds is refused.
    pub(super) process: u64,
    pub(super) path: PathBuf,
}

impl File {
    fn with<R>(&self, f: impl FnOnce(&mut Vec<u8>) -> io::Result<R>) -> io::Result<R> {
        let here = |state: &mut NodeState| {
            let held = state.files.0.get_mut(&self.path).filter(|_| state.process == self.process);
            held.map_or_else(|| Err(io::ErrorKind::NotConnected.into()), |held| f(&mut held.content))
        };
        let done = shared::try_with(|shared| shared.with_node(self.node, here));
        done.unwrap_or_else(|| Err(io::ErrorKind::NotConnected.into()))
    }
}

fn place(offset: u64) -> io::Result<usize> {
    usize::try_from(offset).map_err(|_beyond_memory| io::ErrorKind::FileTooLarge.into())
}

impl BlockFile for File {
    fn len(&self) -> io::Result<u64> {
        self.with(|content| Ok(content.len() as u64))
    }
    fn read(&self, offset: u64, out: &mut [u8]) -> io::Result<()> {
        let from = place(offset)?;
        self.with(|content| {
            let all = content.get(from..).and_then(|rest| rest.get(..out.len()));
            out.copy_from_slice(all.ok_or(io::ErrorKind::UnexpectedEof)?);
            Ok(())
        })
    }
    fn write(&self, offset: u64, data: &[u8]) -> io::Result<()> {
        let from = place(offset)?;
        self.with(|content| {
            let end = from.checked_add(data.len()).ok_or(io::ErrorKind::FileTooLarge)?;
            if content.len() < end {
                content.resize(end, 0);
            }
            content[from..end].copy_from_slice(data);
            Ok(())
        })
    }
    fn set_len(&self, len: u64) -> io::Result<()> {
        let len = place(len)?;
        self.with(|content| {
            content.resize(len, 0);
            Ok(())
        })
    }
    fn sync(&self) -> io::Result<()> {
        self.with(|_| Ok(()))
    }
}

impl Drop for File {
    fn drop(&mut self) {
        let unlock = |state: &mut NodeState| {
            if state.process == self.process
                && let Some(held) = state.files.0.get_mut(&self.path)
            {
                held.open = false;
            }
        };
        let _run_is_over = shared::try_with(|shared| shared.try_with_node(self.node, unlock));
    }
}
