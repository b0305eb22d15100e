//! Every order of calls, ends and failures, within a few callers and failures, enumerated.
//!
//! A state is the machine beside what a driver would have: whether a ground and a service are there, and which callers
//! wait. What the environment may do is what a driver may; time passes only to the deadline.

use std::collections::{BTreeMap, BTreeSet};

use stateright::{Checker, Model, Property};

use super::*;

/// One part, as its driver has it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
enum Thing {
    Coming,
    There,
}

/// What a caller waits for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
enum Call {
    Prepare,
    Start(Mode),
    Watch,
    Drain,
    Stop,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
struct World {
    machine: Startup,
    now: u64,
    attempt: u32,
    ground: Option<(u32, Thing, bool)>,
    service: Option<(u32, Thing, bool)>,
    waiting: BTreeMap<u64, Call>,
    calls: u64,
    failures: u8,
    /// What the failures of the current attempt were, by permanence.
    failed: Option<bool>,
    /// Whether a permanent failure was told, or stood unasked.
    stuck: bool,
    /// Modes of the current attempt that were told to be there.
    modes: BTreeSet<Mode>,
    /// What the end was told to be.
    ended: BTreeSet<End>,
    wrong: Option<&'static str>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Action {
    Call(Call),
    Created,
    Gone(Option<bool>),
    Began,
    Finished(Option<bool>),
    Wait,
}

struct Orders {
    callers: u64,
    failures: u8,
}

/// A failure that may pass, and one that cannot.
fn cause(permanent: bool) -> Cause {
    if permanent { Cause::BinaryNotFound } else { Cause::StartFailed }
}

impl World {
    fn feed(&mut self, input: Input) {
        let mut out = Vec::new();
        let time = Now { mono: Mono(self.now), wall: Wall(0) };
        self.machine.handle(time, input, &mut out);
        let mut outcomes: BTreeMap<bool, BTreeSet<String>> = BTreeMap::new();
        for effect in out {
            self.perform(effect, &mut outcomes);
        }
        // Starters and preparers apart: they are told at the end of the second phase and of the first.
        if outcomes.values().any(|told| told.len() > 1) {
            self.wrong = Some("the callers of a flight share one outcome");
        }
    }

    fn perform(&mut self, effect: Effect, outcomes: &mut BTreeMap<bool, BTreeSet<String>>) {
        let wrong = match effect {
            Effect::Create { attempt } => {
                let clean = self.ground.is_none() && self.service.is_none() && !self.stuck;
                (self.attempt, self.ground) = (attempt, Some((attempt, Thing::Coming, false)));
                self.failed = None;
                self.modes.clear();
                (!clean).then_some("a ground is made where nothing is, and never after a permanent failure")
            }
            Effect::Begin { attempt, .. } => {
                let fits = self.service.is_none() && self.ground == Some((attempt, Thing::There, false));
                self.service = Some((attempt, Thing::Coming, false));
                (!fits).then_some("a service begins once, on a ground that stands")
            }
            Effect::Destroy { attempt } => {
                let wrong = self.service.is_some()
                    || self.ground.is_none_or(|ground| ground.0 != attempt || ground.2);
                self.ground = self.ground.map(|(attempt, thing, _)| (attempt, thing, true));
                wrong.then_some("a ground goes once, and after its service")
            }
            Effect::DrainService { attempt } | Effect::StopService { attempt } => {
                let wrong = self.service.is_none_or(|service| service.0 != attempt);
                self.service = self.service.map(|(attempt, thing, _)| (attempt, thing, true));
                wrong.then_some("only what is there is ended")
            }
            Effect::Told { ticket, outcome } => self.told(ticket, outcome, outcomes),
            Effect::Ended { ticket, end } => {
                self.ended.insert(end);
                let ours = matches!(self.waiting.remove(&ticket.0), Some(Call::Drain | Call::Stop));
                let left = self.ground.is_some() || self.service.is_some();
                (!ours || left || self.ended.len() > 1).then_some("all ends are one, with nothing left")
            }
        };
        self.wrong = self.wrong.or(wrong);
    }

