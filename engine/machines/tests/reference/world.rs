//! Both sides of a step: the control plane with a store and runners that do as they are told, and the reference.

use std::collections::BTreeMap;
use std::time::Duration;

use machines::control::effect::{Answer, Command, CommandKind, Message};
use machines::control::input::{ActorFilter, Call, Frame, NewActor, Page, RunnerEvent};
use machines::control::record::{Key, Record};
use machines::control::{Control, Effect, Input, Options};
use model::reference::{Breach, Reference};
use protocol::api::{CrashPolicy, PoolKind, RunnerConfig, ServerlessConfig, Upgrade};
use protocol::error::ApiError;
use protocol::id::{ActorId, ConnId, Generation, NamespaceId, RunnerId, RunnerKey, Ticket};
use protocol::time::{Mono, Now, Wall};
use protocol::view::Fact;
use protocol::wire::{ActorIntent, ActorState, Event, StopCode};

use crate::op::{Configured, KEYS, Op, RUNNERS};

const BOOT: Now = Now { mono: Mono(1 << 40), wall: Wall(1 << 40) };

/// Within this long runners do what they were told, well within what they may take.
const TURN: u64 = 5_000;

pub(crate) struct World {
    pub(crate) control: Control,
    stored: BTreeMap<Key, Record>,
    reference: Reference,
    now: Now,
    /// The last actor of each key.
    last: [Option<ActorId>; KEYS],
    processes: [Option<Process>; RUNNERS],
    tickets: u64,
    count: u64,
}

/// A runner.
#[derive(Clone, Debug)]
struct Process {
    key: RunnerKey,
    id: Option<RunnerId>,
    conn: Option<ConnId>,
    slots: u32,
    /// Its actors: of which generation, whether it was told to stop, and its next event.
    actors: BTreeMap<ActorId, Instance>,
}

#[derive(Clone, Copy, Debug)]
struct Instance {
    generation: Generation,
    runs: bool,
    stops: bool,
    event: i64,
}

/// A pool that sends for nobody: its runners come by themselves.
fn serverless() -> RunnerConfig {
    let config = ServerlessConfig {
        url: "http://app".to_owned(),
        headers: BTreeMap::new(),
        request_lifespan: 900,
        max_concurrent_actors: 100,
        drain_grace_period: 10,
        slots_per_runner: 1,
        min_runners: 0,
        max_runners: 0,
        runners_margin: 0,
        metadata_poll_interval: 10_000,
        upgrade: Upgrade::default(),
    };
    RunnerConfig { kind: PoolKind::Serverless(config), metadata: None }
}

fn name(key: usize) -> String {
    format!("k{key}")
}

fn restore(now: Now, stored: &mut BTreeMap<Key, Record>) -> Control {
    let mut out = Vec::new();
    let fresh = NamespaceId::from_entropy([1; 16]);
    // Nobody is late who was not sent for.
    let options = Options { stream_timeout: Duration::ZERO, ..Options::default() };
    let control = Control::restore(options, now, fresh, stored.clone(), &mut out);
    let control = control.expect("what was stored is a state");
    out.iter().for_each(|effect| write(stored, effect));
    control
}

fn write(stored: &mut BTreeMap<Key, Record>, effect: &Effect) {
    match effect {
        Effect::Put(key, record) => {
            stored.insert(key.clone(), (**record).clone());
        }
        Effect::Delete(key) => {
            stored.remove(key);
        }
        _ => {}
    }
}

impl World {
    pub(crate) fn new() -> Self {
        let mut stored = BTreeMap::new();
        let control = restore(BOOT, &mut stored);
        let mut reference = Reference::default();
        reference.pass(BOOT.wall);
        let (last, processes) = ([None; KEYS], [const { None }; RUNNERS]);
        let mut world = Self { control, stored, reference, now: BOOT, last, processes, tickets: 0, count: 0 };
        world.configure(Configured::Normal).expect("nothing is there to differ");
        world
    }

    /// One step on both sides.
    pub(crate) fn run(&mut self, op: &Op) -> Result<(), Breach> {
        self.act(op)?;
        self.compare()
    }

