//! Client requests on their way to actors: routed, held until the actor is ready, forwarded once, answered or failed
//! typed within a bound; and WebSockets, which are carried between both once the actor has accepted.
//!
//! It holds no body and no socket: it decides, the driver forwards. A request that was forwarded is never forwarded
//! again unless it was safe to repeat, or the runner said that it never reached the actor. How long a client waits at
//! most: [`Options::ready_timeout`] until the last forwarding, then [`Options::response_timeout`] for each part of the
//! response.
//!
//! A WebSocket is a request until its actor accepts it, and may be tried again and elsewhere; the client learns nothing
//! before. From then on it belongs to one generation on one session, and is over with them. It is closed once, each way.
//!
//! One noun a file: [`arrive`] takes requests and loses clients, [`route`] follows the control plane, [`response`]
//! matches answers, [`websocket`] carries what is open, [`expire`] ends what took too long, [`check`] says what always
//! holds.

mod arrive;
mod check;
pub mod effect;
mod expire;
pub mod input;
pub mod options;
mod pending;
mod response;
mod route;
mod websocket;

use std::collections::{BTreeMap, BTreeSet};

use protocol::error::ApiError;
use protocol::id::{ActorId, RequestId, Ticket};
use protocol::time::{Mono, Now};
use protocol::view::GatewayView;

pub use effect::Effect;
pub use input::{ActorEvent, ClientEvent, Input};
pub use options::Options;

use crate::route::Route;
use pending::{Kind, Pending, Stage};

/// The gateway's state: every request that has not ended, by ticket, and what is known of the actors they are for.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Gateway {
    options: Options,
    pending: BTreeMap<Ticket, Pending>,
    /// How many of them are WebSockets.
    websockets: usize,
    /// Ids on the wire that an answer may still come for; each belongs to one pending request.
    ids: BTreeMap<RequestId, Ticket>,
    /// Actors that pending requests are for: exactly those the control plane was asked to watch.
    watched: BTreeMap<ActorId, Watched>,
    /// When something must happen to a request: exactly one entry each.
    due: BTreeSet<(Mono, Ticket)>,
}

/// An actor that requests are for.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
struct Watched {
    /// As last told; none before the first.
    route: Option<Route>,
    /// Its requests. Tickets count up, so this is the order of arrival.
    tickets: BTreeSet<Ticket>,
    /// How many of them are open WebSockets, which wait for nothing.
    open: usize,
}

impl Watched {
    /// Whether it is watched only for what is open.
    fn is_settled(&self) -> bool {
        !self.tickets.is_empty() && self.open == self.tickets.len()
    }
}

impl Gateway {
    /// A gateway without requests.
    pub const fn new(options: Options) -> Self {
        Self {
            options,
            pending: BTreeMap::new(),
            websockets: 0,
            ids: BTreeMap::new(),
            watched: BTreeMap::new(),
            due: BTreeSet::new(),
        }
    }

    /// One step: takes the input, then ends whatever is due at `now`. Effects are appended to `out` in the order they
    /// must be performed.
    ///
    /// # Panics
    /// When a ticket is used for a second request while the first has not ended.
    pub fn handle(&mut self, now: Now, input: Input, out: &mut Vec<Effect>) {
        match input {
            Input::Tick => {}
            Input::Request { ticket, actor, safe, fresh } => {
                self.request(now, ticket, (actor, Kind::Response { safe }, fresh), out);
            }
            Input::WebSocket { ticket, actor, fresh } => {
                self.request(now, ticket, (actor, Kind::WebSocket, fresh), out);
            }
            Input::ClientGone { ticket } => self.client_gone(ticket, out),
            Input::Route { actor, route } => self.route(now, actor, route, out),
            Input::ResponseStart { conn, request, body, more, undelivered } => {
                let part = response::Part { conn, request, body, more };
                self.response_start(now, part, undelivered, out);
            }
            Input::ResponseChunk { conn, request, body, more } => {
                self.response_chunk(now, response::Part { conn, request, body, more }, out);
            }
            Input::ResponseTooLarge { conn, request } => self.response_too_large(conn, request, out),
            Input::ResponseAbort { conn, request } => self.response_abort(now, conn, request, out),
            Input::FromActor { conn, request, event } => self.actor_event(now, conn, request, event, out),
            Input::FromClient { ticket, event } => self.client_event(now, ticket, event, out),
        }
        self.expire(now, out);
    }

    /// When to send [`Input::Tick`] at the latest, and what is due then.
    ///
    /// # Panics
    /// Never: every deadline belongs to a request.
    pub fn next_deadline(&self) -> Option<(Mono, &'static str)> {
        let (at, ticket) = self.due.first()?;
        Some((*at, self.get(*ticket).due_reason()))
    }

    /// Read-only facts for the laws.
    pub fn view(&self) -> GatewayView {
        let (mut forwarded, mut websockets) = (0, 0);
        for pending in self.pending.values() {
            match pending.stage {
                Stage::Waiting { .. } => {}
                Stage::Forwarded { .. } => forwarded += 1,
                Stage::Open(_) => websockets += 1,
            }
        }
        let waiting = self.pending.len() - forwarded - websockets;
        GatewayView { waiting, forwarded, websockets, watched: self.watched.len() }
    }

    fn get(&self, ticket: Ticket) -> &Pending {
        self.pending.get(&ticket).expect("a ticket in an index is pending")
    }

    /// Changes a request's stage and keeps its deadline in step.
    fn set_stage(&mut self, ticket: Ticket, stage: Stage) {
        let pending = self.pending.get_mut(&ticket).expect("a ticket in an index is pending");
        let watched = self.watched.get(&pending.actor).expect("an actor with a request is watched");
        let was = pending.due();
        pending.stage = stage;
        pending.struggling = watched.route == Some(Route::Struggling);
        let is = pending.due();
        if was != is {
            assert!(self.due.remove(&(was, ticket)), "{ticket:?} had a deadline");
            self.due.insert((is, ticket));
        }
    }

    /// Forgets a request in every index; the last one of an actor ends its watch.
    fn forget(&mut self, ticket: Ticket, out: &mut Vec<Effect>) {
        let pending = self.pending.remove(&ticket).expect("a ticket in an index is pending");
        assert!(self.due.remove(&(pending.due(), ticket)), "{ticket:?} had a deadline");
        self.websockets -= usize::from(pending.kind == Kind::WebSocket);
        for id in &pending.ids {
            assert_eq!(self.ids.remove(id), Some(ticket), "{id:?} belonged to {ticket:?}");
        }
        let watched = self.watched.get_mut(&pending.actor).expect("an actor with a request is watched");
        let was_settled = watched.is_settled();
        assert!(watched.tickets.remove(&ticket), "{ticket:?} was among its actor's requests");
        watched.open -= usize::from(matches!(pending.stage, Stage::Open(_)));
        if watched.tickets.is_empty() {
            self.watched.remove(&pending.actor);
            out.push(Effect::Unwatch { actor: pending.actor });
        } else if watched.is_settled() && !was_settled {
            out.push(Effect::Observe { actor: pending.actor });
        }
    }

    /// Ends a request with an error.
    fn fail(&mut self, ticket: Ticket, error: ApiError, out: &mut Vec<Effect>) {
        out.push(Effect::Fail { ticket, error });
        self.forget(ticket, out);
    }
}
