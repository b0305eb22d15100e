//! Opening: SYN, its answer, its repeats, the listener's queue.

use std::collections::VecDeque;
use std::io;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::task::{Poll, Waker};

use crate::core::{Core, Due};
use crate::digest::{Arrival, Kind};
use crate::effects::Effect;
use crate::net::conn::{Conn, End, Life, Phase, Side};
use crate::net::path::Paths;
use crate::net::resend::RTO_MAX;
use crate::net::stream::wait;
use crate::net::travel::travel;
use crate::net::way::{Carries, Way};
use crate::net::{ConnKey, Fabric, ListenerState, NetDue};
use crate::node::NodeId;
use crate::trace::nanos;

/// The first SYN is repeated after a second (RFC 6298), the next after twice as long, and so on.
const SYN_REPEAT: u64 = 1_000_000_000;

impl Fabric {
    /// Listens. Port 0 takes a free one.
    pub(crate) fn listen(
        &mut self,
        core: &Core,
        node: NodeId,
        address: SocketAddr,
    ) -> io::Result<(SocketAddr, u64)> {
        let own = IpAddr::V4(self.paths.ip(node));
        let ip = address.ip();
        if !(ip.is_unspecified() || ip.is_loopback() || ip == own) {
            return Err(io::ErrorKind::AddrNotAvailable.into());
        }
        let port = match address.port() {
            0 => {
                let listeners = &self.listeners;
                let ports = self.paths.ports(node).ok_or(io::ErrorKind::AddrNotAvailable)?;
                ports
                    .free(self.options.ports, core.now.get(), |port| listeners.contains_key(&(node, port)))?
            }
            port if self.listeners.contains_key(&(node, port)) => return Err(io::ErrorKind::AddrInUse.into()),
            port => port,
        };
        self.serial += 1;
        let serial = self.serial;
        let state = ListenerState { serial, ip, queue: VecDeque::new(), handshakes: 0, waker: None };
        self.listeners.insert((node, port), state);
        Ok((SocketAddr::new(ip, port), serial))
    }

    /// The listener that `serial` names, unless it was closed.
    pub(crate) fn listener(&mut self, node: NodeId, port: u16, serial: u64) -> Option<&mut ListenerState> {
        self.listeners.get_mut(&(node, port)).filter(|listener| listener.serial == serial)
    }

    /// Takes the next established connection; it may have been reset since.
    pub(crate) fn accept(
        &mut self,
        node: NodeId,
        port: u16,
        serial: u64,
        waker: &Waker,
    ) -> Poll<io::Result<ConnKey>> {
        let listener = self.listeners.get_mut(&(node, port)).filter(|listener| listener.serial == serial);
        let Some(listener) = listener else {
            return Poll::Ready(Err(io::ErrorKind::NotConnected.into())); // its node has fallen
        };
        let Some(key) = listener.queue.pop_front() else {
            self.old.extend(wait(&mut listener.waker, waker));
            return Poll::Pending;
        };
        let conn = self.conns.get_mut(key).expect("a queued connection is kept");
        conn.queued = false;
        conn.end(Side::Acceptor).held = true;
        Poll::Ready(Ok(key))
    }

