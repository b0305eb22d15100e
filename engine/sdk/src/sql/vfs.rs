//! The file system that SQLite sees: one file, [`Pages`], which the thread that opens it holds out; a clock and chance
//! that are the runtime's; nothing else. There are no locks, since a file has one connection, and no syncs.

use std::cell::RefCell;
use std::sync::Arc;
use std::time::Duration;

use parking_lot::Mutex;
use rsqlite_vfs::{
    AccessMode, LockLevel, OpenOptions, OpenRequest, OpenedFile, OsCallback, SQLiteIoMethods, SQLiteVfs,
    SyncOptions, VfsError, VfsErrorCode, VfsFile, VfsResult, VfsStore,
};

use super::layout::PAGE_BYTES;
use super::pages::{Pages, Refusal};

thread_local! {
    static HELD_OUT: RefCell<Option<Arc<Mutex<Pages>>>> = const { RefCell::new(None) };
}

/// While `open` runs, the first file that is opened on this thread is `pages`.
pub(super) fn holding_out<T>(pages: &Arc<Mutex<Pages>>, open: impl FnOnce() -> T) -> T {
    HELD_OUT.set(Some(Arc::clone(pages)));
    let opened = open();
    HELD_OUT.take();
    opened
}

/// The file, as SQLite holds it.
pub(super) struct File(Arc<Mutex<Pages>>);

/// The number of the page at `offset`, and how far into it that is.
fn place(offset: u64) -> Option<(u32, usize)> {
    let bytes = u64::try_from(PAGE_BYTES).ok()?;
    Some((u32::try_from(offset / bytes).ok()?, usize::try_from(offset % bytes).ok()?))
}

fn refused(refusal: Refusal) -> VfsError {
    match refusal {
        Refusal::NotAPage => VfsError::new(VfsErrorCode::IoWrite, "not a page".into()),
        Refusal::Full => VfsError::new(VfsErrorCode::Full, "beyond a bound".into()),
    }
}

fn not_a_page() -> VfsError {
    refused(Refusal::NotAPage)
}

impl VfsFile for File {
    /// A page, or a part of one: SQLite looks at the beginning of the first for itself.
    fn read(&mut self, out: &mut [u8], offset: u64) -> VfsResult<usize> {
        let (page, from) = place(offset).ok_or_else(not_a_page)?;
        let pages = self.0.lock();
        let Some(page) = pages.read(page) else { return Ok(0) };
        let part = page.get(from..from + out.len()).ok_or_else(not_a_page)?;
        out.copy_from_slice(part);
        Ok(out.len())
    }

    fn write(&mut self, data: &[u8], offset: u64) -> VfsResult<()> {
        match place(offset) {
            Some((page, 0)) => self.0.lock().write(page, data).map_err(refused),
            Some(_) | None => Err(not_a_page()),
        }
    }

    fn truncate(&mut self, size: u64) -> VfsResult<()> {
        match place(size) {
            Some((len, 0)) => self.0.lock().truncate(len).map_err(refused),
            Some(_) | None => Err(not_a_page()),
        }
    }

    fn sync(&mut self, _: SyncOptions) -> VfsResult<()> {
        Ok(())
    }

    fn size(&self) -> VfsResult<u64> {
        Ok(u64::from(self.0.lock().len()) * u64::try_from(PAGE_BYTES).map_err(|_| not_a_page())?)
    }

    fn lock(&mut self, _: LockLevel) -> VfsResult<()> {
        Ok(())
    }

    fn unlock(&mut self, _: LockLevel) -> VfsResult<()> {
        Ok(())
    }

    fn check_reserved_lock(&self) -> VfsResult<bool> {
        Ok(false)
    }
}

/// The calls on a file.
pub(super) struct Calls;

impl SQLiteIoMethods for Calls {
    type Store = Files;
}

/// The file system.
pub(super) struct Files;

impl VfsStore for Files {
    type File = File;
    type AppData = ();

    fn open_file(_: &(), request: OpenRequest<'_>) -> VfsResult<OpenedFile<File>> {
        let held_out = HELD_OUT.take();
        let pages = held_out.ok_or_else(|| {
            VfsError::new(VfsErrorCode::CantOpen, "an actor has one file, and it is open".into())
        })?;
        Ok(OpenedFile { file: File(pages), access: request.options.access() })
    }

    fn close_file(_: &(), _: Option<&str>, file: File, _: OpenOptions) -> VfsResult<()> {
        drop(file);
        Ok(())
    }

    /// There is no journal to be found, and no log.
    fn access(_: &(), _: &str, _: AccessMode) -> VfsResult<bool> {
        Ok(false)
    }

    fn full_pathname(_: &(), name: &str) -> VfsResult<String> {
        Ok(name.to_owned())
    }

    fn delete_file(_: &(), _: &str, _: bool) -> VfsResult<()> {
        Ok(())
    }
}

impl SQLiteVfs<Calls> for Files {
    type Os = Ground;

    fn os((): &()) -> &Ground {
        &Ground
    }
}

/// What else SQLite asks of an operating system.
pub(super) struct Ground;

impl OsCallback for Ground {
    /// It would wait for locks, of which there are none.
    fn sleep(&self, _: Duration) {}

    fn random(&self, out: &mut [u8]) -> usize {
        runtime::entropy::fill("sql", out);
        out.len()
    }

    fn epoch_timestamp_in_ms(&self) -> VfsResult<i64> {
        i64::try_from(runtime::wall().0)
            .map_err(|_| VfsError::new(VfsErrorCode::Error, "a clock beyond all calendars".into()))
    }
}
