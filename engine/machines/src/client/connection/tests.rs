//! Connections at random, seen from both ends; and the waits in between.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use proptest::prelude::*;
use protocol::error::Code;
use protocol::id::{ConnId, Ticket};
use protocol::time::Now;

use super::{Connection, Effect, Input, Options, Reason, Status, Topic};
use crate::client::{Answer, Executed, Failure};

const TRANSIENT: [Failure; 7] = [
    Failure::Broken,
    Failure::Unreachable,
    Failure::Foreign { status: 503 },
    Failure::Foreign { status: 429 },
    Failure::Platform(Code::GuardServiceUnavailable),
    Failure::Platform(Code::GuardActorReadyTimeout),
    Failure::Platform(Code::GuardActorRunnerFailed),
];

const LASTING: [Failure; 4] = [
    Failure::Platform(Code::ApiForbidden),
    Failure::Platform(Code::ActorNotFound),
    Failure::Foreign { status: 404 },
    Failure::Actor(Answer::Refused),
];

#[derive(Clone, Copy, Debug)]
enum Move {
    Pass(u64),
    Connect,
    Dispose,
    Open,
    Close(Failure),
    /// Something of a dial long past.
    Echo(bool),
    Send(usize),
    Call(usize, u64),
    /// The n-th call is answered, or given up by its caller.
    Answer(usize),
    Abandon(usize),
    Subscribe(u64),
    Unsubscribe(u64),
}

fn moves() -> impl Strategy<Value = Vec<Move>> {
    let failure = prop_oneof![
        6 => prop::sample::select(TRANSIENT.to_vec()),
        1 => prop::sample::select(LASTING.to_vec()),
    ];
    let one = prop_oneof![
        6 => (0_u64..20_000).prop_map(Move::Pass),
        3 => Just(Move::Connect),
        1 => Just(Move::Dispose),
        8 => Just(Move::Open),
        5 => failure.prop_map(Move::Close),
        1 => any::<bool>().prop_map(Move::Echo),
        5 => (1_usize..40).prop_map(Move::Send),
        5 => (1_usize..40, 1_u64..30_000).prop_map(|(bytes, within)| Move::Call(bytes, within)),
        3 => any::<usize>().prop_map(Move::Answer),
        1 => any::<usize>().prop_map(Move::Abandon),
        2 => (0_u64..5).prop_map(Move::Subscribe),
        1 => (0_u64..5).prop_map(Move::Unsubscribe),
    ];
    prop::collection::vec(one, 1..150)
}

/// Where something is, as the outside knows it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Place {
    Held,
    Sent,
}

/// A message or a call.
#[derive(Clone, Copy, Debug)]
struct Item {
    place: Place,
    call: bool,
    bytes: usize,
}

/// What both ends know.
#[derive(Default)]
struct Outside {
    now: Now,
    /// The connection, while its end was not told, and whether it is open.
    link: Option<(ConnId, bool)>,
    status: Option<Status>,
    given_up: bool,
    next: u64,
    /// What has not ended; tickets are their order.
    alive: BTreeMap<Ticket, Item>,
    /// What the client wants, and what the actor was asked for on this connection.
    wanted: BTreeSet<Topic>,
    asked: BTreeSet<Topic>,
}

struct Pair {
    machine: Connection,
    outside: Outside,
}

fn options() -> Options {
    Options { messages_max: 6, bytes_max: 100, calls_max: 5, topics_max: 4, ..Options::default() }
}

impl Pair {
    fn new(options: Options) -> Self {
        Self { machine: Connection::new(options), outside: Outside::default() }
    }

    fn step(&mut self, input: Input) -> Vec<Effect> {
        let mut out = Vec::new();
        self.machine.handle(self.outside.now, input, &mut out);
        for effect in &out {
            self.outside.hear(*effect);
        }
        out
    }

    fn pass(&mut self, span: Duration) {
        let until = self.outside.now.after(span);
        while let Some((due, _)) = self.machine.next_deadline().filter(|(due, _)| *due <= until.mono) {
            self.outside.now = self.outside.now.after(due.since(self.outside.now.mono));
            self.step(Input::Tick);
        }
        self.outside.now = until;
    }

    /// Takes a message or a call, which is sent, held or refused as the outside would.
    fn post(&mut self, bytes: usize, within: Option<u64>) {
        let call = within.is_some();
        let held: Vec<usize> =
            self.outside.of(|item| item.place == Place::Held).map(|(_, i)| i.bytes).collect();
        let crowded = call && self.outside.of(|item| item.call).count() >= 5;
        let full = held.len() >= 6 || held.iter().sum::<usize>() + bytes > 100;
        self.outside.next += 1;
        let ticket = Ticket(self.outside.next);
        self.outside.alive.insert(ticket, Item { place: Place::Held, call, bytes });
        let out = self.step(match within.map(Duration::from_millis) {
            Some(within) => Input::Call { ticket, bytes, within },
            None => Input::Send { ticket, bytes },
        });
        let refused = |reason| vec![Effect::Fail { ticket, reason, executed: Executed::No }];
        let expected = match (self.machine.status(), self.outside.link) {
            (Status::Idle, _) => refused(Reason::Idle),
            (_, Some((conn, true))) if !crowded => vec![Effect::Transmit { conn, ticket }],
            (_, Some((_, true))) => refused(Reason::Full),
            _ if crowded || full => refused(Reason::Full),
            _ => Vec::new(),
        };
        assert_eq!(out, expected);
    }

