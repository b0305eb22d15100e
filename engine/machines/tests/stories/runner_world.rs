//! Everything around a runner, played honestly: its driver, user code, and an engine that keeps the order of each
//! socket. What the runner does wrong, it notices.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::time::Duration;

use machines::runner::{CloseClass, Effect, Frame, Input, InstanceEvent, Message, Options, Piece, Runner};
use machines::websocket::Close;
use protocol::error::WebSocketEnd;
use protocol::id::{ActorId, BodyId, ConnId, GatewayId, Generation, RequestId, RunnerId, Ticket};
use protocol::time::{Mono, Now};
use protocol::wire::{ActorState, Checkpoint, Event, EventWrapper};

use crate::names::runner;

pub(crate) type Key = (ActorId, Generation);

/// User code, as its driver knows it.
#[derive(Debug, Default)]
pub(crate) struct Code {
    pub(crate) started: bool,
    pub(crate) stopping: bool,
    pub(crate) cut: bool,
}

/// What an engine heard of one generation.
#[derive(Debug, Default)]
pub(crate) struct Heard {
    /// Index of the next event it has not heard.
    pub(crate) next: i64,
    pub(crate) acknowledged: i64,
    pub(crate) stopped: bool,
}

/// A WebSocket, as user code and the gateway know it.
#[derive(Debug)]
pub(crate) struct Carried {
    pub(crate) key: Key,
    conn: ConnId,
    accepted: bool,
    /// The number of the next piece towards the client.
    next: u16,
    /// Lengths of what user code has not read.
    pub(crate) unread: VecDeque<usize>,
    /// The gateway has heard of its end.
    told: bool,
}

pub(crate) struct World {
    pub(crate) runner: Runner,
    pub(crate) now: Now,
    next: u64,
    pub(crate) code: BTreeMap<ActorId, (Generation, Code)>,
    started: BTreeSet<Key>,
    /// The socket, and whether it is open, as the driver knows it.
    pub(crate) socket: Option<(ConnId, bool)>,
    hung_up: BTreeSet<ConnId>,
    pub(crate) session: bool,
    pub(crate) id: RunnerId,
    pub(crate) heard: BTreeMap<Key, Heard>,
    /// Next index of events on this socket, of each generation.
    on_socket: BTreeMap<Key, i64>,
    bodies: BTreeSet<BodyId>,
    pub(crate) kv: BTreeMap<Ticket, BodyId>,
    pub(crate) on_wire: BTreeMap<u32, Ticket>,
    /// Who waits for an alarm to be stored, which is set to its ticket's number, and the index of its event once it was heard.
    pub(crate) alarms: BTreeMap<Ticket, (Key, Option<i64>)>,
    /// Who has it, and the session that asked.
    pub(crate) delivered: BTreeMap<(GatewayId, RequestId), (Key, ConnId)>,
    /// The latest generation of each actor that the engine has spoken of.
    pub(crate) spoken: BTreeMap<ActorId, u32>,
    /// No generation up to this is spoken of again: it was another runner's.
    pub(crate) floors: BTreeMap<ActorId, u32>,
    pub(crate) asked: BTreeSet<(GatewayId, RequestId)>,
    /// WebSockets that were asked for and given to nobody.
    pub(crate) wanted: BTreeSet<(GatewayId, RequestId)>,
    pub(crate) websockets: BTreeMap<(GatewayId, RequestId), Carried>,
    /// Length of the client's message that comes in.
    pub(crate) said: usize,
    pub(crate) ended: bool,
    pub(crate) draining: bool,
}

pub(crate) fn options() -> Options {
    Options {
        total_slots: 1,
        events_max: 60,
        kv_max: 4,
        requests_max: 4,
        responses_max: 2,
        namespace_tries: 2,
        websocket_messages_max: 3,
        websocket_bytes_max: 100,
        ..Options::default()
    }
}

impl World {
    pub(crate) fn new() -> Self {
        Self {
            runner: Runner::new(options()),
            now: Now::default(),
            next: 0,
            code: BTreeMap::new(),
            started: BTreeSet::new(),
            socket: None,
            hung_up: BTreeSet::new(),
            session: false,
            id: runner(1),
            heard: BTreeMap::new(),
            on_socket: BTreeMap::new(),
            bodies: BTreeSet::new(),
            kv: BTreeMap::new(),
            on_wire: BTreeMap::new(),
            alarms: BTreeMap::new(),
            delivered: BTreeMap::new(),
            spoken: BTreeMap::new(),
            floors: BTreeMap::new(),
            asked: BTreeSet::new(),
            wanted: BTreeSet::new(),
            websockets: BTreeMap::new(),
            said: 0,
            ended: false,
            draining: false,
        }
    }

