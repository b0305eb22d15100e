//! Every order in which an engine is found, spawned, healthy, slow, outrun and ended, enumerated; and its timing.

use protocol::time::Wall;
use stateright::{Checker, Model, Property};

use super::*;

const OPTIONS: Options = Options { port: 6420, keep: false, health_wait: HEALTH_WAIT };

/// The machine beside what it has made.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
struct World {
    machine: Spawn,
    now: Mono,
    /// The look that runs.
    probe: Option<u32>,
    looks: u8,
    spawning: bool,
    /// A child that lives, and the signals it has got.
    child: Option<(bool, bool)>,
    up: u8,
    asked: bool,
    gone: Option<Option<Cause>>,
    wrong: Option<&'static str>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Action {
    See(Seen),
    Spawned(bool),
    Exit,
    End,
    Wait,
}

struct Orders {
    keep: bool,
    looks: u8,
}

impl World {
    fn feed(&mut self, input: Input) {
        let mut out = Vec::new();
        self.machine.handle(Now { mono: self.now, wall: Wall(0) }, input, &mut out);
        for effect in out {
            let over = self.gone.is_some();
            let wrong = match effect {
                Effect::Probe { probe } => {
                    self.probe = Some(probe);
                    self.looks += 1;
                    over
                }
                Effect::Spawn => {
                    let twice = self.spawning || self.child.is_some();
                    self.spawning = true;
                    twice || self.looks < 2 || over
                }
                Effect::Terminate => self.child.replace((true, false)) != Some((false, false)),
                Effect::Kill => self.child.replace((true, true)) != Some((true, false)),
                Effect::Up => {
                    self.up += 1;
                    self.up > 1 || over
                }
                Effect::Gone { cause } => {
                    let kept = self.machine.options.keep && self.up == 1 && cause.is_none();
                    let left = (self.child.is_some() && !kept) || self.spawning;
                    let explained = cause.is_some() || self.asked;
                    self.gone = Some(cause);
                    left || over || !explained
                }
            };
            if wrong {
                self.wrong = Some("an effect out of order");
            }
        }
    }
}

impl Model for Orders {
    type State = World;
    type Action = Action;

    fn init_states(&self) -> Vec<World> {
        let mut world = World {
            machine: Spawn::new(Options { keep: self.keep, ..OPTIONS }),
            now: Mono::ZERO,
            probe: None,
            looks: 0,
            spawning: false,
            child: None,
            up: 0,
            asked: false,
            gone: None,
            wrong: None,
        };
        world.feed(Input::Start);
        vec![world]
    }

    fn actions(&self, world: &World, actions: &mut Vec<Action>) {
        if world.probe.is_some() {
            actions.extend([Seen::Engine, Seen::Foreign, Seen::Nothing].map(Action::See));
        }
        if world.spawning {
            actions.extend([true, false].map(Action::Spawned));
        }
        actions.extend(world.child.map(|_| Action::Exit));
        actions.extend((!world.asked).then_some(Action::End));
        let waits = world.machine.next_deadline().is_some() && world.looks < self.looks;
        let ends = world.child.is_some_and(|(terminated, _)| terminated);
        actions.extend((waits || ends && world.machine.next_deadline().is_some()).then_some(Action::Wait));
    }

    fn next_state(&self, before: &World, action: Action) -> Option<World> {
        let mut world = before.clone();
        let input = match action {
            Action::See(seen) => Input::Probed { probe: world.probe.take()?, seen },
            Action::Spawned(lives) => {
                world.spawning = false;
                world.child = lives.then_some((false, false));
                Input::Spawned(if lives { Ok(()) } else { Err(Cause::BinaryNotFound) })
            }
            Action::Exit => {
                world.child = None;
                Input::Exited
            }
            Action::End => {
                world.asked = true;
                Input::End
            }
            Action::Wait => {
                world.now = world.machine.next_deadline()?.0;
                Input::Tick
            }
        };
        world.feed(input);
        Some(world)
    }

