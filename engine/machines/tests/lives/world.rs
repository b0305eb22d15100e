//! One state of everything, and how it changes.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::hash::{Hash, Hasher};
use std::time::Duration;

use machines::control::effect::Message;
use machines::control::input::{Call, Frame, KvOp, NewActor};
use machines::control::record::{Key, Record};
use machines::control::{Control, Effect, Input, Options};
use protocol::api::{CrashPolicy, RunnerConfig};
use protocol::error::CloseReason;
use protocol::id::{ActorId, BodyId, ConnId, NamespaceId, RunnerId, RunnerKey, Ticket};
use protocol::time::Now;
use protocol::view::Fact;

use crate::model::Budget;
use crate::process::{LOST, Link, Process, Said, Up};
use crate::relative::{Relative, beginning};

/// A state.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct World {
    pub(crate) now: Now,
    pub(crate) records: BTreeMap<Key, Record>,
    /// None while it is down.
    pub(crate) engine: Option<Control>,
    pub(crate) processes: Vec<Process>,
    pub(crate) links: Vec<Link>,
    next_conn: u64,
    pub(crate) spent: Budget,
    pub(crate) ghost: Ghost,
}

/// What the laws remember.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub(crate) struct Ghost {
    /// The generation that has rights.
    placed: Option<u32>,
    last: u32,
    /// Which process has started which generation.
    started: BTreeSet<(usize, u32)>,
    ran: BTreeSet<u32>,
    ended: BTreeSet<u32>,
    destroyed: bool,
    /// Laws that were broken.
    pub(crate) broken: BTreeSet<&'static str>,
}

pub(crate) const ONE: &str = "one generation at a time has rights, and only that one commits";
pub(crate) const ONCE: &str = "a generation starts once in a process, and ends once";
pub(crate) const FINAL: &str = "nothing follows destruction";

pub(crate) fn actor() -> ActorId {
    ActorId::from_entropy([7; 16])
}

fn options() -> Options {
    Options {
        ping_interval: Duration::from_secs(5),
        stop_threshold: Duration::from_secs(40),
        restop_threshold: Duration::from_secs(20),
        ..Options::default()
    }
}

fn restore(now: Now, records: &mut BTreeMap<Key, Record>) -> Control {
    let mut out = Vec::new();
    let stored = records.clone();
    let control = Control::restore(options(), now, NamespaceId::from_entropy([1; 16]), stored, &mut out);
    out.iter().for_each(|effect| write(records, effect));
    control.expect("what was stored is a state")
}

fn write(records: &mut BTreeMap<Key, Record>, effect: &Effect) {
    if let Effect::Put(key, record) = effect {
        records.insert(key.clone(), (**record).clone());
    } else if let Effect::Delete(key) = effect {
        records.remove(key);
    }
}

impl World {
    pub(crate) fn new() -> Self {
        let now = beginning();
        let mut records = BTreeMap::new();
        let engine = Some(restore(now, &mut records));
        let (processes, links) = (vec![Process::default()], Vec::new());
        let (spent, ghost) = (Budget::NONE, Ghost::default());
        let mut world = Self { now, records, engine, processes, links, next_conn: 1, spent, ghost };
        let (namespace, pool) = ("default".to_owned(), "default".to_owned());
        world.call(Call::UpsertRunnerConfig { namespace, pool, config: RunnerConfig::normal() });
        world.call(Call::CreateActor(NewActor {
            fresh: actor(),
            namespace: "default".to_owned(),
            name: "counter".to_owned(),
            key: None,
            pool: "default".to_owned(),
            crash_policy: CrashPolicy::Restart,
            input: None,
        }));
        world
    }

    pub(crate) fn call(&mut self, call: Call) {
        self.control(Input::Api { ticket: Ticket(0), call }, false);
    }