    pub(crate) fn fresh(&mut self) -> u64 {
        self.next += 1;
        self.next
    }

    /// A payload that comes in: it must leave.
    pub(crate) fn body(&mut self) -> BodyId {
        let body = BodyId(self.fresh());
        self.bodies.insert(body);
        body
    }

    pub(crate) fn feed(&mut self, input: Input) {
        let mut out = Vec::new();
        self.runner.handle(self.now, input.clone(), &mut out);
        self.runner.check();
        for effect in &out {
            assert!(
                !self.ended
                    || matches!(
                        effect,
                        Effect::Drop { .. } | Effect::KvFailed { .. } | Effect::AlarmFailed { .. }
                    ),
                "{effect:?} after the end"
            );
            self.perform(effect);
        }
        let code = &self.code;
        self.delivered
            .retain(|_, ((actor, g), _)| code.get(actor).is_some_and(|(now, c)| now == g && !c.cut));
        for (name, carried) in &self.websockets {
            assert!(!carried.told, "{name:?} is over on both sides");
            let code = self.code.get(&carried.key.0).filter(|(generation, _)| *generation == carried.key.1);
            assert!(code.is_some_and(|(_, code)| !code.stopping), "{name:?} is of who runs");
            assert!(self.session && self.socket.map(|s| s.0) == Some(carried.conn), "{name:?} is carried");
        }
        let (at, why) = self.runner.next_deadline().unwrap_or((Mono::MAX, "nothing"));
        assert!(at > self.now.mono, "{why} is overdue after {input:?}");
        let view = self.runner.view();
        assert_eq!(view.instances, self.code.len(), "instances and user code are the same");
        assert_eq!(view.kv, self.kv.len(), "KV requests without answer are the same");
        assert_eq!(view.connected, self.session, "both sides know of the session");
    }

    pub(crate) fn pass(&mut self, step: Duration) {
        self.now = self.now.after(step);
        self.feed(Input::Tick);
    }

    /// There is no socket that could still become a session.
    pub(crate) fn waits_for_dial(&self) -> bool {
        self.socket.is_none_or(|(conn, _)| self.hung_up.contains(&conn))
    }

    pub(crate) fn close(&mut self, class: CloseClass, jitter: u64) {
        if let Some((conn, _)) = self.socket.take() {
            self.session = false;
            self.on_socket.clear();
            self.on_wire.clear();
            self.feed(Input::Closed { conn, class, jitter });
        }
    }

    /// The engine answers Init, as the same runner or as a new one.
    pub(crate) fn greet(&mut self, id: RunnerId) {
        let Some((conn, true)) = self.socket.filter(|_| !self.session && !self.ended) else { return };
        if self.hung_up.contains(&conn) {
            return;
        }
        if id != self.id {
            self.heard.clear();
            self.floors = self.spoken.clone();
        }
        self.id = id;
        self.session = true;
        self.on_socket = self.heard.iter().map(|(key, heard)| (*key, heard.acknowledged)).collect();
        let frame = Frame::Init { runner: id, lost_threshold: 15_000, drain_grace: Some(10_000) };
        self.feed(Input::Frame { conn, frame });
    }

    pub(crate) fn frame(&mut self, frame: Frame) {
        let conn = self.socket.expect("the engine speaks on a socket").0;
        self.feed(Input::Frame { conn, frame });
    }

    pub(crate) fn instance(&mut self, actor: ActorId, generation: Generation, event: InstanceEvent) {
        self.feed(Input::Instance { actor, generation, event });
    }

    fn leave(&mut self, body: BodyId) {
        assert!(self.bodies.remove(&body), "{body:?} leaves once");
    }

    fn on_session(&self, conn: ConnId) {
        assert!(self.session && self.socket.map(|s| s.0) == Some(conn), "{conn:?} is the session");
    }

