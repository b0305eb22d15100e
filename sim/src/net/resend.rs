//! What was lost: it waits, is sent again when its path has healed, or its sender gives up.

use std::io;

use crate::core::{Core, Due};
use crate::digest::{Arrival, Kind};
use crate::effects::Effect;
use crate::net::conn::{Life, Phase, Side};
use crate::net::travel::travel;
use crate::net::way::{Carries, GiveUp, Segment};
use crate::net::{ConnKey, Fabric, NetDue};
use crate::options::Resend;
use crate::trace::nanos;

/// How long a sender waits before it sends again: Linux's `TCP_RTO_MIN`. Twice as long each further time.
pub(crate) const RTO_MIN: u64 = 200_000_000;
/// At most so long: Linux's `TCP_RTO_MAX`.
pub(crate) const RTO_MAX: u64 = 120_000_000_000;

impl Fabric {
    /// What was sent is lost, and waits until it can be sent again, if there is a kernel to do that.
    pub(crate) fn stall(&mut self, core: &Core, key: ConnKey, side: Side) {
        let Some(conn) = self.conns.get_mut(key) else { return };
        let sender = conn.end(side).life;
        if conn.way(side).stalled {
            return;
        }
        self.paths.lost(core, conn, side);
        let way = conn.way(side);
        if let Some(armed) = way.armed.take() {
            core.unschedule(armed);
        }
        if sender == Life::Dead {
            return way.segments.clear();
        }
        way.segments.retain(|segment| segment.carries != Carries::KeepAlive);
        if way.segments.is_empty() {
            return;
        }
        way.stalled = true;
        way.lost_since.get_or_insert_with(|| core.now.get());
        if way.segments.iter().any(|segment| segment.carries.is_awaited()) {
            self.await_acknowledgement(core, key, side);
        }
    }

    /// The sender counts the time from here on, if it does not already.
    pub(crate) fn await_acknowledgement(&mut self, core: &Core, key: ConnKey, side: Side) {
        let Some(conn) = self.conns.get_mut(key) else { return };
        if conn.way(side).give_up.is_none() {
            let (since, limit) = (core.now.get(), self.patience(key, side));
            let Some(conn) = self.conns.get_mut(key) else { return };
            let due = core.schedule(limit, Due::Net(NetDue::GiveUp(key, side)));
            conn.way(side).give_up = Some(GiveUp { due, since });
        }
    }

    /// How long that side's kernel waits for an acknowledgement, in nanoseconds.
    fn patience(&self, key: ConnKey, side: Side) -> u64 {
        let Some(conn) = self.conns.get(key) else { return u64::MAX };
        let end = &conn.ends[side as usize];
        let kernel = match end.life {
            Life::Orphan => self.options.orphan_give_up.min(self.options.give_up),
            Life::Live | Life::Dead => self.options.give_up,
        };
        nanos(end.user_timeout.unwrap_or(kernel))
    }

    /// What decides on its patience has changed: the time that has passed counts.
    pub(crate) fn patience_changed(&mut self, core: &Core, key: ConnKey, side: Side) {
        let limit = self.patience(key, side);
        let Some(conn) = self.conns.get_mut(key) else { return };
        if let Some(give_up) = conn.way(side).give_up {
            core.reschedule(give_up.due, give_up.since.saturating_add(limit));
        }
    }

    /// The sender has waited too long for an acknowledgement.
    pub(crate) fn give_up(&mut self, core: &Core, key: ConnKey, side: Side) {
        let Some(conn) = self.conns.get_mut(key) else { return };
        conn.way(side).give_up = None;
        self.time_out(core, key, side);
    }

    /// That side's kernel takes its peer for gone.
    pub(crate) fn time_out(&mut self, core: &Core, key: ConnKey, side: Side) {
        let Some(conn) = self.conns.get_mut(key) else { return };
        core.event(Kind::Deliver, conn.word(side), Arrival::GiveUp.word(0));
        if conn.end(side).life == Life::Live {
            conn.end(side).error = Some(io::ErrorKind::TimedOut);
            core.felt(Effect::Timeout);
        }
        self.die(core, key, side);
        self.reap(core, key);
    }

    /// Paths or hosts have changed for the better: what was lost is sent again.
    pub(crate) fn mend(&mut self, core: &Core) {
        for key in self.conns.keys() {
            self.mend_handshake(core, key);
            for side in Side::BOTH {
                self.mend_way(core, key, side);
            }
        }
    }

