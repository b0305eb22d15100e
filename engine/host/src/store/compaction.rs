//! Giving room that no row uses back to the file system.
//!
//! A file grows by doubling and shrinks only as far as its end is free, so deletes leave it as large as it was. Moving
//! rows to its beginning takes as long as there are rows to move, and nobody is served meanwhile: at a start it is done
//! only where that is short.

use std::path::Path;

use super::disk::Disk;
use super::face::{Face as _, Fault, Size};
use super::{StoreError, file, make_now};

/// Smallest file that is looked at. Ours: nobody misses what a smaller one could give back.
const FILE_BYTES_MIN: u64 = 64 * 1024 * 1024;
/// What is stored, at most this part of the file. Ours: pages that are half empty and a file that has just doubled make
/// four times what is stored.
const STORED_PART: u64 = 8;
/// Most that is moved at a start. Ours: 64 MiB take below a second.
const MOVED_BYTES_MAX: u64 = 64 * 1024 * 1024;

/// Whether a start is worth it, and short.
const fn is_worth_it(size: &Size) -> bool {
    size.file_bytes >= FILE_BYTES_MIN
        && size.stored_bytes <= MOVED_BYTES_MAX
        && size.stored_bytes.saturating_mul(STORED_PART) <= size.file_bytes
}

/// Opens the file, compacted if that was worth it.
pub(super) fn open_tidy(path: &Path, cache_bytes: usize) -> Result<Disk, StoreError> {
    let mut disk = make_now(path, cache_bytes)?;
    let before = disk.size().map_err(|fault| StoreError::from_fault(path, fault))?;
    if !is_worth_it(&before) {
        return Ok(disk);
    }
    protocol::mark!("store_compacted_at_start");
    match disk.compact() {
        Ok(_) => {
            tracing::info!(
                before = before.file_bytes,
                stored = before.stored_bytes,
                "the store was compacted"
            );
            Ok(disk)
        }
        Err(error) => {
            tracing::warn!(%error, "the store could not be compacted");
            // It answers nothing any more. What was stored is as it was.
            drop(disk);
            make_now(path, cache_bytes)
        }
    }
}

/// Compacts the file.
pub(super) fn compact(path: &Path, cache_bytes: usize) -> Result<(Size, Size), StoreError> {
    file::exists(path)?;
    let wrong = |fault: Fault| StoreError::from_fault(path, fault);
    let mut disk = make_now(path, cache_bytes)?;
    let before = disk.size().map_err(wrong)?;
    disk.compact().map_err(|error| wrong(error.into()))?;
    let after = disk.size().map_err(wrong)?;
    Ok((before, after))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_start_compacts_what_is_mostly_waste_and_soon_moved() {
        let size = |file_mib: u64, stored_mib: u64| Size {
            file_bytes: file_mib << 20,
            stored_bytes: stored_mib << 20,
            ..Size::default()
        };
        for (file, stored, worth) in [
            (63, 0, false),
            (64, 8, true),
            (64, 9, false),
            (1024, 64, true),
            (1024, 65, false),
            (100_000, 65, false),
        ] {
            assert_eq!(is_worth_it(&size(file, stored)), worth, "{stored} MiB in {file}");
        }
    }
}
