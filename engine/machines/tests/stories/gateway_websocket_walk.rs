//! A random walk over the gateway's WebSockets: whatever comes in, every client is let in at most once and after its
//! actor, every message goes on once and in order while both sides are there, each side is closed once, and nobody who
//! is silent is kept.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use machines::gateway::{ActorEvent, ClientEvent, Effect, Gateway, Input, Options};
use machines::route::Route;
use machines::websocket::Close;
use proptest::prelude::*;
use protocol::error::WebSocketEnd;
use protocol::id::{ActorId, BodyId, ConnId, Generation, RequestId, Ticket};
use protocol::time::{Mono, Now};

use crate::names::{actor, request};
use crate::walk::walk;

/// Something that happens. Numbers choose among what there is, or was.
#[derive(Clone, Copy, Debug)]
enum Step {
    Ask { actor: u8, fresh: u32 },
    Gone { which: usize },
    Route { actor: u8, route: Route },
    Actor { which: usize, says: Says },
    Client { which: usize, says: Says },
    Noise { which: usize },
    Pass { ms: u64 },
    NextDeadline,
}

/// What one side says; what of it only the other can say means nothing.
#[derive(Clone, Copy, Debug)]
enum Says {
    Accept,
    Message { bytes: usize },
    Unfit,
    Close { undelivered: bool },
    Heard,
    Took,
}

fn says() -> impl Strategy<Value = Says> {
    prop_oneof![
        6 => Just(Says::Accept),
        8 => (0..60_usize).prop_map(|bytes| Says::Message { bytes }),
        1 => Just(Says::Unfit),
        2 => any::<bool>().prop_map(|undelivered| Says::Close { undelivered }),
        2 => Just(Says::Heard),
        4 => Just(Says::Took),
    ]
}

fn step() -> impl Strategy<Value = Step> {
    let place = (1..3_u64, 1..3_u32).prop_map(|(conn, g)| (ConnId(conn), Generation(g)));
    let route = prop_oneof![
        1 => Just(Route::Unknown),
        2 => Just(Route::Waiting),
        1 => Just(Route::Failing),
        1 => place.clone().prop_map(|(conn, generation)| Route::Draining { conn, generation }),
        9 => place.prop_map(|(conn, generation)| Route::Ready { conn, generation }),
    ];
    let which = 0..12_usize;
    prop_oneof![
        5 => (0..2_u8, 0..6_u32).prop_map(|(actor, fresh)| Step::Ask { actor, fresh }),
        1 => which.clone().prop_map(|which| Step::Gone { which }),
        3 => (0..2_u8, route).prop_map(|(actor, route)| Step::Route { actor, route }),
        14 => (which.clone(), says()).prop_map(|(which, says)| Step::Actor { which, says }),
        12 => (which.clone(), says()).prop_map(|(which, says)| Step::Client { which, says }),
        1 => which.prop_map(|which| Step::Noise { which }),
        2 => (0..9_000_u64).prop_map(|ms| Step::Pass { ms }),
        2 => Just(Step::NextDeadline),
    ]
}

fn options() -> Options {
    Options {
        attempts_max: 3,
        websockets_max: 5,
        websocket_messages_max: 3,
        websocket_bytes_max: 100,
        ..Options::default()
    }
}

/// A client, as the world outside sees it.
struct Client {
    actor: ActorId,
    arrived: Mono,
    asked: u32,
    /// Where its actor has it, once it is open.
    open: Option<(ConnId, RequestId)>,
    /// Lengths of what it was sent and has not taken.
    unread: Vec<usize>,
    heard: Mono,
}

/// A WebSocket, as a runner knows it: from being asked until it closes or hears the close.
struct Session {
    ticket: Ticket,
    accepted: bool,
    /// The number of the next message.
    next: u16,
}

struct World {
    gateway: Gateway,
    now: Now,
    next: u64,
    clients: BTreeMap<Ticket, Client>,
    sessions: BTreeMap<(ConnId, RequestId), Session>,
    /// Names that any session ever had.
    names: BTreeSet<(ConnId, RequestId)>,
    tickets: BTreeSet<Ticket>,
    watched: BTreeSet<ActorId>,
    /// Those of them that the control plane may let sleep.
    observed: BTreeSet<ActorId>,
    bodies: BTreeSet<BodyId>,
}

