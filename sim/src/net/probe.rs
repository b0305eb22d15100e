//! A sender without window asks for it (zero-window probes): the word about room is acknowledged by nobody, and a reader
//! that will never read again says nothing.

use crate::agenda::DueKey;
use crate::core::{Core, Due};
use crate::net::conn::{Life, Side};
use crate::net::resend::{RTO_MAX, RTO_MIN};
use crate::net::way::Carries;
use crate::net::{ConnKey, Fabric, NetDue};
use crate::trace::nanos;

/// A sender waits for window, and asks for it from time to time.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Probing {
    pub(crate) due: DueKey,
    /// How long it waits for that, in nanoseconds.
    after: u64,
    /// When it asked first.
    since: Option<u64>,
}

impl Fabric {
    /// That side's sender begins to wait for window.
    pub(crate) fn begin_probing(&mut self, core: &Core, key: ConnKey, side: Side) {
        let Some(conn) = self.conns.get_mut(key) else { return };
        let probe = &mut conn.way(side).probe;
        if probe.is_none() {
            let due = core.schedule(RTO_MIN, Due::Net(NetDue::Probe(key, side)));
            *probe = Some(Probing { due, after: RTO_MIN, since: None });
        }
    }

    /// There is window, or nobody who wants it.
    pub(crate) fn end_probing(&mut self, core: &Core, key: ConnKey, side: Side) {
        let Some(conn) = self.conns.get_mut(key) else { return };
        if let Some(probe) = conn.way(side).probe.take() {
            core.unschedule(probe.due);
        }
    }

    /// Asks, unless what is under way asks already, and waits again. As `tcp_probe_timer`: a window that stays shut
    /// for longer than the socket's `TCP_USER_TIMEOUT` ends the connection, even if the peer's kernel answers; and one
    /// that no process holds any more ends when the back-off is at its longest.
    pub(crate) fn probe(&mut self, core: &Core, key: ConnKey, side: Side) {
        let now = core.now.get();
        let Some(conn) = self.conns.get_mut(key) else { return };
        let severed = conn.severed;
        let end = conn.end(side);
        let (orphaned, patience) = (end.life == Life::Orphan, end.user_timeout.map(nanos));
        let way = conn.way(side);
        let Some(probe) = &mut way.probe else { return };
        let since = *probe.since.get_or_insert(now);
        let left = patience.map(|patience| patience.saturating_sub(now - since));
        if left == Some(0) || (orphaned && probe.after == RTO_MAX) {
            return self.time_out(core, key, side);
        }
        probe.after = (probe.after * 2).min(RTO_MAX);
        let after = probe.after.min(left.unwrap_or(u64::MAX));
        probe.due = core.schedule(after, Due::Net(NetDue::Probe(key, side)));
        if severed {
            self.answered_from_between(core, key, side);
        } else if way.segments.is_empty() {
            self.send(core, key, side, Carries::Probe, 0);
        }
    }
}