    /// A step of the engine. One that falls behind its commit performs nothing of it.
    pub(crate) fn control(&mut self, input: Input, falls: bool) {
        let Some(engine) = &mut self.engine else { return };
        let mut out = Vec::new();
        engine.handle(self.now, input, &mut out);
        engine.check();
        for effect in &out {
            write(&mut self.records, effect);
            // A fact is true from the commit on, whether or not somebody is told.
            self.ghost.note(effect);
        }
        if falls {
            self.fall();
            return;
        }
        for effect in out {
            match effect {
                Effect::Send { conn, message } => {
                    if let Some(link) = self.link(conn).filter(|link| !link.broken) {
                        link.down.push_back(message);
                    }
                }
                Effect::Close { conn, reason } => {
                    let link = self.link(conn).expect("only an open socket is closed");
                    (link.broken, link.engine) = (true, false);
                    link.evicts = reason == CloseReason::Eviction;
                    self.control(Input::SocketClosed { conn }, false);
                }
                _ => {}
            }
        }
    }

    fn link(&mut self, conn: ConnId) -> Option<&mut Link> {
        self.links.iter_mut().find(|link| link.conn == conn && link.engine)
    }

    pub(crate) fn fall(&mut self) {
        self.engine = None;
        for link in &mut self.links {
            (link.engine, link.broken) = (false, true);
            link.up.clear();
        }
    }

    pub(crate) fn rise(&mut self) {
        self.engine = Some(restore(self.now, &mut self.records));
    }

    pub(crate) fn dial(&mut self, of: usize) {
        let conn = ConnId(self.next_conn);
        self.next_conn += 1;
        let up = VecDeque::from([Up::Init]);
        let link = Link {
            conn,
            of,
            engine: true,
            process: true,
            up,
            down: VecDeque::new(),
            broken: false,
            silent: false,
            evicts: false,
        };
        self.links.push(link);
        self.processes[of].alone = None;
        let key = if self.processes[of].other { "other" } else { "runner" };
        let key = RunnerKey::new(key).expect("a short key");
        self.control(Input::SocketOpened { conn, namespace: "default".to_owned(), key }, false);
    }

    /// The oldest message to the engine arrives.
    pub(crate) fn up(&mut self, at: usize, falls: bool) {
        let link = &mut self.links[at];
        let conn = link.conn;
        let frame = match link.up.pop_front().expect("there is one") {
            Up::Init => Frame::Init {
                fresh: RunnerId::from_entropy([u8::try_from(conn.0 % 200).expect("a byte"); 16]),
                pool: "default".to_owned(),
                version: 1,
                total_slots: 1,
                actor_names: BTreeMap::new(),
                metadata: None,
            },
            Up::Events(events) => Frame::Events(events),
            Up::Pong(ts) => Frame::Pong { ts },
            Up::Stopping => Frame::Stopping,
            Up::Write(generation) => {
                let body = BodyId(u64::from(generation));
                Frame::Kv { request: 1, actor: actor(), op: KvOp::Write, body }
            }
        };
        self.control(Input::Frame { conn, frame }, falls);
    }

    /// The oldest message to a process arrives, and is still there if it comes twice.
    pub(crate) fn down(&mut self, at: usize, twice: bool) {
        let link = &mut self.links[at];
        let of = link.of;
        let message = if twice { link.down.front().cloned() } else { link.down.pop_front() };
        let message = message.expect("there is one");
        let (said, started) = self.processes[of].hear(message);
        self.links[at].up.extend(said);
        if let Some(generation) = started
            && !self.ghost.started.insert((of, generation))
        {
            self.ghost.broken.insert(ONCE);
        }
        if self.processes[of].instance.is_none() {
            self.processes[of].alone = None;
        }
    }

    pub(crate) fn engine_notices(&mut self, at: usize) {
        let link = &mut self.links[at];
        link.engine = false;
        link.up.clear();
        let conn = link.conn;
        self.control(Input::SocketClosed { conn }, false);
        self.sweep();
    }

    pub(crate) fn process_notices(&mut self, at: usize) {
        let link = &mut self.links[at];
        link.process = false;
        link.down.clear();
        // Whoever gives a silent socket up closes it, which nobody hears.
        let (of, evicts) = (link.of, link.evicts && link.broken && !link.silent);
        if !link.silent {
            link.broken = true;
        }
        let process = &mut self.processes[of];
        if evicts {
            *process = Process::evicted();
        } else if process.instance.is_some() {
            process.alone = Some(self.now.mono);
        }
        self.sweep();
    }