    fn perform(&mut self, effect: &Effect) {
        match effect {
            Effect::Dial { conn } => {
                assert!(
                    self.socket.is_none_or(|(old, _)| self.hung_up.contains(&old)),
                    "one socket at a time"
                );
                self.socket = Some((*conn, false));
            }
            Effect::Hangup { conn, .. } => {
                assert_eq!(self.socket.map(|s| s.0), Some(*conn), "only its own socket");
                assert!(self.hung_up.insert(*conn), "{conn:?} is closed once");
                self.session = false;
                self.on_socket.clear();
                self.on_wire.clear();
            }
            Effect::Send { conn, message } => self.heard(*conn, message),
            Effect::SendKv { conn, actor, request, body } => {
                self.on_session(*conn);
                let (ticket, _) =
                    self.kv.iter().find(|(_, b)| *b == body).expect("it is asked and not answered");
                assert!(self.on_wire.insert(*request, *ticket).is_none(), "{request} is sent once a session");
                assert!(self.code.get(actor).is_some_and(|(_, code)| !code.cut), "{actor:?} has rights");
            }
            Effect::SendResponse { conn, body, .. } => {
                self.on_session(*conn);
                self.leave(*body);
            }
            Effect::SendUndelivered { conn, gateway, request }
            | Effect::SendOverloaded { conn, gateway, request } => {
                self.on_session(*conn);
                let delivered = self.delivered.get(&(*gateway, *request));
                assert!(delivered.is_none_or(|(_, asker)| asker != conn), "{request:?} reached user code");
                self.asked.remove(&(*gateway, *request));
            }
            Effect::SendAbort { conn, gateway, request } => {
                self.on_session(*conn);
                let delivered = self.delivered.remove(&(*gateway, *request));
                assert_eq!(delivered.map(|d| d.1), Some(*conn), "only what reached user code is aborted");
            }
            Effect::StartInstance { actor, generation, body } => {
                self.leave(*body);
                assert!(self.started.insert((*actor, *generation)), "{actor:?} {generation:?} starts once");
                let before = self.code.insert(*actor, (*generation, Code::default()));
                assert!(before.is_none(), "{actor:?} runs once");
            }
            Effect::StopInstance { actor, generation, graceful } => {
                let (current, code) = self.code.get_mut(actor).expect("it has not ended");
                assert_eq!(current, generation, "the generation that is here is stopped");
                assert!(
                    !(code.cut || *graceful && code.stopping),
                    "{actor:?} is stopped once, then cut off once"
                );
                assert!(!graceful || code.started, "{actor:?} has started before it stops");
                code.stopping = true;
                code.cut = !graceful;
            }
            Effect::Deliver { actor, generation, gateway, request, body } => {
                self.leave(*body);
                let (current, code) = &self.code[actor];
                assert_eq!(current, generation, "the generation that is here is asked");
                assert!(code.started && !code.stopping, "{actor:?} takes requests");
                if self.wanted.remove(&(*gateway, *request)) {
                    return self.given((*gateway, *request), (*actor, *generation));
                }
                assert!(self.asked.remove(&(*gateway, *request)), "{request:?} is delivered once");
                let conn = self.socket.expect("it was asked on a socket").0;
                self.delivered.insert((*gateway, *request), ((*actor, *generation), conn));
            }
            Effect::SendWebSocket { conn, gateway, request, index, piece } => {
                self.on_session(*conn);
                self.piece((*gateway, *request), *index, *piece);
            }
            Effect::DeliverMessage { gateway, request, body } => {
                self.leave(*body);
                let carried = self.websockets.get_mut(&(*gateway, *request)).expect("user code has it");
                assert!(carried.accepted, "{request:?} was accepted before anything came");
                assert!(carried.unread.iter().sum::<usize>() < options().websocket_bytes_max, "bounded");
                carried.unread.push_back(self.said);
                assert!(carried.unread.len() <= options().websocket_messages_max as usize, "bounded");
            }
            Effect::DeliverClose { gateway, request, close } => {
                self.websockets.remove(&(*gateway, *request)).expect("user code hears one end");
                if let Close::Said(body) = close {
                    self.leave(*body);
                }
            }
            Effect::Cancel { gateway, request, .. } => {
                self.delivered
                    .remove(&(*gateway, *request))
                    .expect("only what reached user code is cancelled");
            }
            Effect::KvDone { ticket, body } => {
                self.leave(*body);
                self.kv.remove(ticket).expect("answered once");
            }
            Effect::KvFailed { ticket, .. } => {
                self.kv.remove(ticket).expect("answered once");
            }
            Effect::AlarmKept { ticket } => {
                let (key, index) = self.alarms.remove(ticket).expect("told once");
                let index = index.expect("the engine has heard what it keeps");
                assert!(index < self.heard[&key].acknowledged, "the engine has acknowledged it");
            }
            Effect::AlarmFailed { ticket, .. } => {
                self.alarms.remove(ticket).expect("told once");
            }
            Effect::Ready { runner } => assert_eq!(*runner, self.id, "it knows its id"),
            Effect::Lost => assert!(!self.session, "lost only without a session"),
            Effect::Ended { .. } => {
                self.ended = true;
                assert!(self.code.is_empty(), "nothing runs after the end");
            }
            Effect::Drop { body } => self.leave(*body),
            Effect::Fact(_) => {}
        }
    }