    fn properties(&self) -> Vec<Property<Self>> {
        vec![
            Property::always("in order", |_, world: &World| world.wrong.is_none()),
            Property::always("never stuck", |_, world: &World| {
                let moves = world.probe.is_some()
                    || world.spawning
                    || world.child.is_some()
                    || world.machine.next_deadline().is_some();
                moves || world.gone.is_some() || world.up == 1
            }),
            Property::always("what was asked to end is ending", |_, world: &World| {
                let signalled = world.child.is_none_or(|(terminated, _)| terminated);
                !world.asked || world.gone.is_some() || world.spawning || signalled
            }),
            Property::sometimes("a child is killed", |_, world: &World| world.child == Some((true, true))),
            Property::sometimes("a lost race is no failure", |_, world: &World| {
                world.up == 1 && world.machine.phase == Phase::Up { found: true } && world.looks > 2
            }),
        ]
    }
}

#[test]
fn every_order_of_looks_exits_and_ends() {
    for (keep, states) in [(false, 1326), (true, 1250)] {
        let checker = Orders { keep, looks: 6 }.checker().spawn_bfs().join();
        checker.assert_properties();
        assert_eq!(checker.unique_state_count(), states, "the bounds have changed");
    }
}

/// Waits for the next deadline and ticks.
fn wait(machine: &mut Spawn, now: &mut Now) -> (Duration, &'static str, Vec<Effect>) {
    let (until, why) = machine.next_deadline().unwrap();
    let waited = until.since(now.mono);
    *now = now.after(waited);
    let mut out = Vec::new();
    machine.handle(*now, Input::Tick, &mut out);
    (waited, why, out)
}

fn step(machine: &mut Spawn, now: Now, input: Input) -> Vec<Effect> {
    let mut out = Vec::new();
    machine.handle(now, input, &mut out);
    out
}

#[test]
fn a_child_is_looked_at_more_and_more_seldom_and_ended_after_ten_seconds() {
    let (mut machine, mut now) = (Spawn::new(OPTIONS), Now { mono: Mono(5), wall: Wall(0) });
    assert_eq!(step(&mut machine, now, Input::Start), [Effect::Probe { probe: 1 }]);
    let nothing = |probe| Input::Probed { probe, seen: Seen::Nothing };
    assert_eq!(step(&mut machine, now, nothing(1)), [Effect::Probe { probe: 2 }]);
    assert_eq!(step(&mut machine, now, nothing(2)), [Effect::Spawn]);
    assert_eq!(step(&mut machine, now, Input::Spawned(Ok(()))), [Effect::Probe { probe: 3 }]);
    let spawned = now;
    let mut pauses = Vec::new();
    for probe in 3.. {
        assert_eq!(step(&mut machine, now, nothing(probe)), []);
        let (waited, why, effects) = wait(&mut machine, &mut now);
        if why == "health wait" {
            assert_eq!(effects, [Effect::Terminate]);
            break;
        }
        assert_eq!((why, effects), ("next probe", vec![Effect::Probe { probe: probe + 1 }]));
        pauses.push(waited.as_millis());
    }
    assert_eq!(pauses[..6], [100, 200, 400, 800, 1000, 1000]);
    assert_eq!(now.mono.since(spawned.mono), HEALTH_WAIT);
    let (waited, why, effects) = wait(&mut machine, &mut now);
    assert_eq!((waited, why, effects), (TERM_GRACE, "termination grace", vec![Effect::Kill]));
    let gone = Effect::Gone { cause: Some(Cause::HealthCheckFailed { port: 6420 }) };
    assert_eq!(step(&mut machine, now, Input::Exited), [gone]);
}

#[test]
fn whoever_listens_and_says_nothing_is_no_engine() {
    let (mut machine, mut now) = (Spawn::new(OPTIONS), Now { mono: Mono(5), wall: Wall(0) });
    step(&mut machine, now, Input::Start);
    let (waited, _, effects) = wait(&mut machine, &mut now);
    let gone = Effect::Gone { cause: Some(Cause::PortOccupied { port: 6420 }) };
    assert_eq!((waited, effects), (PROBE_TIMEOUT, vec![gone]));
    let late = Input::Probed { probe: 1, seen: Seen::Engine };
    assert_eq!(step(&mut machine, now, late), []);
}
