//! A random walk over the gateway: whatever comes in, every client is answered once and within its bound, every payload
//! leaves once, and no unsafe request reaches an actor twice.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use machines::gateway::{Effect, Gateway, Input, Options};
use machines::route::Route;
use proptest::prelude::*;
use protocol::error::ApiError;
use protocol::id::{ActorId, BodyId, ConnId, Generation, RequestId, Ticket};
use protocol::time::{Mono, Now};
use protocol::view::Fact;

use crate::names::{actor, request};
use crate::walk::walk;

/// Something that happens. Numbers choose among what there is.
#[derive(Clone, Copy, Debug)]
enum Step {
    Request {
        actor: u8,
        safe: bool,
        fresh: u32,
    },
    Gone {
        which: usize,
    },
    Route {
        actor: u8,
        route: Route,
    },
    Start {
        which: usize,
        more: bool,
        undelivered: bool,
    },
    Chunk {
        which: usize,
        more: bool,
    },
    TooLarge {
        which: usize,
    },
    Abort {
        which: usize,
    },
    Noise {
        conn: u64,
        id: u32,
        chunk: bool,
    },
    Pass {
        ms: u64,
    },
    /// Time passes and the tick is late.
    Slip {
        ms: u64,
    },
    NextDeadline,
}

fn route() -> impl Strategy<Value = Route> {
    let place = (1..3_u64, 1..4_u32).prop_map(|(conn, g)| (ConnId(conn), Generation(g)));
    prop_oneof![
        1 => Just(Route::Unknown),
        3 => Just(Route::Waiting),
        1 => Just(Route::Struggling),
        1 => Just(Route::Failing),
        2 => place.clone().prop_map(|(conn, generation)| Route::Draining { conn, generation }),
        1 => place.clone().prop_map(|(conn, generation)| Route::Ending { conn, generation }),
        5 => place.prop_map(|(conn, generation)| Route::Ready { conn, generation }),
    ]
}

fn step() -> impl Strategy<Value = Step> {
    let which = 0..8_usize;
    prop_oneof![
        5 => (0..2_u8, any::<bool>(), 0..6_u32).prop_map(|(actor, safe, fresh)| Step::Request { actor, safe, fresh }),
        1 => which.clone().prop_map(|which| Step::Gone { which }),
        5 => (0..2_u8, route()).prop_map(|(actor, route)| Step::Route { actor, route }),
        4 => (which.clone(), any::<bool>(), prop::bool::weighted(0.4))
            .prop_map(|(which, more, undelivered)| Step::Start { which, more, undelivered }),
        2 => (which.clone(), any::<bool>()).prop_map(|(which, more)| Step::Chunk { which, more }),
        1 => which.clone().prop_map(|which| Step::TooLarge { which }),
        1 => which.prop_map(|which| Step::Abort { which }),
        1 => (1..4_u64, 0..8_u32, any::<bool>()).prop_map(|(conn, id, chunk)| Step::Noise { conn, id, chunk }),
        2 => (0..20_000_u64).prop_map(|ms| Step::Pass { ms }),
        1 => (0..40_000_u64).prop_map(|ms| Step::Slip { ms }),
        2 => Just(Step::NextDeadline),
    ]
}

fn options() -> Options {
    Options { attempts_max: 3, requests_max: 6, ..Options::default() }
}

/// A client, as the world outside sees it.
struct Client {
    safe: bool,
    arrived: Mono,
    begun: bool,
    /// An attempt may have been carried out, for all anybody knows.
    reached: bool,
    forwards: u32,
    actor: ActorId,
}

struct World {
    gateway: Gateway,
    now: Now,
    next: u64,
    clients: BTreeMap<Ticket, Client>,
    watched: BTreeSet<ActorId>,
    /// What the gateway was told last of each actor.
    routes: BTreeMap<ActorId, Route>,
    /// Who was forwarded under which id on which session, as runners would know it.
    forwarded: BTreeMap<(ConnId, RequestId), Ticket>,
}

impl World {
    fn new() -> Self {
        Self {
            gateway: Gateway::new(options()),
            now: Now::default(),
            next: 0,
            clients: BTreeMap::new(),
            watched: BTreeSet::new(),
            routes: BTreeMap::new(),
            forwarded: BTreeMap::new(),
        }
    }

