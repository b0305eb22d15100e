//! One connection: two ends and two directions. No behaviour beyond what concerns it alone.

use std::collections::VecDeque;
use std::io;
use std::net::SocketAddr;
use std::task::Waker;
use std::time::Duration;

use crate::agenda::DueKey;
use crate::decide::StreamId;
use crate::net::tally::Tally;
use crate::node::NodeId;
use crate::options::Latency;
use crate::tap::watch::Watch;

/// How many of the opener's first bytes a connection remembers, and of its latest turn.
pub const HEAD_BYTES: usize = 256;

/// One of the two ends of a connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Side {
    /// The end that connected.
    Opener = 0,
    /// The end that accepted.
    Acceptor = 1,
}

impl Side {
    /// Both, the opener first.
    pub const BOTH: [Self; 2] = [Self::Opener, Self::Acceptor];

    /// The other end.
    #[must_use]
    pub const fn other(self) -> Self {
        match self {
            Self::Opener => Self::Acceptor,
            Self::Acceptor => Self::Opener,
        }
    }
}

/// What the kernel of an end's host knows about it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Life {
    /// A socket of a process, or one that waits to be accepted.
    Live,
    /// Closed by its process; the kernel sends what is left, and its FIN.
    Orphan,
    /// Unknown: whatever arrives is answered with RST, if the host is up.
    Dead,
}

/// How far the handshake has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Phase {
    /// SYN sent, so many times beyond the first.
    Opening { repeats: u32, retry: Option<DueKey> },
    /// The opener has the answer. The acceptor may not know yet.
    Open,
    /// It failed; the opener learns why once.
    Failed(io::ErrorKind),
}

/// One end.
pub(crate) struct End {
    pub(crate) node: NodeId,
    pub(crate) address: SocketAddr,
    /// A process holds it.
    pub(crate) held: bool,
    pub(crate) life: Life,
    /// Told once, as `SO_ERROR` is.
    pub(crate) error: Option<io::ErrorKind>,
    /// The peer's FIN has arrived.
    pub(crate) eof: bool,
    /// Its own FIN was sent.
    pub(crate) shut: bool,
    /// Its own FIN has arrived at the peer.
    pub(crate) fin_arrived: bool,
    pub(crate) linger_zero: bool,
    /// Its own bound for what stays unacknowledged.
    pub(crate) user_timeout: Option<Duration>,
    pub(crate) reader: Option<Waker>,
    pub(crate) writer: Option<Waker>,
    pub(crate) forget: Option<DueKey>,
}

impl End {
    pub(crate) const fn new(node: NodeId, address: SocketAddr, life: Life) -> Self {
        Self {
            node,
            address,
            held: false,
            life,
            error: None,
            eof: false,
            shut: false,
            fin_arrived: false,
            linger_zero: false,
            user_timeout: None,
            reader: None,
            writer: None,
            forget: None,
        }
    }

    /// Whether both FINs have passed: to its process, Linux shows such a socket as closed.
    pub(crate) const fn is_closed(&self) -> bool {
        self.eof && self.shut && self.fin_arrived
    }
}

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
}

/// A writer waits for room, and asks for it from time to time.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Probing {
    pub(crate) due: DueKey,
    /// How long it waits for that, in nanoseconds.
    pub(crate) after: u64,
}

#[derive(Clone, Copy, Debug)]
pub(crate) struct Segment {
    pub(crate) due: u64,
    pub(crate) carries: Carries,
}

/// One direction, from the end of the same side to the other. Offsets count bytes since the beginning:
/// `known ≤ read ≤ arrived ≤ sent ≤ known + window`.
pub(crate) struct Way {
    /// `client→server:80#3`, or `client←server:80#3` for the acceptor's.
    pub(crate) label: String,
    /// The bytes from `read` to `sent`.
    pub(crate) buffer: VecDeque<u8>,
    pub(crate) sent: u64,
    pub(crate) arrived: u64,
    pub(crate) read: u64,
    /// How far the writer knows the reader to have read.
    pub(crate) known: u64,
    /// How far it was told, counting what is under way.
    pub(crate) told: u64,
    /// A word about the window was lost to a blocked path.
    pub(crate) untold: bool,
    pub(crate) sent_tally: Tally,
    pub(crate) read_tally: Tally,
    pub(crate) segments: VecDeque<Segment>,
    pub(crate) last_due: u64,
    pub(crate) armed: Option<DueKey>,
    /// The first segment was lost and waits to be sent again.
    pub(crate) stalled: bool,
    /// Something was not acknowledged; when the sender gives up.
    pub(crate) give_up: Option<DueKey>,
    pub(crate) probe: Option<Probing>,
    pub(crate) latency: Latency,
    pub(crate) latency_stream: StreamId,
    pub(crate) read_stream: Option<StreamId>,
    pub(crate) write_stream: Option<StreamId>,
    /// Cut the connection when the direction has delivered so many bytes.
    pub(crate) cut_at: Option<(u64, crate::net::cut::Cut)>,
}