    fn act(&mut self, op: &Op) -> Result<(), Breach> {
        match *op {
            Op::Create { key, policy } => self.create(key, policy, false),
            Op::GetOrCreate { key, policy } => self.create(key, policy, true),
            Op::Delete { key } => {
                let Some(actor) = self.last[key] else { return Ok(()) };
                self.reference.delete(actor);
                let answer = self.call(Call::DeleteActor { namespace: None, actor })?;
                assert!(answer.is_ok(), "whatever was created can be deleted, again and again");
                Ok(())
            }
            Op::Sleep { key } => {
                let Some(actor) = self.last[key] else { return Ok(()) };
                let living = self.reference.sleep(actor);
                let answer = self.call(Call::SleepActor { namespace: None, actor })?;
                assert_eq!(answer.is_ok(), living, "{answer:?}");
                Ok(())
            }
            Op::Watch { key } => {
                let Some(actor) = self.last[key] else { return Ok(()) };
                self.reference.watch(actor);
                self.step(Input::Watch { actor })
            }
            Op::Unwatch { key } => {
                let Some(actor) = self.last[key] else { return Ok(()) };
                self.reference.unwatch(actor);
                self.step(Input::Unwatch { actor })
            }
            Op::Configure { config } => self.configure(config),
            Op::Connect { runner, slots } => self.connect(runner, slots),
            Op::Disconnect { runner } => self.disconnect(runner),
            Op::Drain { runner } => {
                let Some((id, conn)) = self.session(runner) else { return Ok(()) };
                self.reference.drains(id);
                self.step(Input::Frame { conn, frame: Frame::Stopping })
            }
            Op::Running { key } => self.says(key, Saying::Running),
            Op::WantsSleep { key } => self.says(key, Saying::Sleep),
            Op::WantsEnd { key } => self.says(key, Saying::End),
            Op::SetsAlarm { key, ms } => {
                let at = ms.map(|ms| self.now.wall + Duration::from_millis(ms));
                self.says(key, Saying::Alarm(at))
            }
            Op::Stops { key, crashed } => self.says(key, Saying::Stopped { crashed }),
            Op::Pass { ms } => self.pass(ms),
            Op::Restart { away } => self.restart(away),
        }
    }

    fn configure(&mut self, config: Configured) -> Result<(), Breach> {
        let (namespace, pool) = ("default".to_owned(), "default".to_owned());
        let config = match config {
            Configured::Normal => RunnerConfig::normal(),
            Configured::Serverless => serverless(),
        };
        let answer = self.call(Call::UpsertRunnerConfig { namespace, pool, config })?;
        assert!(answer.is_ok(), "{answer:?}");
        Ok(())
    }

    fn create(&mut self, key: usize, crash_policy: CrashPolicy, get: bool) -> Result<(), Breach> {
        self.count += 1;
        let mut entropy = [0; 16];
        entropy[..8].copy_from_slice(&self.count.to_le_bytes());
        let fresh = ActorId::from_entropy(entropy);
        let new = NewActor {
            fresh,
            namespace: "default".to_owned(),
            name: "counter".to_owned(),
            key: Some(name(key)),
            pool: "default".to_owned(),
            crash_policy,
            input: None,
        };
        let expected = self.reference.create(fresh, &name(key), crash_policy);
        let call = if get { Call::GetOrCreateActor(new) } else { Call::CreateActor(new) };
        match (self.call(call)?, expected) {
            (Ok(Answer::Actor { actor, created: true }), Ok(())) if actor.actor_id == fresh => {
                self.last[key] = Some(fresh);
            }
            (Ok(Answer::Actor { actor, created: false }), Err(holder)) if actor.actor_id == holder => {}
            (Err(ApiError::ActorDuplicateKey { existing_actor_id, .. }), Err(holder))
                if existing_actor_id == holder && !get => {}
            (answer, expected) => panic!("{answer:?} where {expected:?} was expected"),
        }
        Ok(())
    }

    fn connect(&mut self, runner: usize, slots: u32) -> Result<(), Breach> {
        self.count += 1;
        let conn = ConnId(self.count);
        // A process that was away for too long has ended, and another one takes its place.
        let gone = |id: RunnerId, world: &Self| world.reference.may_be_lost(id);
        let former = self.processes[runner].clone().filter(|it| it.id.is_none_or(|id| !gone(id, self)));
        let process = former.unwrap_or_else(|| Process {
            key: RunnerKey::new(format!("runner{conn:?}")).expect("a short key"),
            id: None,
            conn: None,
            slots,
            actors: BTreeMap::new(),
        });
        let (key, slots) = (process.key.clone(), process.slots);
        self.processes[runner] = Some(Process { conn: Some(conn), ..process });
        self.step(Input::SocketOpened { conn, namespace: "default".to_owned(), key })?;
        if let Some(id) = self.processes[runner].as_ref().and_then(|it| it.id) {
            // Until the barrier has passed it is there, and gets nothing.
            self.reference.disconnected(id);
        }
        let mut entropy = [7; 16];
        entropy[..8].copy_from_slice(&self.count.to_le_bytes());
        let frame = Frame::Init {
            fresh: RunnerId::from_entropy(entropy),
            pool: "default".to_owned(),
            version: 1,
            total_slots: slots,
            actor_names: BTreeMap::new(),
            metadata: None,
        };
        self.step(Input::Frame { conn, frame })
    }

