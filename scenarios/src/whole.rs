//! Files that are there whole or not at all.

use std::io;
use std::path::Path;

/// Writes a file through one beside it, whose name ends in `.new`, so that nobody finds half of it.
pub(crate) fn write_whole(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let mut beside = path.as_os_str().to_owned();
    beside.push(".new");
    std::fs::write(&beside, bytes).and_then(|()| std::fs::rename(&beside, path))
}