impl World {
    fn new() -> Self {
        Self {
            gateway: Gateway::new(options()),
            now: Now::default(),
            next: 0,
            clients: BTreeMap::new(),
            sessions: BTreeMap::new(),
            names: BTreeSet::new(),
            tickets: BTreeSet::new(),
            watched: BTreeSet::new(),
            observed: BTreeSet::new(),
            bodies: BTreeSet::new(),
        }
    }

    fn fresh(&mut self) -> u64 {
        self.next += 1;
        self.next
    }

    fn body(&mut self) -> BodyId {
        let body = BodyId(self.fresh());
        self.bodies.insert(body);
        body
    }

    fn leave(&mut self, body: BodyId) {
        assert!(self.bodies.remove(&body), "{body:?} leaves once");
    }

    fn step(&mut self, step: Step) {
        match step {
            Step::Ask { actor: number, fresh } => {
                let ticket = Ticket(self.fresh());
                let arrived = self.now.mono;
                let (actor, heard) = (actor(number), arrived);
                let client = Client { actor, arrived, asked: 0, open: None, unread: Vec::new(), heard };
                self.clients.insert(ticket, client);
                self.tickets.insert(ticket);
                self.feed(Input::WebSocket { ticket, actor, fresh: request(fresh) });
            }
            Step::Gone { which } => {
                if let Some(ticket) = pick(&self.tickets, which) {
                    self.clients.remove(&ticket);
                    self.feed(Input::ClientGone { ticket });
                }
            }
            Step::Route { actor: number, route } => {
                self.feed(Input::Route { actor: actor(number), route });
            }
            Step::Actor { which, says } => {
                if let Some(name) = pick(&self.names, which) {
                    self.actor_says(name, says);
                }
            }
            Step::Client { which, says } => {
                if let Some(ticket) = pick(&self.tickets, which) {
                    self.client_says(ticket, says);
                }
            }
            // An answer to a request is none to a WebSocket.
            Step::Noise { which } => {
                if let Some((conn, request)) = pick(&self.names, which) {
                    self.feed(Input::ResponseAbort { conn, request });
                    self.feed(Input::ResponseTooLarge { conn, request });
                    let body = self.body();
                    self.feed(Input::ResponseStart { conn, request, body, more: true, undelivered: false });
                }
            }
            Step::Pass { ms } => {
                self.now = self.now.after(Duration::from_millis(ms));
                self.feed(Input::Tick);
            }
            Step::NextDeadline => {
                if let Some((at, _)) = self.gateway.next_deadline() {
                    self.now = self.now.after(at.since(self.now.mono));
                    self.feed(Input::Tick);
                }
            }
        }
    }

    /// A runner that has the WebSocket speaks; one that has not may still have words on their way.
    fn actor_says(&mut self, name: (ConnId, RequestId), says: Says) {
        let (conn, request) = name;
        let event = match says {
            Says::Accept => {
                if let Some(session) = self.sessions.get_mut(&name) {
                    session.accepted = true;
                }
                ActorEvent::Accepted
            }
            Says::Message { bytes } => ActorEvent::Message { body: self.body(), bytes },
            Says::Unfit => ActorEvent::Unfit { why: WebSocketEnd::MessageTooLarge },
            Says::Close { undelivered } => {
                let session = self.sessions.remove(&name);
                let undelivered = undelivered && session.is_none_or(|session| !session.accepted);
                ActorEvent::Closed { body: self.body(), undelivered }
            }
            Says::Heard | Says::Took => return,
        };
        self.feed(Input::FromActor { conn, request, event });
    }

