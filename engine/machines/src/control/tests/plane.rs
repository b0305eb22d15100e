//! A control plane with a store, a clock and obedient runners, in few words.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::time::Duration;

use protocol::api::{self, CrashPolicy};
use protocol::error::ApiError;
use protocol::id::{
    ActorId, BodyId, ConnId, FetchId, Generation, NamespaceId, RunnerId, RunnerKey, StreamId, Ticket,
};
use protocol::time::{Mono, Now, Wall};
use protocol::view::{ActorView, Fact};
use protocol::wire::{ActorIntent, ActorState, Event, StopCode};

use crate::control::effect::{Answer, CommandKind, Message};
use crate::control::input::{Call, Frame, KvOp, NewActor, RunnerEvent, StreamEnd};
use crate::control::record::{Key, Record};
use crate::control::{Control, Effect, Input, Options};

pub(super) const BOOT: Now = Now { mono: Mono(1_000_000_000), wall: Wall(1_000_000) };

/// An id that shows its name.
pub(super) fn actor(name: &str) -> ActorId {
    format!("{name:0<30}").parse().unwrap()
}

pub(super) fn runner(name: &str) -> RunnerId {
    format!("{name:0<30}").parse().unwrap()
}

pub(super) struct Plane {
    pub(super) control: Control,
    pub(super) now: Now,
    pub(super) stored: BTreeMap<Key, Record>,
    /// Effects of the last call, without writes of records.
    pub(super) last: Vec<Effect>,
    story: String,
    conns: u64,
    tickets: u64,
    /// The socket of each runner key.
    sockets: BTreeMap<String, ConnId>,
    pings: BTreeMap<ConnId, i64>,
    answering: BTreeSet<ConnId>,
    /// Calls that are not answered yet.
    open: BTreeSet<Ticket>,
    events: BTreeMap<(ActorId, Generation), i64>,
    pub(super) streams: Vec<StreamId>,
    /// Applications that are being asked for their metadata.
    pub(super) fetches: Vec<FetchId>,
}

impl Plane {
    pub(super) fn new() -> Self {
        Self::with(Options::default())
    }

    pub(super) fn with(options: Options) -> Self {
        Self::from_records(options, BTreeMap::new(), BOOT)
    }

    fn from_records(options: Options, mut stored: BTreeMap<Key, Record>, now: Now) -> Self {
        let mut out = Vec::new();
        let namespace = NamespaceId::from_entropy([7; 16]);
        let control = Control::restore(options, now, namespace, stored.clone(), &mut out).unwrap();
        apply(&mut stored, &out);
        let mut plane = Self {
            control,
            now,
            stored,
            last: Vec::new(),
            story: String::new(),
            conns: 0,
            tickets: 0,
            sockets: BTreeMap::new(),
            pings: BTreeMap::new(),
            answering: BTreeSet::new(),
            open: BTreeSet::new(),
            events: BTreeMap::new(),
            streams: Vec::new(),
            fetches: Vec::new(),
        };
        plane.hear(out);
        plane
    }

    /// The engine's process ends, and another one takes the store over.
    pub(super) fn restart(&mut self, away: u64) -> &mut Self {
        self.title(format_args!("restart after {away} ms"));
        let now = self.now.after(Duration::from_millis(away));
        let options = self.control.options.clone();
        let mut next = Self::from_records(options, self.stored.clone(), now);
        next.story = std::mem::take(&mut self.story) + &next.story;
        next.events = std::mem::take(&mut self.events);
        next.conns = self.conns;
        *self = next;
        self
    }

    pub(super) fn input(&mut self, input: Input) -> &mut Self {
        self.last.clear();
        self.step(input);
        self
    }

    /// A call that is answered in a later step.
    pub(super) fn later(&mut self, input: Input) -> &mut Self {
        let Input::Api { ticket, .. } = &input else { panic!("{input:?} is no call") };
        self.open.insert(*ticket);
        self.last.clear();
        self.step(input);
        self
    }

