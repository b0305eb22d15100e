//! Random lives: several runners, actors and streams, obedient and not, and an engine that restarts at any step.
//!
//! Every step is checked by [`Plane`]: the machine's own invariants, and its records against its writes. [`Witness`]
//! keeps the laws that need a memory. Afterwards everything is healed, and every actor that is asked for must run.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use proptest::prelude::*;
use proptest::strategy::ValueTree;
use proptest::test_runner::TestRunner;
use protocol::api::CrashPolicy;
use protocol::error::ServerlessMetadataError;
use protocol::id::{ActorId, BodyId, ConnId, Generation, StreamId};
use protocol::wire::incarnation::metadata_of;
use protocol::wire::{ActorIntent, ActorState, Event, StopCode};

use super::plane::{Plane, actor, serverless};
use super::witness::Witness;
use crate::control::input::{AppFacts, Call, Frame, KvOp, NewActor, RunnerEvent, StreamEnd};
use crate::control::{Input, Options};

const ACTORS: [&str; 4] = ["a", "b", "c", "d"];
const RUNNERS: [&str; 3] = ["r", "s", "t"];

/// Seconds in which serverless streams must bring every actor back: beyond the retry of a failed stream (10 s), the
/// silence of a runner that is gone (15 s), and the start that it was given (30 s).
const SERVERLESS_TURNS: u64 = 90;

#[derive(Clone, Debug)]
enum Op {
    Create(usize, CrashPolicy, bool),
    Delete(usize),
    Watch(usize),
    Unwatch(usize),
    Connect(usize, u32, u32),
    /// A socket of this runner that stays silent; at once, or after the runner's own one.
    Silent(usize),
    OldSocketCloses,
    /// The Init of a replaced socket, late.
    OldSocketSpeaks,
    Pong(usize, bool),
    Mute(usize),
    DropSocket(usize),
    WrongFrame(usize),
    Stopping(usize),
    /// Its socket drops, it is lost, comes back under its key, and says nothing of what it hosted.
    Absence(usize),
    Event(usize, usize, bool, u8),
    /// Crashes as soon as it is started, twice.
    CrashLoop(usize),
    Kv(usize, usize),
    /// The runner says that it does not host the actor.
    Disown(usize, usize),
    Configure(u8),
    StreamStep(usize, u8),
    /// An application that is asked tells its version, or does not.
    Tell(Option<u32>),
    /// Time passes, with or without pings on the streams.
    After(u64, bool),
    Restart(u64),
}

fn op() -> impl Strategy<Value = Op> {
    let (a, r) = (0..ACTORS.len(), 0..RUNNERS.len());
    let policy =
        prop_oneof![Just(CrashPolicy::Restart), Just(CrashPolicy::Sleep), Just(CrashPolicy::Destroy)];
    let time = prop_oneof![Just(0_u64), 1..600_u64, 1_000..6_000_u64, 9_000..40_000_u64];
    prop_oneof![
        4 => (a.clone(), policy, any::<bool>()).prop_map(|(a, policy, get)| Op::Create(a, policy, get)),
        1 => a.clone().prop_map(Op::Delete),
        3 => a.clone().prop_map(Op::Watch),
        1 => a.clone().prop_map(Op::Unwatch),
        4 => (r.clone(), 0..4_u32, 1..3_u32).prop_map(|(r, slots, version)| Op::Connect(r, slots, version)),
        1 => r.clone().prop_map(Op::Silent),
        1 => Just(Op::OldSocketCloses),
        1 => Just(Op::OldSocketSpeaks),
        1 => r.clone().prop_map(Op::Mute),
        4 => (r.clone(), prop::bool::weighted(0.9)).prop_map(|(r, right)| Op::Pong(r, right)),
        2 => r.clone().prop_map(Op::DropSocket),
        1 => r.clone().prop_map(Op::WrongFrame),
        1 => r.clone().prop_map(Op::Stopping),
        1 => r.clone().prop_map(Op::Absence),
        12 => (r.clone(), a.clone(), prop::bool::weighted(0.8), 0..7_u8)
            .prop_map(|(r, a, host, what)| Op::Event(r, a, host, what)),
        2 => a.clone().prop_map(Op::CrashLoop),
        3 => (r.clone(), a.clone()).prop_map(|(r, a)| Op::Kv(r, a)),
        3 => (r, a).prop_map(|(r, a)| Op::Disown(r, a)),
        1 => (0..7_u8).prop_map(Op::Configure),
        6 => (0..4_usize, 0..5_u8).prop_map(|(stream, what)| Op::StreamStep(stream, what)),
        2 => prop::option::weighted(0.9, 1..4_u32).prop_map(Op::Tell),
        4 => (time, prop::bool::weighted(0.7)).prop_map(|(ms, lively)| Op::After(ms, lively)),
        1 => (0..20_000_u64).prop_map(Op::Restart),
    ]
}

