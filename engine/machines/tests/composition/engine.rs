//! The engine's side: control plane and gateway in one process, and the records that outlive it.

use std::collections::BTreeMap;

use machines::control::record::Key;
use machines::control::{self, Control, Record};
use machines::gateway::{self, Gateway};
use machines::route::Route;
use protocol::api::{CrashPolicy, PoolKind, RunnerConfig};
use protocol::error::CloseReason;
use protocol::id::{ActorId, BodyId, ConnId, NamespaceId, RunnerId, Ticket};
use protocol::time::Now;
use protocol::view::Fact;

use crate::link::{Down, Link, Up, Write};
use crate::world::{Job, World};
use machines::runner::{CloseClass, Message};

/// The process.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Engine {
    pub(crate) control: Control,
    pub(crate) gateway: Gateway,
    /// As the gateway was last told.
    pub(crate) route: Option<Route>,
}

pub(crate) fn actor() -> ActorId {
    ActorId::from_entropy([7; 16])
}

const POOL: &str = "default";

impl Engine {
    /// Starts from records; its effects are writes only.
    pub(crate) fn restore(now: Now, records: &mut BTreeMap<Key, Record>) -> Self {
        let mut out = Vec::new();
        let namespace = NamespaceId::from_entropy([1; 16]);
        let stored = records.iter().map(|(key, record)| (key.clone(), record.clone()));
        let control = Control::restore(control_options(), now, namespace, stored, &mut out)
            .expect("what was stored is a state");
        for effect in out {
            assert!(store(records, &effect), "nothing is connected at the start: {effect:?}");
        }
        let gateway = Gateway::new(gateway_options());
        Self { control, gateway, route: None }
    }

    /// The API calls that make the pool and the actor.
    pub(crate) fn set_up(&mut self, now: Now, records: &mut BTreeMap<Key, Record>) {
        let pool = control::input::Call::UpsertRunnerConfig {
            namespace: POOL.to_owned(),
            pool: POOL.to_owned(),
            config: RunnerConfig { kind: PoolKind::Normal(Default::default()), metadata: None },
        };
        let create = control::input::Call::CreateActor(control::input::NewActor {
            fresh: actor(),
            namespace: POOL.to_owned(),
            name: "counter".to_owned(),
            key: None,
            pool: POOL.to_owned(),
            crash_policy: CrashPolicy::Sleep,
            input: None,
        });
        for call in [pool, create] {
            let mut out = Vec::new();
            self.control.handle(now, control::Input::Api { ticket: Ticket(0), call }, &mut out);
            for effect in out {
                store(records, &effect);
            }
        }
    }
}

fn control_options() -> control::Options {
    control::Options { ping_interval: std::time::Duration::from_secs(5), ..control::Options::default() }
}

pub(crate) fn gateway_options() -> gateway::Options {
    gateway::Options { response_timeout: std::time::Duration::from_secs(10), ..gateway::Options::default() }
}

/// Writes an effect to the store, if it is a write of records.
fn store(records: &mut BTreeMap<Key, Record>, effect: &control::Effect) -> bool {
    if let control::Effect::Put(key, record) = effect {
        records.insert(key.clone(), (**record).clone());
    } else if let control::Effect::Delete(key) = effect {
        records.remove(key);
    } else {
        return false;
    }
    true
}

impl World {
    /// One control step: its writes are durable before anything of it is performed. An engine that crashes in between
    /// performs nothing.
    pub(crate) fn control(&mut self, input: control::Input, crash: bool) {
        let Some(engine) = &mut self.engine else { return };
        let mut out = Vec::new();
        engine.control.handle(self.now, input, &mut out);
        engine.control.check();
        for effect in &out {
            store(&mut self.records, effect);
            if let control::Effect::Kv { generation, body, .. } = effect {
                self.ghost.commit(generation.0, written(*body));
            }
        }
        if crash {
            self.crash();
            return;
        }
        for effect in out {
            self.perform_control(effect);
        }
    }

    fn perform_control(&mut self, effect: control::Effect) {
        match effect {
            control::Effect::Put(..) | control::Effect::Delete(_) => {}
            control::Effect::Kv { conn, request, .. } => self.send_down(conn, Down::KvDone { request }),
            control::Effect::Send { conn, message } => self.send_down(conn, Down::Plain(message)),
            control::Effect::Close { conn, reason } => {
                if let Some(link) = self.engine_link(conn) {
                    link.broken = true;
                    if reason == CloseReason::Eviction {
                        link.class = CloseClass::Evicted;
                    }
                }
                self.engine_notices(conn);
            }
            control::Effect::Route { actor, route } => {
                self.jobs.push_back(Job::Gateway(gateway::Input::Route { actor, route }));
            }
            control::Effect::Fact(Fact::Placed { generation, .. }) => self.ghost.place(generation.0),
            control::Effect::Answer { .. } | control::Effect::Drop { .. } | control::Effect::Fact(_) => {}
            control::Effect::OpenStream { .. }
            | control::Effect::CloseStream { .. }
            | control::Effect::FetchMetadata { .. }
            | control::Effect::DropFetch { .. }
            | control::Effect::ReadKv { .. }
            | control::Effect::KeepInput { .. }
            | control::Effect::Erase { .. } => unreachable!("{effect:?} has no cause here"),
        }
    }