    fn step(&mut self, input: Input) {
        let asked = match &input {
            Input::Api { ticket, .. } => Some(*ticket),
            _ => None,
        };
        let mut out = Vec::new();
        self.control.handle(self.now, input, &mut out);
        let now = asked.filter(|ticket| !self.open.contains(ticket));
        let mut answered: Vec<Ticket> = out
            .iter()
            .filter_map(|effect| match effect {
                Effect::Answer { ticket, .. } | Effect::ReadKv { ticket, .. } => Some(*ticket),
                _ => None,
            })
            .collect();
        answered.retain(|ticket| !self.open.remove(ticket));
        assert_eq!(answered, now.into_iter().collect::<Vec<_>>(), "each call is answered once");
        apply(&mut self.stored, &out);
        self.hear(out);
    }

    fn hear(&mut self, out: Vec<Effect>) {
        self.control.check();
        assert_eq!(self.stored, self.control.records().collect(), "what is written is the state");
        let mut asked = Vec::new();
        for effect in out {
            match &effect {
                Effect::Put(..) | Effect::Delete(..) => continue,
                Effect::Send { conn, message: Message::Ping { ts } } => {
                    self.pings.insert(*conn, *ts);
                    if self.answering.contains(conn) {
                        asked.push((*conn, *ts));
                    }
                    continue;
                }
                Effect::OpenStream { stream, .. } => self.streams.push(*stream),
                Effect::CloseStream { stream } => self.streams.retain(|it| it != stream),
                Effect::FetchMetadata { fetch, .. } => self.fetches.push(*fetch),
                Effect::DropFetch { fetch } => self.fetches.retain(|it| it != fetch),
                _ => {}
            }
            writeln!(self.story, "    {}", tell(&effect)).unwrap();
            self.last.push(effect);
        }
        for (conn, ts) in asked {
            self.step(Input::Frame { conn, frame: Frame::Pong { ts } });
        }
    }

    fn title(&mut self, title: std::fmt::Arguments<'_>) {
        let at = self.now.mono.since(BOOT.mono).as_millis();
        writeln!(self.story, "{at:>6} {title}").unwrap();
    }

    pub(super) fn story(&mut self) -> String {
        std::mem::take(&mut self.story)
    }

    /// Time passes; every deadline on the way is kept to.
    pub(super) fn after(&mut self, ms: u64) -> &mut Self {
        let end = self.now.after(Duration::from_millis(ms));
        self.title(format_args!("after {ms} ms"));
        self.last.clear();
        while let Some((at, _)) = self.control.next_deadline().filter(|(at, _)| *at <= end.mono) {
            let before = self.control.next_deadline();
            let step = at.since(self.now.mono);
            self.now = self.now.after(step);
            // Half a millisecond of either clock may be lost between the two.
            self.now.wall = self.now.wall.max(Wall(BOOT.wall.0 + millis(self.now.mono)));
            self.step(Input::Tick);
            assert!(self.control.next_deadline() != before, "a deadline that came is gone: {before:?}");
        }
        self.now = end;
        self.step(Input::Tick);
        self
    }

    pub(super) fn call(&mut self, call: Call) -> Result<Answer, ApiError> {
        self.tickets += 1;
        let ticket = Ticket(self.tickets);
        self.input(Input::Api { ticket, call });
        let answer = self.last.iter().find_map(|effect| match effect {
            Effect::Answer { ticket: to, answer } if *to == ticket => Some((**answer).clone()),
            _ => None,
        });
        answer.unwrap()
    }

    pub(super) fn new_actor(name: &str) -> NewActor {
        NewActor {
            fresh: actor(name),
            namespace: "default".into(),
            name: "counter".into(),
            key: Some(name.to_owned()),
            pool: "default".into(),
            crash_policy: CrashPolicy::Sleep,
            input: None,
        }
    }

    pub(super) fn create(&mut self, name: &str) -> &mut Self {
        self.create_with(name, CrashPolicy::Sleep)
    }

