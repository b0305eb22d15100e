//! A client's connection to an actor, kept open for as long as it is wanted.
//!
//! It is dialled until it opens, and again whenever it ends, with waits that double. Only what another dial cannot mend
//! gives it up: wrong credentials, a wrong path, an actor of an id that is gone. That it could not be opened says nothing by
//! itself: most handshakes fail because something restarts, and many clients see no more of it than that they failed.
//!
//! What is sent before it opens waits, in order and within bounds, and is sent after the subscriptions, so that no event
//! that follows from it is missed. A call that was sent when it ends fails as one that may have been carried out; one
//! that was not sent goes on waiting. Between two connections events are lost.

mod face;
mod mail;
#[cfg(test)]
mod tests;

use std::collections::BTreeSet;
use std::time::Duration;

pub use face::{Effect, Input, Options, Reason, Status, Topic};

use protocol::id::{ConnId, Ticket};
use protocol::mark;
use protocol::time::{Mono, Now};

use super::{Answer, Class, Executed, Failure, backoff};
use mail::Mail;

/// How far it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
enum Link {
    Idle,
    Dialling { conn: ConnId, by: Mono },
    Open { conn: ConnId, since: Mono },
    Waiting { until: Mono },
}

/// The machine.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Connection {
    options: Options,
    link: Link,
    status: Status,
    /// The last dial's.
    conn: ConnId,
    /// Dials and short-lived connections in a row.
    failures: u32,
    /// Whether the actor known so far is gone.
    anew: bool,
    topics: BTreeSet<Topic>,
    mail: Mail,
}

impl Connection {
    /// A connection that nobody wants yet.
    #[must_use]
    pub fn new(options: Options) -> Self {
        Self {
            options,
            link: Link::Idle,
            status: Status::Idle,
            conn: ConnId(0),
            failures: 0,
            anew: false,
            topics: BTreeSet::new(),
            mail: Mail::default(),
        }
    }

    /// One step.
    ///
    /// # Panics
    /// When a ticket is used for a second call while the first has not ended.
    pub fn handle(&mut self, now: Now, input: Input, out: &mut Vec<Effect>) {
        let now = now.mono;
        match input {
            Input::Tick => self.tick(now, out),
            Input::Connect if self.link == Link::Idle => {
                self.dial(now, out);
                self.show(Status::Connecting, out);
            }
            Input::Connect => {}
            Input::Dispose => self.dispose(out),
            Input::Opened { conn } => self.opened(now, conn, out),
            Input::Closed { conn, failure, jitter } => self.closed(now, conn, failure, jitter, out),
            Input::Send { ticket, bytes } => self.take((ticket, bytes), None, out),
            Input::Call { ticket, bytes, within } => self.take((ticket, bytes), Some(now + within), out),
            Input::Answered { conn, ticket } if self.open() == Some(conn) => self.mail.answered(ticket),
            Input::Answered { .. } => {}
            Input::Abandon { ticket } => self.mail.abandon(ticket),
            Input::Subscribe { topic } => self.subscribe(topic, out),
            Input::Unsubscribe { topic } => {
                if self.topics.remove(&topic)
                    && let Some(conn) = self.open()
                {
                    out.push(Effect::Unsubscribe { conn, topic });
                }
            }
        }
        self.mail.expire(now, out);
        self.check();
    }

    /// When to tick at the latest, and why.
    #[must_use]
    pub fn next_deadline(&self) -> Option<(Mono, &'static str)> {
        let link = match self.link {
            Link::Dialling { by, .. } => Some((by, "connection open")),
            Link::Waiting { until } => Some((until, "next dial")),
            Link::Idle | Link::Open { .. } => None,
        };
        let call = self.mail.next_deadline().map(|by| (by, "call deadline"));
        link.into_iter().chain(call).min()
    }

    /// How it stands.
    #[must_use]
    pub const fn status(&self) -> Status {
        self.status
    }

    /// Walks the state.
    ///
    /// # Panics
    /// When an invariant does not hold.
    pub fn check(&self) {
        self.mail.check(&self.options, self.open().is_some());
        assert!(self.topics.len() <= self.options.topics_max, "subscriptions are bounded");
        match self.link {
            Link::Idle => assert_eq!(self.status, Status::Idle, "without a link it is idle"),
            Link::Open { conn, .. } => {
                assert_eq!(self.status, Status::Connected, "an open connection is shown as one");
                assert_eq!(conn, self.conn, "only the last dial is open");
            }
            Link::Dialling { conn, .. } => {
                assert!(matches!(self.status, Status::Connecting | Status::Disconnected), "a dial is shown");
                assert_eq!(conn, self.conn, "one dial at a time");
            }
            Link::Waiting { .. } => {
                assert_eq!(self.status, Status::Disconnected, "who waits for a dial is disconnected");
            }
        }
    }

    const fn open(&self) -> Option<ConnId> {
        match self.link {
            Link::Open { conn, .. } => Some(conn),
            Link::Idle | Link::Dialling { .. } | Link::Waiting { .. } => None,
        }
    }