    fn disconnect(&mut self, runner: usize) -> Result<(), Breach> {
        let Some((id, conn)) = self.session(runner) else { return Ok(()) };
        self.processes[runner].as_mut().expect("it has a session").conn = None;
        self.reference.disconnected(id);
        self.step(Input::SocketClosed { conn })
    }

    fn session(&self, runner: usize) -> Option<(RunnerId, ConnId)> {
        let process = self.processes[runner].as_ref()?;
        Some((process.id?, process.conn?))
    }

    /// The process that hosts the last actor of this key says something of it.
    fn says(&mut self, key: usize, saying: Saying) -> Result<(), Breach> {
        let Some(actor) = self.last[key] else { return Ok(()) };
        let hosts = |process: &Option<Process>| {
            process.as_ref().is_some_and(|it| it.conn.is_some() && it.actors.contains_key(&actor))
        };
        let Some(runner) = self.processes.iter().position(hosts) else { return Ok(()) };
        self.say(runner, actor, saying)
    }

    fn say(&mut self, runner: usize, actor: ActorId, saying: Saying) -> Result<(), Breach> {
        let process = self.processes[runner].as_mut().expect("it hosts the actor");
        let conn = process.conn.expect("it is connected");
        let instance = process.actors.get_mut(&actor).expect("it hosts the actor");
        let (generation, index) = (instance.generation, instance.event);
        instance.event += 1;
        let event = match saying {
            Saying::Running => {
                instance.runs = true;
                self.reference.running(actor);
                Event::ActorStateUpdate { state: ActorState::Running }
            }
            Saying::Sleep => {
                self.reference.wants_sleep(actor);
                Event::ActorIntent { intent: ActorIntent::Sleep }
            }
            Saying::End => {
                self.reference.wants_end(actor);
                Event::ActorIntent { intent: ActorIntent::Stop }
            }
            Saying::Alarm(at) => {
                self.reference.sets_alarm(actor, at);
                Event::SetAlarm { alarm_ts: at.map(Wall::to_wire) }
            }
            Saying::Stopped { crashed } => {
                process.actors.remove(&actor);
                self.reference.stopped(actor, crashed);
                let code = if crashed { StopCode::Error } else { StopCode::Ok };
                Event::ActorStateUpdate { state: ActorState::Stopped { code, message: None } }
            }
        };
        let events = vec![RunnerEvent { actor, generation, index, event }];
        self.step(Input::Frame { conn, frame: Frame::Events(events) })
    }

    /// Runners do what they were told.
    fn obey(&mut self) -> Result<(), Breach> {
        for runner in 0..RUNNERS {
            let connected = self.processes[runner].clone().filter(|process| process.conn.is_some());
            for (actor, instance) in connected.into_iter().flat_map(|process| process.actors) {
                if instance.stops {
                    self.say(runner, actor, Saying::Stopped { crashed: false })?;
                } else if !instance.runs {
                    self.say(runner, actor, Saying::Running)?;
                }
            }
        }
        Ok(())
    }

    fn pass(&mut self, ms: u64) -> Result<(), Breach> {
        let mut rest = ms;
        while rest > 0 {
            let turn = rest.min(TURN);
            rest -= turn;
            let end = self.now.after(Duration::from_millis(turn));
            while let Some((at, _)) = self.control.next_deadline().filter(|(at, _)| *at <= end.mono) {
                self.now = self.now.after(at.since(self.now.mono));
                self.step(Input::Tick)?;
            }
            self.now = end;
            self.step(Input::Tick)?;
            if rest > 0 {
                self.obey()?;
            }
        }
        Ok(())
    }

    fn restart(&mut self, away: u64) -> Result<(), Breach> {
        let away = Duration::from_millis(away);
        self.now = self.now.after(away);
        self.reference.restarted(away);
        for process in self.processes.iter_mut().flatten() {
            process.conn = None;
        }
        self.control = restore(self.now, &mut self.stored);
        self.step(Input::Tick)
    }