    /// Begins to connect. To no address is to one's own host, as Linux has it.
    pub(crate) fn connect(&mut self, core: &Core, from: NodeId, mut to: SocketAddr) -> io::Result<ConnKey> {
        if to.ip().is_unspecified() {
            to.set_ip(Ipv4Addr::LOCALHOST.into());
        }
        let listeners = &self.listeners;
        let listened = |port| listeners.contains_key(&(from, port));
        let ports = self.paths.ports(from).ok_or(io::ErrorKind::AddrNotAvailable)?;
        let port = ports.take(self.options.ports, to, core.now.get(), listened)?;
        let target = self.paths.node_at(from, to.ip()).unwrap_or(NodeId::NOWHERE);
        let own = if to.ip().is_loopback() { to.ip() } else { IpAddr::V4(self.paths.ip(from)) };
        let ordinal = self.ordinals.entry((from, target, to.port())).or_default();
        let this = *ordinal;
        *ordinal += 1;
        self.serial += 1;
        let number = self.serial;
        let way = |arrow: char, from: NodeId, to_node: NodeId, names: (NodeId, NodeId)| {
            let (opener, acceptor) = (self.paths.name(names.0), self.paths.name(names.1));
            let label = format!("{opener}{arrow}{acceptor}:{}#{this}", to.port());
            let stream = core.stream(&format!("latency/{label}"));
            let latency = self.paths.latency(&self.options, from, to_node);
            Way::new(label, latency, stream, self.options.window, Paths::mss(from, to_node))
        };
        let conn = Conn {
            number,
            ways: [way('→', from, target, (from, target)), way('←', target, from, (from, target))],
            ends: [
                End { held: true, ..End::new(from, SocketAddr::new(own, port), Life::Live) },
                End::new(target, to, Life::Dead),
            ],
            phase: Phase::Opening { repeats: 0, retry: None },
            port: to.port(),
            ordinal: this,
            listener: None,
            holds_port: true,
            queued: false,
            silenced: false,
            severed: false,
            head: Vec::new(),
            recent: Vec::new(),
            turn: Side::Acceptor,
            watch: None,
        };
        if !core.options.keep_events.is_empty() {
            core.names.borrow_mut().connection(number, conn.ways[0].label.clone());
        }
        let key = self.conns.insert(conn);
        self.tap_opened(key);
        self.send_syn(core, key);
        Ok(key)
    }

    /// Asks how the opening went.
    pub(crate) fn poll_open(&mut self, core: &Core, key: ConnKey, waker: &Waker) -> Poll<io::Result<()>> {
        let Some(conn) = self.conns.get_mut(key) else {
            return Poll::Ready(Err(io::ErrorKind::NotConnected.into())); // its node has fallen
        };
        match conn.phase {
            Phase::Open => Poll::Ready(Ok(())),
            Phase::Failed(error) => {
                conn.end(Side::Opener).held = false;
                self.reap(core, key);
                Poll::Ready(Err(error.into()))
            }
            Phase::Opening { .. } => {
                self.old.extend(wait(&mut conn.end(Side::Opener).writer, waker));
                Poll::Pending
            }
        }
    }

    fn send_syn(&mut self, core: &Core, key: ConnKey) {
        let Some(conn) = self.conns.get_mut(key) else { return };
        let Phase::Opening { repeats, retry } = &mut conn.phase else { return };
        let after = SYN_REPEAT.saturating_mul(1 << (*repeats).min(32)).min(RTO_MAX);
        *retry = Some(core.schedule(after, Due::Net(NetDue::SynRetry(key))));
        if self.paths.passes(conn, Side::Opener) {
            let after = travel(core, conn.way(Side::Opener));
            core.schedule(after, Due::Net(NetDue::Syn(key)));
        } else {
            self.paths.lost(core, conn, Side::Opener);
        }
    }

    pub(crate) fn retry_syn(&mut self, core: &Core, key: ConnKey) {
        let Some(conn) = self.conns.get_mut(key) else { return };
        let Phase::Opening { repeats, retry } = &mut conn.phase else { return };
        *retry = None;
        *repeats += 1;
        if *repeats <= self.options.syn_retries {
            return self.send_syn(core, key);
        }
        core.felt(Effect::ConnectTimeout);
        self.fail_open(core, key, io::ErrorKind::TimedOut);
    }

    pub(crate) fn syn_arrives(&mut self, core: &Core, key: ConnKey) {
        let Some(conn) = self.conns.get_mut(key) else { return };
        if !matches!(conn.phase, Phase::Opening { .. }) {
            return;
        }
        if !self.paths.reaches(conn, Side::Opener) {
            return self.paths.lost(core, conn, Side::Opener);
        }
        core.event(Kind::Deliver, conn.word(Side::Opener), Arrival::Syn.word(0));
        let acceptor = &conn.ends[Side::Acceptor as usize];
        let (node, ip) = (acceptor.node, acceptor.address.ip());
        let listener = self.listeners.get_mut(&(node, conn.port));
        let answer = match listener.filter(|listener| listener.ip.is_unspecified() || listener.ip == ip) {
            None => NetDue::Refusal(key),
            Some(listener) if conn.listener == Some(listener.serial) => NetDue::SynAck(key), // a repeat
            Some(listener) => {
                let waiting = listener.queue.len() as u64 + u64::from(listener.handshakes);
                // A queue is full when it is longer than its backlog, not when it is as long (`sk_acceptq_is_full`).
                if waiting > u64::from(self.options.backlog) {
                    return; // dropped, as Linux does: the opener tries again
                }
                listener.handshakes += 1;
                conn.listener = Some(listener.serial);
                let forget = Due::Net(NetDue::Forget(key, Side::Acceptor));
                let forget = core.schedule(nanos(self.options.handshake), forget);
                let acceptor = conn.end(Side::Acceptor);
                acceptor.life = Life::Live;
                acceptor.forget = Some(forget);
                NetDue::SynAck(key)
            }
        };
        if self.paths.passes(conn, Side::Acceptor) {
            core.schedule(travel(core, conn.way(Side::Acceptor)), Due::Net(answer));
        } else {
            self.paths.lost(core, conn, Side::Acceptor);
        }
    }