    fn fresh(&mut self) -> u64 {
        self.next += 1;
        self.next
    }

    fn step(&mut self, step: Step) {
        match step {
            Step::Request { actor: number, safe, fresh } => {
                let ticket = Ticket(self.fresh());
                let (arrived, actor) = (self.now.mono, actor(number));
                let client = Client { safe, arrived, begun: false, reached: false, forwards: 0, actor };
                self.clients.insert(ticket, client);
                self.feed(Input::Request { ticket, actor, safe, fresh: request(fresh) });
            }
            Step::Gone { which } => {
                if let Some(ticket) = pick(self.clients.keys(), which) {
                    self.clients.remove(&ticket);
                    self.feed(Input::ClientGone { ticket });
                }
            }
            Step::Route { actor: number, route } => {
                let actor = actor(number);
                self.routes.insert(actor, route);
                self.feed(Input::Route { actor, route });
            }
            Step::Start { which, more, undelivered } => {
                if let Some((conn, request)) = pick(self.forwarded.keys(), which) {
                    let body = BodyId(self.fresh());
                    self.forget_reach(conn, request, undelivered);
                    self.feed(Input::ResponseStart { conn, request, body, more, undelivered });
                }
            }
            Step::Chunk { which, more } => {
                if let Some((conn, request)) = pick(self.forwarded.keys(), which) {
                    let body = BodyId(self.fresh());
                    self.feed(Input::ResponseChunk { conn, request, body, more });
                }
            }
            Step::TooLarge { which } => {
                if let Some((conn, request)) = pick(self.forwarded.keys(), which) {
                    self.feed(Input::ResponseTooLarge { conn, request });
                }
            }
            Step::Abort { which } => {
                if let Some((conn, request)) = pick(self.forwarded.keys(), which) {
                    self.feed(Input::ResponseAbort { conn, request });
                }
            }
            Step::Noise { conn, id, chunk } => {
                let (conn, request, body) = (ConnId(conn + 10), request(id), BodyId(self.fresh()));
                self.feed(if chunk {
                    Input::ResponseChunk { conn, request, body, more: true }
                } else {
                    Input::ResponseStart { conn, request, body, more: false, undelivered: false }
                });
            }
            Step::Pass { ms } => {
                self.now = self.now.after(Duration::from_millis(ms));
                self.feed(Input::Tick);
            }
            Step::Slip { ms } => self.now = self.now.after(Duration::from_millis(ms)),
            Step::NextDeadline => {
                if let Some((at, _)) = self.gateway.next_deadline() {
                    self.now = self.now.after(at.since(self.now.mono));
                    self.feed(Input::Tick);
                }
            }
        }
    }

    /// A runner says that the attempt under this id reached nobody: then it may be repeated, if it is the last one.
    fn forget_reach(&mut self, conn: ConnId, request: RequestId, undelivered: bool) {
        let ticket = self.forwarded[&(conn, request)];
        if undelivered && let Some(client) = self.clients.get_mut(&ticket).filter(|client| !client.begun) {
            client.reached = false;
        }
    }

    fn feed(&mut self, input: Input) {
        let mut bodies: BTreeSet<BodyId> = match input {
            Input::ResponseStart { body, .. } | Input::ResponseChunk { body, .. } => [body].into(),
            Input::Tick
            | Input::Request { .. }
            | Input::ClientGone { .. }
            | Input::Route { .. }
            | Input::ResponseTooLarge { .. }
            | Input::ResponseAbort { .. } => BTreeSet::new(),
            Input::WebSocket { .. } | Input::FromActor { .. } | Input::FromClient { .. } => {
                unreachable!("{input:?} belongs to the other walk")
            }
        };
        let mut out = Vec::new();
        self.gateway.handle(self.now, input, &mut out);
        self.gateway.check();
        for effect in out {
            self.perform(&effect, &mut bodies);
        }
        assert!(bodies.is_empty(), "{bodies:?} of {input:?} are held by nobody");
        let (at, why) = self.gateway.next_deadline().unwrap_or((Mono::MAX, "nothing"));
        assert!(at > self.now.mono, "{why} is overdue");
        let view = self.gateway.view();
        assert_eq!(view.waiting + view.forwarded, self.clients.len(), "clients and requests are the same");
        assert_eq!(view.watched, self.watched.len(), "the control plane and the gateway watch the same");
    }

