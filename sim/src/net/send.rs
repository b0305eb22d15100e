//! Sending: bytes leave the send buffer in segments, as far as the receive window allows, and the FIN behind them.
//!
//! Nagle's algorithm is off, as `runtime` and hyper's connectors set it: what was written goes at once. A write of many
//! segments is delayed segment by segment; those that would arrive together travel as one, as receive offload would
//! hand them up. Next: `arrive`, and `resend` for what is lost.

use crate::core::{Core, Due};
use crate::net::conn::{Conn, Life, Side};
use crate::net::path::Paths;
use crate::net::travel::travel;
use crate::net::way::{Carries, Segment};
use crate::net::{ConnKey, Fabric, NetDue};

/// What a frame carries besides a segment's bytes: Ethernet 14, IPv4 20, TCP 20 and its timestamps 12.
const FRAME_BYTES: u64 = 66;

impl Fabric {
    /// Sends what the window allows, in segments, and the FIN behind the last byte.
    #[inline]
    pub(crate) fn push(&mut self, core: &Core, key: ConnKey, side: Side) {
        let Some(mut conn) = self.conns.get_mut(key) else { return };
        if conn.severed || conn.end(side).life == Life::Dead {
            return;
        }
        let way = conn.way(side);
        let (to, mss) = (way.written.min(way.limit), way.mss);
        let mut sent = way.sent;
        while sent < to {
            let bytes = (to - sent).min(mss);
            sent += bytes;
            conn.way(side).sent = sent;
            let segment = Carries::Data(sent);
            if !transmit(core, &mut self.paths, conn, (key, side), segment, bytes) {
                self.held_back(core, key, side, segment);
                let Some(same) = self.conns.get_mut(key) else { return };
                conn = same;
            }
        }
        let shut = conn.end(side).shut;
        let way = conn.way(side);
        if way.unsent() > 0 {
            self.window_is_full(core, key, side);
        } else if shut && !way.fin_sent {
            way.fin_sent = true;
            self.send(core, key, side, Carries::Fin, 0);
        }
    }

    /// Sends a segment from that side, behind those sent before.
    pub(crate) fn send(&mut self, core: &Core, key: ConnKey, side: Side, carries: Carries, bytes: u64) {
        let Some(conn) = self.conns.get_mut(key) else { return };
        if !transmit(core, &mut self.paths, conn, (key, side), carries, bytes) {
            self.held_back(core, key, side, carries);
        }
    }

    /// What was sent is lost, or waits behind what is: its sender counts the time.
    #[cold]
    fn held_back(&mut self, core: &Core, key: ConnKey, side: Side, carries: Carries) {
        let Some(conn) = self.conns.get_mut(key) else { return };
        if !conn.way(side).stalled {
            self.stall(core, key, side);
        } else if carries.is_awaited() {
            self.await_acknowledgement(core, key, side);
        }
    }

    /// Sends RST from that side. It is not repeated: lost, it is lost.
    pub(crate) fn send_reset(&mut self, core: &Core, key: ConnKey, side: Side) {
        let Some(conn) = self.conns.get_mut(key) else { return };
        if !self.paths.passes(conn, side) {
            return self.paths.lost(core, conn, side);
        }
        let way = conn.way(side);
        // Of several segments, only the first is on the agenda: what arrives with the last would come before it.
        let behind = way.last_due.saturating_add(u64::from(way.segments.len() > 1));
        let due = core.now.get().saturating_add(travel(core, way)).max(behind);
        core.schedule_at(due, Due::Net(NetDue::Reset(key, side.other())));
    }
}

/// Sends a segment from that side, behind those sent before. `false`: it is held back.
#[inline]
fn transmit(
    core: &Core,
    paths: &mut Paths,
    conn: &mut Conn,
    (key, side): (ConnKey, Side),
    carries: Carries,
    bytes: u64,
) -> bool {
    let passes = paths.passes(conn, side);
    let (from, to) = (conn.ends[side as usize].node, conn.ends[side.other() as usize].node);
    let way = conn.way(side);
    let goes = passes && !way.stalled;
    let leaves = if goes {
        paths.bandwidths.leaves(core, from, to, bytes + FRAME_BYTES)
    } else {
        core.now.get() // it takes its place in the queue when it is sent again
    };
    let due = leaves.saturating_add(travel(core, way)).max(way.last_due);
    way.last_due = due;
    match way.segments.back_mut() {
        Some(last) if last.due == due && follows(last.carries, carries) => last.carries = carries,
        Some(_) | None => way.segments.push_back(Segment { due, carries }),
    }
    if goes && way.armed.is_none() {
        way.armed = Some(core.schedule_at(due, Due::Net(NetDue::Segment(key, side))));
    }
    goes
}

/// Whether both carry bytes.
const fn follows(last: Carries, next: Carries) -> bool {
    matches!((last, next), (Carries::Data(_), Carries::Data(_)))
}