    fn show(&mut self, status: Status, out: &mut Vec<Effect>) {
        if self.status != status {
            self.status = status;
            out.push(Effect::Status(status));
        }
    }

    fn dial(&mut self, now: Mono, out: &mut Vec<Effect>) {
        self.conn = self.conn.next();
        self.link = Link::Dialling { conn: self.conn, by: now + self.options.open_timeout };
        out.push(Effect::Dial { conn: self.conn, anew: std::mem::take(&mut self.anew) });
    }

    fn tick(&mut self, now: Mono, out: &mut Vec<Effect>) {
        match self.link {
            Link::Waiting { until } if now >= until => self.dial(now, out),
            Link::Dialling { conn, by } if now >= by => {
                mark!("client_dial_timed_out");
                out.push(Effect::Hangup { conn });
                // A tick brings no randomness: the middle of the range.
                let wait = self.redial() / 2;
                self.wait(now, wait, out);
            }
            Link::Idle | Link::Dialling { .. } | Link::Open { .. } | Link::Waiting { .. } => {}
        }
    }

    fn opened(&mut self, now: Mono, conn: ConnId, out: &mut Vec<Effect>) {
        if !matches!(self.link, Link::Dialling { conn: dialled, .. } if dialled == conn) {
            return;
        }
        self.link = Link::Open { conn, since: now };
        self.show(Status::Connected, out);
        out.extend(self.topics.iter().map(|topic| Effect::Subscribe { conn, topic: *topic }));
        self.mail.flush(conn, out);
    }

    fn closed(&mut self, now: Mono, conn: ConnId, failure: Failure, jitter: u64, out: &mut Vec<Effect>) {
        match self.link {
            Link::Dialling { conn: dialled, .. } if dialled == conn => {
                if self.is_lasting(failure) {
                    mark!("client_connection_given_up");
                    self.end(Reason::GivenUp, out);
                    out.push(Effect::GivenUp);
                    return;
                }
                self.anew = failure.class() == Class::Stale;
            }
            Link::Open { conn: open, since } if open == conn => {
                self.mail.closed(out);
                if now.since(since) >= self.options.stable {
                    self.failures = 0;
                }
            }
            // Hung up before.
            Link::Idle | Link::Dialling { .. } | Link::Open { .. } | Link::Waiting { .. } => return,
        }
        let wait = backoff::within(self.redial(), jitter);
        self.wait(now, wait, out);
    }

    fn wait(&mut self, now: Mono, wait: Duration, out: &mut Vec<Effect>) {
        self.failures = self.failures.saturating_add(1);
        self.link = Link::Waiting { until: now + wait };
        self.show(Status::Disconnected, out);
    }

    /// The longest wait before the next dial.
    fn redial(&self) -> Duration {
        match self.failures.checked_sub(1) {
            None => self.options.redial_first,
            Some(failures) => backoff::bound(self.options.redial_base, self.options.redial_max, failures),
        }
    }

    /// Whether another dial would fail in the same way.
    const fn is_lasting(&self, failure: Failure) -> bool {
        match failure.class() {
            Class::Stale => !self.options.follows,
            Class::Boundary | Class::Unscheduled => false,
            Class::Final => match failure {
                Failure::Unsendable => true,
                Failure::Platform(code) => code.status() < 500,
                // What a proxy says that is in haste (RFC 9110 §15.5.9, RFC 6585 §4).
                Failure::Foreign { status } | Failure::Unknown { status } => {
                    !matches!(status, 408 | 429 | 500..)
                }
                Failure::Actor(answer) => matches!(answer, Answer::Refused | Answer::Failed),
                Failure::Unreachable | Failure::Broken => false,
            },
        }
    }

    fn dispose(&mut self, out: &mut Vec<Effect>) {
        if let Link::Dialling { conn, .. } | Link::Open { conn, .. } = self.link {
            out.push(Effect::Hangup { conn });
        }
        self.topics.clear();
        self.end(Reason::Idle, out);
    }

    fn end(&mut self, reason: Reason, out: &mut Vec<Effect>) {
        self.link = Link::Idle;
        (self.failures, self.anew) = (0, false);
        self.mail.clear(reason, out);
        self.show(Status::Idle, out);
    }

    fn take(&mut self, what: (Ticket, usize), by: Option<Mono>, out: &mut Vec<Effect>) {
        if self.link == Link::Idle {
            return out.push(mail::fail(what.0, Reason::Idle, Executed::No));
        }
        let open = self.open();
        self.mail.take(&self.options, open, what, by, out);
    }

    fn subscribe(&mut self, topic: Topic, out: &mut Vec<Effect>) {
        if self.topics.contains(&topic) {
            return;
        }
        if self.topics.len() >= self.options.topics_max {
            return out.push(Effect::RefuseTopic { topic });
        }
        self.topics.insert(topic);
        if let Some(conn) = self.open() {
            out.push(Effect::Subscribe { conn, topic });
        }
    }
}
