//! A writer without room asks for it (zero-window probes): the word about room is acknowledged by nobody, and a reader
//! that will never read again says nothing.

use crate::core::{Core, Due};
use crate::net::conn::{Carries, Probing, Side};
use crate::net::path::travel;
use crate::net::{ConnKey, Fabric, NetDue};

/// How long a writer waits before it asks: Linux's `TCP_RTO_MIN`. Twice as long each further time.
const FIRST: u64 = 200_000_000;
/// At most so long: Linux's `TCP_RTO_MAX`.
const MOST: u64 = 120_000_000_000;

impl Fabric {
    /// That side's writer begins to wait for room.
    pub(crate) fn begin_probing(&mut self, core: &Core, key: ConnKey, side: Side) {
        let Some(conn) = self.conns.get_mut(key) else { return };
        let probe = &mut conn.way(side).probe;
        if probe.is_none() {
            let due = core.schedule(FIRST, Due::Net(NetDue::Probe(key, side)));
            *probe = Some(Probing { due, after: FIRST });
        }
    }

    /// There is room, or nobody who wants it.
    pub(crate) fn end_probing(&mut self, core: &Core, key: ConnKey, side: Side) {
        let Some(conn) = self.conns.get_mut(key) else { return };
        if let Some(probe) = conn.way(side).probe.take() {
            core.unschedule(probe.due);
        }
    }

    /// Asks, unless what is under way asks already, and waits again.
    pub(crate) fn probe(&mut self, core: &Core, key: ConnKey, side: Side) {
        let Some(conn) = self.conns.get_mut(key) else { return };
        let severed = conn.severed;
        let way = conn.way(side);
        let Some(probe) = &mut way.probe else { return };
        probe.after = (probe.after * 2).min(MOST);
        probe.due = core.schedule(probe.after, Due::Net(NetDue::Probe(key, side)));
        if severed {
            // Whoever closed it in between knows it no more, as when something is written.
            let after = travel(core, way) * 2;
            core.schedule(after, Due::Net(NetDue::Reset(key, side)));
        } else if way.segments.is_empty() {
            self.send(core, key, side, Carries::Probe);
        }
    }
}