    pub(crate) fn die(&mut self, of: usize) {
        self.processes[of] = Process { other: self.processes[of].other, ..Process::default() };
        self.ghost.started.retain(|(process, _)| *process != of);
        for link in self.links.iter_mut().filter(|link| link.of == of) {
            link.process = false;
            link.down.clear();
            link.broken = true;
        }
        self.sweep();
    }

    pub(crate) fn say(&mut self, of: usize, said: &Said) {
        let up = self.processes[of].say(said);
        self.send(of, up);
        if self.processes[of].instance.is_none() {
            self.processes[of].alone = None;
        }
    }

    pub(crate) fn send(&mut self, of: usize, up: Up) {
        if let Some(at) = self.session(of).filter(|at| !self.links[*at].broken) {
            self.links[at].up.push_back(up);
        }
    }

    /// The socket of a process.
    pub(crate) fn session(&self, of: usize) -> Option<usize> {
        self.links.iter().position(|link| link.of == of && link.process)
    }

    /// To the next deadline of anybody; false if there is none.
    pub(crate) fn advance(&mut self) -> bool {
        let engine = self.engine.as_ref().and_then(|engine| Some(engine.next_deadline()?.0));
        let lost = self.processes.iter().filter_map(|process| Some(process.alone? + LOST));
        let Some(at) = engine.into_iter().chain(lost).min() else { return false };
        self.now = self.now.after(at.since(self.now.mono));
        for process in &mut self.processes {
            if process.alone.is_some_and(|since| since + LOST <= self.now.mono) {
                process.instance = None;
                process.events.clear();
                process.alone = None;
            }
        }
        self.control(Input::Tick, false);
        true
    }

    fn sweep(&mut self) {
        self.links.retain(|link| link.process || link.engine);
    }

    pub(crate) fn phase(&self) -> Option<&'static str> {
        let actors = self.engine.as_ref()?.view().actors;
        Some(actors.first().map_or("destroyed", |actor| actor.phase))
    }
}

impl Ghost {
    fn note(&mut self, effect: &Effect) {
        match effect {
            Effect::Fact(Fact::Placed { generation, .. }) => {
                let fresh = generation.0 == self.last + 1 && self.placed.is_none();
                self.last = generation.0;
                self.placed = Some(generation.0);
                self.require(fresh, ONE);
                self.require(!self.destroyed, FINAL);
            }
            Effect::Fact(Fact::Running { generation, .. }) => {
                let first = self.ran.insert(generation.0);
                self.require(first, ONCE);
            }
            Effect::Fact(Fact::Ended { generation, .. }) => {
                let had = self.placed.take() == Some(generation.0);
                let first = self.ended.insert(generation.0);
                self.require(had && first, ONCE);
            }
            Effect::Fact(Fact::Destroyed { .. }) => {
                let rest = !self.destroyed && self.placed.is_none();
                self.destroyed = true;
                self.require(rest, FINAL);
            }
            // The body says whose user code has asked.
            Effect::Kv { generation, body, .. } => {
                let own = self.placed == Some(generation.0) && body.0 == u64::from(generation.0);
                self.require(own, ONE);
            }
            Effect::Send { message: Message::Commands(commands), .. } => {
                for start in commands.iter().filter(|command| command.index == 0) {
                    self.require(Some(start.generation.0) == self.placed, ONE);
                    // Whoever runs as far as the store knows is not started again.
                    self.require(!self.ran.contains(&start.generation.0), ONCE);
                }
            }
            _ => {}
        }
    }

    fn require(&mut self, holds: bool, law: &'static str) {
        if !holds {
            self.broken.insert(law);
        }
    }
}

impl Hash for World {
    fn hash<H: Hasher>(&self, state: &mut H) {
        let Self { now, records, engine, processes, links, next_conn, spent, ghost } = self;
        let mut state = Relative { now: *now, inner: state };
        (records, engine, processes, links, next_conn, spent, ghost).hash(&mut state);
    }
}
