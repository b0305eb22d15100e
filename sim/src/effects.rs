//! Faults: told when they are injected, counted when somebody suffers them.

use std::collections::BTreeMap;
use std::fmt;

use xxhash_rust::xxh3::xxh3_64;

use crate::core::Core;
use crate::digest::Kind;
use crate::tap::Part;

/// A fault's effect.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Effect {
    /// A node with a running process was killed.
    Kill,
    /// A node with a running process lost power.
    PowerOff,
    /// A process fell inside a disk operation.
    DiskCrash,
    /// A power loss took sectors that were written and not synced.
    LostSectors,
    /// A task that was ready had to wait because its node was paused.
    Pause,
    /// A segment, an acknowledgement, a word about room, SYN, its answer or RST was lost to a blocked path.
    Blocked,
    /// A connection that a process holds, or will find in its listener's queue, was cut by RST.
    CutReset,
    /// Such a connection was cut by FIN.
    CutFin,
    /// The same as for a blocked path was lost to a silenced connection.
    CutSilence,
    /// A peer learnt of a closed connection by RST.
    Reset,
    /// A connection attempt was refused.
    Refused,
    /// A connection attempt timed out.
    ConnectTimeout,
    /// An established connection timed out.
    Timeout,
    /// A segment waited behind others for a path's bandwidth.
    Queued,
    /// A read failed by injection.
    ReadError,
    /// A write or a change of a file's length failed by injection.
    WriteError,
    /// A sync failed by injection.
    SyncError,
    /// A file found no room to grow.
    DiskFull,
    /// A sync that had something to do did nothing and ended well.
    LyingSync,
    /// A running process lost sight of sectors that a failed sync had lost before.
    DroppedPages,
    /// A flipped bit was read.
    FlippedBit,
    /// A disk operation took longer by injection.
    SlowDisk,
    /// Work on files met a disk on which nothing ended.
    DiskStall,
    /// A process met a disk that had been wiped.
    DiskWiped,
    /// A process met a disk with the content of another, or of an earlier time.
    DiskSwapped,
    /// A node's wall clock was read for the first time since it was stepped.
    ClockStep,
    /// A live connection was cut where a plan said: before the first byte of this part of the protocol.
    CutBefore(Part),
    /// The same, inside the part.
    CutIn(Part),
    /// A middlebox closed a connection in which nothing moved.
    IdleClosed,
    /// A middlebox held back bytes that it could have passed on.
    HeldBack,
    /// A middlebox reset a connection that had carried as much as it may.
    CarriedTooMuch,
    /// A middlebox connected to an address that its name no longer has.
    StaleName,
    /// A node's clock was read for the first time since it began to run fast or slow.
    ClockDrift,
    /// A node's clock was read for the first time since it stood still.
    ClockFreeze,
    /// A timer fired later than its deadline by injection.
    LateTimer,
}

impl Effect {
    /// The name in tables.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Kill => "kill",
            Self::PowerOff => "power off",
            Self::DiskCrash => "crash in disk operation",
            Self::LostSectors => "unsynced sectors lost",
            Self::Pause => "pause",
            Self::Blocked => "blocked path",
            Self::CutReset => "cut by RST",
            Self::CutFin => "cut by FIN",
            Self::CutSilence => "cut silently",
            Self::Reset => "connection reset",
            Self::Refused => "connection refused",
            Self::ConnectTimeout => "connect timed out",
            Self::Timeout => "connection timed out",
            Self::Queued => "queued for bandwidth",
            Self::ReadError => "read error",
            Self::WriteError => "write error",
            Self::SyncError => "sync error",
            Self::DiskFull => "full disk",
            Self::LyingSync => "lying sync",
            Self::DroppedPages => "pages dropped after a failed sync",
            Self::FlippedBit => "flipped bit",
            Self::SlowDisk => "slow disk",
            Self::DiskStall => "stalled disk",
            Self::DiskWiped => "wiped disk",
            Self::DiskSwapped => "swapped disk",
            Self::ClockStep => "clock step",
            Self::CutBefore(part) => part.cut_names().0,
            Self::CutIn(part) => part.cut_names().1,
            Self::IdleClosed => "idle connection closed",
            Self::HeldBack => "bytes held back",
            Self::CarriedTooMuch => "reset after so many bytes",
            Self::StaleName => "stale name",
            Self::ClockDrift => "clock drift",
            Self::ClockFreeze => "frozen clock",
            Self::LateTimer => "late timer",
        }
    }
}

impl fmt::Display for Effect {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(self.name())
    }
}

/// The counters of a run.
pub(crate) struct Effects {
    counts: BTreeMap<Effect, u64>,
}

impl Effects {
    pub(crate) const fn new() -> Self {
        Self { counts: BTreeMap::new() }
    }
    pub(crate) fn add(&mut self, effect: Effect, count: u64) {
        if count > 0 {
            *self.counts.entry(effect).or_default() += count;
        }
    }
    pub(crate) const fn counts(&self) -> &BTreeMap<Effect, u64> {
        &self.counts
    }
}

impl Core {
    /// A fault is injected: part of the digest, and told.
    pub(crate) fn fault(&self, what: impl FnOnce() -> String) {
        let what = what();
        self.event(Kind::Fault, 0, self.hash_of(&what));
        self.tell(tracing::Level::DEBUG, || format!("fault: {what}"));
    }

    /// A text as an event's detail; while events are kept, so is the text.
    pub(crate) fn hash_of(&self, text: &str) -> u64 {
        let hash = xxh3_64(text.as_bytes());
        if self.digest.borrow().keeps() {
            self.names.borrow_mut().text(hash, text.to_owned());
        }
        hash
    }

    /// Counts a fault's effect.
    #[inline]
    pub(crate) fn felt(&self, effect: Effect) {
        self.effects.borrow_mut().add(effect, 1);
    }
}
