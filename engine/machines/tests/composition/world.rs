//! One state of everything, and what laws remember of the past.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::hash::{Hash, Hasher};

use machines::control::record::Key;
use machines::control::{self, Record};
use machines::gateway;
use machines::runner;
use protocol::id::{ConnId, Ticket};
use protocol::time::{Mono, Now};

use crate::app::App;
use crate::engine::Engine;
use crate::link::{Link, Write};
use crate::model::Budget;
use crate::relative::{Relative, beginning};

/// A state.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct World {
    pub(crate) now: Now,
    pub(crate) records: BTreeMap<Key, Record>,
    /// None while it is down.
    pub(crate) engine: Option<Engine>,
    /// When it last went down or came up, or a socket last dropped.
    pub(crate) fault: Option<Mono>,
    pub(crate) app: App,
    pub(crate) links: Vec<Link>,
    pub(crate) next_conn: ConnId,
    pub(crate) clients: BTreeMap<Ticket, Client>,
    pub(crate) spent: Budget,
    pub(crate) ghost: Ghost,
    /// What the step under way still has to do; empty between steps.
    pub(crate) jobs: VecDeque<Job>,
}

/// A client's request.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Client {
    pub(crate) safe: bool,
    pub(crate) arrived: Mono,
    pub(crate) outcome: Option<Outcome>,
}

/// How a request ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Outcome {
    /// Answered after its write was acknowledged.
    Done,
    /// Answered by user code whose write was not acknowledged.
    NotDone,
    /// Failed by the gateway.
    Failed,
    /// Its connection went down with the engine.
    Cut,
}

/// Something one step still has to do.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Job {
    Control(control::Input),
    Gateway(gateway::Input),
    Runner(runner::Input),
}

/// What laws remember.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub(crate) struct Ghost {
    /// The generation of the last commit.
    committed: u32,
    /// Clients whose write was committed.
    written: BTreeSet<Ticket>,
    /// Generations placed, and started, in order.
    placed: u32,
    started: u32,
    /// Unsafe requests that reached user code.
    delivered: BTreeSet<Ticket>,
    /// Laws that were broken.
    pub(crate) broken: BTreeSet<&'static str>,
}

pub(crate) const FENCE: &str =
    "a commit is made by the generation it is counted for, and no earlier one follows";
pub(crate) const START: &str = "a generation is placed and started at most once, in order";
pub(crate) const DELIVERY: &str = "a request reaches user code at most once unless it is safe";
pub(crate) const ANSWER: &str = "a request is answered once, and Done only after its write";
pub(crate) const LIVES: &str = "a runner that is alone with its key is never ended";
pub(crate) const EXPLAINED: &str = "a request fails only near a fault";

impl Ghost {
    pub(crate) fn commit(&mut self, generation: u32, write: Write) {
        if write.generation != generation || generation < self.committed {
            self.broken.insert(FENCE);
        }
        self.committed = generation;
        self.written.insert(write.ticket);
    }

    pub(crate) fn place(&mut self, generation: u32) {
        if generation <= self.placed {
            self.broken.insert(START);
        }
        self.placed = generation;
    }

    pub(crate) fn start(&mut self, generation: u32) {
        if generation <= self.started {
            self.broken.insert(START);
        }
        self.started = generation;
    }

    pub(crate) fn deliver(&mut self, ticket: Ticket, safe: bool) {
        if !safe && !self.delivered.insert(ticket) {
            self.broken.insert(DELIVERY);
        }
    }
}

impl World {
    /// The engine runs, the pool and the actor exist, the runner dials.
    pub(crate) fn new() -> Self {
        let now = beginning();
        let mut records = BTreeMap::new();
        let mut engine = Engine::restore(now, &mut records);
        engine.set_up(now, &mut records);
        let mut world = Self {
            now,
            records,
            engine: Some(engine),
            fault: None,
            app: App::new(),
            links: Vec::new(),
            next_conn: ConnId(1),
            clients: BTreeMap::new(),
            spent: Budget::default(),
            ghost: Ghost::default(),
            jobs: VecDeque::from([Job::Runner(runner::Input::Start)]),
        };
        world.settle();
        world
    }

    /// Finishes a step: everything that follows from it without anybody else.
    pub(crate) fn settle(&mut self) {
        while let Some(job) = self.jobs.pop_front() {
            match job {
                Job::Control(input) => self.control(input, false),
                Job::Gateway(input) => self.gateway(input),
                Job::Runner(input) => self.runner(input),
            }
        }
        self.links.retain(|link| link.runner.is_some() || link.engine.is_some());
    }

    pub(crate) fn answered(&mut self, ticket: Ticket, done: Option<bool>) {
        let client = self.clients.get_mut(&ticket).expect("only clients are answered");
        let twice = client.outcome.is_some();
        let outcome = match done {
            Some(true) => Outcome::Done,
            Some(false) => Outcome::NotDone,
            None => Outcome::Failed,
        };
        client.outcome = Some(outcome);
        let lied = outcome == Outcome::Done && !self.ghost.written.contains(&ticket);
        if twice || lied {
            self.ghost.broken.insert(ANSWER);
        }
        let near = self.fault.is_some_and(|fault| client.arrived < fault + crate::model::HEALING);
        if outcome != Outcome::Done && !near {
            self.ghost.broken.insert(EXPLAINED);
        }
    }

    /// The engine's process ends: its memory is gone, its sockets break, its clients are cut off.
    pub(crate) fn crash(&mut self) {
        self.engine = None;
        self.fault = Some(self.now.mono);
        self.jobs.retain(|job| matches!(job, Job::Runner(_)));
        for link in &mut self.links {
            link.broken = true;
            link.engine = None;
            link.up.clear();
        }
        for client in self.clients.values_mut().filter(|client| client.outcome.is_none()) {
            client.outcome = Some(Outcome::Cut);
        }
    }
}

impl Hash for World {
    fn hash<H: Hasher>(&self, state: &mut H) {
        let Self { now, records, engine, fault, app, links, next_conn, clients, spent, ghost, jobs } = self;
        let mut state = Relative { now: *now, inner: state };
        (records, engine, fault, app, links, next_conn, clients, spent, ghost, jobs).hash(&mut state);
    }
}
