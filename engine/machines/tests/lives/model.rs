//! What may happen next, and what must hold.

use std::collections::hash_map::DefaultHasher;
use std::hash::{Hash, Hasher};

use machines::control::Input;
use machines::control::input::Call;
use protocol::time::Wall;
use stateright::{Model, Property};

use crate::heal::reachable;
use crate::process::{Process, Said, Up};
use crate::world::{FINAL, ONCE, ONE, World, actor};

/// How often what may happen.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Budget {
    pub(crate) breaks: u8,
    pub(crate) silences: u8,
    pub(crate) falls: u8,
    pub(crate) twice: u8,
    pub(crate) deaths: u8,
    /// A second process of the same identity, and one of another.
    pub(crate) doubles: u8,
    pub(crate) others: u8,
    /// Deadlines that come while messages are under way.
    pub(crate) delays: u8,
    pub(crate) wakes: u8,
    pub(crate) sleeps: u8,
    pub(crate) alarms: u8,
    pub(crate) drains: u8,
    pub(crate) crashes: u8,
    pub(crate) deletes: u8,
    /// Writes of user code: whoever hosts the actor asks whether it may.
    pub(crate) writes: u8,
    /// Deadlines that come while nothing is under way: time is bounded by it.
    pub(crate) waits: u8,
}

impl Budget {
    pub(crate) const NONE: Self = Self {
        breaks: 0,
        silences: 0,
        falls: 0,
        twice: 0,
        deaths: 0,
        doubles: 0,
        others: 0,
        delays: 0,
        wakes: 0,
        sleeps: 0,
        alarms: 0,
        drains: 0,
        crashes: 0,
        deletes: 0,
        writes: 0,
        waits: 0,
    };
}

pub(crate) struct Lives {
    pub(crate) budget: Budget,
    pub(crate) healed_of: u64,
}

/// One step.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Action {
    Dial(usize),
    Up(usize),
    Down(usize),
    EngineNotices(usize),
    ProcessNotices(usize),
    Rise,
    Runs(usize),
    Stopped(usize),
    /// User code writes.
    Write(usize),
    Wait,
    Break(usize),
    Silence(usize),
    Fall,
    UpThenFall(usize),
    DownTwice(usize),
    Die(usize),
    Double,
    Other,
    Delay,
    Wake,
    Sleep(usize),
    Alarm(usize),
    Drain(usize),
    Crash(usize),
    Delete,
}

impl World {
    /// What happens by itself.
    pub(crate) fn forced(&self) -> Vec<Action> {
        let mut actions = Vec::new();
        if self.engine.is_none() {
            actions.push(Action::Rise);
        }
        for (at, link) in self.links.iter().enumerate() {
            let moves = [
                (link.engine && !link.silent && !link.up.is_empty(), Action::Up(at)),
                (link.process && !link.silent && !link.down.is_empty(), Action::Down(at)),
                (link.engine && link.broken, Action::EngineNotices(at)),
                (link.process && link.broken && !link.silent, Action::ProcessNotices(at)),
            ];
            actions.extend(moves.into_iter().filter(|(can, _)| *can).map(|(_, action)| action));
        }
        for (of, process) in self.processes.iter().enumerate() {
            if self.engine.is_some() && !process.evicted && self.session(of).is_none() {
                actions.push(Action::Dial(of));
            }
            match process.instance {
                Some(instance) if instance.stops => actions.push(Action::Stopped(of)),
                Some(instance) if !instance.runs => actions.push(Action::Runs(of)),
                Some(_) | None => {}
            }
        }
        actions
    }

    pub(crate) fn act(&mut self, action: Action) {
        match action {
            Action::Dial(of) => self.dial(of),
            Action::Up(at) => self.up(at, false),
            Action::Down(at) => self.down(at, false),
            Action::EngineNotices(at) => self.engine_notices(at),
            Action::ProcessNotices(at) => self.process_notices(at),
            Action::Rise => self.rise(),
            Action::Runs(of) => self.say(of, &Said::Runs),
            Action::Stopped(of) => self.say(of, &Said::Stopped { crashed: false }),
            Action::Write(of) => {
                self.spent.writes += 1;
                let generation = self.processes[of].instance.expect("it runs").generation;
                self.send(of, Up::Write(generation));
            }
            Action::Wait => {
                self.spent.waits += 1;
                self.advance();
            }
            Action::Break(at) => {
                self.spent.breaks += 1;
                self.links[at].broken = true;
            }
            Action::Silence(at) => {
                self.spent.silences += 1;
                self.links[at].silent = true;
            }
            Action::Fall => {
                self.spent.falls += 1;
                self.fall();
            }
            Action::UpThenFall(at) => {
                self.spent.falls += 1;
                self.up(at, true);
            }
            Action::DownTwice(at) => {
                self.spent.twice += 1;
                self.down(at, true);
            }
            Action::Die(of) => {
                self.spent.deaths += 1;
                self.die(of);
            }
            Action::Double => {
                self.spent.doubles += 1;
                self.processes.push(Process::default());
            }
            Action::Other => {
                self.spent.others += 1;
                self.processes.push(Process { other: true, ..Process::default() });
            }
            Action::Delay => {
                self.spent.delays += 1;
                self.advance();
            }
            Action::Wake => {
                self.spent.wakes += 1;
                self.control(Input::Watch { actor: actor() }, false);
                self.control(Input::Unwatch { actor: actor() }, false);
            }
            Action::Sleep(of) => {
                self.spent.sleeps += 1;
                self.say(of, &Said::Sleeps);
            }
            Action::Alarm(of) => {
                self.spent.alarms += 1;
                self.say(of, &Said::Alarm(Wall(self.now.wall.0 + 4_000)));
            }
            Action::Drain(of) => {
                self.spent.drains += 1;
                self.processes[of].drains = true;
                self.send(of, Up::Stopping);
            }
            Action::Crash(of) => {
                self.spent.crashes += 1;
                self.say(of, &Said::Stopped { crashed: true });
            }
            Action::Delete => {
                self.spent.deletes += 1;
                self.call(Call::DeleteActor { namespace: None, actor: actor() });
            }
        }
    }
}