/// A pool whose older runners are not drained.
fn without_drain() -> protocol::api::RunnerConfig {
    let upgrade = protocol::api::Upgrade { drain_on_version_upgrade: false, ..Default::default() };
    protocol::api::RunnerConfig { kind: protocol::api::PoolKind::Normal(upgrade), metadata: None }
}

/// A pool whose requests are replaced after eleven seconds.
fn short(slots: u8) -> protocol::api::RunnerConfig {
    let mut config = serverless("http://app");
    if let protocol::api::PoolKind::Serverless(serverless) = &mut config.kind {
        serverless.request_lifespan = 21;
        serverless.slots_per_runner = slots.into();
    }
    config
}

/// The same pool, whose actors leave an overtaken runner one after another, and of whose actors two live at one time.
fn slow(mut config: protocol::api::RunnerConfig) -> protocol::api::RunnerConfig {
    let upgrade = match &mut config.kind {
        protocol::api::PoolKind::Serverless(serverless) => {
            serverless.max_concurrent_actors = 2;
            &mut serverless.upgrade
        }
        protocol::api::PoolKind::Normal(upgrade) => upgrade,
    };
    (upgrade.actor_eviction_delay, upgrade.actor_eviction_period) = (2, 30);
    config
}

struct World {
    plane: Plane,
    witness: Witness,
    /// Ids of actors are fresh: a created one gets the next number.
    created: BTreeMap<usize, String>,
    count: usize,
    /// Sockets that are open as far as their runners know.
    open: BTreeSet<&'static str>,
    /// Sockets that were replaced, and whose end the driver has yet to tell.
    old: Vec<ConnId>,
}

impl World {
    fn new() -> Self {
        // Short against upstream's half an hour, so that lives reach it.
        let (stop_threshold, restop_threshold) = (Duration::from_secs(60), Duration::from_secs(10));
        let (destroyed_kept, destroyed_max) = (Duration::from_secs(20), 3);
        let mut plane = Plane::with(Options {
            stop_threshold,
            restop_threshold,
            destroyed_kept,
            destroyed_max,
            ..Options::default()
        });
        plane.normal();
        let (witness, created, open) = (Witness::default(), BTreeMap::new(), BTreeSet::new());
        Self { plane, witness, created, count: 0, open, old: Vec::new() }
    }

    fn lived(ops: &[Op]) -> Self {
        let mut world = Self::new();
        for op in ops {
            world.run(op);
        }
        world
    }

    fn run(&mut self, op: &Op) {
        self.plane.last.clear();
        self.act(op);
        self.look();
    }

    fn name(&self, a: usize) -> String {
        self.created.get(&a).cloned().unwrap_or_else(|| "none".to_owned())
    }

