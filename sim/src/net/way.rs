//! One direction of a connection: its bytes, how far each party has come with them, and what is under way.
//!
//! The bytes lie in one buffer from the writer's call to the reader's, and segments only say how far they have come; so
//! nothing inside a stream can be lost, repeated or reordered, and the tallies prove it. What moves the offsets: `send`
//! and `window` at the writer's kernel, `arrive` at the reader's, `stream` at the processes.

use std::collections::VecDeque;

use tokio::io::ReadBuf;

use crate::agenda::DueKey;
use crate::decide::StreamId;
use crate::net::cut::Cut;
use crate::net::probe::Probing;
use crate::net::tally::Tally;
use crate::net::travel::Travel;
use crate::options::Latency;
use crate::tap::plan::PlanId;

/// What a segment carries.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Carries {
    /// The last step of the handshake. Nobody acknowledges it.
    Ack,
    /// Bytes up to this offset.
    Data(u64),
    /// The end of the direction.
    Fin,
    /// Nothing, or what had arrived before: it asks for an acknowledgement.
    Probe,
    /// A keep-alive probe: the same, but it is not sent again where it is lost.
    KeepAlive,
}

impl Carries {
    /// Whether its sender waits for an acknowledgement, and sends it again where it is lost.
    pub(crate) const fn is_awaited(self) -> bool {
        match self {
            Self::Ack | Self::KeepAlive => false,
            Self::Data(_) | Self::Fin | Self::Probe => true,
        }
    }
}

/// Something under way. Segments that arrive together are one.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Segment {
    pub(crate) due: u64,
    pub(crate) carries: Carries,
}

/// Something was not acknowledged.
#[derive(Clone, Copy, Debug)]
pub(crate) struct GiveUp {
    /// When the sender gives up.
    pub(crate) due: DueKey,
    /// Since when it waits.
    pub(crate) since: u64,
}

/// One direction, from the end of the same side to the other. Offsets count bytes since the beginning:
/// `acked, acknowledged ≤ arrived ≤ sent ≤ written`, `read ≤ arrived`, `sent ≤ limit ≤ read + window`.
pub(crate) struct Way {
    /// `client→server:80#3`, or `client←server:80#3` for the acceptor's.
    pub(crate) label: String,
    /// The bytes from `read` to `written`.
    pub(crate) buffer: VecDeque<u8>,
    /// Taken from the writer: what is not acknowledged of it fills the send buffer.
    pub(crate) written: u64,
    pub(crate) sent: u64,
    pub(crate) arrived: u64,
    pub(crate) read: u64,
    /// How far the sender knows its bytes to have arrived, as far as that was of use to it.
    pub(crate) acked: u64,
    /// How far they had arrived when an acknowledgement last went its way, and when that was, in nanoseconds.
    pub(crate) acknowledged: (u64, u64),
    /// How far it may send: what the receive window left, when the sender last heard of it.
    pub(crate) limit: u64,
    /// How far the bytes had arrived, and had been read, when the receiver last told, counting what is under way.
    pub(crate) told: (u64, u64),
    /// A word about that was lost to a blocked path.
    pub(crate) untold: bool,
    /// The writer found the send buffer full, and waits until a third of it is free.
    pub(crate) full: bool,
    /// The end of the direction was handed to the network.
    pub(crate) fin_sent: bool,
    written_tally: Tally,
    read_tally: Tally,
    /// The most bytes of one segment.
    pub(crate) mss: u64,
    pub(crate) segments: VecDeque<Segment>,
    pub(crate) last_due: u64,
    pub(crate) armed: Option<DueKey>,
    /// The first segment was lost and waits to be sent again.
    pub(crate) stalled: bool,
    /// Since when nothing has come through, while something was lost.
    pub(crate) lost_since: Option<u64>,
    pub(crate) give_up: Option<GiveUp>,
    pub(crate) probe: Option<Probing>,
    pub(crate) travel: Travel,
    pub(crate) latency_stream: StreamId,
    pub(crate) read_stream: Option<StreamId>,
    pub(crate) write_stream: Option<StreamId>,
    /// Cut the connection when the direction has delivered so many bytes: the first of what plans and the script ask.
    pub(crate) cut_at: Option<(u64, Cut)>,
    /// Where the script asks for it.
    pub(crate) scripted: Option<(u64, PlanId)>,
}

impl Way {
    /// A direction whose receiver has room for `window` bytes.
    pub(crate) fn new(
        label: String,
        latency: Latency,
        latency_stream: StreamId,
        window: u32,
        mss: u32,
    ) -> Self {
        Self {
            label,
            buffer: VecDeque::new(),
            written: 0,
            sent: 0,
            arrived: 0,
            read: 0,
            acked: 0,
            acknowledged: (0, 0),
            limit: window as u64,
            told: (0, 0),
            untold: false,
            full: false,
            fin_sent: false,
            written_tally: Tally::ZERO,
            read_tally: Tally::ZERO,
            mss: mss as u64,
            segments: VecDeque::new(),
            last_due: 0,
            armed: None,
            stalled: false,
            lost_since: None,
            give_up: None,
            probe: None,
            travel: Travel::new(latency),
            latency_stream,
            read_stream: None,
            write_stream: None,
            cut_at: None,
            scripted: None,
        }
    }

