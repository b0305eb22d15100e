//! The network: TCP as a socket shows it, between nodes of one world.
//!
//! Each direction of a connection is one buffer from the writer's call to the reader's, and a queue of segments that
//! say how far it has arrived; so nothing inside a stream can be lost, repeated or reordered, and a running check
//! (`tally`) proves it for every connection of every run. What the fabric decides (latency, partial reads and writes,
//! retransmission) are named decisions. What is modelled and what is not: the table in the crate's README.
//!
//! Here: the tables. Beside: `conn` and `way` (one connection, its directions), `open` (handshake), `stream` (read,
//! write), `send` and `arrive` (segments), `window` (what receivers tell), `resend` (what is lost), `probe` (a sender
//! without window), `keep_alive`, `close` (FIN, RST, falls), `path` (who reaches whom), `travel` (latency), `bandwidth`,
//! `port`, `cut` (faults on one connection), `tapped` (plans for cuts at places of the protocol), `socket` (what
//! inhabitants hold).

pub(crate) mod arrive;
pub(crate) mod bandwidth;
pub(crate) mod close;
pub(crate) mod conn;
pub(crate) mod cut;
pub(crate) mod keep_alive;
pub(crate) mod open;
pub(crate) mod path;
pub(crate) mod port;
pub(crate) mod probe;
pub(crate) mod resend;
pub(crate) mod send;
pub(crate) mod socket;
pub(crate) mod stream;
pub(crate) mod tally;
pub(crate) mod tapped;
pub(crate) mod travel;
pub(crate) mod way;
pub(crate) mod window;

use std::collections::{BTreeMap, VecDeque};
use std::net::IpAddr;
use std::task::Waker;
use std::time::Duration;

use crate::core::Core;
use crate::net::conn::{Conn, Life, Side};
use crate::net::path::Paths;
use crate::net::way::Way;
use crate::node::NodeId;
use crate::options::Network;
use crate::tap::watch::Taps;
use crate::trace::nanos;

/// Within a host a port in TIME-WAIT is taken again after so long: `tcp_tw_reuse` = 2 and `tcp_tw_reuse_delay`.
const TIME_WAIT_LOOPBACK: Duration = Duration::from_secs(1);

/// A connection's name in its world; a slot is told from its predecessors by the generation.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct ConnKey {
    slot: u32,
    generation: u32,
}

/// What the network has on the agenda.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum NetDue {
    /// The first segment under way from that side arrives.
    Segment(ConnKey, Side),
    /// What that side has lost is sent again.
    Again(ConnKey, Side),
    /// The side learns how far its peer has read, and how much more has arrived there.
    Window(ConnKey, Side, u64, u32),
    /// A SYN arrives at the host it was sent to.
    Syn(ConnKey),
    /// Its answer arrives.
    SynAck(ConnKey),
    /// The answer is that nobody listens.
    Refusal(ConnKey),
    /// No answer came.
    SynRetry(ConnKey),
    /// A RST arrives at that side.
    Reset(ConnKey, Side),
    /// What that side sent was not acknowledged for too long.
    GiveUp(ConnKey, Side),
    /// That side's sender still waits for window.
    Probe(ConnKey, Side),
    /// That side has heard nothing of its peer for a while.
    KeepAlive(ConnKey, Side),
    /// The peer's FIN did not come for too long after that side closed.
    Forget(ConnKey, Side),
}

/// A listening socket.
pub(crate) struct ListenerState {
    pub(crate) serial: u64,
    pub(crate) ip: IpAddr,
    pub(crate) queue: VecDeque<ConnKey>,
    pub(crate) handshakes: u32,
    pub(crate) waker: Option<Waker>,
}

struct Slot {
    generation: u32,
    conn: Option<Box<Conn>>,
}

/// All connections.
pub(crate) struct Conns {
    slots: Vec<Slot>,
    free: Vec<u32>,
}

impl Conns {
    pub(crate) fn get_mut(&mut self, key: ConnKey) -> Option<&mut Conn> {
        let slot = self.slots.get_mut(key.slot as usize)?;
        if slot.generation == key.generation { slot.conn.as_deref_mut() } else { None }
    }

    pub(crate) fn get(&self, key: ConnKey) -> Option<&Conn> {
        let slot = self.slots.get(key.slot as usize)?;
        if slot.generation == key.generation { slot.conn.as_deref() } else { None }
    }

    fn insert(&mut self, conn: Conn) -> ConnKey {
        let slot = self.free.pop().unwrap_or_else(|| {
            self.slots.push(Slot { generation: 0, conn: None });
            u32::try_from(self.slots.len() - 1).expect("fewer than 2^32 connections at once")
        });
        let place = &mut self.slots[slot as usize];
        place.conn = Some(Box::new(conn));
        ConnKey { slot, generation: place.generation }
    }