    fn call(&mut self, call: Call) -> Result<Result<Answer, ApiError>, Breach> {
        self.tickets += 1;
        let ticket = Ticket(self.tickets);
        let out = self.effects(Input::Api { ticket, call })?;
        let answers = out.into_iter().filter_map(|effect| match effect {
            Effect::Answer { answer, .. } => Some(*answer),
            _ => None,
        });
        let answers: Vec<_> = answers.collect();
        assert_eq!(answers.len(), 1, "each call is answered once");
        Ok(answers.into_iter().next().expect("there is one"))
    }

    fn step(&mut self, input: Input) -> Result<(), Breach> {
        self.effects(input).map(drop)
    }

    /// A step of the control plane, and what it tells to the reference.
    fn effects(&mut self, input: Input) -> Result<Vec<Effect>, Breach> {
        self.reference.pass(self.now.wall);
        let mut out = Vec::new();
        self.control.handle(self.now, input, &mut out);
        self.control.check();
        let mut pongs = Vec::new();
        for effect in &out {
            write(&mut self.stored, effect);
            match effect {
                Effect::Fact(fact) => self.hear(fact)?,
                Effect::Send { conn, message: Message::Ping { ts } } => pongs.push((*conn, *ts)),
                Effect::Send { conn, message: Message::Commands(commands) } => {
                    commands.iter().for_each(|command| self.told(*conn, command));
                }
                _ => {}
            }
        }
        self.reference.pass(self.now.wall);
        let actors = self.control.view().actors;
        let waiting = actors.iter().filter(|actor| actor.phase == "pending");
        waiting.map(|actor| actor.actor).try_for_each(|actor| self.reference.rested(actor))?;
        for (conn, ts) in pongs {
            let of = self.processes.iter().flatten().find(|process| process.conn == Some(conn));
            if let Some((id, slots)) = of.and_then(|process| Some((process.id?, process.slots))) {
                self.reference.ready(id, usize::try_from(slots).expect("a few slots"));
            }
            self.step(Input::Frame { conn, frame: Frame::Pong { ts } })?;
        }
        Ok(out)
    }

    fn hear(&mut self, fact: &Fact) -> Result<(), Breach> {
        match fact {
            Fact::Placed { actor, generation, runner } => self.reference.placed(*actor, *generation, *runner),
            Fact::RunnerLost { runner } => {
                for process in &mut self.processes {
                    process.take_if(|process| process.id == Some(*runner));
                }
                self.reference.lost(*runner)
            }
            Fact::RunnerConnected { runner, conn, pool: _, version: _ } => {
                let of = self.processes.iter_mut().flatten().find(|process| process.conn == Some(*conn));
                of.expect("a process has opened the socket").id = Some(*runner);
                Ok(())
            }
            _ => Ok(()),
        }
    }

    fn told(&mut self, conn: ConnId, command: &Command) {
        let of = self.processes.iter_mut().flatten().find(|process| process.conn == Some(conn));
        let Some(process) = of else { return };
        match command.kind {
            CommandKind::Start { .. } => {
                let fresh = Instance { generation: command.generation, runs: false, stops: false, event: 0 };
                process.actors.entry(command.actor).or_insert(fresh);
            }
            CommandKind::Stop => {
                if let Some(instance) = process.actors.get_mut(&command.actor) {
                    instance.stops = true;
                }
            }
        }
    }

    /// What both tell of every actor.
    fn compare(&mut self) -> Result<(), Breach> {
        let page = Page { limit: 1_000, cursor: None };
        let filter =
            ActorFilter::Name { name: "counter".to_owned(), key: None, include_destroyed: true, page };
        let call = Call::ListActors { namespace: "default".to_owned(), filter };
        if let Ok(Answer::Actors(actors, None)) = self.call(call)? {
            actors.iter().try_for_each(|actor| self.reference.shown(actor))?;
        }
        for key in 0..KEYS {
            let (name, page) = ("counter".to_owned(), Page { limit: 1, cursor: None });
            let key = format!("k{key}");
            let filter = ActorFilter::Name { name, key: Some(key.clone()), include_destroyed: false, page };
            let call = Call::ListActors { namespace: "default".to_owned(), filter };
            let Ok(Answer::Actors(actors, None)) = self.call(call)? else { panic!("a list of one") };
            let holder = actors.first().map(|actor| actor.actor_id);
            assert_eq!(holder, self.reference.holder(&key), "who holds {key}");
        }
        self.reference.settled()
    }
}

/// What a runner says of an actor.
#[derive(Clone, Copy, Debug)]
enum Saying {
    Running,
    Sleep,
    End,
    Alarm(Option<Wall>),
    Stopped { crashed: bool },
}
