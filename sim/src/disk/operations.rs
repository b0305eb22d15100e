//! What a process does with its disk.

use std::path::Path;

use super::file::FileState;
use super::{Disk, DiskFault, Draw, FileHandle, PAGE};

/// When an operation is done, from and to, and whether its process falls inside it.
struct Turn {
    span: (u64, u64),
    crashes: bool,
}

impl Turn {
    /// For operations that leave nothing half done.
    const fn whole(self) -> Result<(u64, u64), DiskFault> {
        if self.crashes { Err(DiskFault::Crashed) } else { Ok(self.span) }
    }
}

impl Disk {
    /// Opens a file and locks it; creates it (durably, though empty) if it is missing.
    ///
    /// # Errors
    /// [`DiskFault::InUse`], and those of a fallen process.
    pub(crate) fn open(&mut self, name: &Path, draw: Draw<'_>) -> Result<FileHandle, DiskFault> {
        self.admit()?;
        let known = self.names.get(name).copied();
        let time = if known.is_some() { self.options.reading(0) } else { self.options.syncing(draw) };
        let made = self.turn(time)?.whole()?;
        let place = known.unwrap_or_else(|| {
            self.files.push(FileState::new(made));
            self.names.insert(name.to_owned(), self.files.len() - 1);
            self.files.len() - 1
        });
        let holder = &mut self.files[place].holder;
        if holder.is_some() {
            return Err(DiskFault::InUse);
        }
        self.serial += 1;
        *holder = Some(self.serial);
        Ok(FileHandle { place, serial: self.serial })
    }

    /// Closes a file: its lock is free. Closing one of a process that is gone does nothing.
    pub(crate) fn close(&mut self, handle: FileHandle) {
        if let Some(file) = self.files.get_mut(handle.place)
            && file.holder == Some(handle.serial)
        {
            file.holder = None;
        }
    }

    /// Whether there is a file of that name. A fenced disk has none.
    #[must_use]
    pub(crate) fn exists(&self, name: &Path) -> bool {
        !self.fenced && self.names.contains_key(name)
    }

    /// Length in bytes.
    ///
    /// # Errors
    /// Those of a fallen process.
    pub(crate) fn len(&mut self, handle: FileHandle) -> Result<u64, DiskFault> {
        self.turn(0)?.whole()?;
        Ok(self.file(handle)?.cached.len() as u64)
    }

    /// Fills `out` from `offset`.
    ///
    /// # Errors
    /// [`DiskFault::PastEnd`], [`DiskFault::ReadFailed`], and those of a fallen process.
    pub(crate) fn read(
        &mut self,
        handle: FileHandle,
        offset: u64,
        out: &mut [u8],
        draw: Draw<'_>,
    ) -> Result<(), DiskFault> {
        self.turn(self.options.reading(out.len()))?.whole()?;
        self.file(handle)?;
        let file = &self.files[handle.place];
        let from = usize::try_from(offset).map_err(|_| DiskFault::PastEnd)?;
        let to = from.checked_add(out.len()).ok_or(DiskFault::PastEnd)?;
        let held = file.cached.get(from..to).ok_or(DiskFault::PastEnd)?;
        if self.trouble.reads.strikes("read error", draw) {
            self.counts.failed += 1;
            return Err(DiskFault::ReadFailed);
        }
        out.copy_from_slice(held);
        self.counts.rotten += file.rotten_in(from..to);
        Ok(())
    }

    /// Writes all of `data` at `offset`.
    ///
    /// # Errors
    /// [`DiskFault::Full`] (nothing is written then), [`DiskFault::WriteFailed`] (any number of its first pages is), and
    /// those of a fallen process.
    pub(crate) fn write(
        &mut self,
        handle: FileHandle,
        offset: u64,
        data: &[u8],
        draw: Draw<'_>,
    ) -> Result<(), DiskFault> {
        let turn = self.turn(self.options.writing(data.len()))?;
        self.take_failure()?;
        let len = self.file(handle)?.cached.len() as u64;
        self.make_room(len, offset.saturating_add(data.len() as u64).max(len))?;
        let offset = usize::try_from(offset).map_err(|_| DiskFault::Full)?;
        let fails = self.trouble.writes.strikes("write error", draw);
        let taken = if fails { first_pages(offset, data, draw) } else { data };
        if !taken.is_empty() {
            // Also when the process falls inside it: it was under way then.
            self.file(handle)?.write(turn.span, offset, taken);
        }
        turn.whole()?;
        if fails { Err(self.failed_write()) } else { Ok(()) }
    }