impl Model for Lives {
    type State = World;
    type Action = Action;

    fn init_states(&self) -> Vec<World> {
        vec![World::new()]
    }

    fn actions(&self, world: &World, actions: &mut Vec<Action>) {
        let forced = world.forced();
        let rests = forced.is_empty();
        actions.extend(forced);
        let (budget, spent) = (&self.budget, &world.spent);
        let up = world.engine.is_some();
        // Before the last silence and fall nobody has cause to write as somebody else.
        let struck = spent.silences == budget.silences && spent.falls == budget.falls;
        let running = |of: &usize| world.processes[*of].instance.is_some_and(|it| it.runs && !it.stops);
        for (at, link) in world.links.iter().enumerate() {
            let whole = !link.broken && !link.silent;
            let arrives = link.engine && !link.silent && !link.up.is_empty();
            let commands = matches!(link.down.front(), Some(machines::control::effect::Message::Commands(_)));
            let faults = [
                (spent.breaks < budget.breaks && whole, Action::Break(at)),
                (spent.silences < budget.silences && whole, Action::Silence(at)),
                // Sooner or later; the engine has its own time for it.
                (link.process && link.silent, Action::ProcessNotices(at)),
                (spent.falls < budget.falls && arrives, Action::UpThenFall(at)),
                (
                    spent.twice < budget.twice && link.process && !link.silent && commands,
                    Action::DownTwice(at),
                ),
            ];
            actions.extend(faults.into_iter().filter(|(can, _)| *can).map(|(_, action)| action));
        }
        for of in 0..world.processes.len() {
            let hosts = running(&of);
            let wishes = [
                (spent.deaths < budget.deaths, Action::Die(of)),
                (spent.sleeps < budget.sleeps && hosts, Action::Sleep(of)),
                (spent.alarms < budget.alarms && hosts, Action::Alarm(of)),
                (spent.drains < budget.drains && !world.processes[of].drains, Action::Drain(of)),
                (spent.crashes < budget.crashes && hosts, Action::Crash(of)),
                (spent.writes < budget.writes && hosts && struck, Action::Write(of)),
            ];
            actions.extend(wishes.into_iter().filter(|(can, _)| *can).map(|(_, action)| action));
        }
        let others = [
            (spent.falls < budget.falls && up, Action::Fall),
            (spent.doubles < budget.doubles, Action::Double),
            // One that comes when there is cause: before, it would only double what may happen.
            (spent.others < budget.others && spent.silences == budget.silences, Action::Other),
            (spent.delays < budget.delays && !rests, Action::Delay),
            (spent.wakes < budget.wakes && up, Action::Wake),
            (spent.deletes < budget.deletes && up, Action::Delete),
            (spent.waits < budget.waits && rests, Action::Wait),
        ];
        actions.extend(others.into_iter().filter(|(can, _)| *can).map(|(_, action)| action));
    }

    fn next_state(&self, last: &World, action: Action) -> Option<World> {
        let mut world = last.clone();
        world.act(action);
        Some(world)
    }

    fn properties(&self) -> Vec<Property<Self>> {
        vec![
            Property::always(ONE, |_: &Self, world: &World| !world.ghost.broken.contains(ONE)),
            Property::always(ONCE, |_: &Self, world: &World| !world.ghost.broken.contains(ONCE)),
            Property::always(FINAL, |_: &Self, world: &World| !world.ghost.broken.contains(FINAL)),
            Property::always("slots are conserved", |_: &Self, world: &World| slots(world)),
            Property::always("the actor can be reached, or is destroyed", |model: &Self, world: &World| {
                let mut hasher = DefaultHasher::new();
                world.hash(&mut hasher);
                !hasher.finish().is_multiple_of(model.healed_of) || reachable(world.clone())
            }),
        ]
    }
}

/// Each runner has one slot, and whoever is allocated or lingers is in it.
fn slots(world: &World) -> bool {
    let Some(engine) = &world.engine else { return true };
    let view = engine.view();
    let allocated = view.actors.iter().filter(|actor| actor.runner.is_some()).count();
    let used = |lingering: bool| {
        let slots = view.runners.iter().map(|it| if lingering { it.lingering_slots } else { it.used_slots });
        usize::try_from(slots.sum::<u32>()).expect("a few slots")
    };
    allocated + used(true) == used(false)
}