    fn told(
        &mut self,
        ticket: Ticket,
        outcome: Result<(), Refusal>,
        outcomes: &mut BTreeMap<bool, BTreeSet<String>>,
    ) -> Option<&'static str> {
        let Some(call) = self.waiting.remove(&ticket.0) else {
            return Some("each caller is told once");
        };
        let conflict = matches!(outcome, Err(Refusal::ModeConflict { .. }));
        if !conflict {
            outcomes.entry(call == Call::Prepare).or_default().insert(format!("{outcome:?}"));
        }
        match (call, outcome) {
            (Call::Drain | Call::Stop, _) => Some("an end is told as one"),
            (Call::Prepare, Ok(())) => {
                (!matches!(self.ground, Some((_, Thing::There, false)))).then_some("prepared means a ground")
            }
            (Call::Start(_) | Call::Watch, Ok(())) => {
                if let Call::Start(mode) = call {
                    self.modes.insert(mode);
                }
                (!matches!(self.service, Some((_, Thing::There, false))) || self.modes.len() > 1)
                    .then_some("started means one service")
            }
            (_, Err(Refusal::Failed(told))) => {
                let ending = matches!(self.machine.standing(), Standing::Draining | Standing::Stopped(_));
                let left = !ending && (self.ground.is_some() || self.service.is_some());
                self.stuck |= told.is_permanent();
                let wrong = self.failed != Some(told.is_permanent());
                (left || wrong).then_some("a failure is told as it was, with nothing left")
            }
            (_, Err(Refusal::ModeConflict { current, requested })) => {
                (call != Call::Start(requested) || current == requested).then_some("a conflict is one")
            }
            (_, Err(Refusal::ShutDown)) => {
                let ending = matches!(self.machine.standing(), Standing::Draining | Standing::Stopped(_));
                (!ending).then_some("only a shutdown is told as one")
            }
            (_, Err(Refusal::Configured)) => Some("nobody configures here"),
        }
    }

    /// Notes the first failure of an attempt: the one that is told.
    fn failure(&mut self, permanent: Option<bool>) -> Option<Cause> {
        let standing = matches!(self.machine.standing(), Standing::Draining | Standing::Failed(_));
        if let Some(permanent) = permanent {
            self.failures += 1;
            if !standing {
                self.failed = Some(permanent);
                self.stuck |= permanent;
            }
        }
        permanent.map(cause)
    }
}

impl Model for Orders {
    type State = World;
    type Action = Action;

    fn init_states(&self) -> Vec<World> {
        vec![World {
            machine: Startup::new(),
            now: 0,
            attempt: 0,
            ground: None,
            service: None,
            waiting: BTreeMap::new(),
            calls: 0,
            failures: 0,
            failed: None,
            stuck: false,
            modes: BTreeSet::new(),
            ended: BTreeSet::new(),
            wrong: None,
        }]
    }

    fn actions(&self, world: &World, actions: &mut Vec<Action>) {
        if world.calls < self.callers {
            let starts = [Call::Start(Mode::Runner), Call::Start(Mode::Serverless)];
            let calls = [Call::Prepare, Call::Watch, Call::Drain, Call::Stop].into_iter().chain(starts);
            actions.extend(calls.map(Action::Call));
        }
        let failures = (world.failures < self.failures).then_some([Some(false), Some(true)]);
        if let Some((_, thing, asked)) = world.ground {
            actions.extend((thing == Thing::Coming).then_some(Action::Created));
            actions.extend(asked.then_some(Action::Gone(None)));
            actions.extend(failures.into_iter().flatten().map(Action::Gone));
        }
        if let Some((_, thing, asked)) = world.service {
            actions.extend((thing == Thing::Coming).then_some(Action::Began));
            actions.extend(asked.then_some(Action::Finished(None)));
            actions.extend(failures.into_iter().flatten().map(Action::Finished));
        }
        actions.extend(world.machine.next_deadline().map(|_| Action::Wait));
    }

