//! The disk model, held to its word. `properties`: what a power loss may leave. `life`: processes, locks, time,
//! falls. `trouble`: injected faults. `store`: a real storage engine on it, and that a lying sync is caught.

mod life;
mod properties;
mod store;
mod trouble;

use std::path::Path;

use super::{Disk, DiskOptions, FileHandle};

/// SplitMix64, to stand for decisions.
pub(super) struct Chance(pub(super) u64);

impl Chance {
    pub(super) fn below(&mut self, bound: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut word = self.0;
        word = (word ^ (word >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        word = (word ^ (word >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (word ^ (word >> 31)) % bound
    }

    pub(super) fn draw(&mut self) -> impl FnMut(&'static str, u64) -> u64 + '_ {
        |label, bound| {
            assert!(bound > 0, "{label} is decided among nothing");
            self.below(bound)
        }
    }
}

/// Decides the same each time.
pub(super) fn always(value: u64) -> impl FnMut(&'static str, u64) -> u64 {
    move |_, bound| value.min(bound - 1)
}

/// A booted disk with one open file.
pub(super) fn with_file() -> (Disk, FileHandle) {
    let mut disk = Disk::new(DiskOptions::default());
    disk.boot();
    let file = disk.open(Path::new("store"), &mut always(0)).expect("created");
    (disk, file)
}

/// All of the file, as a fresh process reads it.
pub(super) fn after_boot(disk: &mut Disk) -> Vec<u8> {
    disk.boot();
    let file = disk.open(Path::new("store"), &mut always(0)).expect("there, and free");
    let mut all = vec![0; usize::try_from(disk.len(file).expect("known")).expect("small")];
    disk.read(file, 0, &mut all, &mut always(0)).expect("whole");
    all
}