    fn play(&mut self, what: Move) {
        let calls = |outside: &Outside, place: Option<Place>| -> Vec<Ticket> {
            let of = |item: &Item| item.call && place.is_none_or(|place| place == item.place);
            outside.of(of).map(|(ticket, _)| ticket).collect()
        };
        match what {
            Move::Pass(ms) => self.pass(Duration::from_millis(ms)),
            Move::Connect => drop(self.step(Input::Connect)),
            Move::Dispose => {
                self.outside.wanted.clear();
                self.step(Input::Dispose);
                assert!(self.outside.alive.is_empty(), "nothing outlives it");
                assert_eq!(self.machine.status(), Status::Idle);
            }
            Move::Open => {
                if let Some((conn, false)) = self.outside.link {
                    self.outside.link = Some((conn, true));
                    self.outside.asked.clear();
                    self.step(Input::Opened { conn });
                    assert_eq!(self.outside.asked, self.outside.wanted, "every subscription is told again");
                }
            }
            Move::Close(failure) => {
                if let Some((conn, open)) = self.outside.link.take() {
                    let before = self.outside.given_up;
                    self.outside.given_up = false;
                    self.step(Input::Closed { conn, failure, jitter: u64::MAX / 2 });
                    let lasting = !open && LASTING.contains(&failure);
                    assert_eq!(self.outside.given_up, lasting, "{failure:?}, open: {open}");
                    self.outside.given_up |= before;
                    let sent = calls(&self.outside, Some(Place::Sent));
                    assert!(sent.is_empty(), "what was sent has failed: {sent:?}");
                }
            }
            Move::Echo(opens) => {
                let conn = ConnId(0);
                let closed =
                    Input::Closed { conn, failure: Failure::Platform(Code::ApiForbidden), jitter: 0 };
                let out = self.step(if opens { Input::Opened { conn } } else { closed });
                assert_eq!(out, [], "what is past changes nothing");
            }
            Move::Send(bytes) => self.post(bytes, None),
            Move::Call(bytes, within) => self.post(bytes, Some(within)),
            Move::Answer(which) => {
                let sent = calls(&self.outside, Some(Place::Sent));
                if let (Some((conn, true)), false) = (self.outside.link, sent.is_empty()) {
                    let ticket = sent[which % sent.len()];
                    self.outside.alive.remove(&ticket);
                    self.step(Input::Answered { conn, ticket });
                }
            }
            Move::Abandon(which) => {
                let calls = calls(&self.outside, None);
                if !calls.is_empty() {
                    let ticket = calls[which % calls.len()];
                    self.outside.alive.remove(&ticket);
                    self.step(Input::Abandon { ticket });
                }
            }
            Move::Subscribe(topic) => {
                self.outside.wanted.insert(Topic(topic));
                self.step(Input::Subscribe { topic: Topic(topic) });
            }
            Move::Unsubscribe(topic) => {
                self.outside.wanted.remove(&Topic(topic));
                self.step(Input::Unsubscribe { topic: Topic(topic) });
            }
        }
        if matches!(self.outside.link, Some((_, true))) {
            assert_eq!(self.outside.asked, self.outside.wanted, "the actor knows what is wanted");
        }
    }
}

impl Outside {
    fn of(&self, which: impl Fn(&Item) -> bool) -> impl Iterator<Item = (Ticket, Item)> {
        self.alive.iter().filter(move |(_, item)| which(item)).map(|(ticket, item)| (*ticket, *item))
    }

