//! Requests that arrive, and clients that leave.

use protocol::error::ApiError;
use protocol::id::Ticket;
use protocol::mark;
use protocol::time::Now;

use super::pending::{Pending, Stage};
use super::{Effect, Gateway};
use crate::route::Route;

impl Gateway {
    pub(super) fn request(&mut self, now: Now, ticket: Ticket, mut pending: Pending, out: &mut Vec<Effect>) {
        assert!(!self.pending.contains_key(&ticket), "{ticket:?} is used twice");
        if self.pending.len() >= self.options.requests_max {
            mark!("gateway_full");
            out.push(Effect::Fail { ticket, error: ApiError::GuardServiceUnavailable });
            return;
        }
        let actor = pending.actor;
        let watched = self.watched.entry(actor).or_default();
        let route = watched.route;
        pending.struggling = route == Some(Route::Struggling);
        self.due.insert((pending.due(), ticket));
        self.pending.insert(ticket, pending);
        if watched.tickets.is_empty() {
            out.push(Effect::Watch { actor });
        }
        watched.tickets.insert(ticket);
        assert!(route != Some(Route::Unknown), "an unknown actor's requests have failed, nobody watches it");
        self.try_again(now, ticket, out);
    }

    /// The client went away; a request that has ended meanwhile is none any more.
    pub(super) fn client_gone(&mut self, ticket: Ticket, out: &mut Vec<Effect>) {
        if self.pending.contains_key(&ticket) {
            self.abort(ticket, out);
            self.forget(ticket, out);
        }
    }

    /// Tells the runner that nobody waits for this attempt any more.
    pub(super) fn abort(&self, ticket: Ticket, out: &mut Vec<Effect>) {
        let pending = self.get(ticket);
        if let (Stage::Forwarded { conn, .. }, Some(request)) = (pending.stage, pending.id()) {
            out.push(Effect::Abort { conn, request });
        }
    }
}
