//! Segments under way: sent, lost to blocked paths, sent again, arrived.

use std::io;

use crate::core::{Core, Due};
use crate::digest::{Arrival, Kind};
use crate::effects::Effect;
use crate::net::conn::{Carries, Life, Segment, Side};
use crate::net::path::travel;
use crate::net::{ConnKey, Fabric, NetDue};
use crate::trace::nanos;

impl Fabric {
    /// Sends a segment from that side, behind those sent before.
    #[inline]
    pub(crate) fn send(&mut self, core: &Core, key: ConnKey, side: Side, carries: Carries) {
        let Some(conn) = self.conns.get_mut(key) else { return };
        let passes = self.paths.passes(conn, side);
        let way = conn.way(side);
        let due = core.now.get().saturating_add(travel(core, way)).max(way.last_due);
        way.last_due = due;
        way.segments.push_back(Segment { due, carries });
        if way.stalled {
            if carries != Carries::Ack {
                self.await_acknowledgement(core, key, side);
            }
            return;
        }
        if !passes {
            return self.stall(core, key, side);
        }
        if way.armed.is_none() {
            way.armed = Some(core.schedule_at(due, Due::Net(NetDue::Segment(key, side))));
        }
    }

    /// What was sent is lost, and waits until it can be sent again, if there is a kernel to do that.
    pub(crate) fn stall(&mut self, core: &Core, key: ConnKey, side: Side) {
        let Some(conn) = self.conns.get_mut(key) else { return };
        let (silenced, blocked) = (conn.silenced, !self.paths.passes(conn, side));
        let sender = conn.end(side).life;
        let way = conn.way(side);
        if way.stalled {
            return;
        }
        if let Some(armed) = way.armed.take() {
            core.unschedule(armed);
        }
        if silenced {
            core.felt(Effect::CutSilence);
        } else if blocked {
            core.felt(Effect::Blocked);
        }
        if sender == Life::Dead {
            return way.segments.clear();
        }
        way.stalled = true;
        if way.segments.iter().any(|segment| segment.carries != Carries::Ack) {
            self.await_acknowledgement(core, key, side);
        }
    }

    /// The sender counts the time from here on, if it does not already.
    fn await_acknowledgement(&mut self, core: &Core, key: ConnKey, side: Side) {
        let Some(conn) = self.conns.get_mut(key) else { return };
        let limit = nanos(conn.end(side).user_timeout.unwrap_or(self.options.give_up));
        let way = conn.way(side);
        if way.give_up.is_none() {
            way.give_up = Some(core.schedule(limit, Due::Net(NetDue::GiveUp(key, side))));
        }
    }

    /// The segments from that side that are due arrive, if they can.
    pub(crate) fn arrive(&mut self, core: &Core, key: ConnKey, side: Side) {
        if let Some(conn) = self.conns.get_mut(key) {
            conn.way(side).armed = None;
        }
        let mut arrived = false; // something that is acknowledged
        loop {
            let Some(conn) = self.conns.get_mut(key) else { return };
            let Some(first) = conn.way(side).segments.front().copied() else { break };
            if first.due > core.now.get() {
                break;
            }
            if !self.paths.reaches(conn, side) {
                return self.stall(core, key, side);
            }
            arrived |= first.carries != Carries::Ack;
            if !self.deliver(core, key, side) {
                return;
            }
        }
        let Some(conn) = self.conns.get_mut(key) else { return };
        let way = conn.way(side);
        if let (Some(next), None, false) = (way.segments.front(), way.armed, way.stalled) {
            way.armed = Some(core.schedule_at(next.due, Due::Net(NetDue::Segment(key, side))));
        }
        if arrived && self.paths.passes(conn, side.other()) {
            if let Some(give_up) = conn.way(side).give_up.take() {
                core.unschedule(give_up);
            }
        } else if arrived {
            self.await_acknowledgement(core, key, side); // it came through; its acknowledgement does not
        }
        self.reap(core, key);
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
            (Carries::Probe, Life::Live | Life::Orphan) => {}
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
        core.felt(Effect::Blocked);
        if segment.carries == Carries::Ack {
            return true;
        }
        conn.way(side).segments.push_front(segment);
        self.stall(core, key, side);
        false
    }

    /// Sends RST from that side. It is not repeated: lost, it is lost.
    pub(crate) fn send_reset(&mut self, core: &Core, key: ConnKey, side: Side) {
        let Some(conn) = self.conns.get_mut(key) else { return };
        if !self.paths.passes(conn, side) {
            return core.felt(Effect::Blocked);
        }
        let way = conn.way(side);
        let due = core.now.get().saturating_add(travel(core, way)).max(way.last_due);
        core.schedule_at(due, Due::Net(NetDue::Reset(key, side.other())));
    }

    /// The sender has waited too long for an acknowledgement.
    pub(crate) fn give_up(&mut self, core: &Core, key: ConnKey, side: Side) {
        let Some(conn) = self.conns.get_mut(key) else { return };
        conn.way(side).give_up = None;
        core.event(Kind::Deliver, conn.word(side), Arrival::GiveUp.word(0));
        if conn.end(side).life == Life::Live {
            conn.end(side).error = Some(io::ErrorKind::TimedOut);
            core.felt(Effect::Timeout);
        }
        self.die(core, key, side);
        self.reap(core, key);
    }

    /// Paths or hosts have changed for the better: what was lost is sent again, within the bound of the options.
    pub(crate) fn mend(&mut self, core: &Core) {
        for key in self.conns.keys() {
            for side in Side::BOTH {
                self.mend_way(core, key, side);
            }
        }
    }

    fn mend_way(&mut self, core: &Core, key: ConnKey, side: Side) {
        let bound = nanos(self.options.retransmit) / 1_000 + 1;
        let Some(conn) = self.conns.get_mut(key) else { return };
        let (there, back) = (self.paths.reaches(conn, side), self.paths.passes(conn, side.other()));
        let number = conn.number;
        let way = conn.way(side);
        if there && back && !way.stalled && way.segments.is_empty() && way.give_up.is_some() {
            // It had come through, and its acknowledgement had not.
            way.segments.push_back(Segment { due: 0, carries: Carries::Probe });
            way.stalled = true;
        }
        if there && way.stalled {
            let stream = core.stream(&format!("retransmit/{}", way.label));
            let wait = core.draw(stream, bound) * 1_000;
            let due = core.now.get() + wait + travel(core, way);
            way.stalled = false;
            way.last_due = way.last_due.max(due);
            if let Some(first) = way.segments.front_mut() {
                first.due = due;
                way.armed = Some(core.schedule_at(due, Due::Net(NetDue::Segment(key, side))));
            }
            core.tell(tracing::Level::TRACE, || format!("connection {number}: sends again"));
        }
        if back && std::mem::take(&mut way.untold) {
            self.tell_window(core, key, side);
        }
    }
}