    fn client_says(&mut self, ticket: Ticket, says: Says) {
        if matches!(says, Says::Accept) {
            return;
        }
        let now = self.now.mono;
        let client = self.clients.get_mut(&ticket);
        let open = client.filter(|client| client.open.is_some()).map(|client| {
            client.heard = now;
            std::mem::take(&mut client.unread)
        });
        let event = match says {
            Says::Took => {
                let took = open.unwrap_or_else(|| vec![7]);
                let messages = u32::try_from(took.len()).expect("a few");
                ClientEvent::Took { messages, bytes: took.iter().sum() }
            }
            says => {
                if let (Some(unread), Some(client)) = (open, self.clients.get_mut(&ticket)) {
                    client.unread = unread;
                }
                match says {
                    Says::Message { .. } => ClientEvent::Message { body: self.body() },
                    Says::Unfit => ClientEvent::Unfit { why: WebSocketEnd::InvalidText },
                    Says::Heard => ClientEvent::Heard,
                    Says::Close { .. } => {
                        if self.clients.get(&ticket).is_some_and(|client| client.open.is_some()) {
                            self.clients.remove(&ticket);
                        }
                        ClientEvent::Closed { body: self.body() }
                    }
                    Says::Accept | Says::Took => unreachable!("handled above"),
                }
            }
        };
        self.feed(Input::FromClient { ticket, event });
    }

    fn feed(&mut self, input: Input) {
        let mut out = Vec::new();
        self.gateway.handle(self.now, input, &mut out);
        self.gateway.check();
        let carries = matches!(
            input,
            Input::FromActor { event: ActorEvent::Message { .. }, .. }
                | Input::FromClient { event: ClientEvent::Message { .. }, .. }
        );
        if carries {
            assert!(!out.is_empty(), "{input:?} goes on or is dropped");
        }
        for effect in out {
            self.perform(&effect, &input);
        }
        assert!(self.bodies.is_empty(), "{:?} of {input:?} are held by nobody", self.bodies);
        let (at, why) = self.gateway.next_deadline().unwrap_or((Mono::MAX, "nothing"));
        assert!(at > self.now.mono, "{why} is overdue");
        for (ticket, client) in self.clients.iter().filter(|(_, client)| client.open.is_some()) {
            let silent = self.now.mono.since(client.heard);
            assert!(silent < options().websocket_timeout, "{ticket:?} was silent for {silent:?}");
        }
        let view = self.gateway.view();
        let open = self.clients.values().filter(|client| client.open.is_some()).count();
        assert_eq!(view.websockets, open, "both sides know what is open");
        assert_eq!(view.waiting + view.forwarded + open, self.clients.len(), "clients end once");
        assert_eq!(view.forwarded + view.websockets, self.sessions.len(), "runners know what is theirs");
        for actor in &self.watched {
            let waits = self.clients.values().any(|c| c.actor == *actor && c.open.is_none());
            assert_eq!(
                self.observed.contains(actor),
                !waits,
                "{actor:?} is wanted by who waits, and only so"
            );
        }
        assert_eq!(view.watched, self.watched.len(), "the control plane and the gateway watch the same");
    }

