//! What a disk's faults did.

/// What was felt of a disk, since it was made.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct DiskCounts {
    /// Syncs that ended well.
    pub synced: u64,
    /// Sectors that power losses left other than they were read before.
    pub sectors_lost: u64,
    /// Writes of which power losses and failed syncs kept some sectors (or later content of them) and lost others.
    pub writes_torn: u64,
    /// Operations refused because their process had fallen.
    pub refused: u64,
    /// Operations failed by injection: reads, writes and syncs, and what found no room.
    pub failed: u64,
    /// Syncs that had something to do, did nothing, and ended well.
    pub lied: u64,
    /// Flipped bytes that were read.
    pub rotten: u64,
}
