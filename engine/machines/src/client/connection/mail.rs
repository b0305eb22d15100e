//! What is sent on the connection: messages and calls that wait for it to open, and calls that wait for answers.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use protocol::id::{ConnId, Ticket};
use protocol::mark;
use protocol::time::Mono;

use super::face::{Effect, Options, Reason};
use crate::client::Executed;

/// Something that has not been sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
struct Queued {
    ticket: Ticket,
    bytes: usize,
}

/// Everything that has not ended.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub(super) struct Mail {
    queue: VecDeque<Queued>,
    queued_bytes: usize,
    /// Calls without answer, in the queue or sent, and until when.
    calls: BTreeMap<Ticket, Mono>,
    /// The same by time.
    due: BTreeSet<(Mono, Ticket)>,
    /// Calls that were sent.
    sent: BTreeSet<Ticket>,
}

impl Mail {
    /// Takes a message, or a call with its deadline: sends it if the connection is open.
    pub(super) fn take(
        &mut self,
        options: &Options,
        open: Option<ConnId>,
        (ticket, bytes): (Ticket, usize),
        by: Option<Mono>,
        out: &mut Vec<Effect>,
    ) {
        let crowded = by.is_some() && self.calls.len() >= options.calls_max;
        let full = self.queue.len() >= options.messages_max
            || self.queued_bytes.saturating_add(bytes) > options.bytes_max;
        if crowded || (open.is_none() && full) {
            mark!("client_connection_full");
            return out.push(fail(ticket, Reason::Full, Executed::No));
        }
        if let Some(by) = by {
            assert!(self.calls.insert(ticket, by).is_none(), "{ticket:?} is used twice");
            self.due.insert((by, ticket));
        }
        self.queue.push_back(Queued { ticket, bytes });
        self.queued_bytes += bytes;
        if let Some(conn) = open {
            self.flush(conn, out);
        }
    }

    /// Sends what waits, in its order.
    pub(super) fn flush(&mut self, conn: ConnId, out: &mut Vec<Effect>) {
        for Queued { ticket, .. } in self.queue.drain(..) {
            if self.calls.contains_key(&ticket) {
                self.sent.insert(ticket);
            }
            out.push(Effect::Transmit { conn, ticket });
        }
        self.queued_bytes = 0;
    }

    /// A call was answered.
    pub(super) fn answered(&mut self, ticket: Ticket) {
        if self.sent.remove(&ticket) {
            self.forget(ticket);
        }
    }

    /// Nobody waits for it any more.
    pub(super) fn abandon(&mut self, ticket: Ticket) {
        self.unqueue(ticket);
        self.sent.remove(&ticket);
        self.forget(ticket);
    }

    /// The connection is gone: what was sent gets no answer.
    pub(super) fn closed(&mut self, out: &mut Vec<Effect>) {
        for ticket in std::mem::take(&mut self.sent) {
            mark!("client_connection_lost_a_call");
            self.forget(ticket);
            out.push(fail(ticket, Reason::Closed, Executed::Maybe));
        }
    }

    /// There will be no connection: what waits for it fails too.
    pub(super) fn clear(&mut self, reason: Reason, out: &mut Vec<Effect>) {
        self.closed(out);
        for Queued { ticket, .. } in std::mem::take(&mut self.queue) {
            self.forget(ticket);
            out.push(fail(ticket, reason, Executed::No));
        }
        self.queued_bytes = 0;
    }

    /// Ends the calls whose time is over.
    pub(super) fn expire(&mut self, now: Mono, out: &mut Vec<Effect>) {
        while let Some((by, ticket)) = self.due.first().copied().filter(|(by, _)| *by <= now) {
            let executed = if self.sent.contains(&ticket) { Executed::Maybe } else { Executed::No };
            self.abandon(ticket);
            assert!(!self.due.contains(&(by, ticket)), "{ticket:?} is over");
            out.push(fail(ticket, Reason::TimedOut, executed));
        }
    }

    pub(super) fn next_deadline(&self) -> Option<Mono> {
        self.due.first().map(|(by, _)| *by)
    }

    /// Walks the state.
    pub(super) fn check(&self, options: &Options, open: bool) {
        assert!(!open || self.queue.is_empty(), "nothing waits for a connection that is open");
        assert!(open || self.sent.is_empty(), "nothing waits for an answer without a connection");
        assert!(self.queue.len() <= options.messages_max, "the queue is bounded");
        let bytes: usize = self.queue.iter().map(|queued| queued.bytes).sum();
        assert_eq!(bytes, self.queued_bytes, "bytes are counted");
        assert!(bytes <= options.bytes_max, "the bytes of the queue are bounded");
        assert!(self.calls.len() <= options.calls_max, "calls are bounded");
        assert_eq!(self.calls.len(), self.due.len(), "each call has one deadline");
        assert!(self.sent.iter().all(|ticket| self.calls.contains_key(ticket)), "only calls have answers");
    }

    fn unqueue(&mut self, ticket: Ticket) {
        if let Some(at) = self.queue.iter().position(|queued| queued.ticket == ticket)
            && let Some(queued) = self.queue.remove(at)
        {
            self.queued_bytes -= queued.bytes;
        }
    }

    fn forget(&mut self, ticket: Ticket) {
        if let Some(by) = self.calls.remove(&ticket) {
            self.due.remove(&(by, ticket));
        }
    }
}

pub(super) const fn fail(ticket: Ticket, reason: Reason, executed: Executed) -> Effect {
    Effect::Fail { ticket, reason, executed }
}
