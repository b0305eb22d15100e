//! The application's side: the runner, and user code that writes once for each request and then answers.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use machines::control::effect::{CommandKind, Message as EngineMessage};
use machines::runner::{Effect, Frame, Input, InstanceEvent, Options, Runner};
use protocol::id::{BodyId, ConnId, GatewayId, Generation, RequestId, Ticket};
use protocol::wire::Checkpoint;

use crate::engine::actor;
use crate::link::{Down, Link, Up, Write};
use crate::world::{Job, LIVES, World};

const GATEWAY: GatewayId = GatewayId([1; 4]);

/// The process.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) struct App {
    pub(crate) runner: Runner,
    /// A dial that has neither succeeded nor failed.
    pub(crate) dial: Option<ConnId>,
    pub(crate) code: Option<Code>,
    /// KV writes without answer, by the ticket under which they were asked.
    pub(crate) calls: BTreeMap<Ticket, Call>,
}

/// User code of one generation.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Code {
    pub(crate) generation: Generation,
    pub(crate) started: bool,
    pub(crate) stopping: bool,
    pub(crate) cut: bool,
}

/// A write, and the request that is answered after it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Call {
    pub(crate) request: RequestId,
    pub(crate) write: Write,
}

impl App {
    pub(crate) fn new() -> Self {
        let options =
            Options { total_slots: 1, redial_max_early: Duration::from_secs(4), ..Options::default() };
        Self { runner: Runner::new(options), dial: None, code: None, calls: BTreeMap::new() }
    }

    /// Whether user code may end: it was cut off, or has answered everything.
    pub(crate) fn may_stop(&self) -> bool {
        self.code.is_some_and(|code| code.cut || (code.stopping && self.calls.is_empty()))
    }
}

impl World {
    pub(crate) fn runner(&mut self, input: Input) {
        let mut out = Vec::new();
        self.app.runner.handle(self.now, input, &mut out);
        self.app.runner.check();
        for effect in out {
            self.perform_runner(effect);
        }
    }

    fn perform_runner(&mut self, effect: Effect) {
        match effect {
            Effect::Dial { conn } => self.app.dial = Some(conn),
            Effect::Hangup { conn, .. } => {
                self.app.dial.take_if(|dial| *dial == conn);
                if let Some(link) = self.runner_link(conn) {
                    link.broken = true;
                    link.runner = None;
                    link.down.clear();
                }
                self.jobs.push_back(Job::Runner(closed(conn, machines::runner::CloseClass::Retry)));
            }
            Effect::Send { conn, message } => self.send_up(conn, Up::Plain(message)),
            Effect::SendKv { conn, request, body, .. } => {
                let write = self.app.calls[&Ticket(body.0)].write;
                self.send_up(conn, Up::Kv { request, write });
            }
            Effect::SendResponse { conn, request, body, .. } => {
                self.send_up(conn, Up::Response { request, done: body == BodyId(1) });
            }
            Effect::SendUndelivered { conn, request, .. } => self.send_up(conn, Up::Undelivered { request }),
            Effect::SendOverloaded { .. } => unreachable!("one request is no overload"),
            Effect::SendAbort { conn, request, .. } => self.send_up(conn, Up::Abort { request }),
            Effect::StartInstance { generation, .. } => {
                assert!(self.app.code.is_none(), "an actor runs once");
                self.ghost.start(generation.0);
                self.app.code = Some(Code { generation, started: false, stopping: false, cut: false });
            }
            Effect::StopInstance { graceful, .. } => {
                let code = self.app.code.as_mut().expect("only what runs is stopped");
                code.stopping = true;
                code.cut |= !graceful;
            }
            Effect::Deliver { generation, request, body, .. } => {
                self.deliver(generation, request, Ticket(body.0))
            }
            Effect::KvDone { ticket, body } => self.respond(ticket, body == BodyId(1)),
            Effect::KvFailed { ticket, .. } => self.respond(ticket, false),
            Effect::AlarmKept { .. } | Effect::AlarmFailed { .. } => unreachable!("nobody sets an alarm"),
            Effect::SendWebSocket { .. } | Effect::DeliverMessage { .. } | Effect::DeliverClose { .. } => {
                unreachable!("nobody opens a WebSocket")
            }
            Effect::Ready { .. }
            | Effect::Lost
            | Effect::Drop { .. }
            | Effect::Fact(_)
            | Effect::Cancel { .. } => {}
            Effect::Ended { .. } => {
                self.ghost.broken.insert(LIVES);
            }
        }
    }