impl Way {
    pub(crate) const fn new(label: String, latency: Latency, latency_stream: StreamId) -> Self {
        Self {
            label,
            buffer: VecDeque::new(),
            sent: 0,
            arrived: 0,
            read: 0,
            known: 0,
            told: 0,
            untold: false,
            sent_tally: Tally::ZERO,
            read_tally: Tally::ZERO,
            segments: VecDeque::new(),
            last_due: 0,
            armed: None,
            stalled: false,
            give_up: None,
            probe: None,
            latency,
            latency_stream,
            read_stream: None,
            write_stream: None,
            cut_at: None,
        }
    }

    /// Bytes that have arrived and wait to be read.
    pub(crate) const fn unread(&self) -> u64 {
        self.arrived - self.read
    }

    /// Asserts the order of the offsets, and that what was read is what was written.
    #[inline]
    pub(crate) fn check(&self) {
        assert!(
            self.known <= self.read && self.read <= self.arrived && self.arrived <= self.sent,
            "offsets of {} are out of order: known {}, read {}, arrived {}, sent {}",
            self.label,
            self.known,
            self.read,
            self.arrived,
            self.sent
        );
        if self.read == self.sent {
            assert!(self.read_tally == self.sent_tally, "{} read other bytes than were written", self.label);
        }
    }
}

/// One connection.
pub(crate) struct Conn {
    /// The how-manieth of its world.
    pub(crate) number: u64,
    pub(crate) ends: [End; 2],
    pub(crate) ways: [Way; 2],
    pub(crate) phase: Phase,
    /// The port connected to, and the how-manieth connection of this pair to it.
    pub(crate) port: u16,
    pub(crate) ordinal: u32,
    /// The listener that took the SYN.
    pub(crate) listener: Option<u64>,
    /// It waits in the listener's queue.
    pub(crate) queued: bool,
    /// Nothing passes any more, either way.
    pub(crate) silenced: bool,
    /// A middlebox closed it: both ends got FIN, and RST if they go on.
    pub(crate) severed: bool,
    pub(crate) head: Vec<u8>,
    pub(crate) recent: Vec<u8>,
    /// Who wrote last.
    pub(crate) turn: Side,
    /// What reads it, if it is tapped.
    pub(crate) watch: Option<Box<Watch>>,
}

impl Conn {
    pub(crate) fn end(&mut self, side: Side) -> &mut End {
        &mut self.ends[side as usize]
    }
    pub(crate) fn way(&mut self, side: Side) -> &mut Way {
        &mut self.ways[side as usize]
    }
    pub(crate) const fn word(&self, side: Side) -> u64 {
        self.number << 1 | side as u64
    }

    /// Whether nobody can notice it any more: no process holds it, and each end's kernel is done with it.
    pub(crate) fn is_over(&self) -> bool {
        let done = |side: Side| {
            let end = &self.ends[side as usize];
            let finished = end.life == Life::Orphan && end.eof && end.fin_arrived;
            !end.held && (end.life == Life::Dead || finished)
        };
        !self.queued && Side::BOTH.into_iter().all(done)
    }

    /// What it has on the agenda under a key.
    pub(crate) fn pending(&self) -> Vec<DueKey> {
        let mut keys = Vec::new();
        for side in Side::BOTH {
            let way = &self.ways[side as usize];
            keys.extend(way.armed);
            keys.extend(way.give_up);
            keys.extend(way.probe.map(|probe| probe.due));
            keys.extend(self.ends[side as usize].forget);
        }
        if let Phase::Opening { retry: Some(retry), .. } = self.phase {
            keys.push(retry);
        }
        keys
    }

    /// Remembers the opener's first bytes, and those of its latest turn.
    #[inline]
    pub(crate) fn remember(&mut self, side: Side, bytes: &[u8]) {
        if side == Side::Opener {
            if self.turn != side {
                self.recent.clear();
            }
            take_up_to(&mut self.head, bytes);
            take_up_to(&mut self.recent, bytes);
        }
        self.turn = side;
    }
}

#[inline]
fn take_up_to(place: &mut Vec<u8>, bytes: &[u8]) {
    let room = HEAD_BYTES - place.len();
    place.extend_from_slice(&bytes[..bytes.len().min(room)]);
}