    /// The answer to a SYN is sent again, too. An opener that still wants it asks by itself; one that does not has to
    /// say so.
    fn mend_handshake(&mut self, core: &Core, key: ConnKey) {
        let Some(conn) = self.conns.get_mut(key) else { return };
        let is_given_up = conn.listener.is_some() && matches!(conn.phase, Phase::Failed(_));
        if is_given_up && self.paths.reaches(conn, Side::Acceptor) {
            core.schedule(travel(core, conn.way(Side::Acceptor)), Due::Net(NetDue::SynAck(key)));
        }
    }

    fn mend_way(&mut self, core: &Core, key: ConnKey, side: Side) {
        let Some(conn) = self.conns.get_mut(key) else { return };
        let (there, back) = (self.paths.reaches(conn, side), self.paths.passes(conn, side.other()));
        let (number, receiver) = (conn.number, conn.end(side.other()).life);
        let way = conn.way(side);
        if receiver == Life::Dead && way.stalled {
            // Nobody there asks for the last step of the handshake any more.
            way.segments.retain(|segment| segment.carries != Carries::Ack);
            way.stalled = !way.segments.is_empty();
            if let Some(again) = way.armed.take_if(|_| way.segments.is_empty()) {
                core.unschedule(again);
            }
        }
        if there && back && !way.stalled && way.segments.is_empty() && way.give_up.is_some() {
            // It had come through, and its acknowledgement had not.
            way.segments.push_back(Segment { due: 0, carries: Carries::Probe });
            way.stalled = true;
        }
        if there && way.stalled && way.armed.is_none() {
            let since = way.lost_since.or_else(|| way.give_up.map(|give_up| give_up.since));
            let now = core.now.get();
            let again = match self.options.retransmit {
                Resend::Within(bound) => {
                    let stream = core.stream(&format!("retransmit/{}", way.label));
                    now.saturating_add(core.draw(stream, nanos(bound) / 1_000 + 1) * 1_000)
                }
                Resend::BackOff => next_attempt(since.unwrap_or(now), now),
            };
            way.armed = Some(core.schedule_at(again, Due::Net(NetDue::Again(key, side))));
            core.tell(tracing::Level::TRACE, || format!("connection {number}: will send again"));
        }
        if back && std::mem::take(&mut way.untold) {
            self.tell_window(core, key, side);
        }
    }

    /// What that side lost is sent again, in segments, behind what goes the same way.
    pub(crate) fn send_again(&mut self, core: &Core, key: ConnKey, side: Side) {
        let Some(conn) = self.conns.get_mut(key) else { return };
        let way = conn.way(side);
        (way.armed, way.stalled) = (None, false);
        let (mut sent, mss) = (way.arrived, way.mss);
        for segment in std::mem::take(&mut way.segments) {
            match segment.carries {
                Carries::Data(end) => {
                    while sent < end {
                        let bytes = (end - sent).min(mss);
                        sent += bytes;
                        self.send(core, key, side, Carries::Data(sent), bytes);
                    }
                }
                other @ (Carries::Ack | Carries::Fin | Carries::Probe | Carries::KeepAlive) => {
                    self.send(core, key, side, other, 0);
                }
            }
        }
    }
}

/// When a sender whose segment was lost at `since` sends it again for the first time from `now` on.
fn next_attempt(since: u64, now: u64) -> u64 {
    let (mut at, mut after) = (since.saturating_add(RTO_MIN), RTO_MIN);
    while at < now {
        after = (after * 2).min(RTO_MAX);
        at = at.saturating_add(after);
    }
    at
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_lost_segment_is_sent_again_after_ever_longer_waits() {
        let attempt = |now: u64| next_attempt(1_000_000_000, now * 1_000_000) / 1_000_000;
        assert_eq!(attempt(1_000), 1_200);
        assert_eq!(attempt(1_300), 1_600, "200 ms and 400 ms after the loss");
        assert_eq!(attempt(1_600), 1_600);
        assert_eq!(attempt(60_000), 103_200, "51.2 s after the one before");
        assert_eq!(attempt(600_000), 685_600, "120 s after the one before");
        assert_eq!(attempt(685_601), 805_600);
    }
}