    fn hear(&mut self, effect: Effect) {
        match effect {
            Effect::Dial { conn, .. } => {
                assert_eq!(self.link, None, "one connection at a time");
                self.link = Some((conn, false));
            }
            Effect::Hangup { conn } => {
                assert_eq!(self.link.map(|(conn, _)| conn), Some(conn));
                self.link = None;
            }
            Effect::Transmit { conn, ticket } => {
                assert_eq!(self.link, Some((conn, true)), "it is sent where somebody listens");
                assert_eq!(self.asked, self.wanted, "subscriptions come first");
                let first = self.of(|item| item.place == Place::Held).next();
                assert_eq!(first.map(|(ticket, _)| ticket), Some(ticket), "in order, and once");
                let item = self.alive.remove(&ticket).unwrap();
                if item.call {
                    self.alive.insert(ticket, Item { place: Place::Sent, ..item });
                }
            }
            Effect::Subscribe { conn, topic } => {
                assert_eq!(self.link, Some((conn, true)));
                assert!(self.asked.insert(topic), "told once");
            }
            Effect::Unsubscribe { conn, topic } => {
                assert_eq!(self.link, Some((conn, true)));
                assert!(self.asked.remove(&topic), "it was told");
            }
            Effect::Fail { ticket, executed, .. } => {
                let item = self.alive.remove(&ticket).expect("what fails has not ended");
                let expected = if item.place == Place::Sent { Executed::Maybe } else { Executed::No };
                assert_eq!(executed, expected, "{ticket:?}");
            }
            Effect::RefuseTopic { topic } => assert!(self.wanted.remove(&topic)),
            Effect::Status(status) => {
                assert_ne!(self.status, Some(status), "changes only are told");
                self.status = Some(status);
            }
            Effect::GivenUp => {
                assert_eq!(self.status, Some(Status::Idle));
                self.given_up = true;
            }
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(512))]

    #[test]
    fn whatever_happens_nothing_is_lost_doubled_or_out_of_order(moves in moves()) {
        let mut pair = Pair::new(options());
        for what in moves {
            pair.play(what);
        }
        // Calls end, and a connection that is wanted goes on being dialled.
        let begun = pair.outside.now.mono;
        while pair.outside.link.is_none() && pair.machine.status() != Status::Idle {
            let (due, _) = pair.machine.next_deadline().expect("it waits for something");
            prop_assert!(due.since(begun) <= Duration::from_secs(30), "it is dialled within its longest wait");
            pair.pass(due.since(pair.outside.now.mono));
        }
        pair.play(Move::Dispose);
        prop_assert_eq!(pair.machine.next_deadline(), None);
    }
}

/// Dials, fails with the longest jitter, and waits for the next dial.
fn redial(pair: &mut Pair, failure: Failure) -> Duration {
    let (conn, _) = pair.outside.link.take().expect("it is being dialled");
    pair.step(Input::Closed { conn, failure, jitter: u64::MAX });
    let begun = pair.outside.now.mono;
    let (until, why) = pair.machine.next_deadline().expect("it is dialled again");
    assert_eq!(why, "next dial");
    pair.pass(until.since(begun));
    until.since(begun)
}

#[test]
fn waits_begin_short_double_and_have_an_end() {
    let mut pair = Pair::new(Options::default());
    pair.step(Input::Connect);
    let waits: Vec<u64> = (0..10)
        .map(|_| redial(&mut pair, Failure::Broken).as_secs_f64().mul_add(1000.0, 0.5) as u64)
        .collect();
    assert_eq!(waits, [50, 250, 500, 1000, 2000, 4000, 8000, 16_000, 30_000, 30_000]);
    pair.play(Move::Open);
    pair.pass(Duration::from_secs(4));
    assert!(redial(&mut pair, Failure::Broken) > Duration::from_secs(29), "it did not live long enough");
    pair.play(Move::Open);
    pair.pass(Duration::from_secs(5));
    assert!(redial(&mut pair, Failure::Broken) <= Duration::from_millis(50), "it was stable");
}

#[test]
fn an_actor_that_is_gone_is_looked_for_anew_at_its_address() {
    let mut pair = Pair::new(Options { follows: true, ..Options::default() });
    pair.step(Input::Connect);
    let (conn, _) = pair.outside.link.take().unwrap();
    let failure = Failure::Platform(Code::ActorNotFound);
    pair.step(Input::Closed { conn, failure, jitter: 0 });
    assert_eq!(pair.step(Input::Tick), [Effect::Dial { conn: ConnId(2), anew: true }]);
    pair.outside.link = None;
    pair.step(Input::Closed { conn: ConnId(2), failure: Failure::Broken, jitter: 0 });
    assert_eq!(pair.step(Input::Tick), [Effect::Dial { conn: ConnId(3), anew: false }]);
}

#[test]
fn a_dial_that_hangs_is_given_up_and_repeated() {
    let mut pair = Pair::new(Options::default());
    pair.step(Input::Connect);
    pair.pass(Duration::from_secs(15));
    assert_eq!((pair.outside.link, pair.machine.status()), (None, Status::Disconnected));
    pair.pass(Duration::from_millis(50));
    assert_eq!(pair.outside.link, Some((ConnId(2), false)));
}

#[test]
fn what_is_too_much_is_refused_at_once() {
    let mut pair = Pair::new(options());
    pair.step(Input::Connect);
    (0..6).for_each(|_| pair.play(Move::Send(10)));
    assert_eq!(pair.outside.alive.len(), 6);
    pair.play(Move::Send(10));
    assert_eq!(pair.outside.alive.len(), 6, "one message too many");
    let mut pair = Pair::new(options());
    pair.step(Input::Connect);
    pair.play(Move::Send(100));
    pair.play(Move::Send(1));
    assert_eq!(pair.outside.alive.len(), 1, "one byte too many");
}