    /// Cuts or zero-extends.
    ///
    /// # Errors
    /// [`DiskFault::Full`] and [`DiskFault::WriteFailed`] (nothing is changed then), and those of a fallen process.
    pub(crate) fn set_len(&mut self, handle: FileHandle, len: u64, draw: Draw<'_>) -> Result<(), DiskFault> {
        let turn = self.turn(self.options.writing(0))?;
        self.take_failure()?;
        let before = self.file(handle)?.cached.len() as u64;
        self.make_room(before, len)?;
        let len = usize::try_from(len).map_err(|_| DiskFault::Full)?;
        if self.trouble.writes.strikes("write error", draw) {
            turn.whole()?;
            return Err(self.failed_write());
        }
        self.file(handle)?.set_len(turn.span, len);
        turn.whole().map(drop)
    }

    /// Makes all that was written before durable, when it has ended.
    ///
    /// # Errors
    /// [`DiskFault::SyncFailed`], and those of a fallen process.
    pub(crate) fn sync(&mut self, handle: FileHandle, draw: Draw<'_>) -> Result<(), DiskFault> {
        self.admit()?;
        let dirty = self.file(handle)?.is_dirty();
        let time = if dirty { self.options.syncing(draw) } else { self.options.writing(0) };
        let span = self.turn(time)?.whole()?;
        let file = &mut self.files[handle.place];
        if std::mem::take(&mut self.trouble.next) || self.trouble.syncs.strikes("sync error", draw) {
            self.counts.failed += 1;
            file.fail_sync(span, draw);
            return Err(DiskFault::SyncFailed);
        }
        if dirty && self.trouble.lies.strikes("lying sync", draw) {
            self.counts.lied += 1;
            return Ok(());
        }
        self.counts.synced += 1;
        file.sync(span);
        Ok(())
    }

    /// Refuses a process that has fallen.
    const fn admit(&mut self) -> Result<(), DiskFault> {
        let fault = if self.fenced {
            DiskFault::Fenced
        } else if self.crashed.is_some() {
            DiskFault::Crashed
        } else {
            return Ok(());
        };
        self.counts.refused += 1;
        Err(fault)
    }

    /// Fails the write that is about to be done, if one is to fail.
    fn take_failure(&mut self) -> Result<(), DiskFault> {
        if !std::mem::take(&mut self.trouble.next) {
            return Ok(());
        }
        self.counts.failed += 1;
        Err(DiskFault::WriteFailed)
    }

    /// Queues an operation that takes `nanos`.
    fn turn(&mut self, nanos: u64) -> Result<Turn, DiskFault> {
        self.admit()?;
        let crashes = self.crash_at == Some(self.operations);
        self.operations += 1;
        let start = self.busy_until;
        let end = start.saturating_add(nanos.saturating_mul(u64::from(self.slowness)));
        self.slowed = end - start > nanos;
        self.busy_until = end;
        self.section = end;
        if crashes {
            self.counts.refused += 1;
            self.crashed = Some(start);
        }
        Ok(Turn { span: (start, end), crashes })
    }

    fn file(&mut self, handle: FileHandle) -> Result<&mut FileState, DiskFault> {
        match self.files.get_mut(handle.place) {
            Some(file) if file.holder == Some(handle.serial) => Ok(file),
            Some(_) | None => Err(DiskFault::Fenced),
        }
    }

    const fn failed_write(&mut self) -> DiskFault {
        self.counts.failed += 1;
        DiskFault::WriteFailed
    }

    fn make_room(&mut self, before: u64, after: u64) -> Result<(), DiskFault> {
        let used: u64 = self.files.iter().map(|file| file.cached.len() as u64).sum();
        if after > before && (used - before).saturating_add(after) > self.capacity {
            self.counts.failed += 1;
            return Err(DiskFault::Full);
        }
        Ok(())
    }
}

/// What a write of `data` at `offset` that fails has written: any number of its first pages (`write error page`).
fn first_pages<'a>(offset: usize, data: &'a [u8], draw: Draw<'_>) -> &'a [u8] {
    let pages = (offset + data.len()).div_ceil(PAGE) - offset / PAGE;
    let taken = usize::try_from(draw("write error page", pages as u64 + 1)).expect("a number of pages");
    let end = ((offset / PAGE + taken) * PAGE).min(offset + data.len());
    &data[..end.saturating_sub(offset)]
}
