//! What happens when the engine answers Init: the session is open, and what waited for it goes out.

use std::time::Duration;

use protocol::id::{ConnId, RunnerId};
use protocol::mark;
use protocol::time::Now;

use super::end::Life;
use super::link::Link;
use super::{Effect, Message, Runner};

impl Runner {
    pub(super) fn init(
        &mut self,
        now: Now,
        conn: ConnId,
        runner: RunnerId,
        lost_threshold: i64,
        drain_grace: Option<i64>,
        out: &mut Vec<Effect>,
    ) {
        self.lost_threshold = millis(lost_threshold).unwrap_or(self.lost_threshold);
        self.drain_grace = drain_grace.and_then(millis).unwrap_or(self.drain_grace);
        if self.runner.is_some_and(|former| former != runner) {
            mark!("runner_new_id");
            self.disown_all(out);
        }
        if self.runner.replace(runner) != Some(runner) {
            out.push(Effect::Ready { runner });
        }
        let ping_by = now.mono + self.options.ping_timeout;
        self.link = Link::Open { conn, since: now.mono, ping_by };
        self.lost_by = None;
        self.kv_reconnected(conn, out);
        let events = self.unacknowledged();
        if !events.is_empty() {
            self.send(conn, Message::Events(events), out);
        }
        for (gateway, request, body) in std::mem::take(&mut self.responses) {
            mark!("runner_late_response");
            out.push(Effect::SendResponse { conn, gateway, request, body });
        }
        if matches!(self.life, Life::Draining { .. }) {
            self.send(conn, Message::Stopping, out);
        }
    }
}

/// A duration as the protocol carries it; one that is none is not taken.
fn millis(ms: i64) -> Option<Duration> {
    u64::try_from(ms).ok().map(Duration::from_millis)
}