    pub(super) fn create_with(&mut self, name: &str, crash_policy: CrashPolicy) -> &mut Self {
        self.title(format_args!("create {name}"));
        self.call(Call::CreateActor(NewActor { crash_policy, ..Self::new_actor(name) })).unwrap();
        self
    }

    pub(super) fn delete(&mut self, name: &str) -> &mut Self {
        self.title(format_args!("delete {name}"));
        self.call(Call::DeleteActor { namespace: None, actor: actor(name) }).unwrap();
        self
    }

    pub(super) fn configure(&mut self, config: api::RunnerConfig) -> &mut Self {
        self.title(format_args!("configure"));
        let (namespace, pool) = ("default".into(), "default".into());
        self.call(Call::UpsertRunnerConfig { namespace, pool, config }).unwrap();
        self
    }

    pub(super) fn normal(&mut self) -> &mut Self {
        self.configure(api::RunnerConfig::normal())
    }

    pub(super) fn serverless(&mut self) -> &mut Self {
        self.configure(serverless("http://app"))
    }

    pub(super) fn watch(&mut self, name: &str) -> &mut Self {
        self.title(format_args!("watch {name}"));
        self.input(Input::Watch { actor: actor(name) })
    }

    pub(super) fn observe(&mut self, name: &str) -> &mut Self {
        self.title(format_args!("observe {name}"));
        self.input(Input::Observe { actor: actor(name) })
    }

    pub(super) fn unwatch(&mut self, name: &str) -> &mut Self {
        self.title(format_args!("unwatch {name}"));
        self.input(Input::Unwatch { actor: actor(name) })
    }

    /// A runner connects and says who it is; it does not answer pings.
    pub(super) fn connect(&mut self, name: &str, slots: u32) -> &mut Self {
        self.connect_version(name, slots, 1)
    }

    pub(super) fn connect_version(&mut self, name: &str, slots: u32, version: u32) -> &mut Self {
        self.connect_as(name, slots, version, None)
    }

    pub(super) fn connect_as(
        &mut self,
        name: &str,
        slots: u32,
        version: u32,
        metadata: Option<&str>,
    ) -> &mut Self {
        self.title(format_args!("connect {name}"));
        let conn = self.socket(name);
        self.last.clear();
        self.step(Input::Frame {
            conn,
            frame: Frame::Init {
                fresh: runner(&format!("{name}c{}x", conn.0)),
                pool: "default".into(),
                version,
                total_slots: slots,
                actor_names: BTreeMap::new(),
                metadata: metadata.map(str::to_owned),
            },
        });
        self
    }

    /// As [`Self::runner`], with what it says of itself.
    pub(super) fn runner_saying(&mut self, name: &str, slots: u32, metadata: &str) -> &mut Self {
        self.connect_as(name, slots, 1, Some(metadata)).pong(name)
    }

    /// A runner's socket without Init.
    pub(super) fn socket(&mut self, name: &str) -> ConnId {
        self.conns += 1;
        let conn = ConnId(self.conns);
        self.sockets.insert(name.to_owned(), conn);
        let key = RunnerKey::new(name).unwrap();
        self.input(Input::SocketOpened { conn, namespace: "default".into(), key });
        conn
    }

    /// The runner answers the last ping, and each one from here on.
    pub(super) fn pong(&mut self, name: &str) -> &mut Self {
        self.title(format_args!("pong {name}"));
        let conn = self.conn(name);
        self.answering.insert(conn);
        let ts = self.pings.get(&conn).copied().unwrap_or_default();
        self.input(Input::Frame { conn, frame: Frame::Pong { ts } })
    }

    /// Runners that drain, by the names they connected with, in order.
    pub(super) fn draining(&self) -> Vec<String> {
        let views = self.control.view().runners;
        let ids = views.iter().filter(|it| it.draining).map(|it| it.runner.to_string());
        // An id begins with the name, and a `c` that ends it.
        let mut names: Vec<String> = ids.filter_map(|id| Some(id.split_once('c')?.0.to_owned())).collect();
        names.sort();
        names
    }

