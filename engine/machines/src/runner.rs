//! The application's side: one runner, its session with the engine and the actors it hosts ([`Runner`]), and the
//! event stream that holds a serverless instance open ([`stream`]); what is started before either, and how it fails
//! ([`startup`]).
//!
//! It holds no payload, no socket and no user code: drivers in `sdk` dial, send and run instances.
//!
//! One noun a file: [`link`] dials and keeps the socket, [`init`] is what happens when the engine answers,
//! [`command`] starts and stops what the engine wants, [`instance`] follows user code, [`history`] keeps events until
//! they are acknowledged, [`alarm`] says when they are,
//! [`kv`], [`request`] and [`websocket`] carry payloads, [`end`] drains, loses and ends, [`expire`] knows what
//! is due, [`check`] what always holds.

mod alarm;
mod check;
mod command;
pub mod configure;
pub mod effect;
mod end;
mod expire;
mod history;
mod init;
pub mod input;
mod instance;
mod kv;
mod link;
pub mod options;
mod request;
pub mod startup;
pub mod stream;
mod websocket;

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::time::Duration;

use protocol::id::{ActorId, BodyId, ConnId, GatewayId, Generation, RequestId, RunnerId};
use protocol::time::{Mono, Now};
use protocol::view::SessionView;

pub use effect::{Effect, EndReason, Message, Piece, StoreFailure};
pub use input::{CloseClass, Frame, Input, InstanceEvent, WebSocketEvent};
pub use options::Options;

use end::Life;
use history::History;
use instance::Instance;
use kv::Kv;
use link::Link;
use request::{Kind, Request};

/// A runner's state. Everything of it is lost with its process: the engine keeps what must last.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Runner {
    options: Options,
    life: Life,
    /// As the engine calls it, since the first Init.
    runner: Option<RunnerId>,
    /// From the options, then as told by each Init.
    lost_threshold: Duration,
    /// From the options, then as told by each Init.
    drain_grace: Duration,
    link: Link,
    /// The handle of the next dial.
    next_conn: ConnId,
    /// Dials since the last stable session, for the backoff.
    attempts: u32,
    /// Closes in a row for an unknown namespace.
    namespace_unknown: u32,
    /// Since when there is no session.
    dropped: Mono,
    /// When every instance is cut off unless there is a session before.
    lost_by: Option<Mono>,
    /// At most one per actor: the next generation waits until the last has ended.
    instances: BTreeMap<ActorId, Instance>,
    /// What was commanded and told of each generation whose end is not acknowledged.
    histories: BTreeMap<(ActorId, Generation), History>,
    /// Events in all histories.
    events: usize,
    /// KV requests without answer, by their id on the wire, which counts up: in the order they were asked.
    kv: BTreeMap<u32, Kv>,
    next_kv: u32,
    kv_due: BTreeSet<(Mono, u32)>,
    /// When whoever set an alarm is told that nobody knows what became of it.
    alarms_due: BTreeSet<(Mono, ActorId, Generation, i64)>,
    requests: BTreeMap<(GatewayId, RequestId), Request>,
    /// Responses that wait for a session, in the order they were given.
    responses: VecDeque<(GatewayId, RequestId, BodyId)>,
}

impl Runner {
    /// A runner that has not dialled: send [`Input::Start`].
    pub const fn new(options: Options) -> Self {
        Self {
            life: Life::Fresh,
            runner: None,
            lost_threshold: options.lost_threshold,
            drain_grace: options.drain_grace,
            options,
            link: Link::Idle,
            next_conn: ConnId(1),
            attempts: 0,
            namespace_unknown: 0,
            dropped: Mono::ZERO,
            lost_by: None,
            instances: BTreeMap::new(),
            histories: BTreeMap::new(),
            events: 0,
            kv: BTreeMap::new(),
            next_kv: 0,
            kv_due: BTreeSet::new(),
            alarms_due: BTreeSet::new(),
            requests: BTreeMap::new(),
            responses: VecDeque::new(),
        }
    }

