//! Closing: FIN, RST, and what a host's kernel does for processes that are gone.

use std::io;

use crate::core::{Core, Due};
use crate::digest::{Arrival, Kind};
use crate::effects::Effect;
use crate::net::conn::{Life, Phase, Side};
use crate::net::{ConnKey, Fabric, NetDue};
use crate::node::NodeId;
use crate::trace::nanos;

impl Fabric {
    /// Closes the sending half. One that is closed already stays so: tokio hides `ENOTCONN` from a shutdown, since
    /// the peer's RST may always come first.
    pub(crate) fn shutdown(&mut self, core: &Core, key: ConnKey, side: Side) {
        let Some(conn) = self.conns.get_mut(key) else { return };
        let severed = conn.severed;
        let end = conn.end(side);
        if end.life == Life::Live && end.shut() && !severed {
            self.push(core, key, side);
        }
    }

    /// The process lets go of its end.
    pub(crate) fn let_go(&mut self, core: &Core, key: ConnKey, side: Side) {
        let Some(conn) = self.conns.get_mut(key) else { return };
        let end = conn.end(side);
        if !std::mem::replace(&mut end.held, false) {
            return; // its node has fallen: the kernel has closed it
        }
        self.old.extend(end.reader.take().into_iter().chain(end.writer.take()));
        self.close(core, key, side);
        self.reap(core, key);
    }

    /// What `close(2)` does: RST if bytes are unread or linger is zero, else FIN behind what was sent.
    fn close(&mut self, core: &Core, key: ConnKey, side: Side) {
        let Some(conn) = self.conns.get_mut(key) else { return };
        let unread = conn.way(side.other()).unread() > 0;
        let (severed, opening) = (conn.severed, matches!(conn.phase, Phase::Opening { .. }));
        let end = conn.end(side);
        if end.life != Life::Live {
            return;
        }
        if opening && side == Side::Opener {
            return self.cancel_open(core, key);
        }
        if severed {
            return self.die(core, key, side);
        }
        if unread || end.linger_zero {
            self.die(core, key, side);
            return self.send_reset(core, key, side);
        }
        end.life = Life::Orphan;
        if end.shut() {
            self.push(core, key, side);
        } else if end.fin_arrived && !end.eof {
            self.forget_later(core, key, side);
        }
        self.patience_changed(core, key, side);
        self.end_keep_alive(core, key, side);
    }

    /// The opener lost interest. Where its SYN has arrived, the acceptor learns that by RST when its answer finds
    /// nobody; until then the attempt holds its place in the backlog. One that is under way is forgotten with it.
    fn cancel_open(&mut self, core: &Core, key: ConnKey) {
        let Some(conn) = self.conns.get_mut(key) else { return };
        if let Phase::Opening { retry: Some(retry), .. } = conn.phase {
            core.unschedule(retry);
        }
        conn.phase = Phase::Failed(io::ErrorKind::ConnectionAborted);
        conn.end(Side::Opener).life = Life::Dead;
    }

    /// The FIN of that side has arrived.
    pub(crate) fn fin_arrived(&mut self, core: &Core, key: ConnKey, side: Side) {
        let Some(conn) = self.conns.get_mut(key) else { return };
        let end = conn.end(side);
        end.fin_arrived = true;
        if end.life == Life::Orphan && !end.eof {
            self.forget_later(core, key, side);
        }
    }

    fn forget_later(&mut self, core: &Core, key: ConnKey, side: Side) {
        let after = nanos(self.options.fin_timeout);
        let Some(conn) = self.conns.get_mut(key) else { return };
        let end = conn.end(side);
        if end.forget.is_none() {
            end.forget = Some(core.schedule(after, Due::Net(NetDue::Forget(key, side))));
        }
    }

    /// The kernel stops waiting, for the peer's FIN or for the last step of the handshake.
    pub(crate) fn forget(&mut self, core: &Core, key: ConnKey, side: Side) {
        let Some(conn) = self.conns.get_mut(key) else { return };
        core.event(Kind::Deliver, conn.word(side), Arrival::Forget.word(0));
        conn.end(side).forget = None;
        self.die(core, key, side);
        if side == Side::Acceptor {
            self.drop_handshake(core, key);
        }
        self.reap(core, key);
    }

    pub(crate) fn reset_arrives(&mut self, core: &Core, key: ConnKey, side: Side) {
        let Some(conn) = self.conns.get_mut(key) else { return };
        if !conn.severed && !self.paths.passes(conn, side.other()) {
            self.paths.lost(core, conn, side.other());
            // Lost under way: what it answered is not acknowledged, and will be sent again.
            let (way, end) = (&conn.ways[side as usize], &conn.ends[side as usize]);
            let unanswered = way.sent > way.arrived || (way.fin_sent && !end.fin_arrived);
            if unanswered && end.life != Life::Dead {
                self.await_acknowledgement(core, key, side);
            }
            return;
        }
        if !self.paths.is_up(conn.ends[side as usize].node) {
            return;
        }
        core.event(Kind::Deliver, conn.word(side), Arrival::Reset.word(0));
        self.reset(core, key, side);
    }