    pub(crate) fn syn_ack_arrives(&mut self, core: &Core, key: ConnKey) {
        let Some(conn) = self.conns.get_mut(key) else { return };
        if !self.paths.reaches(conn, Side::Acceptor) {
            return self.paths.lost(core, conn, Side::Acceptor);
        }
        let retry = match conn.phase {
            Phase::Opening { retry, .. } => retry,
            Phase::Open => return, // a repeat
            Phase::Failed(_) => return self.send_reset(core, key, Side::Opener),
        };
        if let Some(retry) = retry {
            core.unschedule(retry);
        }
        core.event(Kind::Deliver, conn.word(Side::Acceptor), Arrival::SynAck.word(0));
        conn.phase = Phase::Open;
        let opener = conn.end(Side::Opener);
        opener.heard = core.now.get();
        self.wakes.extend(opener.writer.take());
        self.send(core, key, Side::Opener, Carries::Ack, 0);
    }

    pub(crate) fn refusal_arrives(&mut self, core: &Core, key: ConnKey) {
        let Some(conn) = self.conns.get(key) else { return };
        if !self.paths.reaches(conn, Side::Acceptor) {
            return self.paths.lost(core, conn, Side::Acceptor);
        }
        core.felt(Effect::Refused);
        self.fail_open(core, key, io::ErrorKind::ConnectionRefused);
    }

    pub(crate) fn fail_open(&mut self, core: &Core, key: ConnKey, error: io::ErrorKind) {
        let Some(conn) = self.conns.get_mut(key) else { return };
        let Phase::Opening { retry, .. } = conn.phase else { return };
        if let Some(retry) = retry {
            core.unschedule(retry);
        }
        core.event(Kind::Deliver, conn.word(Side::Acceptor), Arrival::NotOpened.word(error as u64));
        conn.phase = Phase::Failed(error);
        conn.end(Side::Opener).life = Life::Dead;
        self.wakes.extend(conn.end(Side::Opener).writer.take());
        self.drop_handshake(core, key);
        self.reap(core, key);
    }

    /// The last step has arrived: the connection can be accepted.
    pub(crate) fn established(&mut self, core: &Core, key: ConnKey) {
        let Some(conn) = self.conns.get_mut(key) else { return };
        let (node, port, serial) = (conn.ends[Side::Acceptor as usize].node, conn.port, conn.listener.take());
        let serial = serial.expect("a handshake's listener is known until it ends");
        if let Some(forget) = conn.end(Side::Acceptor).forget.take() {
            core.unschedule(forget);
        }
        let listener = self.listeners.get_mut(&(node, port)).filter(|listener| listener.serial == serial);
        let listener = listener.expect("a listener that closes ends its handshakes");
        listener.handshakes -= 1;
        listener.queue.push_back(key);
        self.wakes.extend(listener.waker.take());
        conn.queued = true;
        core.tell(tracing::Level::TRACE, || format!("{} established", conn.ways[0].label));
    }

    /// Ends a handshake at the acceptor's side, if one is under way.
    pub(crate) fn drop_handshake(&mut self, core: &Core, key: ConnKey) {
        let Some(conn) = self.conns.get_mut(key) else { return };
        let Some(serial) = conn.listener.take() else { return };
        let acceptor = conn.end(Side::Acceptor);
        acceptor.life = Life::Dead;
        if let Some(forget) = acceptor.forget.take() {
            core.unschedule(forget);
        }
        let (node, port) = (acceptor.node, conn.port);
        if let Some(listener) = self.listener(node, port, serial) {
            listener.handshakes -= 1;
        }
    }
}