    fn next_state(&self, before: &World, action: Action) -> Option<World> {
        let mut world = before.clone();
        let attempt = world.attempt;
        let input = match action {
            Action::Call(call) => {
                world.calls += 1;
                let ticket = Ticket(world.calls);
                world.waiting.insert(world.calls, call);
                match call {
                    Call::Prepare => Input::Prepare { ticket },
                    Call::Start(mode) => Input::Start { ticket, mode },
                    Call::Watch => Input::Watch { ticket },
                    Call::Drain => Input::Drain { ticket: Some(ticket), grace: Some(GRACE_MIN) },
                    Call::Stop => Input::Stop { ticket: Some(ticket) },
                }
            }
            Action::Created => {
                world.ground = world.ground.map(|(attempt, _, asked)| (attempt, Thing::There, asked));
                Input::Created { attempt }
            }
            Action::Gone(permanent) => {
                let cause = world.failure(permanent);
                world.ground = None;
                Input::Gone { attempt, cause }
            }
            Action::Began => {
                world.service = world.service.map(|(attempt, _, asked)| (attempt, Thing::There, asked));
                Input::Began { attempt }
            }
            Action::Finished(permanent) => {
                let cause = world.failure(permanent);
                world.service = None;
                Input::Finished { attempt, cause }
            }
            Action::Wait => {
                world.now = world.machine.next_deadline()?.0.0;
                Input::Tick
            }
        };
        world.feed(input);
        Some(world)
    }

    fn properties(&self) -> Vec<Property<Self>> {
        vec![
            Property::always("nothing is wrong", |_, world: &World| {
                if let Some(wrong) = world.wrong {
                    println!("{wrong}: {world:?}");
                }
                world.wrong.is_none()
            }),
            Property::always("what has stopped or failed has left nothing", |_, world: &World| {
                // A failure shows while the rest is taken down; then everything there was asked to end.
                let asked = |part: Option<(u32, Thing, bool)>| part.is_none_or(|(_, _, asked)| asked);
                match world.machine.standing() {
                    Standing::Stopped(_) => world.ground.is_none() && world.service.is_none(),
                    Standing::Failed(_) | Standing::Draining => {
                        asked(world.service) && { world.service.is_some() || asked(world.ground) }
                    }
                    Standing::Idle => world.ground.is_none() && world.service.is_none(),
                    Standing::Preparing
                    | Standing::Prepared
                    | Standing::Starting(_)
                    | Standing::Running(_) => true,
                }
            }),
            Property::always("nobody is forgotten", |_, world: &World| {
                // Whoever waits, waits for a part that comes or goes; a watcher also for somebody else's call.
                let moving = |part: Option<(u32, Thing, bool)>| {
                    part.is_some_and(|(_, thing, asked)| asked || thing == Thing::Coming)
                };
                let under_way = moving(world.ground) || moving(world.service);
                let idle = matches!(world.machine.standing(), Standing::Idle | Standing::Prepared);
                world.waiting.values().all(|call| under_way || (*call == Call::Watch && idle))
            }),
            Property::always(
                "a transient failure never sticks, a permanent one always does",
                |_, world: &World| match world.machine.standing() {
                    Standing::Failed(cause) if world.ground.is_none() && world.service.is_none() => {
                        let mut next = world.clone();
                        let mut out = Vec::new();
                        next.machine.handle(
                            Now { mono: Mono(world.now), wall: Wall(0) },
                            Input::Prepare { ticket: Ticket(99) },
                            &mut out,
                        );
                        matches!(out.as_slice(), [Effect::Create { .. }]) != cause.is_permanent()
                            && cause.is_permanent() == world.stuck
                    }
                    Standing::Idle
                    | Standing::Preparing
                    | Standing::Prepared
                    | Standing::Starting(_)
                    | Standing::Running(_)
                    | Standing::Failed(_)
                    | Standing::Draining
                    | Standing::Stopped(_) => true,
                },
            ),
            Property::sometimes("a second attempt runs after a failure", |_, world: &World| {
                world.attempt > 1 && matches!(world.machine.standing(), Standing::Running(_))
            }),
            Property::sometimes("a drain takes too long", |_, world: &World| {
                world.ended.contains(&End::Overdue)
            }),
        ]
    }
}

fn enumerate(callers: u64, failures: u8, states: usize) {
    let checker = Orders { callers, failures }.checker().spawn_bfs().join();
    checker.assert_properties();
    assert_eq!(checker.unique_state_count(), states, "the bounds have changed");
}

#[test]
fn every_order_of_five_calls_and_two_failures() {
    enumerate(5, 2, 25_392);
}
