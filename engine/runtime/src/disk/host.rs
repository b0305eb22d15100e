//! The host's files, and threads to use them on.

use std::fs::{self, DirBuilder, OpenOptions, TryLockError};
use std::io;
use std::os::unix::fs::{DirBuilderExt, FileExt, OpenOptionsExt};
use std::path::Path;
use std::sync::Arc;

use crate::world::BlockFile;

#[derive(Debug)]
struct HostFile(fs::File);

pub(super) fn open(path: &Path) -> io::Result<Arc<dyn BlockFile>> {
    let mut options = OpenOptions::new();
    // What is stored is nobody's business but its owner's.
    options.read(true).write(true).create(true).truncate(false).mode(0o600);
    let file = locked(options.open(path)?)?;
    if file.metadata()?.len() == 0 {
        // New, or made by a process that ended before it came here.
        sync_folder_of(path)?;
    }
    Ok(Arc::new(HostFile(file)))
}

pub(super) fn open_to_read(path: &Path) -> io::Result<Arc<dyn BlockFile>> {
    Ok(Arc::new(HostFile(locked(fs::File::open(path)?)?)))
}

/// The file, once nobody else holds it.
fn locked(file: fs::File) -> io::Result<fs::File> {
    match file.try_lock() {
        Ok(()) => Ok(file),
        Err(TryLockError::WouldBlock) => Err(io::ErrorKind::WouldBlock.into()),
        Err(TryLockError::Error(error)) => Err(error),
    }
}

/// Creates a folder and those above it, where missing, for their owner only.
pub(super) fn create_folder(path: &Path) -> io::Result<()> {
    let above = path.ancestors().take_while(|folder| !folder.as_os_str().is_empty() && !folder.exists());
    let missing: Vec<&Path> = above.collect();
    for folder in missing.into_iter().rev() {
        match DirBuilder::new().mode(0o700).create(folder) {
            Ok(()) => {}
            // Somebody else was faster.
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
            Err(error) => return Err(error),
        }
        sync_folder_of(folder)?;
    }
    if path.is_dir() { Ok(()) } else { Err(io::ErrorKind::NotADirectory.into()) }
}

/// A name lives in its folder, which has to be synced for it to survive a power loss.
fn sync_folder_of(path: &Path) -> io::Result<()> {
    let folder = match path.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => folder,
        _ => Path::new("."),
    };
    fs::File::open(folder)?.sync_all()
}

impl BlockFile for HostFile {
    fn len(&self) -> io::Result<u64> {
        Ok(self.0.metadata()?.len())
    }
    fn read(&self, offset: u64, out: &mut [u8]) -> io::Result<()> {
        self.0.read_exact_at(out, offset)
    }
    fn write(&self, offset: u64, data: &[u8]) -> io::Result<()> {
        self.0.write_all_at(data, offset)
    }
    fn set_len(&self, len: u64) -> io::Result<()> {
        self.0.set_len(len)
    }
    fn sync(&self) -> io::Result<()> {
        self.0.sync_data()
    }
}

#[expect(clippy::disallowed_methods, reason = "the tokio world: these are its blocking threads")]
pub(super) async fn blocking<T, F>(work: F) -> T
where
    T: Send + 'static,
    F: FnOnce() -> T + Send + 'static,
{
    match tokio::task::spawn_blocking(work).await {
        Ok(done) => done,
        Err(error) => match error.try_into_panic() {
            Ok(panic) => std::panic::resume_unwind(panic),
            // The runtime is shutting down and drops its tasks, this one among them.
            Err(_) => std::future::pending().await,
        },
    }
}