    fn perform(&mut self, effect: &Effect, input: &Input) {
        match effect {
            Effect::Watch { actor } => {
                let new = self.watched.insert(*actor);
                assert!(new || self.observed.remove(actor), "{actor:?} is watched twice");
            }
            Effect::Observe { actor } => {
                assert!(self.watched.contains(actor), "{actor:?} is watched");
                assert!(self.observed.insert(*actor), "{actor:?} is observed twice");
            }
            Effect::Unwatch { actor } => {
                assert!(self.watched.remove(actor), "{actor:?} is not watched");
                self.observed.remove(actor);
            }
            Effect::Disowned { actor, .. } => assert!(self.watched.contains(actor), "somebody asks"),
            Effect::Open { ticket, conn, request, .. } => {
                let client = self.clients.get_mut(ticket).expect("somebody waits for it");
                assert_eq!(client.open, None, "what is open is never tried again");
                client.asked += 1;
                assert!(client.asked <= options().attempts_max, "{ticket:?} has attempts left");
                let waited = self.now.mono.since(client.arrived);
                assert!(waited < options().ready_timeout, "{ticket:?} is in time");
                let session = Session { ticket: *ticket, accepted: false, next: 1 };
                let before = self.sessions.insert((*conn, *request), session);
                assert!(before.is_none(), "{request:?} means one WebSocket");
                self.names.insert((*conn, *request));
            }
            Effect::Accept { ticket, conn } => {
                let Input::FromActor { request, event: ActorEvent::Accepted, .. } = input else {
                    panic!("{input:?} accepts nothing");
                };
                assert_eq!(self.sessions[&(*conn, *request)].ticket, *ticket, "the actor accepted this one");
                let client = self.clients.get_mut(ticket).expect("somebody waits for it");
                assert_eq!(client.open.replace((*conn, *request)), None, "it is let in once");
                client.heard = self.now.mono;
            }
            Effect::ToActor { conn, request, index, body } => {
                let Input::FromClient { ticket, .. } = input else { panic!("{input:?} is no client's") };
                let session = self.sessions.get_mut(&(*conn, *request)).expect("its actor has it");
                assert_eq!((session.ticket, session.accepted), (*ticket, true), "the client's own");
                assert_eq!(*index, session.next, "messages are numbered without gap");
                session.next += 1;
                self.leave(*body);
            }
            Effect::ToClient { ticket, body } => {
                let Input::FromActor { conn, request, event: ActorEvent::Message { bytes, .. } } = input
                else {
                    panic!("{input:?} is no message");
                };
                let client = self.clients.get_mut(ticket).expect("only who is there gets it");
                assert_eq!(client.open, Some((*conn, *request)), "it comes from its own actor");
                assert!(client.unread.iter().sum::<usize>() < options().websocket_bytes_max, "bounded");
                client.unread.push(*bytes);
                assert!(client.unread.len() <= options().websocket_messages_max as usize, "bounded");
                self.leave(*body);
            }
            Effect::CloseActor { conn, request, index, close } => {
                let session = self.sessions.remove(&(*conn, *request)).expect("its actor has it");
                assert_eq!(*index, session.next, "the close is numbered as a message");
                self.closed(*close);
            }
            Effect::CloseClient { ticket, close } => {
                let client = self.clients.remove(ticket).expect("a client is closed once");
                assert!(client.open.is_some(), "only what is open is closed");
                match close {
                    Close::Because(WebSocketEnd::PendingLimit) => {
                        let many = client.unread.len() >= options().websocket_messages_max as usize;
                        let long = client.unread.iter().sum::<usize>() >= options().websocket_bytes_max;
                        assert!(many || long, "{ticket:?} had read");
                    }
                    Close::Because(WebSocketEnd::TimedOut) => {
                        let silent = self.now.mono.since(client.heard);
                        assert!(silent >= options().websocket_timeout, "{ticket:?} was heard of");
                    }
                    Close::Because(_) | Close::Said(_) => {}
                }
                self.closed(*close);
            }
            Effect::Refuse { ticket, body } => {
                let client = self.clients.remove(ticket).expect("a client is refused once");
                assert_eq!(client.open, None, "who was let in is closed");
                self.leave(*body);
            }
            Effect::Fail { ticket, .. } => {
                let client = self.clients.remove(ticket).expect("a client fails once");
                assert_eq!(client.open, None, "who was let in is closed");
            }
            Effect::Ping { ticket } => {
                assert!(self.clients[ticket].open.is_some(), "only who is there is asked");
            }
            Effect::Drop { body } => self.leave(*body),
            Effect::Forward { .. } | Effect::Abort { .. } | Effect::Respond { .. } | Effect::Fact(_) => {
                panic!("{effect:?} is a request's")
            }
        }
    }

    fn closed(&mut self, close: Close) {
        if let Close::Said(body) = close {
            self.leave(body);
        }
    }

    /// Nothing more comes: everybody ends, within the sum of the bounds.
    fn finish(mut self) {
        let options = options();
        let bound = options.ready_timeout + options.open_timeout + options.websocket_timeout;
        let end = self.now.mono + bound;
        while let Some((at, why)) = self.gateway.next_deadline() {
            assert!(at <= end, "{why} is due only at {at:?}");
            self.step(Step::NextDeadline);
        }
        assert!(self.clients.is_empty() && self.sessions.is_empty(), "everybody was told");
        assert!(self.watched.is_empty(), "at rest nothing is left");
    }
}

fn pick<T: Copy + Ord>(all: &BTreeSet<T>, which: usize) -> Option<T> {
    // The latest ones: those that live, mostly.
    all.iter().rev().nth(which % all.len().max(1)).copied()
}

#[test]
fn every_client_is_let_in_once_closed_once_and_heard_in_order() {
    walk("gateway_websocket_", &[], prop::collection::vec(step(), 1..120), |steps| {
        let mut world = World::new();
        steps.into_iter().for_each(|step| world.step(step));
        world.finish();
    });
}