    fn act(&mut self, op: &Op) {
        match *op {
            Op::Create(a, policy, get) => self.create(a, policy, get),
            Op::Delete(a) => {
                let id = actor(&self.name(a));
                let known = self.plane.control.actors.get(id).is_some();
                let call = Call::DeleteActor { namespace: None, actor: id };
                assert_eq!(
                    self.plane.call(call).is_ok(),
                    known,
                    "whatever exists can be deleted, again and again, until it is forgotten"
                );
            }
            Op::Watch(a) => {
                self.plane.watch(&self.name(a));
            }
            Op::Unwatch(a) => {
                self.plane.unwatch(&self.name(a));
            }
            Op::Connect(r, slots, version) => {
                self.replace(r);
                // Some say which life they are.
                let life = (slots > 1).then(|| metadata_of("0.1.0", u64::from(slots)));
                self.plane.connect_as(RUNNERS[r], slots, version, life.as_deref());
            }
            Op::Silent(r) => {
                self.replace(r);
                self.plane.socket(RUNNERS[r]);
            }
            Op::Absence(r) => {
                for op in [
                    Op::DropSocket(r),
                    Op::After(3_500, true),
                    Op::Connect(r, 3, 1),
                    Op::Pong(r, true),
                    Op::After(16_000, true),
                ] {
                    self.run(&op);
                }
            }
            Op::OldSocketCloses => {
                if let Some(conn) = self.old.pop() {
                    self.plane.input(Input::SocketClosed { conn });
                }
            }
            Op::OldSocketSpeaks => {
                let Some(conn) = self.old.last().copied() else { return };
                let fresh = super::plane::runner(&format!("late{}x", conn.0));
                let pool = "default".into();
                let (actor_names, metadata) = (BTreeMap::new(), None);
                let frame = Frame::Init { fresh, pool, version: 1, total_slots: 1, actor_names, metadata };
                self.plane.input(Input::Frame { conn, frame });
            }
            Op::Mute(r) => self.with_runner(r, |plane, name| {
                plane.mute(name);
            }),
            Op::Pong(r, right) => self.with_runner(r, |plane, name| {
                if right {
                    plane.pong(name);
                } else {
                    plane.frame(name, Frame::Pong { ts: 3 });
                }
            }),
            Op::DropSocket(r) => {
                if self.open.remove(RUNNERS[r]) {
                    self.plane.drop_socket(RUNNERS[r]);
                }
            }
            Op::WrongFrame(r) => self.with_runner(r, |plane, name| {
                let conn = plane.conn(name);
                plane.input(Input::FrameInvalid { conn });
            }),
            Op::Stopping(r) => self.with_runner(r, |plane, name| {
                plane.stopping(name);
            }),
            Op::Event(r, a, host, what) => self.event(r, a, host, what),
            Op::CrashLoop(a) => {
                for _ in 0..2 {
                    self.event(0, a, true, 4);
                    self.look();
                }
            }
            Op::Kv(r, a) => {
                let name = actor(&self.name(a));
                let kv = Frame::Kv { request: 1, actor: name, op: KvOp::Write, body: BodyId(9) };
                self.with_runner(r, |plane, name| {
                    plane.frame(name, kv);
                });
            }
            Op::Disown(r, a) => self.disown(r, a),
            Op::Configure(what) => self.configure(what),
            Op::StreamStep(stream, what) => self.stream(stream, what),
            Op::Tell(version) => self.tell(version),
            Op::After(ms, lively) => self.pass(ms, lively),
            Op::Restart(away) => {
                self.open.clear();
                self.old.clear();
                self.witness.sent.clear();
                self.witness.streams.clear();
                self.plane.restart(away);
            }
        }
    }

    /// The runner opens another socket: what it hears on the one before is not told to the engine yet.
    fn replace(&mut self, r: usize) {
        if !self.open.insert(RUNNERS[r]) {
            self.old.push(self.plane.conn(RUNNERS[r]));
        }
    }

    fn pass(&mut self, ms: u64, lively: bool) {
        let mut rest = ms;
        loop {
            let chunk = rest.min(4_000);
            rest -= chunk;
            self.plane.after(chunk);
            self.look();
            if rest == 0 {
                return;
            }
            for stream in self.witness.streams.clone().into_iter().filter(|_| lively) {
                self.plane.input(Input::StreamPing { stream });
                self.look();
            }
        }
    }

    fn create(&mut self, a: usize, crash_policy: CrashPolicy, get: bool) {
        let fresh = format!("{}{}x", ACTORS[a], self.count);
        self.count += 1;
        let key = Some(ACTORS[a].to_owned());
        let new = NewActor { key, crash_policy, ..Plane::new_actor(&fresh) };
        let call = if get { Call::GetOrCreateActor(new) } else { Call::CreateActor(new) };
        let answer = self.plane.call(call);
        if self.plane.control.actors.get(actor(&fresh)).is_some() {
            assert!(answer.is_ok(), "what was refused does not exist");
            self.created.insert(a, fresh);
        }
    }

    fn with_runner(&mut self, r: usize, act: impl FnOnce(&mut Plane, &str)) {
        if self.open.contains(RUNNERS[r]) {
            act(&mut self.plane, RUNNERS[r]);
        }
    }

    fn disown(&mut self, r: usize, a: usize) {
        let id = actor(&self.name(a));
        let known = self.plane.control.actors.get(id).and_then(|known| known.generation);
        let Some(generation) = known else { return };
        self.with_runner(r, |plane, name| {
            let conn = plane.conn(name);
            plane.input(Input::Disowned { actor: id, generation, conn });
        });
    }

