//! Keep-alive (`SO_KEEPALIVE`): an idle end asks whether its peer is there, and takes it for gone when nobody answers.
//!
//! As `tcp_keepalive_timer`: the time counts from when the end last heard of its peer; while something of its own is
//! unacknowledged it asks nothing, since that asks already; `TCP_USER_TIMEOUT`, where it is set, takes the place of the
//! count. A host that is back without its memory answers with RST.

use std::time::Duration;

use runtime::KeepAlive;

use crate::agenda::DueKey;
use crate::core::{Core, Due};
use crate::net::conn::{Life, Side};
use crate::net::way::Carries;
use crate::net::{ConnKey, Fabric, NetDue};
use crate::trace::nanos;

/// What an end with keep-alive remembers.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Keeping {
    terms: KeepAlive,
    pub(crate) due: DueKey,
    /// Probes since it last heard of its peer.
    unanswered: u32,
    /// When the last of them was sent.
    asked: u64,
}

impl Fabric {
    /// Turns it on, with these terms, or off.
    pub(crate) fn set_keep_alive(&mut self, core: &Core, key: ConnKey, side: Side, terms: Option<KeepAlive>) {
        self.end_keep_alive(core, key, side);
        let Some(conn) = self.conns.get_mut(key) else { return };
        let end = conn.end(side);
        if let Some(terms) = terms.filter(|_| end.life == Life::Live) {
            let due = core.schedule(nanos(terms.idle), Due::Net(NetDue::KeepAlive(key, side)));
            end.keeping = Some(Keeping { terms, due, unanswered: 0, asked: 0 });
        }
    }

    pub(crate) fn end_keep_alive(&mut self, core: &Core, key: ConnKey, side: Side) {
        let Some(conn) = self.conns.get_mut(key) else { return };
        if let Some(keeping) = conn.end(side).keeping.take() {
            core.unschedule(keeping.due);
        }
    }

    /// Its timer has run out.
    pub(crate) fn keep_alive(&mut self, core: &Core, key: ConnKey, side: Side) {
        let now = core.now.get();
        let Some(conn) = self.conns.get_mut(key) else { return };
        let severed = conn.severed;
        let busy = conn.way(side).is_unacknowledged();
        let end = conn.end(side);
        if end.is_closed() {
            end.keeping = None; // the kernel has no timer for such a socket
            return;
        }
        let (heard, patience) = (end.heard, end.user_timeout);
        let Some(keeping) = &mut end.keeping else { return };
        let (idle, silent) = (nanos(keeping.terms.idle), now - heard);
        if heard >= keeping.asked {
            keeping.unanswered = 0;
        }
        let after = match (busy, silent < idle) {
            (true, _) => idle,
            (false, true) => idle - silent,
            (false, false) if keeping.is_over(silent, patience) => {
                self.send_reset(core, key, side);
                return self.time_out(core, key, side);
            }
            (false, false) => {
                keeping.unanswered += 1;
                keeping.asked = now;
                nanos(keeping.terms.interval)
            }
        };
        keeping.due = core.schedule(after, Due::Net(NetDue::KeepAlive(key, side)));
        if keeping.asked != now {
            return;
        }
        if severed {
            self.answered_from_between(core, key, side);
        } else {
            self.send(core, key, side, Carries::KeepAlive, 0);
        }
    }
}

impl Keeping {
    fn is_over(&self, silent: u64, patience: Option<Duration>) -> bool {
        match patience {
            Some(patience) => self.unanswered > 0 && silent >= nanos(patience),
            None => self.unanswered >= self.terms.count,
        }
    }
}
