//! What always holds of the gateway.

use std::collections::BTreeSet;

use protocol::id::Ticket;

use super::Gateway;
use super::pending::{Kind, Stage};
use crate::route::Route;

impl Gateway {
    /// Walks the whole state.
    ///
    /// # Panics
    /// Where an invariant does not hold.
    pub fn check(&self) {
        let websockets = self.pending.values().filter(|p| p.kind == Kind::WebSocket).count();
        assert_eq!(self.websockets, websockets, "WebSockets are counted");
        assert!(websockets <= self.options.websockets_max, "WebSockets are bounded");
        assert!(self.pending.len() - websockets <= self.options.requests_max, "requests are bounded");
        let due: BTreeSet<_> = self.pending.iter().map(|(ticket, p)| (p.due(), *ticket)).collect();
        assert_eq!(self.due, due, "every request has one deadline, no deadline is without its request");
        let ids: Vec<_> = self.pending.iter().flat_map(|(t, p)| p.ids.iter().map(|id| (*id, *t))).collect();
        assert_eq!(self.ids.len(), ids.len(), "no id belongs to two requests");
        for (id, ticket) in ids {
            assert_eq!(self.ids.get(&id), Some(&ticket), "{id:?} leads to its request");
        }
        let mut tickets = 0;
        for (actor, watched) in &self.watched {
            assert!(!watched.tickets.is_empty(), "{actor:?} is watched for somebody");
            assert_ne!(watched.route, Some(Route::Unknown), "{actor:?} is unknown, its requests have failed");
            tickets += watched.tickets.len();
            let is_open = |ticket: &&Ticket| matches!(self.get(**ticket).stage, Stage::Open(_));
            let open = watched.tickets.iter().filter(is_open).count();
            assert_eq!(watched.open, open, "what is open to {actor:?} is counted");
            for ticket in &watched.tickets {
                self.check_one(*ticket, watched.route);
                assert_eq!(self.get(*ticket).actor, *actor, "{ticket:?} is counted at its actor");
            }
        }
        assert_eq!(tickets, self.pending.len(), "every request is counted at an actor");
    }

    fn check_one(&self, ticket: Ticket, route: Option<Route>) {
        let pending = self.get(ticket);
        assert_eq!(pending.struggling, route == Some(Route::Struggling), "{ticket:?} knows its pool");
        assert!(pending.attempts <= self.options.attempts_max, "{ticket:?} has attempts left");
        assert!(
            pending.ids.len() <= pending.attempts as usize,
            "{ticket:?} has an id for each attempt at most"
        );
        match pending.stage {
            Stage::Forwarded { conn, generation, .. } => {
                assert!(pending.attempts > 0, "{ticket:?} was forwarded");
                assert!(pending.id().is_some(), "{ticket:?} has an id on the wire");
                let route = route.expect("a request was forwarded along a route");
                assert!(
                    route.hosts(conn, generation),
                    "{ticket:?} is with the session and generation of the route"
                );
            }
            Stage::Open(open) => {
                assert_eq!(pending.kind, Kind::WebSocket, "{ticket:?} wants a WebSocket");
                assert!(pending.id().is_some(), "{ticket:?} has an id on the wire");
                let hosts = route.is_some_and(|route| route.hosts(open.conn, open.generation));
                assert!(hosts, "{ticket:?} is with the session and generation of the route");
                let max = self.options.websocket_messages_max;
                assert!(open.messages <= max, "what waits for {ticket:?} is bounded");
                assert!(open.messages > 0 || open.bytes == 0, "nothing that waits has no length");
            }
            Stage::Waiting { held: None } => {
                let goes_on =
                    matches!(route, Some(Route::Ready { .. } | Route::Ending { .. } | Route::Failing));
                assert!(!goes_on, "{ticket:?} waits for a reason");
            }
            Stage::Waiting { held: Some(_) } => {
                assert!(pending.attempts > 0, "{ticket:?} came back from a runner");
            }
        }
    }
}
