//! The run digest: 128 bits over every event of a run, with checkpoints.
//!
//! Events are two words each, gathered into blocks; a block is hashed (XXH3) together with the digest of all before
//! it. Tracing never touches it. A checkpoint is kept every so many events, and every second one is dropped when there
//! are too many, so a run of any length keeps at most [`CHECKPOINTS_MAX`]. A window of events can be kept as they are,
//! to name the first in which two runs differ. Next: `verify`.

use std::ops::Range;

use xxhash_rust::xxh3::xxh3_128;

/// Events per hashed block; a multiple of it lies between checkpoints.
const BLOCK_EVENTS: usize = 128;
/// An event's two words; the digest of all before takes as much room.
const EVENT_BYTES: usize = 16;
/// Events between checkpoints at first; doubled whenever there are too many.
pub const CHECKPOINT_EVENTS: u64 = 1024;
/// At most so many checkpoints are kept.
pub const CHECKPOINTS_MAX: usize = 1024;
/// At most so many events are kept as they are.
pub const WINDOW_MAX: u64 = 1 << 20;

/// What an event is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub(crate) enum Kind {
    /// Virtual time moved; detail: nanoseconds.
    Time = 1,
    /// Subject: task.
    Spawn,
    /// Subject: task.
    Poll,
    /// Subject: task.
    TaskEnd,
    /// A timer fired; subject: its key; detail: 1 if its task is only to ask again.
    Timer,
    /// Subject: stream; detail: value.
    Decision,
    /// Bytes were written; subject: connection; detail: hash of all bytes of that direction so far.
    Write,
    /// Bytes were read; subject: connection; detail: how many so far of that direction.
    Read,
    /// Something of a connection came about; subject: connection; detail: an [`Arrival`].
    Deliver,
    /// Subject: node; detail: what became of it.
    Node,
    /// Subject: node; detail: hash of operation and outcome.
    Disk,
    /// A script's note; detail: hash of its text.
    Note,
    /// A fault was injected; detail: hash of its description.
    Fault,
}

/// What came about on a connection: the upper eight bits of the detail of a [`Kind::Deliver`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub(crate) enum Arrival {
    /// Bytes up to this offset, to the reader.
    Data = 1,
    /// The word that the reader has read up to this offset, to the writer.
    Window,
    Syn,
    SynAck,
    /// The last step of the handshake.
    Ack,
    Fin,
    /// A segment without bytes, which asks for an acknowledgement.
    Probe,
    Reset,
    /// The opening failed, with this [`std::io::ErrorKind`].
    NotOpened,
    /// A sender waited too long for an acknowledgement.
    GiveUp,
    /// A kernel waited too long for a FIN, or for the last step of the handshake.
    Forget,
    /// A keep-alive probe.
    KeepAlive,
}

impl Arrival {
    const OF: [Self; 12] = [
        Self::Data,
        Self::Window,
        Self::Syn,
        Self::SynAck,
        Self::Ack,
        Self::Fin,
        Self::Probe,
        Self::Reset,
        Self::NotOpened,
        Self::GiveUp,
        Self::Forget,
        Self::KeepAlive,
    ];

    /// As a detail. Values above 56 bits lose the rest.
    #[inline]
    pub(crate) const fn word(self, value: u64) -> u64 {
        (self as u64) << 56 | (value & ((1 << 56) - 1))
    }

    /// Back from the detail, with the value.
    pub(crate) fn from_word(word: u64) -> Option<(Self, u64)> {
        let what = Self::OF.into_iter().find(|each| *each as u64 == word >> 56)?;
        Some((what, word & ((1 << 56) - 1)))
    }
}

/// A digest after so many events.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Checkpoint {
    /// How many events came before.
    pub events: u64,
    /// The digest over them.
    pub digest: u128,
}

/// An event kept as it is, for naming.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Kept {
    pub(crate) index: u64,
    pub(crate) at: u64,
    pub(crate) kind: Kind,
    pub(crate) subject: u64,
    pub(crate) detail: u64,
}

impl Kept {
    /// The two words that were folded.
    pub(crate) const fn words(&self) -> [u64; 2] {
        [head(self.kind, self.subject), self.detail]
    }
}

/// An event's first word.
#[inline]
const fn head(kind: Kind, subject: u64) -> u64 {
    (kind as u64) << 56 | (subject & ((1 << 56) - 1))
}

