//! An open file, as `runtime` holds it.

use std::io;

use runtime::world::BlockFile;
use xxhash_rust::xxh3::xxh3_64;

use crate::core;
use crate::disk::{Disk, DiskFault, Draw, FileHandle};
use crate::node::NodeId;
use crate::points::PointKind;
use crate::registry::WorldId;

/// An open file.
#[derive(Debug)]
pub(crate) struct SimFile {
    pub(super) world: WorldId,
    pub(super) node: NodeId,
    pub(super) handle: FileHandle,
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
        self.operate(None, 3, offset, |disk, draw| disk.read(self.handle, offset, out, draw))
    }
    fn write(&self, offset: u64, data: &[u8]) -> io::Result<()> {
        let content = xxh3_64(data) ^ offset;
        self.operate(Some(PointKind::DiskWrite), 4, content, |disk, draw| {
            disk.write(self.handle, offset, data, draw)
        })
    }
    fn set_len(&self, len: u64) -> io::Result<()> {
        self.operate(Some(PointKind::DiskWrite), 5, len, |disk, draw| disk.set_len(self.handle, len, draw))
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