    pub(crate) fn gateway(&mut self, input: gateway::Input) {
        let Some(engine) = &mut self.engine else { return };
        if let gateway::Input::Route { route, .. } = input {
            engine.route = Some(route);
        }
        let mut out = Vec::new();
        engine.gateway.handle(self.now, input, &mut out);
        engine.gateway.check();
        for effect in out {
            match effect {
                gateway::Effect::Watch { actor } => {
                    self.jobs.push_back(Job::Control(control::Input::Watch { actor }))
                }
                gateway::Effect::Unwatch { actor } => {
                    self.jobs.push_back(Job::Control(control::Input::Unwatch { actor }));
                }
                gateway::Effect::Disowned { actor, generation, conn } => {
                    let input = control::Input::Disowned { actor, generation, conn };
                    self.jobs.push_back(Job::Control(input));
                }
                gateway::Effect::Forward { ticket, conn, request, .. } => {
                    self.send_down(conn, Down::Request { request, ticket });
                }
                gateway::Effect::Abort { conn, request } => self.send_down(conn, Down::Abort { request }),
                gateway::Effect::Respond { ticket, body, .. } => self.answered(ticket, Some(body == DONE)),
                gateway::Effect::Fail { ticket, .. } => self.answered(ticket, None),
                gateway::Effect::Drop { .. } | gateway::Effect::Fact(_) => {}
                gateway::Effect::Observe { .. }
                | gateway::Effect::Open { .. }
                | gateway::Effect::Accept { .. }
                | gateway::Effect::Refuse { .. }
                | gateway::Effect::ToActor { .. }
                | gateway::Effect::ToClient { .. }
                | gateway::Effect::CloseActor { .. }
                | gateway::Effect::CloseClient { .. }
                | gateway::Effect::Ping { .. } => unreachable!("nobody opens a WebSocket"),
            }
        }
    }

    /// A message that arrived at the engine.
    pub(crate) fn hear_up(&mut self, conn: ConnId, message: Up, crash: bool) {
        let to_gateway = |input| Job::Gateway(input);
        let job = match message {
            Up::Plain(message) => match frame(message) {
                Some(frame) => return self.control(control::Input::Frame { conn, frame }, crash),
                None => return,
            },
            Up::Kv { request, write } => {
                let frame = control::input::Frame::Kv {
                    request,
                    actor: actor(),
                    op: control::input::KvOp::Write,
                    body: BodyId(write.ticket.0 * 1_000 + u64::from(write.generation)),
                };
                return self.control(control::Input::Frame { conn, frame }, crash);
            }
            Up::Response { request, done } => {
                let body = if done { DONE } else { NOT_DONE };
                to_gateway(gateway::Input::ResponseStart {
                    conn,
                    request,
                    body,
                    more: false,
                    undelivered: false,
                })
            }
            Up::Undelivered { request } => to_gateway(gateway::Input::ResponseStart {
                conn,
                request,
                body: NOT_DONE,
                more: false,
                undelivered: true,
            }),
            Up::Abort { request } => to_gateway(gateway::Input::ResponseAbort { conn, request }),
        };
        self.jobs.push_back(job);
    }

    fn send_down(&mut self, conn: ConnId, message: Down) {
        if let Some(link) = self.engine_link(conn).filter(|link| !link.broken) {
            link.down.push_back(message);
        }
    }

    pub(crate) fn engine_link(&mut self, conn: ConnId) -> Option<&mut Link> {
        self.links.iter_mut().find(|link| link.engine == Some(conn))
    }

    /// The engine sees the end of a socket; what was on its way to it is lost.
    pub(crate) fn engine_notices(&mut self, conn: ConnId) {
        let link = self.engine_link(conn).expect("a socket ends once");
        assert!(link.broken, "only a broken socket ends");
        link.engine = None;
        link.up.clear();
        self.jobs.push_back(Job::Control(control::Input::SocketClosed { conn }));
    }
}

/// The body of a response after a write that was acknowledged, and of one after a write that was not.
const DONE: BodyId = BodyId(1);
const NOT_DONE: BodyId = BodyId(0);

const fn written(body: BodyId) -> Write {
    Write { ticket: Ticket(body.0 / 1_000), generation: (body.0 % 1_000) as u32 }
}

fn frame(message: Message) -> Option<control::input::Frame> {
    Some(match message {
        Message::Init { total_slots } => control::input::Frame::Init {
            fresh: RunnerId::from_entropy([9; 16]),
            pool: POOL.to_owned(),
            version: 1,
            total_slots,
            actor_names: BTreeMap::new(),
            metadata: None,
        },
        Message::Events(events) => {
            let event = |wrapper: protocol::wire::EventWrapper| control::input::RunnerEvent {
                actor: wrapper.checkpoint.actor_id,
                generation: wrapper.checkpoint.generation,
                index: wrapper.checkpoint.index,
                event: wrapper.inner,
            };
            control::input::Frame::Events(events.into_iter().map(event).collect())
        }
        Message::AckCommands(_) => return None,
        Message::Stopping => control::input::Frame::Stopping,
        Message::Pong { ts } => control::input::Frame::Pong { ts },
    })
}