    fn given(&mut self, name: (GatewayId, RequestId), key: Key) {
        let conn = self.socket.expect("it was asked on a socket").0;
        let (accepted, next, unread, told) = (false, 0, VecDeque::new(), false);
        let before = self.websockets.insert(name, Carried { key, conn, accepted, next, unread, told });
        assert!(before.is_none(), "{name:?} is one WebSocket");
    }

    /// A piece of a WebSocket, as its gateway reads it.
    fn piece(&mut self, name: (GatewayId, RequestId), index: u16, piece: Piece) {
        let Some(carried) = self.websockets.get_mut(&name) else {
            let refusal = [WebSocketEnd::NotHere, WebSocketEnd::Overloaded].map(Close::Because);
            assert!(matches!(piece, Piece::Close(close) if refusal.contains(&close)), "{piece:?} of nobody");
            assert!(self.wanted.remove(&name) && index == 0, "{name:?} is refused once");
            return;
        };
        assert_eq!(index, carried.next, "pieces are numbered without gap");
        assert!(!carried.told, "nothing follows the end");
        carried.next += 1;
        match piece {
            Piece::Open => assert!(!std::mem::replace(&mut carried.accepted, true), "it opens once"),
            Piece::Message(body) => {
                assert!(carried.accepted, "it is open");
                self.leave(body);
            }
            // User code's own end: nobody tells it of that.
            Piece::Close(Close::Said(body)) => {
                self.websockets.remove(&name);
                self.leave(body);
            }
            Piece::Close(Close::Because(why)) => {
                let unseen = !carried.accepted;
                assert_eq!(
                    why == WebSocketEnd::NotHere,
                    unseen,
                    "what nobody was let into may be tried again"
                );
                carried.told = true;
            }
        }
    }

    fn heard(&mut self, conn: ConnId, message: &Message) {
        if matches!(message, Message::Init { .. }) {
            assert!(!self.session && self.socket == Some((conn, true)), "Init is the first");
            return;
        }
        self.on_session(conn);
        match message {
            Message::Events(events) => events.iter().for_each(|event| self.event(event)),
            Message::Stopping => assert!(self.draining, "only who drains says so"),
            Message::AckCommands(_) | Message::Pong { .. } | Message::Init { .. } => {}
        }
    }

    /// On one socket the events of a generation come without gap from the first that was not acknowledged.
    fn event(&mut self, EventWrapper { checkpoint, inner }: &EventWrapper) {
        let key = (checkpoint.actor_id, checkpoint.generation);
        let expected = self.on_socket.entry(key).or_insert(0);
        assert_eq!(checkpoint.index, *expected, "{key:?} is told without gap");
        *expected += 1;
        if let Event::SetAlarm { alarm_ts: Some(number) } = inner {
            let ticket = Ticket(u64::try_from(*number).expect("a ticket's number"));
            self.alarms.entry(ticket).and_modify(|(_, index)| *index = Some(checkpoint.index));
        }
        let heard = self.heard.entry(key).or_default();
        if checkpoint.index == heard.next {
            assert!(!heard.stopped, "{key:?} tells nothing after its Stopped");
            heard.next += 1;
            heard.stopped = matches!(inner, Event::ActorStateUpdate { state: ActorState::Stopped { .. } });
        }
        if heard.stopped && checkpoint.index + 1 == heard.next {
            let running = self.code.get(&key.0).is_some_and(|(generation, _)| *generation == key.1);
            assert!(!running, "{key:?} has stopped");
        }
    }

    pub(crate) fn acknowledge(&mut self, key: Key) {
        let Some(heard) = self.heard.get_mut(&key).filter(|heard| heard.next > heard.acknowledged) else {
            return;
        };
        heard.acknowledged = heard.next;
        let checkpoint = Checkpoint { actor_id: key.0, generation: key.1, index: heard.next - 1 };
        self.frame(Frame::AckEvents(vec![checkpoint]));
    }

    /// Nothing more comes but ends: it stops, and at rest nothing is left.
    pub(crate) fn finish(mut self) {
        self.feed(Input::Stop);
        while let Some((actor, (generation, _))) = self.code.pop_first() {
            self.instance(actor, generation, InstanceEvent::Stopped { error: None });
        }
        assert!(self.ended, "a stop is an end");
        assert!(self.bodies.is_empty(), "{:?} are held by nobody", self.bodies);
        assert!(self.kv.is_empty(), "{:?} wait for ever", self.kv);
        assert!(self.alarms.is_empty(), "{:?} wait for ever", self.alarms);
        assert!(self.websockets.is_empty(), "{:?} are open for ever", self.websockets);
        assert_eq!(self.runner.next_deadline(), None, "nothing is due after the end");
    }
}