    /// From here on the runner answers no ping.
    pub(super) fn mute(&mut self, name: &str) -> &mut Self {
        self.answering.remove(&self.conn(name));
        self
    }

    pub(super) fn runner(&mut self, name: &str, slots: u32) -> &mut Self {
        self.connect(name, slots).pong(name)
    }

    /// The runner that opened this socket, if it is its last one.
    pub(super) fn name_of(&self, conn: ConnId) -> Option<String> {
        self.sockets.iter().find(|(_, its)| **its == conn).map(|(name, _)| name.clone())
    }

    pub(super) fn conn(&self, name: &str) -> ConnId {
        self.sockets[name]
    }

    pub(super) fn frame(&mut self, name: &str, frame: Frame) -> &mut Self {
        let conn = self.conn(name);
        self.input(Input::Frame { conn, frame })
    }

    pub(super) fn stopping(&mut self, name: &str) -> &mut Self {
        self.title(format_args!("stopping {name}"));
        self.frame(name, Frame::Stopping)
    }

    pub(super) fn drop_socket(&mut self, name: &str) -> &mut Self {
        self.title(format_args!("drop socket of {name}"));
        let conn = self.conn(name);
        self.answering.remove(&conn);
        self.input(Input::SocketClosed { conn })
    }

    /// An event of the actor's last generation, from the runner.
    pub(super) fn event(&mut self, from: &str, of: &str, event: Event) -> &mut Self {
        let generation = self.view(of).generation.unwrap();
        self.event_of(from, of, generation, event)
    }

    pub(super) fn event_of(
        &mut self,
        from: &str,
        of: &str,
        generation: Generation,
        event: Event,
    ) -> &mut Self {
        let next = self.events.entry((actor(of), generation)).or_default();
        let index = *next;
        *next += 1;
        self.frame(from, Frame::Events(vec![RunnerEvent { actor: actor(of), generation, index, event }]))
    }

    pub(super) fn running(&mut self, from: &str, of: &str) -> &mut Self {
        self.title(format_args!("{from}: {of} runs"));
        self.event(from, of, Event::ActorStateUpdate { state: ActorState::Running })
    }

    pub(super) fn stopped(&mut self, from: &str, of: &str, code: StopCode) -> &mut Self {
        self.title(format_args!("{from}: {of} stopped ({code:?})"));
        self.event(from, of, Event::ActorStateUpdate { state: ActorState::Stopped { code, message: None } })
    }

    pub(super) fn sleeps(&mut self, from: &str, of: &str) -> &mut Self {
        self.title(format_args!("{from}: {of} wants to sleep"));
        self.event(from, of, Event::ActorIntent { intent: ActorIntent::Sleep })
    }

    pub(super) fn ends(&mut self, from: &str, of: &str) -> &mut Self {
        self.title(format_args!("{from}: {of} wants to end"));
        self.event(from, of, Event::ActorIntent { intent: ActorIntent::Stop })
    }

    pub(super) fn alarm(&mut self, from: &str, of: &str, at: Option<Wall>) -> &mut Self {
        self.title(format_args!("{from}: {of} sets its alarm"));
        self.event(from, of, Event::SetAlarm { alarm_ts: at.map(Wall::to_wire) })
    }

    /// A KV write; whether it was taken.
    pub(super) fn kv(&mut self, from: &str, of: &str) -> bool {
        self.title(format_args!("{from}: kv write of {of}"));
        let kv = Frame::Kv { request: 1, actor: actor(of), op: KvOp::Write, body: BodyId(9) };
        self.frame(from, kv);
        self.last.iter().any(|effect| matches!(effect, Effect::Kv { .. }))
    }

    /// The stream answers, and names its runner.
    pub(super) fn live(&mut self, stream: StreamId, name: &str) -> &mut Self {
        self.title(format_args!("{stream:?} holds {name}"));
        self.input(Input::StreamOpened { stream });
        let conn = self.conn(name);
        let id = self.control.view().runners.iter().find(|it| it.conn == Some(conn)).map(|it| it.runner);
        self.input(Input::StreamInit { stream, runner: id.unwrap() })
    }

