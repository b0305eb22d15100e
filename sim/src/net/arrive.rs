//! Segments arrive: their bytes at the reader, their acknowledgement at the sender.

use crate::core::{Core, Due};
use crate::digest::{Arrival, Kind};
use crate::net::conn::{Life, Side};
use crate::net::way::{Carries, Segment};
use crate::net::{ConnKey, Fabric, NetDue};

impl Fabric {
    /// The segments from that side that are due arrive, if they can.
    pub(crate) fn arrive(&mut self, core: &Core, key: ConnKey, side: Side) {
        if let Some(conn) = self.conns.get_mut(key) {
            conn.way(side).armed = None;
        }
        let (mut answered, mut awaited) = (false, false);
        loop {
            let Some(conn) = self.conns.get_mut(key) else { return };
            let Some(first) = conn.way(side).segments.front().copied() else { break };
            if first.due > core.now.get() {
                break;
            }
            if !self.paths.reaches(conn, side) {
                return self.stall(core, key, side);
            }
            answered |= first.carries != Carries::Ack;
            awaited |= first.carries.is_awaited();
            conn.end(side.other()).heard = core.now.get();
            if !self.deliver(core, key, side) {
                return;
            }
        }
        let Some(conn) = self.conns.get_mut(key) else { return };
        let way = conn.way(side);
        if let (Some(next), None, false) = (way.segments.front(), way.armed, way.stalled) {
            way.armed = Some(core.schedule_at(next.due, Due::Net(NetDue::Segment(key, side))));
        }
        if answered {
            self.acknowledge(core, key, side, awaited);
        }
        self.reap(core, key);
    }

    /// What came through is acknowledged, and the sender hears of it, unless that does not pass.
    #[inline]
    fn acknowledge(&mut self, core: &Core, key: ConnKey, side: Side, awaited: bool) {
        let Some(conn) = self.conns.get_mut(key) else { return };
        let passes = self.paths.passes(conn, side.other());
        let now = core.now.get();
        let way = conn.way(side);
        way.lost_since = None;
        let frees_buffer = way.full && way.arrived > way.told.0;
        if !passes {
            way.untold |= frees_buffer;
            self.paths.lost(core, conn, side.other());
            if awaited {
                self.await_acknowledgement(core, key, side);
            }
            return;
        }
        way.acknowledged = (way.arrived, now);
        if let Some(give_up) = way.give_up.take() {
            core.unschedule(give_up.due);
        }
        conn.end(side).heard = now;
        if frees_buffer {
            self.tell_window(core, key, side);
        }
    }

    /// Delivers the first segment from that side. `false`: no further one can be.
    fn deliver(&mut self, core: &Core, key: ConnKey, side: Side) -> bool {
        if self.cut_inside(core, key, side) {
            return false;
        }
        let Some(conn) = self.conns.get_mut(key) else { return false };
        let word = conn.word(side);
        let Some(segment) = conn.way(side).segments.pop_front() else { return false };
        let carries = segment.carries;
        let receiver = conn.end(side.other());
        let life = receiver.life;
        let what = match carries {
            Carries::Ack => Arrival::Ack.word(0),
            Carries::Data(end) => Arrival::Data.word(end),
            Carries::Fin => Arrival::Fin.word(0),
            Carries::Probe => Arrival::Probe.word(0),
            Carries::KeepAlive => Arrival::KeepAlive.word(0),
        };
        core.event(Kind::Deliver, word, what);
        match (carries, life) {
            (_, Life::Dead) | (Carries::Data(_), Life::Orphan) => {
                return self.answer_with_reset(core, key, side, segment);
            }
            (Carries::Ack, _) => self.established(core, key),
            (Carries::Data(end), Life::Live) => {
                self.wakes.extend(receiver.reader.take());
                conn.way(side).arrived = end;
            }
            (Carries::Fin, Life::Live | Life::Orphan) => {
                receiver.eof = true;
                self.wakes.extend(receiver.reader.take());
                if let Some(forget) = receiver.forget.take() {
                    core.unschedule(forget);
                }
                self.fin_arrived(core, key, side);
            }
            (Carries::Probe | Carries::KeepAlive, Life::Live | Life::Orphan) => {}
        }
        true
    }

    /// Nobody there knows the connection: the sender gets RST, and what it still had under way is pointless. A RST that
    /// is lost is given again to what the sender repeats, which is all but the last step of the handshake. `true`: the
    /// next segment can be delivered.
    fn answer_with_reset(&mut self, core: &Core, key: ConnKey, side: Side, segment: Segment) -> bool {
        self.die(core, key, side.other());
        let Some(conn) = self.conns.get_mut(key) else { return false };
        if self.paths.passes(conn, side.other()) {
            conn.way(side).segments.clear();
            self.send_reset(core, key, side.other());
            self.reap(core, key);
            return false;
        }
        self.paths.lost(core, conn, side.other());
        if !segment.carries.is_awaited() {
            return true;
        }
        conn.way(side).segments.push_front(segment);
        self.stall(core, key, side);
        false
    }
}