    fn event(&mut self, r: usize, a: usize, host: bool, what: u8) {
        let id = actor(&self.name(a));
        let Some(view) = self.plane.control.view().actors.into_iter().find(|it| it.actor == id) else {
            return;
        };
        let Some(generation) = view.generation else { return };
        // Mostly the runner that hosts it.
        let hosting = RUNNERS.iter().position(|name| {
            let runners = self.plane.control.view().runners;
            let conn = self.open.contains(name).then(|| self.plane.conn(name));
            runners.iter().any(|it| conn.is_some() && it.conn == conn && view.runner == Some(it.runner))
        });
        let from = hosting.filter(|_| host).unwrap_or(r);
        let event = match what {
            0..=1 => Event::ActorStateUpdate { state: ActorState::Running },
            2 => Event::ActorStateUpdate { state: ActorState::Stopped { code: StopCode::Ok, message: None } },
            3..=4 => Event::ActorStateUpdate {
                state: ActorState::Stopped { code: StopCode::Error, message: None },
            },
            5 => Event::ActorIntent { intent: ActorIntent::Sleep },
            _ => {
                let at = self.plane.now.wall + Duration::from_secs(3);
                Event::SetAlarm { alarm_ts: Some(at.to_wire()) }
            }
        };
        let generation = if host { generation } else { Generation(generation.0.saturating_sub(1).max(1)) };
        let name = self.name(a);
        self.with_runner(from, |plane, from| {
            plane.event_of(from, &name, generation, event);
        });
    }

    fn configure(&mut self, what: u8) {
        let call =
            |config| Call::UpsertRunnerConfig { namespace: "default".into(), pool: "default".into(), config };
        let call = match what {
            0 => call(protocol::api::RunnerConfig::normal()),
            1 | 2 => call(short(what)),
            3 => call(serverless("http://other")),
            4 => call(slow(short(2))),
            5 => call(slow(protocol::api::RunnerConfig::normal())),
            _ => Call::DeleteRunnerConfig { namespace: "default".into(), pool: "default".into() },
        };
        assert!(self.plane.call(call).is_ok() || what > 5, "a configuration is taken");
    }

    fn tell(&mut self, version: Option<u32>) {
        let Some(fetch) = self.plane.fetches.pop() else { return };
        let facts = AppFacts { version, ..AppFacts::default() };
        let told = if version.is_some() { Ok(facts) } else { Err(ServerlessMetadataError::RequestFailed {}) };
        self.plane.input(Input::Metadata { fetch, told });
    }

    fn stream(&mut self, stream: usize, what: u8) {
        let open: Vec<StreamId> = self.witness.streams.iter().copied().collect();
        let Some(stream) = open.get(stream).copied() else { return };
        let runners = self.plane.control.view().runners;
        match what {
            0 => {
                self.plane.input(Input::StreamOpened { stream });
            }
            1 | 2 => {
                let Some(first) = runners.first() else { return };
                let runner = runners.iter().find(|it| it.conn.is_some()).unwrap_or(first).runner;
                self.plane.input(Input::StreamInit { stream, runner });
            }
            3 => {
                self.plane.input(Input::StreamPing { stream });
            }
            _ => {
                self.plane.stream_ends(stream, StreamEnd::Clean);
            }
        }
    }

    /// One good runner comes, the others go, and every actor is asked for.
    fn heal(&mut self) {
        for op in [Op::Configure(0), Op::DropSocket(0), Op::DropSocket(1), Op::DropSocket(2)] {
            self.run(&op);
        }
        // Whoever is left, and does what it is told by nobody, keeps what it hosts.
        self.plane.configure(without_drain());
        self.look();
        // Beyond every threshold, and beyond what a runner may take to stop.
        self.run(&Op::After(200_000, false));
        self.plane.connect_version("good", 9, 9).pong("good");
        self.look();
        for a in 0..ACTORS.len() {
            self.run(&Op::Watch(a));
        }
        self.start_on_good();
        // Whoever was placed on one that is left, and starts nobody, is placed anew when its time is over; the good one
        // starts it before that time is over there, too.
        for _ in 0..8 {
            self.run(&Op::After(4_000, false));
            self.start_on_good();
        }
        self.all_run();
    }

    fn start_on_good(&mut self) {
        let good = self.plane.conn("good");
        let runners = self.plane.control.view().runners;
        let good = runners.iter().find(|it| it.conn == Some(good)).map(|it| it.runner);
        for view in self.plane.control.view().actors {
            if view.phase == "starting" && view.runner == good {
                let name = view.actor.as_str().trim_end_matches('0').to_owned();
                let name = self.created.values().find(|it| actor(it) == view.actor).cloned().unwrap_or(name);
                self.plane.running("good", &name);
                self.look();
            }
        }
    }

