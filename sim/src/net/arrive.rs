//! Segments under way: sent, lost to blocked paths, sent again, arrived.

use std::io;

use crate::core::{Core, Due};
use crate::digest::Kind;
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
            return;
        }
        if !passes {
            return self.stall(core, key, side);
        }
        if way.armed.is_none() {
            way.armed = Some(core.schedule_at(due, Due::Net(NetDue::Segment(key, side))));
        }
    }

    /// What was sent is lost, and waits until it can be sent again.
    fn stall(&mut self, core: &Core, key: ConnKey, side: Side) {
        let Some(conn) = self.conns.get_mut(key) else { return };
        let (silenced, blocked) = (conn.silenced, !self.paths.passes(conn, side));
        let way = conn.way(side);
        if way.stalled {
            return;
        }
        way.stalled = true;
        if let Some(armed) = way.armed.take() {
            core.unschedule(armed);
        }
        self.await_acknowledgement(core, key, side);
        if silenced {
            core.felt(Effect::CutSilence);
        } else if blocked {
            core.felt(Effect::Blocked);
        }
    }

    /// From here on the sender counts the time.
    fn await_acknowledgement(&mut self, core: &Core, key: ConnKey, side: Side) {
        let limit = nanos(self.options.give_up);
        let Some(conn) = self.conns.get_mut(key) else { return };
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
        let mut arrived = false;
        loop {
            let Some(conn) = self.conns.get_mut(key) else { return };
            let Some(first) = conn.way(side).segments.front() else { break };
            if first.due > core.now.get() {
                break;
            }
            if !self.paths.reaches(conn, side) {
                return self.stall(core, key, side);
            }
            arrived = true;
            if !self.deliver(core, key, side) {
                return;
            }
        }
        let Some(conn) = self.conns.get_mut(key) else { return };
        let way = conn.way(side);
        if let (Some(next), None, false) = (way.segments.front(), way.armed, way.stalled) {
            way.armed = Some(core.schedule_at(next.due, Due::Net(NetDue::Segment(key, side))));
        }
        if arrived && !self.paths.passes(conn, side.other()) {
            self.await_acknowledgement(core, key, side); // it came through; its acknowledgement does not
        }
        self.reap(core, key);
    }

    /// Delivers the first segment from that side. `false`: no further one can be.
    fn deliver(&mut self, core: &Core, key: ConnKey, side: Side) -> bool {
        let Some(conn) = self.conns.get_mut(key) else { return false };
        let word = conn.word(side);
        let way = conn.way(side);
        let Some(segment) = way.segments.pop_front() else { return false };
        if let (Some((offset, cut)), Carries::Data(end)) = (way.cut_at, segment.carries)
            && end > offset
        {
            way.arrived = offset.max(way.arrived);
            way.segments.clear();
            way.cut_at = None;
            self.wakes.extend(conn.end(side.other()).reader.take());
            self.cut(core, key, cut, side.other());
            return false;
        }
        let receiver = conn.end(side.other());
        let (life, carries) = (receiver.life, segment.carries);
        core.event(
            Kind::Deliver,
            word,
            match carries {
                Carries::Ack => 0,
                Carries::Data(end) => end,
                Carries::Fin => u64::MAX - 1,
            },
        );
        match (carries, life) {
            (_, Life::Dead) | (Carries::Data(_), Life::Orphan) => {
                self.answer_with_reset(core, key, side);
                return false;
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
        }
        true
    }

    /// Nobody there knows the connection: the sender gets RST, and what it still had under way is pointless.
    fn answer_with_reset(&mut self, core: &Core, key: ConnKey, side: Side) {
        let Some(conn) = self.conns.get_mut(key) else { return };
        conn.way(side).segments.clear();
        self.die(core, key, side.other());
        self.send_reset(core, key, side.other());
        self.reap(core, key);
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
        core.event(Kind::Deliver, conn.word(side), u64::MAX - 2);
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
        if there
            && back
            && let Some(give_up) = way.give_up.take()
        {
            core.unschedule(give_up);
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
