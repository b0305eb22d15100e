//! One connection: two ends, and two directions (`way`). No behaviour beyond what concerns it alone.

use std::io;
use std::net::SocketAddr;
use std::task::Waker;
use std::time::Duration;

use crate::agenda::DueKey;
use crate::net::keep_alive::Keeping;
use crate::net::way::Way;
use crate::node::NodeId;
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
    /// It closed its half: its own FIN was sent, or waits behind what was written.
    pub(crate) shut: bool,
    /// It did so before it knew of the peer's FIN.
    pub(crate) shut_first: bool,
    /// Its own FIN has arrived at the peer.
    pub(crate) fin_arrived: bool,
    pub(crate) linger_zero: bool,
    /// Its own bound for what stays unacknowledged.
    pub(crate) user_timeout: Option<Duration>,
    /// When it last heard of its peer, in nanoseconds.
    pub(crate) heard: u64,
    pub(crate) keeping: Option<Keeping>,
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
            shut_first: false,
            fin_arrived: false,
            linger_zero: false,
            user_timeout: None,
            heard: 0,
            keeping: None,
            reader: None,
            writer: None,
            forget: None,
        }
    }

    /// Closes its half. `false`: it was closed already.
    pub(crate) const fn shut(&mut self) -> bool {
        if self.shut {
            return false;
        }
        self.shut = true;
        self.shut_first = !self.eof;
        true
    }

    /// Whether both FINs have passed: to its process, Linux shows such a socket as closed.
    pub(crate) const fn is_closed(&self) -> bool {
        self.eof && self.shut && self.fin_arrived
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
    /// The opener's port is its own.
    pub(crate) holds_port: bool,
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

    /// How many bytes that side's writer, who has so many, may put into a send buffer that holds at most `most`.
    #[inline]
    pub(crate) fn room(&mut self, side: Side, most: u32, bytes: usize, now: u64) -> u64 {
        let way = &self.ways[side as usize];
        if way.full {
            return 0;
        }
        let room = u64::from(most) - way.queued();
        if room >= bytes as u64 || now < self.hears_at(side) {
            return room;
        }
        let way = self.way(side);
        way.acked = way.acked.max(way.acknowledged.0);
        u64::from(most) - way.queued()
    }

    /// When that side has heard of the last acknowledgement that went its way, at the latest. Nobody decides how long
    /// one is under way, since all but a few change nothing.
    pub(crate) fn hears_at(&self, side: Side) -> u64 {
        let greatest = self.ways[side.other() as usize].travel.greatest();
        self.ways[side as usize].acknowledged.1.saturating_add(greatest)
    }

    pub(crate) const fn word(&self, side: Side) -> u64 {
        self.number << 1 | side as u64
    }

    /// Whether processes hold both ends.
    #[inline]
    pub(crate) fn is_held(&self) -> bool {
        self.ends.iter().all(|end| end.held)
    }

    /// Whether nobody can notice it any more: no process holds it, and each end's kernel is done with it.
    pub(crate) fn is_over(&self) -> bool {
        !self.queued && Side::BOTH.into_iter().all(|side| self.is_done(side))
    }

    /// Whether nobody there can notice it any more.
    pub(crate) fn is_done(&self, side: Side) -> bool {
        let end = &self.ends[side as usize];
        let finished = end.life == Life::Orphan && end.eof && end.fin_arrived;
        !end.held && (end.life == Life::Dead || finished)
    }

    /// What it has on the agenda under a key.
    pub(crate) fn pending(&self) -> Vec<DueKey> {
        let mut keys = Vec::new();
        for side in Side::BOTH {
            let way = &self.ways[side as usize];
            keys.extend(way.armed);
            keys.extend(way.give_up.map(|give_up| give_up.due));
            keys.extend(way.probe.map(|probe| probe.due));
            let end = &self.ends[side as usize];
            keys.extend(end.forget);
            keys.extend(end.keeping.map(|keeping| keeping.due));
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
    if room == 0 {
        return;
    }
    place.extend_from_slice(&bytes[..bytes.len().min(room)]);
}