    fn remove(&mut self, key: ConnKey) -> Option<Box<Conn>> {
        let slot = self.slots.get_mut(key.slot as usize)?;
        if slot.generation != key.generation {
            return None;
        }
        let conn = slot.conn.take()?;
        slot.generation = slot.generation.wrapping_add(1);
        self.free.push(key.slot);
        Some(conn)
    }

    /// All of them, in slot order.
    pub(crate) fn keys(&self) -> Vec<ConnKey> {
        let live = self.slots.iter().enumerate().filter(|(_, slot)| slot.conn.is_some());
        live.map(|(slot, place)| ConnKey { slot: slot as u32, generation: place.generation }).collect()
    }
}

/// The network of a world.
pub(crate) struct Fabric {
    pub(crate) options: Network,
    pub(crate) conns: Conns,
    pub(crate) paths: Paths,
    pub(crate) taps: Taps,
    pub(crate) listeners: BTreeMap<(NodeId, u16), ListenerState>,
    /// How many connections there were, per (from, to, port).
    pub(crate) ordinals: BTreeMap<(NodeId, NodeId, u16), u32>,
    /// Who is to be woken when the fabric is no longer borrowed.
    pub(crate) wakes: Vec<Waker>,
    /// Wakers that nobody needs any more, to be dropped when the fabric is no longer borrowed.
    pub(crate) old: Vec<Waker>,
    pub(crate) serial: u64,
}

impl Fabric {
    pub(crate) const fn new(options: Network) -> Self {
        Self {
            options,
            conns: Conns { slots: Vec::new(), free: Vec::new() },
            paths: Paths::new(&options),
            taps: Taps::new(),
            listeners: BTreeMap::new(),
            ordinals: BTreeMap::new(),
            wakes: Vec::new(),
            old: Vec::new(),
            serial: 0,
        }
    }

    /// Lets something happen that is due.
    pub(crate) fn fire(&mut self, core: &Core, due: NetDue) {
        match due {
            NetDue::Segment(key, side) => self.arrive(core, key, side),
            NetDue::Again(key, side) => self.send_again(core, key, side),
            NetDue::Window(key, side, read, unread) => self.window_arrives(core, key, side, read, unread),
            NetDue::Syn(key) => self.syn_arrives(core, key),
            NetDue::SynAck(key) => self.syn_ack_arrives(core, key),
            NetDue::Refusal(key) => self.refusal_arrives(core, key),
            NetDue::SynRetry(key) => self.retry_syn(core, key),
            NetDue::Reset(key, side) => self.reset_arrives(core, key, side),
            NetDue::GiveUp(key, side) => self.give_up(core, key, side),
            NetDue::Probe(key, side) => self.probe(core, key, side),
            NetDue::KeepAlive(key, side) => self.keep_alive(core, key, side),
            NetDue::Forget(key, side) => self.forget(core, key, side),
        }
    }

    /// Frees a connection that nobody can notice any more.
    #[inline]
    pub(crate) fn reap(&mut self, core: &Core, key: ConnKey) {
        if self.conns.get(key).is_some_and(|conn| !conn.is_held()) {
            self.reap_unheld(core, key);
        }
    }

    fn reap_unheld(&mut self, core: &Core, key: ConnKey) {
        let Some(conn) = self.conns.get_mut(key) else { return };
        if conn.holds_port && conn.is_done(Side::Opener) {
            self.release_port(core, key);
        }
        if !self.conns.get(key).is_some_and(Conn::is_over) {
            return;
        }
        let mut conn = self.conns.remove(key).expect("it was just looked up");
        for end in &mut conn.ends {
            self.old.extend(end.reader.take().into_iter().chain(end.writer.take()));
        }
        for due in conn.pending() {
            core.unschedule(due);
        }
        if let Some(watch) = &mut conn.watch {
            watch.release(&mut self.taps);
        }
        for way in &conn.ways {
            way.check_prefix();
        }
    }

    /// Frees the opener's port; where it closed first, only when TIME-WAIT is over.
    fn release_port(&mut self, core: &Core, key: ConnKey) {
        let Some(conn) = self.conns.get_mut(key) else { return };
        conn.holds_port = false;
        let [opener, acceptor] = &conn.ends;
        let waits = opener.life == Life::Orphan && opener.shut_first;
        let span = match (waits, opener.node == acceptor.node) {
            (false, _) => Duration::ZERO,
            (true, false) => self.options.time_wait,
            (true, true) => self.options.time_wait.min(TIME_WAIT_LOOPBACK),
        };
        let until = core.now.get().saturating_add(nanos(span));
        if let Some(ports) = self.paths.ports(opener.node) {
            ports.release(opener.address.port(), acceptor.address, core.now.get(), until);
        }
    }

    /// Asserts, at the end of a run, that every stream there is passed on a prefix of what was written.
    pub(crate) fn check_streams(&self) {
        for key in self.conns.keys() {
            let conn = self.conns.get(key).expect("it was just listed");
            conn.ways.iter().for_each(Way::check_prefix);
        }
    }
}
