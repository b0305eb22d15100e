//! The socket: dialled, greeted, kept alive, dialled again.

use std::time::Duration;

use protocol::id::ConnId;
use protocol::mark;
use protocol::time::{Mono, Now};

use super::end::Life;
use super::{CloseClass, Effect, EndReason, Message, Runner};

/// For this long after a drop the waits stay below [`super::Options::redial_max_early`]: most engines are back by
/// then, and every second counts for whoever waits.
const EARLY: Duration = Duration::from_secs(60);

/// How far the socket is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) enum Link {
    /// None, and none wanted.
    Idle,
    /// None; the next dial comes then.
    Waiting { until: Mono },
    /// Being opened.
    Dialling { conn: ConnId, by: Mono },
    /// Init is out, the engine's is not in.
    Greeting { conn: ConnId, by: Mono },
    /// A session.
    Open { conn: ConnId, since: Mono, ping_by: Mono },
    /// Given up; its end has not been seen. Not waited for any longer than this.
    Closing { conn: ConnId, by: Mono },
}

impl Link {
    /// The session.
    pub(super) const fn open(self) -> Option<ConnId> {
        match self {
            Self::Open { conn, .. } => Some(conn),
            Self::Idle
            | Self::Waiting { .. }
            | Self::Dialling { .. }
            | Self::Greeting { .. }
            | Self::Closing { .. } => None,
        }
    }

    /// The socket, as long as its end has not been seen.
    pub(super) const fn conn(self) -> Option<ConnId> {
        match self {
            Self::Dialling { conn, .. }
            | Self::Greeting { conn, .. }
            | Self::Open { conn, .. }
            | Self::Closing { conn, .. } => Some(conn),
            Self::Idle | Self::Waiting { .. } => None,
        }
    }
}

impl Runner {
    pub(super) fn start(&mut self, now: Now, out: &mut Vec<Effect>) {
        if self.life == Life::Fresh {
            self.life = Life::Live;
            self.dropped = now.mono;
            self.lost_by = Some(now.mono + self.lost_threshold);
            self.dial(now, out);
        }
    }

    pub(super) fn dial(&mut self, now: Now, out: &mut Vec<Effect>) {
        let conn = self.next_conn;
        self.next_conn = conn.next();
        self.link = Link::Dialling { conn, by: now.mono + self.options.dial_timeout };
        out.push(Effect::Dial { conn });
    }

    pub(super) fn dialled(&mut self, now: Now, conn: ConnId, out: &mut Vec<Effect>) {
        if matches!(self.link, Link::Dialling { conn: dialling, .. } if dialling == conn) {
            self.link = Link::Greeting { conn, by: now.mono + self.options.init_timeout };
            self.send(conn, Message::Init { total_slots: self.options.total_slots }, out);
        }
    }

    pub(super) fn ping(&mut self, now: Now, ts: i64, out: &mut Vec<Effect>) {
        let Link::Open { conn, since, .. } = self.link else {
            unreachable!("frames come on an open session")
        };
        self.link = Link::Open { conn, since, ping_by: now.mono + self.options.ping_timeout };
        self.send(conn, Message::Pong { ts }, out);
    }

    pub(super) fn send(&self, conn: ConnId, message: Message, out: &mut Vec<Effect>) {
        out.push(Effect::Send { conn, message });
    }

    /// Closes a socket that took too long. The session, if it was one, is over at once: what may still come on it is
    /// ignored.
    pub(super) fn give_up(&mut self, now: Now, out: &mut Vec<Effect>) {
        let conn = self.link.conn().expect("only a socket is given up");
        self.disconnect(now, out);
        self.link = Link::Closing { conn, by: now.mono + self.options.dial_timeout };
        out.push(Effect::Hangup { conn, shutdown: false });
    }

    pub(super) fn closed(
        &mut self,
        now: Now,
        conn: ConnId,
        class: CloseClass,
        jitter: u64,
        out: &mut Vec<Effect>,
    ) {
        if self.link.conn() != Some(conn) {
            return;
        }
        self.disconnect(now, out);
        let unknown = std::mem::take(&mut self.namespace_unknown);
        match class {
            CloseClass::Retry => self.wait(now, jitter),
            CloseClass::NamespaceUnknown if unknown + 1 < self.options.namespace_tries => {
                self.namespace_unknown = unknown + 1;
                self.wait(now, jitter);
            }
            CloseClass::NamespaceUnknown => {
                mark!("runner_namespace_unknown");
                self.link = Link::Idle;
                self.end(EndReason::NamespaceUnknown, out);
            }
            CloseClass::Evicted => {
                mark!("runner_evicted");
                self.link = Link::Idle;
                self.end(EndReason::Evicted, out);
            }
            CloseClass::Refused => {
                mark!("runner_refused");
                self.link = Link::Idle;
                self.end(EndReason::Refused, out);
            }
        }
    }

    /// Waits for the next dial.
    pub(super) fn wait(&mut self, now: Now, jitter: u64) {
        self.link = Link::Waiting { until: now.mono + self.backoff(now, jitter) };
        self.attempts = self.attempts.saturating_add(1);
    }

    /// The session is over, if there was one: nothing that was sent on it is known to have arrived.
    fn disconnect(&mut self, now: Now, out: &mut Vec<Effect>) {
        let Link::Open { since, .. } = self.link else { return };
        self.link = Link::Idle;
        if now.mono.since(since) >= self.options.stable {
            self.attempts = 0;
        }
        self.dropped = now.mono;
        self.lost_by = Some(now.mono + self.lost_threshold);
        self.kv_disconnected(out);
        self.requests_disconnected(out);
    }

    /// The wait before the next dial: anywhere between nothing and a bound that doubles.
    fn backoff(&self, now: Now, jitter: u64) -> Duration {
        let cap = if now.mono.since(self.dropped) < EARLY {
            self.options.redial_max_early
        } else {
            mark!("runner_redial_late");
            self.options.redial_max
        };
        let doubled =
            self.options.redial_first.saturating_mul(1_u32.checked_shl(self.attempts).unwrap_or(u32::MAX));
        let nanos = doubled.min(cap).as_nanos().saturating_mul(u128::from(jitter)) >> 64;
        Duration::from_nanos(u64::try_from(nanos).unwrap_or(u64::MAX))
    }
}