    /// RST has arrived at that side.
    pub(crate) fn reset(&mut self, core: &Core, key: ConnKey, side: Side) {
        let Some(conn) = self.conns.get_mut(key) else { return };
        if side == Side::Opener && matches!(conn.phase, Phase::Opening { .. }) {
            core.felt(Effect::Refused);
            return self.fail_open(core, key, io::ErrorKind::ConnectionRefused);
        }
        let end = conn.end(side);
        if end.life == Life::Live && !end.is_closed() {
            // As tcp_reset: EPIPE in CLOSE-WAIT, where the peer has closed its half and this end has not.
            let waits = end.eof && !end.shut;
            end.error = Some(if waits { io::ErrorKind::BrokenPipe } else { io::ErrorKind::ConnectionReset });
            if end.held {
                core.felt(Effect::Reset);
            }
        }
        self.die(core, key, side);
        if side == Side::Acceptor {
            self.drop_handshake(core, key);
        }
        self.reap(core, key);
    }

    /// The end's kernel knows the connection no more. What is under way stays under way.
    pub(crate) fn die(&mut self, core: &Core, key: ConnKey, side: Side) {
        let Some(conn) = self.conns.get_mut(key) else { return };
        let end = conn.end(side);
        end.life = Life::Dead;
        let wakes = [end.reader.take(), end.writer.take()];
        self.wakes.extend(wakes.into_iter().flatten());
        let forget = end.forget.take();
        let way = conn.way(side);
        let again = if way.stalled {
            way.segments.clear();
            way.stalled = false;
            way.armed.take()
        } else {
            None
        };
        let probe = way.probe.take().map(|probe| probe.due);
        let give_up = way.give_up.take().map(|give_up| give_up.due);
        for due in [forget, again, give_up, probe].into_iter().flatten() {
            core.unschedule(due);
        }
        self.end_keep_alive(core, key, side);
    }

    /// Closes a listener. Connections nobody has accepted get RST.
    pub(crate) fn close_listener(&mut self, core: &Core, node: NodeId, port: u16, serial: u64) {
        if self.listener(node, port, serial).is_some() {
            let listener = self.listeners.remove(&(node, port)).expect("it was just looked up");
            for key in self.conns.keys() {
                let Some(conn) = self.conns.get_mut(key) else { continue };
                let acceptor = &conn.ends[Side::Acceptor as usize];
                let waits = conn.listener == Some(listener.serial) && acceptor.node == node;
                if waits {
                    conn.listener = None;
                    self.abort(core, key, Side::Acceptor);
                }
            }
            self.old.extend(listener.waker);
            for key in listener.queue {
                if let Some(conn) = self.conns.get_mut(key) {
                    conn.queued = false;
                }
                self.abort(core, key, Side::Acceptor);
            }
        }
    }

    fn abort(&mut self, core: &Core, key: ConnKey, side: Side) {
        let Some(conn) = self.conns.get_mut(key) else { return };
        if conn.end(side).life == Life::Live {
            self.die(core, key, side);
            self.send_reset(core, key, side);
        }
        self.reap(core, key);
    }

    /// A process is gone; its kernel closes what it held.
    pub(crate) fn process_gone(&mut self, core: &Core, node: NodeId) {
        let ports: Vec<_> =
            self.listeners.range((node, 0)..=(node, u16::MAX)).map(|(at, l)| (at.1, l.serial)).collect();
        for (port, serial) in ports {
            self.close_listener(core, node, port, serial);
        }
        for key in self.conns.keys() {
            for side in Side::BOTH {
                let held = self.conns.get(key).is_some_and(|conn| {
                    let end = &conn.ends[side as usize];
                    end.node == node && end.held
                });
                if held {
                    self.let_go(core, key, side);
                }
            }
        }
    }

    /// A host lost power: its ends are gone, and nobody says so.
    pub(crate) fn power_gone(&mut self, core: &Core, node: NodeId) {
        self.paths.set_up(node, false);
        if let Some(ports) = self.paths.ports(node) {
            ports.forget_waiting();
        }
        for (_, listener) in self.listeners.extract_if((node, 0)..=(node, u16::MAX), |_, _| true) {
            self.old.extend(listener.waker);
        }
        for key in self.conns.keys() {
            for side in Side::BOTH {
                let Some(conn) = self.conns.get_mut(key) else { continue };
                if conn.ends[side as usize].node != node {
                    continue;
                }
                if side == Side::Opener
                    && let Phase::Opening { .. } = conn.phase
                {
                    self.cancel_open(core, key);
                }
                let Some(conn) = self.conns.get_mut(key) else { continue };
                if side == Side::Acceptor {
                    conn.queued = false;
                    conn.listener = None;
                }
                conn.end(side).held = false;
                self.die(core, key, side);
            }
            self.reap(core, key);
        }
    }

    /// A host's kernel runs again. It knows none of the connections of before.
    pub(crate) fn power_back(&mut self, core: &Core, node: NodeId) {
        if !self.paths.is_up(node) {
            self.paths.set_up(node, true);
            self.mend(core);
        }
    }
}
