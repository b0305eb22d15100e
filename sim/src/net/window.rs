//! What a receiver tells its sender: how far bytes have arrived, and how far they were read.
//!
//! An acknowledgement is simulated where it changes something: when it frees send buffer that a writer waits for, and
//! when reading has made room that the sender lacks, or a good part of the window. The thresholds are those by which
//! kernels avoid silly windows. Of any other the sender knows once the greatest latency has passed.

use crate::core::{Core, Due};
use crate::digest::{Arrival, Kind};
use crate::net::conn::{Life, Side};
use crate::net::travel::travel;
use crate::net::way::{Carries, Way};
use crate::net::{ConnKey, Fabric, NetDue};

/// The reader tells the writer about room when so much of the window became free.
const TELL_FRACTION: u64 = 4;

/// Whether what was read since the sender last heard is worth a word.
#[inline]
pub(crate) fn is_worth_telling(way: &Way, window: u32) -> bool {
    let window = u64::from(window);
    let fresh = way.read - way.told.1;
    fresh >= (window / TELL_FRACTION).max(1)
        // RFC 1122 4.2.3.3: a sender that lacks room hears of it when there is a segment's worth, or half the buffer.
        || (way.unsent() > 0 && fresh >= way.mss.min(window.div_ceil(2)))
}

impl Fabric {
    /// That side's sender lacks window.
    pub(crate) fn window_is_full(&mut self, core: &Core, key: ConnKey, side: Side) {
        let Some(conn) = self.conns.get(key) else { return };
        let way = &conn.ways[side as usize];
        if is_worth_telling(way, self.options.window) {
            self.tell_window(core, key, side);
        }
        self.begin_probing(core, key, side);
    }

    /// That side's writer finds its send buffer full, and waits: for the acknowledgement that is under way, if there is
    /// one, and for those to come. It draws nothing, since the poll is pending.
    pub(crate) fn buffer_is_full(&mut self, core: &Core, key: ConnKey, side: Side) {
        let Some(conn) = self.conns.get_mut(key) else { return };
        let at = conn.hears_at(side);
        let way = conn.way(side);
        let arrived = way.acknowledged.0;
        if std::mem::replace(&mut way.full, true) || arrived <= way.acked {
            return;
        }
        let read = way.told.1.min(arrived);
        let unread = u32::try_from(arrived - read).expect("a window bounds what is unread");
        core.schedule_at(at, Due::Net(NetDue::Window(key, side, read, unread)));
    }

    /// The receiver of that direction tells its sender how far bytes have arrived and were read.
    pub(crate) fn tell_window(&mut self, core: &Core, key: ConnKey, side: Side) {
        let Some(conn) = self.conns.get_mut(key) else { return };
        if conn.end(side.other()).life == Life::Dead {
            return; // its process may still read what had come
        }
        let passes = self.paths.passes(conn, side.other());
        if !passes {
            self.paths.lost(core, conn, side.other());
        }
        let way = conn.way(side);
        way.told = (way.arrived, way.read);
        if !passes {
            way.untold = true;
            return;
        }
        let unread = u32::try_from(way.unread()).expect("a window bounds what is unread");
        let read = way.read;
        let after = travel(core, conn.way(side.other()));
        core.schedule(after, Due::Net(NetDue::Window(key, side, read, unread)));
    }

    pub(crate) fn window_arrives(&mut self, core: &Core, key: ConnKey, side: Side, read: u64, unread: u32) {
        let Some(conn) = self.conns.get_mut(key) else { return };
        if !self.paths.reaches(conn, side.other()) {
            return self.window_is_lost(core, key, side, read + u64::from(unread));
        }
        let (word, severed) = (conn.word(side), conn.severed);
        let way = conn.way(side);
        core.event(Kind::Deliver, word, Arrival::Window.word(read));
        way.acked = way.acked.max(read + u64::from(unread));
        way.limit = way.limit.max(read + u64::from(self.options.window));
        let lacked_window = way.unsent() > 0 && way.limit > way.sent;
        let wakes_writer = way.full && is_writable(way, self.options.send_buffer);
        if wakes_writer {
            way.full = false;
            self.wakes.extend(conn.end(side).writer.take());
        }
        conn.end(side).heard = core.now.get();
        self.question_is_answered(core, key, side);
        if lacked_window && severed {
            self.answered_from_between(core, key, side);
        } else if lacked_window {
            self.end_probing(core, key, side);
            self.push(core, key, side);
        }
    }

    /// The word that bytes have arrived up to there was lost under way. A writer who waits for it sends them again, so
    /// the time until it gives up begins.
    fn window_is_lost(&mut self, core: &Core, key: ConnKey, side: Side, arrived: u64) {
        let Some(conn) = self.conns.get_mut(key) else { return };
        self.paths.lost(core, conn, side.other());
        let is_dead = conn.end(side).life == Life::Dead;
        let way = conn.way(side);
        way.untold = true;
        if way.full && arrived > way.acked && !is_dead {
            self.await_acknowledgement(core, key, side);
        }
    }

    /// Where a question was all that waited for an acknowledgement, the word about the window is one.
    fn question_is_answered(&mut self, core: &Core, key: ConnKey, side: Side) {
        let Some(conn) = self.conns.get_mut(key) else { return };
        let way = conn.way(side);
        let only_asked = way.segments.iter().all(|segment| segment.carries == Carries::Probe);
        if way.give_up.is_none() || way.acked < way.sent || way.fin_sent || !only_asked {
            return;
        }
        way.segments.clear();
        (way.stalled, way.lost_since, way.last_due) = (false, None, core.now.get());
        let give_up = way.give_up.take().map(|give_up| give_up.due);
        for due in [give_up, way.armed.take()].into_iter().flatten() {
            core.unschedule(due);
        }
    }
}

/// Whether so much of the send buffer is free that a writer who found it full is told: a third, as
/// `sk_stream_is_writeable` has it.
pub(crate) fn is_writable(way: &Way, send_buffer: u32) -> bool {
    let free = u64::from(send_buffer).saturating_sub(way.queued());
    free > 0 && free * 2 >= way.queued()
}
