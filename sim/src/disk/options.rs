//! How long a disk takes, and how much it holds.

use std::time::Duration;

use super::{Draw, PAGE};

/// The constants of a disk. Defaults are of a data-centre NVMe drive with power-loss protection off.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DiskOptions {
    /// A read. Default 80 µs: what vendors give for random 4 KiB reads at queue depth one.
    pub read: Duration,
    /// A write into the page cache. Default 20 µs: ours, a system call on a busy host.
    pub write: Duration,
    /// Each 4 KiB of a read or write. Default 1 µs: ours, 4 GiB/s.
    pub page: Duration,
    /// A sync that has something to write, from and to, both included, decided in whole microseconds (`sync`).
    /// Default 500 µs to 5 ms: quiet and busy moments of a consumer drive's flush; one with nothing to write takes as
    /// long as a write.
    pub sync: (Duration, Duration),
    /// Bytes all files may hold together. Default 1 GiB: it is memory.
    pub capacity: u64,
}

impl Default for DiskOptions {
    fn default() -> Self {
        Self {
            read: Duration::from_micros(80),
            write: Duration::from_micros(20),
            page: Duration::from_micros(1),
            sync: (Duration::from_micros(500), Duration::from_millis(5)),
            capacity: 1 << 30,
        }
    }
}

fn nanos(span: Duration) -> u64 {
    u64::try_from(span.as_nanos()).unwrap_or(u64::MAX)
}

impl DiskOptions {
    pub(super) fn reading(&self, bytes: usize) -> u64 {
        self.moving(self.read, bytes)
    }

    pub(super) fn writing(&self, bytes: usize) -> u64 {
        self.moving(self.write, bytes)
    }

    fn moving(&self, base: Duration, bytes: usize) -> u64 {
        let pages = bytes.div_ceil(PAGE) as u64;
        nanos(base).saturating_add(nanos(self.page).saturating_mul(pages))
    }

    pub(super) fn syncing(&self, draw: Draw<'_>) -> u64 {
        let (from, to) = self.sync;
        let spread = u64::try_from(to.saturating_sub(from).as_micros()).unwrap_or(u64::MAX - 1);
        nanos(from).saturating_add(draw("sync", spread + 1).saturating_mul(1000))
    }
}