    /// User code writes what the request asks for.
    fn deliver(&mut self, generation: Generation, request: RequestId, client: Ticket) {
        self.ghost.deliver(client, self.clients[&client].safe);
        let used: BTreeSet<Ticket> = self.app.calls.keys().copied().collect();
        let free = (1..).map(Ticket).find(|ticket| !used.contains(ticket)).expect("there are enough numbers");
        let write = Write { ticket: client, generation: generation.0 };
        self.app.calls.insert(free, Call { request, write });
        let event = InstanceEvent::Kv { ticket: free, repeatable: true, body: BodyId(free.0) };
        self.jobs.push_back(Job::Runner(Input::Instance { actor: actor(), generation, event }));
    }

    /// User code answers, saying whether its write was acknowledged.
    fn respond(&mut self, ticket: Ticket, done: bool) {
        let call = self.app.calls.remove(&ticket).expect("a write is answered once");
        let body = BodyId(u64::from(done));
        let event = InstanceEvent::Respond { gateway: GATEWAY, request: call.request, body };
        let generation = Generation(call.write.generation);
        self.jobs.push_back(Job::Runner(Input::Instance { actor: actor(), generation, event }));
    }

    /// A message that arrived at the runner.
    pub(crate) fn hear_down(&mut self, conn: ConnId, message: Down) {
        let frames = match message {
            Down::Plain(message) => frames(message),
            Down::KvDone { request } => vec![Frame::KvResponse { request, body: BodyId(1) }],
            Down::Request { request, ticket } => {
                vec![Frame::Request { gateway: GATEWAY, request, actor: actor(), body: BodyId(ticket.0) }]
            }
            Down::Abort { request } => vec![Frame::RequestAbort { gateway: GATEWAY, request }],
        };
        self.jobs.extend(frames.into_iter().map(|frame| Job::Runner(Input::Frame { conn, frame })));
    }

    fn send_up(&mut self, conn: ConnId, message: Up) {
        if let Some(link) = self.runner_link(conn).filter(|link| !link.broken) {
            link.up.push_back(message);
        }
    }

    pub(crate) fn runner_link(&mut self, conn: ConnId) -> Option<&mut Link> {
        self.links.iter_mut().find(|link| link.runner == Some(conn))
    }

    /// The runner sees the end of a socket; what was on its way to it is lost.
    pub(crate) fn runner_notices(&mut self, conn: ConnId) {
        let link = self.runner_link(conn).expect("a socket ends once");
        assert!(link.broken, "only a broken socket ends");
        link.runner = None;
        link.down.clear();
        let class = link.class;
        self.jobs.push_back(Job::Runner(closed(conn, class)));
    }

    /// What user code does by itself.
    pub(crate) fn instance(&mut self, event: InstanceEvent) {
        let code = self.app.code.as_mut().expect("only what runs does something");
        let generation = code.generation;
        if event == InstanceEvent::Started {
            code.started = true;
        } else if matches!(event, InstanceEvent::Stopped { .. }) {
            self.app.code = None;
        }
        self.jobs.push_back(Job::Runner(Input::Instance { actor: actor(), generation, event }));
    }
}

/// The end of a socket. Half of the longest wait follows.
pub(crate) const fn closed(conn: ConnId, class: machines::runner::CloseClass) -> Input {
    Input::Closed { conn, class, jitter: 1 << 63 }
}

fn frames(message: EngineMessage) -> Vec<Frame> {
    match message {
        EngineMessage::Init { runner, lost_threshold, drain_grace, .. } => {
            vec![Frame::Init { runner, lost_threshold, drain_grace }]
        }
        EngineMessage::Commands(commands) => commands
            .into_iter()
            .map(|command| {
                let checkpoint = Checkpoint {
                    actor_id: command.actor,
                    generation: command.generation,
                    index: command.index,
                };
                match command.kind {
                    CommandKind::Start { .. } => Frame::Start { checkpoint, body: BodyId(0) },
                    CommandKind::Stop => Frame::StopActor { checkpoint },
                }
            })
            .collect(),
        EngineMessage::AckEvents(checkpoints) => vec![Frame::AckEvents(checkpoints)],
        EngineMessage::Ping { ts } => vec![Frame::Ping { ts }],
        EngineMessage::KvRefused { request, .. } => vec![Frame::KvRefused { request, body: BodyId(0) }],
    }
}
