//! The ephemeral ports of one host: a port is taken again at once for another peer, and for the same one when TIME-WAIT
//! is over.

use std::collections::{BTreeSet, VecDeque};
use std::io;
use std::net::SocketAddr;

/// One host's.
pub(crate) struct Ports {
    /// How many have been tried, modulo the range.
    tried: u16,
    taken: BTreeSet<(u16, SocketAddr)>,
    /// Those of `taken` that no connection has any more, each with the nanosecond it becomes free, in that order.
    waiting: VecDeque<(u64, u16, SocketAddr)>,
}

impl Ports {
    pub(crate) const fn new() -> Self {
        Self { tried: 0, taken: BTreeSet::new(), waiting: VecDeque::new() }
    }

    /// Takes a port out of `range` (both ends included) for a connection to `peer`, unless all are taken. A port that
    /// is `listened` on is passed over.
    pub(crate) fn take(
        &mut self,
        range: (u16, u16),
        peer: SocketAddr,
        now: u64,
        listened: impl Fn(u16) -> bool,
    ) -> io::Result<u16> {
        self.let_waiting_go(now);
        let port = self.find(range, |port, taken| !listened(port) && !taken.contains(&(port, peer)));
        let port = port.ok_or(io::ErrorKind::AddrNotAvailable)?;
        self.taken.insert((port, peer));
        Ok(port)
    }

    /// A port for a listener: one that no connection has, whoever its peer.
    pub(crate) fn free(
        &mut self,
        range: (u16, u16),
        now: u64,
        listened: impl Fn(u16) -> bool,
    ) -> io::Result<u16> {
        self.let_waiting_go(now);
        let port =
            self.find(range, |port, taken| !listened(port) && !taken.iter().any(|(other, _)| *other == port));
        port.ok_or_else(|| io::ErrorKind::AddrInUse.into())
    }

    fn find(
        &mut self,
        (first, last): (u16, u16),
        is_free: impl Fn(u16, &BTreeSet<(u16, SocketAddr)>) -> bool,
    ) -> Option<u16> {
        for _ in first..=last {
            let port = first + self.tried;
            self.tried = if port == last { 0 } else { self.tried + 1 };
            if is_free(port, &self.taken) {
                return Some(port);
            }
        }
        None
    }

    /// The connection is over; the port is free from `until` on.
    pub(crate) fn release(&mut self, port: u16, peer: SocketAddr, now: u64, until: u64) {
        if until <= now {
            self.taken.remove(&(port, peer));
            return;
        }
        let place = self.waiting.partition_point(|(other, ..)| *other <= until);
        self.waiting.insert(place, (until, port, peer));
    }

    /// The host has lost its memory.
    pub(crate) fn forget_waiting(&mut self) {
        self.let_waiting_go(u64::MAX);
    }

    fn let_waiting_go(&mut self, now: u64) {
        while let Some((_, port, peer)) = self.waiting.pop_front_if(|(until, ..)| *until <= now) {
            self.taken.remove(&(port, peer));
        }
    }
}