    /// The pool is serverless, whatever is left of runners and streams stays, and the application answers every stream
    /// with a runner: every actor is asked for.
    fn heal_streams(&mut self) {
        self.run(&Op::Configure(1));
        for a in 0..ACTORS.len() {
            self.run(&Op::Watch(a));
        }
        let mut answered = BTreeSet::new();
        for _ in 0..SERVERLESS_TURNS {
            for stream in self.witness.streams.clone() {
                if !answered.insert(stream) {
                    continue;
                }
                let name = format!("live{}", stream.0);
                self.plane.connect_version(&name, 1, 9);
                self.look();
                self.plane.pong(&name);
                self.look();
                self.plane.live(stream, &name);
                self.look();
            }
            self.obey();
            self.pass(1_000, true);
            self.obey();
        }
        self.all_run();
    }

    /// Runners do what they are told.
    fn obey(&mut self) {
        for view in self.plane.control.view().actors {
            let runners = self.plane.control.view().runners;
            let conn = runners.iter().find(|it| view.runner == Some(it.runner)).and_then(|it| it.conn);
            let Some(name) = conn.and_then(|conn| self.plane.name_of(conn)) else { continue };
            let of = self.created.values().find(|it| actor(it) == view.actor).cloned();
            let Some(of) = of else { continue };
            match view.phase {
                "starting" => {
                    self.plane.running(&name, &of);
                }
                "stopping" => {
                    self.plane.stopped(&name, &of, StopCode::Ok);
                }
                _ => {}
            }
            self.look();
        }
    }

    fn look(&mut self) {
        let effects = std::mem::take(&mut self.plane.last);
        self.witness.look(&effects);
    }

    fn all_run(&self) {
        let created: Vec<ActorId> = self.created.values().map(|name| actor(name)).collect();
        for view in self.plane.control.view().actors {
            let asked = created.contains(&view.actor);
            assert!(!asked || view.phase == "running", "an actor that is asked for runs: {view:?}");
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 512, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn every_life_keeps_the_laws(ops in prop::collection::vec(op(), 1..120)) {
        let mut world = World::lived(&ops);
        world.heal();
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn every_life_ends_well_on_streams(ops in prop::collection::vec(op(), 1..120)) {
        let mut world = World::lived(&ops);
        world.heal_streams();
    }
}

/// Marks that need more than four actors, longer words, time that no random life takes, a wall clock that is set back while
/// the engine is away, or a store that takes no writes.
const OUT_OF_REACH: [&str; 10] = [
    "control.actor_names_max",
    "control.actors_max",
    "control.departed_shortened",
    "control.init_out_of_bounds",
    "control.lifespan_ends_slow_eviction",
    "control.pool_error_aged",
    "control.pool_error_cleared",
    "control.runner_silent_while_reading",
    "control.sockets_max",
    "control.unknown_runner_while_reading",
];

#[test]
fn random_lives_reach_every_rare_branch() {
    protocol::mark::reset();
    let mut runner = TestRunner::deterministic();
    for _ in 0..1_500 {
        let ops = prop::collection::vec(op(), 1..120).new_tree(&mut runner).unwrap().current();
        let mut world = World::lived(&ops);
        world.heal();
    }
    let hits = protocol::mark::hits();
    let mut missed: Vec<&str> = hits
        .into_iter()
        .filter(|(name, hits)| name.starts_with("control.") && *hits == 0)
        .map(|(name, _)| name)
        .collect();
    missed.retain(|name| !OUT_OF_REACH.contains(name));
    assert_eq!(missed, Vec::<&str>::new());
}

/// The same event twice, as a runner sends it that saw no acknowledgement.
#[test]
fn an_event_sent_twice_is_taken_once() {
    let mut plane = Plane::new();
    plane.normal().runner("r", 1).create_with("a", CrashPolicy::Restart);
    let stopped = RunnerEvent {
        actor: actor("a"),
        generation: Generation::FIRST,
        index: 0,
        event: Event::ActorStateUpdate {
            state: ActorState::Stopped { code: StopCode::Error, message: None },
        },
    };
    plane.frame("r", Frame::Events(vec![stopped.clone(), stopped]));
    assert_eq!((plane.phase("a"), plane.view("a").generation), ("starting", Some(Generation(2))));
}
