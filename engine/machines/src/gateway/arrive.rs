//! Requests that arrive, and clients that leave.

use protocol::error::{ApiError, WebSocketEnd};
use protocol::id::{ActorId, RequestId, Ticket};
use protocol::mark;
use protocol::time::Now;

use super::pending::{Kind, Pending, Stage};
use super::{Effect, Gateway};
use crate::route::Route;
use crate::websocket::Close;

impl Gateway {
    pub(super) fn request(
        &mut self,
        now: Now,
        ticket: Ticket,
        (actor, kind, fresh): (ActorId, Kind, RequestId),
        out: &mut Vec<Effect>,
    ) {
        assert!(!self.pending.contains_key(&ticket), "{ticket:?} is used twice");
        let full = match kind {
            Kind::Response { .. } => self.pending.len() - self.websockets >= self.options.requests_max,
            Kind::WebSocket => self.websockets >= self.options.websockets_max,
        };
        if full {
            mark!("gateway_full");
            out.push(Effect::Fail { ticket, error: ApiError::GuardServiceUnavailable });
            return;
        }
        self.websockets += usize::from(kind == Kind::WebSocket);
        let mut pending = Pending::new(actor, kind, fresh, now.mono, &self.options);
        let watched = self.watched.entry(actor).or_default();
        let route = watched.route;
        pending.struggling = route == Some(Route::Struggling);
        self.due.insert((pending.due(), ticket));
        self.pending.insert(ticket, pending);
        if watched.tickets.is_empty() || watched.is_settled() {
            out.push(Effect::Watch { actor });
        }
        watched.tickets.insert(ticket);
        assert!(route != Some(Route::Unknown), "an unknown actor's requests have failed, nobody watches it");
        self.try_again(now, ticket, out);
    }

    /// The client went away; a request that has ended meanwhile is none any more.
    pub(super) fn client_gone(&mut self, ticket: Ticket, out: &mut Vec<Effect>) {
        if self.pending.contains_key(&ticket) {
            self.abort(ticket, WebSocketEnd::ClientGone, out);
            self.forget(ticket, out);
        }
    }

    /// Tells the runner that nobody waits for this attempt any more; of a WebSocket also why.
    pub(super) fn abort(&self, ticket: Ticket, why: WebSocketEnd, out: &mut Vec<Effect>) {
        let pending = self.get(ticket);
        let Some(request) = pending.id() else { return };
        let (conn, index) = match pending.stage {
            Stage::Waiting { .. } => return,
            Stage::Forwarded { conn, .. } => (conn, 1),
            Stage::Open(open) => (open.conn, open.next),
        };
        out.push(match pending.kind {
            Kind::Response { .. } => Effect::Abort { conn, request },
            Kind::WebSocket => Effect::CloseActor { conn, request, index, close: Close::Because(why) },
        });
    }
}
