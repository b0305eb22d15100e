//! A runner as the protocol asks for it: it dials again, tells again what was not acknowledged, carries out each command once,
//! and stops what it hosts when the engine is gone for too long.

use std::collections::VecDeque;
use std::time::Duration;

use machines::control::effect::{CommandKind, Message};
use machines::control::input::RunnerEvent;
use protocol::id::{ConnId, Generation, RunnerId};
use protocol::time::{Mono, Wall};
use protocol::wire::{ActorIntent, ActorState, Event, StopCode};

use crate::world::actor;

/// Without a session for so long it stops what it hosts.
pub(crate) const LOST: Duration = Duration::from_secs(15);

/// A process.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub(crate) struct Process {
    /// Of which identity: all are the same, but where another one is wanted.
    pub(crate) other: bool,
    pub(crate) instance: Option<Instance>,
    /// The last generation it was told to start, so that it does so once.
    pub(crate) last: u32,
    /// Who it is, as the engine said.
    pub(crate) id: Option<RunnerId>,
    /// What was not acknowledged.
    pub(crate) events: VecDeque<RunnerEvent>,
    pub(crate) drains: bool,
    /// It was told that another one has taken its place.
    pub(crate) evicted: bool,
    /// Since when it has no session, while it hosts something.
    pub(crate) alone: Option<Mono>,
}

/// User code of a generation.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Instance {
    pub(crate) generation: u32,
    pub(crate) runs: bool,
    pub(crate) stops: bool,
    events: i64,
}

/// A socket.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Link {
    /// Its handle at the engine.
    pub(crate) conn: ConnId,
    /// The process that has opened it.
    pub(crate) of: usize,
    pub(crate) engine: bool,
    pub(crate) process: bool,
    pub(crate) up: VecDeque<Up>,
    pub(crate) down: VecDeque<Message>,
    /// It has ended, and both sides will see it.
    pub(crate) broken: bool,
    /// Nothing passes, and nobody is told.
    pub(crate) silent: bool,
    /// It ends because another one has taken its place.
    pub(crate) evicts: bool,
}

/// What a runner says.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Up {
    Init,
    Events(Vec<RunnerEvent>),
    Pong(i64),
    Stopping,
    /// A write of user code, and of which generation that is: no wire carries it.
    Write(u32),
}

/// What user code and its process do.
pub(crate) enum Said {
    Runs,
    Sleeps,
    Alarm(Wall),
    Stopped { crashed: bool },
}

impl Process {
    /// One that was told that another has taken its place: it ends what it hosts, and does not dial again.
    pub(crate) fn evicted() -> Self {
        Self { evicted: true, ..Self::default() }
    }

    /// An event of its instance; it is sent if there is a session, and kept until it is acknowledged.
    pub(crate) fn say(&mut self, said: &Said) -> Up {
        let instance = self.instance.as_mut().expect("only what it hosts says something");
        let (generation, index) = (Generation(instance.generation), instance.events);
        instance.events += 1;
        let event = match said {
            Said::Runs => {
                instance.runs = true;
                Event::ActorStateUpdate { state: ActorState::Running }
            }
            Said::Sleeps => Event::ActorIntent { intent: ActorIntent::Sleep },
            Said::Alarm(at) => Event::SetAlarm { alarm_ts: Some(at.to_wire()) },
            Said::Stopped { crashed } => {
                self.instance = None;
                let code = if *crashed { StopCode::Error } else { StopCode::Ok };
                Event::ActorStateUpdate { state: ActorState::Stopped { code, message: None } }
            }
        };
        let event = RunnerEvent { actor: actor(), generation, index, event };
        self.events.push_back(event.clone());
        Up::Events(vec![event])
    }

    /// Carries out what the engine says; what it answers, and the generation that was started.
    pub(crate) fn hear(&mut self, message: Message) -> (Vec<Up>, Option<u32>) {
        match message {
            Message::Init { runner, .. } => {
                let mut said = Vec::new();
                if self.id.replace(runner).is_some_and(|former| former != runner) {
                    // Another identity: what it hosted is no longer its own.
                    self.instance = None;
                    self.events.clear();
                }
                if !self.events.is_empty() {
                    said.push(Up::Events(self.events.iter().cloned().collect()));
                }
                if self.drains {
                    said.push(Up::Stopping);
                }
                (said, None)
            }
            Message::Ping { ts } => (vec![Up::Pong(ts)], None),
            Message::AckEvents(read) => {
                self.events.retain(|event| {
                    !read.iter().any(|read| read.generation == event.generation && event.index <= read.index)
                });
                (Vec::new(), None)
            }
            Message::Commands(commands) => {
                let mut started = None;
                for command in commands {
                    let generation = command.generation.0;
                    match command.kind {
                        CommandKind::Start { .. } if generation > self.last => {
                            self.last = generation;
                            self.instance =
                                Some(Instance { generation, runs: false, stops: false, events: 0 });
                            started = Some(generation);
                        }
                        CommandKind::Start { .. } => {}
                        CommandKind::Stop => {
                            if let Some(instance) = &mut self.instance
                                && instance.generation == generation
                            {
                                instance.stops = true;
                            }
                        }
                    }
                }
                (Vec::new(), started)
            }
            Message::KvRefused { .. } => (Vec::new(), None),
        }
    }
}