    /// Bytes that have arrived and wait to be read.
    pub(crate) const fn unread(&self) -> u64 {
        self.arrived - self.read
    }

    /// Bytes in the send buffer that have never been sent, for want of window.
    pub(crate) const fn unsent(&self) -> u64 {
        self.written - self.sent
    }

    /// Whether the sender waits for an acknowledgement, or for window.
    pub(crate) fn is_unacknowledged(&self) -> bool {
        let awaited = self.segments.iter().any(|segment| segment.carries.is_awaited());
        awaited || self.give_up.is_some() || self.unsent() > 0
    }

    /// Bytes in the send buffer.
    pub(crate) const fn queued(&self) -> u64 {
        self.written - self.acked
    }

    /// Puts the writer's bytes into the send buffer. One word that stands for all bytes so far.
    #[inline]
    pub(crate) fn put(&mut self, bytes: &[u8]) -> u64 {
        self.buffer.extend(bytes);
        self.written += bytes.len() as u64;
        self.written_tally.feed(bytes);
        self.written_tally.value()
    }

    /// Gives the reader bytes that have arrived.
    #[inline]
    pub(crate) fn take(&mut self, count: usize, out: &mut ReadBuf<'_>) {
        let (first, second) = self.buffer.as_slices();
        let from_first = count.min(first.len());
        out.put_slice(&first[..from_first]);
        self.read_tally.feed(&first[..from_first]);
        if count > from_first {
            let piece = &second[..count - from_first];
            out.put_slice(piece);
            self.read_tally.feed(piece);
        }
        if count == self.buffer.len() {
            self.buffer.clear();
        } else {
            self.buffer.drain(..count);
        }
        self.read += count as u64;
        self.check();
    }

    /// Asserts the order of the offsets, and, where the reader has caught up, that it read what was written.
    #[inline]
    pub(crate) fn check(&self) {
        let in_order = self.acked <= self.arrived
            && self.read <= self.arrived
            && self.arrived <= self.sent
            && self.sent <= self.written
            && self.sent <= self.limit;
        assert!(
            in_order,
            "offsets of {} are out of order: acked {}, read {}, arrived {}, sent {}, written {}, limit {}",
            self.label, self.acked, self.read, self.arrived, self.sent, self.written, self.limit
        );
        if self.read == self.written {
            assert!(
                self.read_tally == self.written_tally,
                "{} read other bytes than were written",
                self.label
            );
        }
    }

    /// Asserts at the end of a connection that what was read is a prefix of what was written: with what is left
    /// unread behind it, it is all that was written.
    pub(crate) fn check_prefix(&self) {
        self.check();
        let mut tally = self.read_tally;
        let (first, second) = self.buffer.as_slices();
        tally.feed(first);
        tally.feed(second);
        let whole = self.read + self.buffer.len() as u64 == self.written && tally == self.written_tally;
        assert!(whole, "{} read no prefix of what was written", self.label);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::panic::{AssertUnwindSafe, catch_unwind};

    fn way() -> Way {
        let latency = Latency::Constant(std::time::Duration::ZERO);
        Way::new("a→b:80#0".to_owned(), latency, StreamId(0), 1000, 100)
    }

    /// Writes, lets all of it arrive, and reads in pieces, as far as it goes.
    fn pass(way: &mut Way, bytes: &[u8], pieces: &[usize]) -> Vec<u8> {
        way.put(bytes);
        way.sent = way.written;
        way.arrived = way.sent;
        let mut got = Vec::new();
        for piece in pieces {
            let count = (*piece as u64).min(way.unread()) as usize;
            let mut space = vec![0; count];
            way.take(count, &mut ReadBuf::new(&mut space));
            got.extend(space);
        }
        got
    }

    /// What a broken simulator could do to bytes under way.
    fn spoil(buffer: &mut VecDeque<u8>, kind: usize, at: usize) {
        match kind {
            0 => drop(buffer.remove(at)),
            1 => buffer.insert(at, buffer[at]),
            2 => buffer.swap(at, at + 1),
            _ => buffer[at] ^= 1,
        }
    }

    proptest! {
        #[test]
        fn any_pieces_pass_and_any_planted_bug_is_caught(
            length in 3usize..300, pieces in prop::collection::vec(1usize..50, 0..20), kind in 0usize..4, place in any::<prop::sample::Index>()
        ) {
            let bytes: Vec<u8> = (0..length).map(|at| (at % 251) as u8).collect();
            let mut sound = way();
            let got = pass(&mut sound, &bytes, &pieces);
            prop_assert!(bytes.starts_with(&got));
            sound.check_prefix();

            let mut broken = way();
            broken.put(&bytes);
            spoil(&mut broken.buffer, kind, place.index(length - 1));
            let caught = catch_unwind(AssertUnwindSafe(|| {
                pass(&mut broken, &[], &pieces);
                broken.check_prefix();
            }));
            prop_assert!(caught.is_err(), "bug {kind} passed");
        }
    }
}