    fn perform(&mut self, effect: &Effect, bodies: &mut BTreeSet<BodyId>) {
        match effect {
            Effect::Watch { actor } => assert!(self.watched.insert(*actor), "{actor:?} is watched twice"),
            Effect::Unwatch { actor } => assert!(self.watched.remove(actor), "{actor:?} is not watched"),
            Effect::Disowned { actor, .. } => {
                assert!(self.watched.contains(actor), "somebody asks {actor:?}")
            }
            Effect::Forward { ticket, conn, request, .. } => {
                let client = self.clients.get_mut(ticket).expect("somebody waits for it");
                assert!(client.safe || !client.reached, "{ticket:?} may have been carried out before");
                assert!(!client.begun, "{ticket:?} has a part of a response");
                client.reached = true;
                client.forwards += 1;
                assert!(client.forwards <= options().attempts_max, "{ticket:?} has attempts left");
                assert!(
                    self.now.mono.since(client.arrived) < options().ready_timeout,
                    "{ticket:?} is in time"
                );
                self.forwarded.insert((*conn, *request), *ticket);
            }
            Effect::Abort { conn, request } => {
                assert!(self.forwarded.contains_key(&(*conn, *request)), "{request:?} was forwarded there");
            }
            Effect::Respond { ticket, body, more } => {
                assert!(bodies.remove(body), "{body:?} is of this step");
                let client = self.clients.get_mut(ticket).expect("somebody waits for it");
                client.begun = true;
                if !more {
                    self.clients.remove(ticket);
                }
            }
            Effect::Fail { ticket, error } => {
                let client = self.clients.remove(ticket).expect("somebody waits for it");
                if matches!(error, ApiError::GuardActorRunnerFailed { .. }) {
                    let held = self.now.mono.since(client.arrived);
                    match self.routes[&client.actor] {
                        Route::Failing => {}
                        Route::Struggling => {
                            assert!(held >= options().fail_fast, "{ticket:?} is held for a moment")
                        }
                        other => panic!("{ticket:?} failed for its pool, whose route is {other:?}"),
                    }
                }
            }
            Effect::Drop { body } => assert!(bodies.remove(body), "{body:?} is of this step"),
            Effect::Observe { .. }
            | Effect::Open { .. }
            | Effect::Accept { .. }
            | Effect::Refuse { .. }
            | Effect::ToActor { .. }
            | Effect::ToClient { .. }
            | Effect::CloseActor { .. }
            | Effect::CloseClient { .. }
            | Effect::Ping { .. } => panic!("{effect:?} is a WebSocket's"),
            Effect::Fact(fact) => {
                assert!(matches!(fact, Fact::Forwarded { .. }), "{fact:?} is not the gateway's")
            }
        }
    }

    /// Nothing more comes: everybody is answered, within the sum of the bounds.
    fn finish(mut self) {
        self.feed(Input::Tick);
        let bound = options().ready_timeout + options().response_timeout;
        let end = self.now.mono + bound;
        while let Some((at, why)) = self.gateway.next_deadline() {
            assert!(at <= end, "{why} is due only at {at:?}");
            self.step(Step::NextDeadline);
        }
        assert!(self.clients.is_empty() && self.watched.is_empty(), "at rest nothing is left");
    }
}

fn pick<'a, T: Copy + 'a>(all: impl ExactSizeIterator<Item = &'a T>, which: usize) -> Option<T> {
    let count = all.len();
    let mut all = all;
    if count == 0 { None } else { all.nth(which % count).copied() }
}

#[test]
fn every_client_is_answered_once_and_nothing_unsafe_is_repeated() {
    walk("gateway_", &["gateway_websocket_"], prop::collection::vec(step(), 1..80), |steps| {
        let mut world = World::new();
        steps.into_iter().for_each(|step| world.step(step));
        world.finish();
    });
}