    pub(super) fn stream_ends(&mut self, stream: StreamId, end: StreamEnd) -> &mut Self {
        self.title(format_args!("{stream:?} ends ({end:?})"));
        self.streams.retain(|it| *it != stream);
        self.input(Input::StreamEnded { stream, end })
    }

    pub(super) fn view(&self, name: &str) -> ActorView {
        let views = self.control.view().actors;
        views.into_iter().find(|it| it.actor == actor(name)).expect("a living actor")
    }

    pub(super) fn phase(&self, name: &str) -> &'static str {
        let views = self.control.view().actors;
        views.iter().find(|it| it.actor == actor(name)).map_or("gone", |it| it.phase)
    }

    pub(super) fn facts(&self) -> Vec<Fact> {
        let facts = self.last.iter().filter_map(|effect| match effect {
            Effect::Fact(fact) => Some(fact.clone()),
            _ => None,
        });
        facts.collect()
    }

    /// The commands of the last call, as `start a g1`.
    pub(super) fn commands(&self) -> Vec<String> {
        let commands = self.last.iter().filter_map(|effect| match effect {
            Effect::Send { message: Message::Commands(commands), .. } => Some(commands),
            _ => None,
        });
        commands.flatten().map(command).collect()
    }
}

fn millis(mono: Mono) -> u64 {
    u64::try_from(mono.since(BOOT.mono).as_nanos().div_ceil(1_000_000)).unwrap()
}

pub(super) fn apply(stored: &mut BTreeMap<Key, Record>, out: &[Effect]) {
    let mut performing = false;
    for effect in out {
        match effect {
            Effect::Put(key, record) => {
                stored.insert(key.clone(), (**record).clone());
            }
            Effect::Delete(key) => {
                stored.remove(key);
            }
            Effect::Kv { .. } | Effect::KeepInput { .. } | Effect::Erase { .. } => {}
            _ => {
                performing = true;
                continue;
            }
        }
        assert!(!performing, "writes come before what is performed");
    }
}

pub(super) fn serverless(url: &str) -> api::RunnerConfig {
    api::RunnerConfig {
        kind: api::PoolKind::Serverless(api::ServerlessConfig {
            url: url.into(),
            headers: BTreeMap::new(),
            request_lifespan: 900,
            max_concurrent_actors: 100,
            drain_grace_period: 10,
            slots_per_runner: 1,
            min_runners: 0,
            max_runners: 10,
            runners_margin: 0,
            metadata_poll_interval: 10_000,
            upgrade: api::Upgrade::default(),
        }),
        metadata: None,
    }
}

fn command(command: &crate::control::effect::Command) -> String {
    let kind = match &command.kind {
        CommandKind::Start { .. } => "start",
        CommandKind::Stop => "stop",
    };
    format!("{kind} {:?} {:?}", command.actor, command.generation)
}

fn tell(effect: &Effect) -> String {
    match effect {
        Effect::Send { conn, message: Message::Commands(commands) } => {
            let commands: Vec<_> = commands.iter().map(command).collect();
            format!("{conn:?} <- {}", commands.join(", "))
        }
        Effect::Send { conn, message } => format!("{conn:?} <- {message:?}"),
        Effect::Close { conn, reason } => format!("{conn:?} closed: {}", reason.as_str()),
        Effect::Route { actor, route } => format!("{actor:?} -> {route:?}"),
        Effect::Fact(fact) => format!("fact {fact:?}"),
        Effect::OpenStream { stream, .. } => format!("open {stream:?}"),
        Effect::CloseStream { stream } => format!("close {stream:?}"),
        Effect::Answer { ticket, answer } => match &**answer {
            Ok(_) => format!("{ticket:?} answered"),
            Err(error) => format!("{ticket:?} failed: {}", error.code()),
        },
        other => format!("{other:?}"),
    }
}