pub(crate) struct Digest {
    /// The digest before it, then events.
    block: Box<[[u8; EVENT_BYTES]; 1 + BLOCK_EVENTS]>,
    events: u64,
    now: u64,
    spacing: u64,
    checkpoints: Vec<Checkpoint>,
    window: Range<u64>,
    keeps: bool,
    kept: Vec<Kept>,
}

impl Digest {
    pub(crate) fn new(window: Range<u64>) -> Self {
        let end = window.end.min(window.start.saturating_add(WINDOW_MAX));
        Self {
            block: Box::new([[0; EVENT_BYTES]; 1 + BLOCK_EVENTS]),
            events: 0,
            now: 0,
            spacing: CHECKPOINT_EVENTS,
            checkpoints: Vec::with_capacity(CHECKPOINTS_MAX), // so that none is a reason to allocate
            keeps: window.start < end,
            window: window.start..end,
            kept: Vec::new(),
        }
    }

    /// Whether any event is kept as it is.
    pub(crate) const fn keeps(&self) -> bool {
        self.keeps
    }

    /// How many events were folded.
    pub(crate) const fn events(&self) -> u64 {
        self.events
    }

    /// Folds an event. Subjects above 56 bits lose the rest.
    #[inline]
    pub(crate) fn fold(&mut self, kind: Kind, subject: u64, detail: u64) {
        let head = head(kind, subject);
        self.block[self.filled()] = (u128::from(detail) << 64 | u128::from(head)).to_le_bytes();
        if self.keeps {
            self.keep(kind, subject, detail);
        }
        self.events += 1;
        if self.filled() == 1 {
            self.close_block();
        }
    }

    /// How much of the block is filled: the digest before it, and the events since.
    #[inline]
    const fn filled(&self) -> usize {
        1 + self.events as usize % BLOCK_EVENTS
    }

    #[cold]
    fn keep(&mut self, kind: Kind, subject: u64, detail: u64) {
        if kind == Kind::Time {
            self.now = detail;
        }
        if self.window.contains(&self.events) {
            self.kept.push(Kept { index: self.events, at: self.now, kind, subject, detail });
        }
    }

    fn close_block(&mut self) {
        let digest = xxh3_128(self.block.as_flattened());
        self.block[0] = digest.to_le_bytes();
        if !self.events.is_multiple_of(self.spacing) {
            return;
        }
        if self.checkpoints.len() == CHECKPOINTS_MAX {
            self.spacing *= 2;
            let spacing = self.spacing;
            self.checkpoints.retain(|each| each.events.is_multiple_of(spacing));
            if !self.events.is_multiple_of(spacing) {
                return;
            }
        }
        self.checkpoints.push(Checkpoint { events: self.events, digest });
    }

    /// The digest over all events so far.
    pub(crate) fn value(&self) -> u128 {
        xxh3_128(self.block[..self.filled()].as_flattened())
    }

    /// The checkpoints kept, the end of the run among them.
    pub(crate) fn checkpoints(&self) -> Vec<Checkpoint> {
        let mut all = self.checkpoints.clone();
        all.push(Checkpoint { events: self.events, digest: self.value() });
        all
    }

    /// The events kept as they are.
    pub(crate) fn kept(&self) -> &[Kept] {
        &self.kept
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_event_and_its_order_count() {
        let digest = |events: &[(Kind, u64, u64)]| {
            let mut digest = Digest::new(0..0);
            for (kind, subject, detail) in events {
                digest.fold(*kind, *subject, *detail);
            }
            digest.value()
        };
        let base = digest(&[(Kind::Poll, 1, 0), (Kind::Poll, 2, 0)]);
        assert_ne!(base, digest(&[(Kind::Poll, 2, 0), (Kind::Poll, 1, 0)]));
        assert_ne!(base, digest(&[(Kind::Poll, 1, 0), (Kind::Poll, 2, 1)]));
        assert_ne!(base, digest(&[(Kind::Poll, 1, 0)]));
    }

    #[test]
    fn checkpoints_thin_out_and_stay_bounded() {
        let mut digest = Digest::new(5..8);
        let events = CHECKPOINT_EVENTS * (CHECKPOINTS_MAX as u64) * 3;
        for index in 0..events {
            digest.fold(Kind::Poll, index, 0);
        }
        let checkpoints = digest.checkpoints();
        assert!(checkpoints.len() <= CHECKPOINTS_MAX + 1);
        assert!(checkpoints.len() > CHECKPOINTS_MAX / 2);
        assert!(checkpoints.is_sorted_by_key(|each| each.events));
        let kept: Vec<_> = digest.kept().iter().map(|each| each.subject).collect();
        assert_eq!(kept, [5, 6, 7]);
    }
}
