//! Segments arrive: their bytes at the reader, their acknowledgement at the sender.

use std::task::Waker;

use crate::core::{Core, Due};
use crate::digest::{Arrival, Kind};
use crate::net::conn::{Conn, Life, Side};
use crate::net::cut::is_cut_ahead;
use crate::net::path::Paths;
use crate::net::way::{Carries, Segment};
use crate::net::{ConnKey, Fabric, NetDue};

impl Fabric {
    /// The segments from that side that are due arrive, if they can.
    pub(crate) fn arrive(&mut self, core: &Core, key: ConnKey, side: Side) {
        let Some(mut conn) = self.conns.get_mut(key) else { return };
        conn.way(side).armed = None;
        let now = core.now.get();
        let (mut answered, mut awaited) = (false, false);
        while let Some(first) = conn.way(side).segments.front().copied().filter(|first| first.due <= now) {
            if !self.paths.reaches(conn, side) {
                return self.stall(core, key, side);
            }
            answered |= first.carries != Carries::Ack;
            awaited |= first.carries.is_awaited();
            conn.end(side.other()).heard = now;
            if is_cut_ahead(conn, side) {
                return self.cut_inside(core, key, side);
            }
            conn.way(side).segments.pop_front();
            match deliver(core, &mut self.wakes, conn, side, first.carries) {
                Then::Nothing => continue,
                Then::Established => self.established(core, key),
                Then::FinArrived => self.fin_arrived(core, key, side),
                Then::Reset => {
                    if !self.answer_with_reset(core, key, side, first) {
                        return;
                    }
                }
            }
            let Some(same) = self.conns.get_mut(key) else { return };
            conn = same;
        }
        let way = conn.way(side);
        if let (Some(next), None, false) = (way.segments.front(), way.armed, way.stalled) {
            way.armed = Some(core.schedule_at(next.due, Due::Net(NetDue::Segment(key, side))));
        }
        let is_held = conn.is_held();
        if answered {
            match acknowledge(core, &self.paths, conn, side) {
                Acknowledgement::Heard => {}
                Acknowledgement::FreesBuffer => self.tell_window(core, key, side),
                Acknowledgement::Lost if awaited => self.await_acknowledgement(core, key, side),
                Acknowledgement::Lost => {}
            }
        }
        if !is_held {
            self.reap(core, key);
        }
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

/// What is to be done once a segment was delivered.
enum Then {
    /// No more than that.
    Nothing,
    /// The handshake is over.
    Established,
    /// The direction has ended.
    FinArrived,
    /// Nobody there knows the connection, or takes its bytes.
    Reset,
}

/// Delivers a segment from that side.
#[inline]
fn deliver(core: &Core, wakes: &mut Vec<Waker>, conn: &mut Conn, side: Side, carries: Carries) -> Then {
    let what = match carries {
        Carries::Ack => Arrival::Ack.word(0),
        Carries::Data(end) => Arrival::Data.word(end),
        Carries::Fin => Arrival::Fin.word(0),
        Carries::Probe => Arrival::Probe.word(0),
        Carries::KeepAlive => Arrival::KeepAlive.word(0),
    };
    core.event(Kind::Deliver, conn.word(side), what);
    let receiver = conn.end(side.other());
    match (carries, receiver.life) {
        (_, Life::Dead) | (Carries::Data(_), Life::Orphan) => Then::Reset,
        (Carries::Ack, Life::Live | Life::Orphan) => Then::Established,
        (Carries::Data(end), Life::Live) => {
            if let Some(reader) = receiver.reader.take() {
                wakes.push(reader);
            }
            conn.way(side).arrived = end;
            Then::Nothing
        }
        (Carries::Fin, Life::Live | Life::Orphan) => {
            receiver.eof = true;
            wakes.extend(receiver.reader.take());
            if let Some(forget) = receiver.forget.take() {
                core.unschedule(forget);
            }
            Then::FinArrived
        }
        (Carries::Probe | Carries::KeepAlive, Life::Live | Life::Orphan) => Then::Nothing,
    }
}

/// What became of an acknowledgement.
enum Acknowledgement {
    /// The sender has heard of it.
    Heard,
    /// It frees send buffer that a writer waits for.
    FreesBuffer,
    /// It did not pass.
    Lost,
}

/// What came through is acknowledged, and the sender hears of it, unless that does not pass.
#[inline]
fn acknowledge(core: &Core, paths: &Paths, conn: &mut Conn, side: Side) -> Acknowledgement {
    let passes = paths.passes(conn, side.other());
    let now = core.now.get();
    let way = conn.way(side);
    way.lost_since = None;
    let frees_buffer = way.full && way.arrived > way.told.0;
    if !passes {
        way.untold |= frees_buffer;
        paths.lost(core, conn, side.other());
        return Acknowledgement::Lost;
    }
    way.acknowledged = (way.arrived, now);
    if let Some(give_up) = way.give_up.take() {
        core.unschedule(give_up.due);
    }
    conn.end(side).heard = now;
    if frees_buffer { Acknowledgement::FreesBuffer } else { Acknowledgement::Heard }
}