    /// One step: takes the input, then does whatever is due at `now`. Effects are appended to `out` in the order they
    /// must be performed.
    ///
    /// # Panics
    /// When an instance asks for more than the machine can count, which no process lives to see.
    pub fn handle(&mut self, now: Now, input: Input, out: &mut Vec<Effect>) {
        match input {
            Input::Tick => {}
            Input::Start => self.start(now, out),
            Input::Dialled { conn } => self.dialled(now, conn, out),
            Input::Closed { conn, class, jitter } => self.closed(now, conn, class, jitter, out),
            Input::Frame { conn, frame } => self.frame(now, conn, frame, out),
            Input::Instance { actor, generation, event } => self.instance(now, actor, generation, event, out),
            Input::Drain => self.drain(now, out),
            Input::Stop => self.end(EndReason::Stopped, out),
        }
        self.expire(now, out);
        self.settle(out);
    }

    fn frame(&mut self, now: Now, conn: ConnId, frame: Frame, out: &mut Vec<Effect>) {
        if let (Link::Greeting { conn: greeting, .. }, Frame::Init { runner, lost_threshold, drain_grace }) =
            (&self.link, &frame)
        {
            if *greeting == conn {
                self.init(now, conn, *runner, *lost_threshold, *drain_grace, out);
            }
            return;
        }
        if self.link.open() != Some(conn) {
            out.extend(frame.body().map(|body| Effect::Drop { body }));
            return;
        }
        match frame {
            Frame::Start { checkpoint, body } => self.start_actor(checkpoint, body, out),
            Frame::StopActor { checkpoint } => self.stop_actor(checkpoint, out),
            Frame::AckEvents(checkpoints) => self.ack_events(&checkpoints, out),
            Frame::Ping { ts } => self.ping(now, ts, out),
            Frame::KvResponse { request, body } => self.kv_response(request, body, out),
            Frame::KvRefused { request, body } => self.kv_refused(request, body, out),
            Frame::Request { gateway, request, actor, body } => {
                self.request(conn, (gateway, request), actor, (Kind::Response, body), out);
            }
            Frame::WebSocketOpen { gateway, request, actor, body } => {
                self.request(conn, (gateway, request), actor, (Kind::websocket(), body), out);
            }
            Frame::WebSocketMessage { gateway, request, body, bytes } => {
                self.websocket_message((gateway, request), (body, bytes), out);
            }
            Frame::WebSocketClose { gateway, request, body } => {
                self.websocket_close((gateway, request), body, out);
            }
            Frame::RequestAbort { gateway, request } => self.request_abort((gateway, request), out),
            // A second Init changes nothing. What does not decode may be a command: the engine sends those again that
            // it misses the event of, on the next socket, and gives up those that take too long.
            Frame::Init { .. } | Frame::Invalid => {}
        }
    }

    fn instance(
        &mut self,
        now: Now,
        actor: ActorId,
        generation: Generation,
        event: InstanceEvent,
        out: &mut Vec<Effect>,
    ) {
        match event {
            InstanceEvent::Started => self.started(actor, generation, out),
            InstanceEvent::Stopped { error } => self.stopped(actor, generation, error, out),
            InstanceEvent::Sleep => self.sleep(actor, generation, out),
            InstanceEvent::Destroy => self.destroy(actor, generation, out),
            InstanceEvent::Alarm { ticket, at } => self.alarm(now, (actor, generation), (ticket, at), out),
            InstanceEvent::Kv { ticket, repeatable, body } => {
                self.kv_request(now, (actor, generation), kv::Asked { ticket, repeatable, body }, out);
            }
            InstanceEvent::Begun { gateway, request } => {
                request::begun(actor, generation, (gateway, request), out);
            }
            InstanceEvent::Respond { gateway, request, body } => {
                self.respond((actor, generation), (gateway, request), body, out);
            }
            InstanceEvent::WebSocket { gateway, request, event } => {
                self.websocket((actor, generation), (gateway, request), event, out);
            }
        }
    }

    /// Read-only facts for the laws.
    pub fn view(&self) -> SessionView {
        SessionView {
            runner: self.runner,
            connected: self.link.open().is_some(),
            instances: self.instances.len(),
            events: self.events,
            kv: self.kv.len(),
            requests: self.requests.len(),
        }
    }
}
