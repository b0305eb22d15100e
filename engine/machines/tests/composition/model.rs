//! What may happen next, and what must hold.

use std::time::Duration;

use machines::control::{self};
use machines::gateway;
use machines::runner::{self, InstanceEvent};
use protocol::id::{RequestId, RunnerKey, Ticket};
use protocol::time::Mono;
use stateright::{Model, Property};

use crate::app::closed;
use crate::engine::{Engine, actor, gateway_options};
use crate::link::Link;
use crate::world::{ANSWER, Client, DELIVERY, EXPLAINED, FENCE, Job, LIVES, START, World};

/// After a fault requests may fail this long; those that arrive later may not.
pub(crate) const HEALING: Duration = Duration::from_secs(20);

/// How long the engine stays down at most: beyond the lost threshold.
const DOWN: Duration = Duration::from_secs(16);

/// How often what may happen.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub(crate) struct Budget {
    /// The first is unsafe, the second safe, and so on.
    pub(crate) requests: u64,
    pub(crate) drops: u8,
    pub(crate) crashes: u8,
    pub(crate) sleeps: u8,
    /// Deadlines that come while messages are still under way.
    pub(crate) delays: u8,
}

pub(crate) struct Composition {
    pub(crate) budget: Budget,
}

/// One step.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Action {
    Request,
    /// The runner's dial reaches an engine, or none.
    Dial,
    /// The oldest message of a socket arrives.
    Up(usize),
    Down(usize),
    /// The same, and the engine crashes after the commit that follows.
    UpThenCrash(usize),
    Drop(usize),
    EngineNotices(usize),
    RunnerNotices(usize),
    Crash,
    Restart,
    Started,
    Stopped,
    Sleep,
    /// Time passes until something is due.
    Advance,
    /// The same, while messages are still under way.
    Delay,
}

impl Model for Composition {
    type State = World;
    type Action = Action;

    fn init_states(&self) -> Vec<World> {
        vec![World::new()]
    }

    fn actions(&self, world: &World, actions: &mut Vec<Action>) {
        if self.over(world) {
            return;
        }
        let forced = self.forced(world);
        let moving = !forced.is_empty();
        actions.extend(forced);
        self.faults(world, actions);
        let spent = &world.spent;
        if world.engine.is_some() && spent.requests < self.budget.requests {
            actions.push(Action::Request);
        }
        let running = world.app.code.is_some_and(|code| code.started && !code.stopping);
        if running && spent.sleeps < self.budget.sleeps {
            actions.push(Action::Sleep);
        }
        if world.engine.is_none() {
            actions.push(Action::Restart);
        }
        if may_advance(world) {
            if !moving {
                actions.push(Action::Advance);
            } else if spent.delays < self.budget.delays {
                actions.push(Action::Delay);
            }
        }
    }

    fn next_state(&self, last: &World, action: Action) -> Option<World> {
        let mut world = last.clone();
        world.act(action);
        world.settle();
        Some(world)
    }

    fn properties(&self) -> Vec<Property<Self>> {
        vec![
            Property::always(FENCE, |_: &Self, world: &World| !world.ghost.broken.contains(FENCE)),
            Property::always(START, |_: &Self, world: &World| !world.ghost.broken.contains(START)),
            Property::always(DELIVERY, |_: &Self, world: &World| !world.ghost.broken.contains(DELIVERY)),
            Property::always(ANSWER, |_: &Self, world: &World| !world.ghost.broken.contains(ANSWER)),
            Property::always(EXPLAINED, |_: &Self, world: &World| !world.ghost.broken.contains(EXPLAINED)),
            Property::always(LIVES, |_: &Self, world: &World| !world.ghost.broken.contains(LIVES)),
            Property::always("a request ends within its bound", |_: &Self, world: &World| world.in_time()),
            Property::eventually("every request ends", |model: &Self, world: &World| model.over(world)),
            Property::sometimes("every request is done", |model: &Self, world: &World| {
                model.over(world) && world.all_done()
            }),
        ]
    }
}

impl Composition {
    /// Every request was asked and has ended.
    fn over(&self, world: &World) -> bool {
        world.spent.requests == self.budget.requests
            && world.clients.values().all(|client| client.outcome.is_some())
    }

    /// What happens by itself, sooner or later.
    fn forced(&self, world: &World) -> Vec<Action> {
        let mut actions = Vec::new();
        if world.app.dial.is_some() {
            actions.push(Action::Dial);
        }
        for (at, link) in world.links.iter().enumerate() {
            let moves = [
                (link.engine.is_some() && !link.up.is_empty(), Action::Up(at)),
                (link.runner.is_some() && !link.down.is_empty(), Action::Down(at)),
                (link.engine.is_some() && link.broken, Action::EngineNotices(at)),
                (link.runner.is_some() && link.broken, Action::RunnerNotices(at)),
            ];
            actions.extend(moves.into_iter().filter(|(can, _)| *can).map(|(_, action)| action));
        }
        if world.app.code.is_some_and(|code| !code.started && !code.cut) {
            actions.push(Action::Started);
        }
        if world.app.may_stop() {
            actions.push(Action::Stopped);
        }
        actions
    }

    fn faults(&self, world: &World, actions: &mut Vec<Action>) {
        let up = |link: &Link| link.engine.is_some() && !link.up.is_empty();
        for (at, link) in world.links.iter().enumerate() {
            if world.spent.drops < self.budget.drops && !link.broken {
                actions.push(Action::Drop(at));
            }
            if world.spent.crashes < self.budget.crashes && up(link) {
                actions.push(Action::UpThenCrash(at));
            }
        }
        if world.spent.crashes < self.budget.crashes && world.engine.is_some() {
            actions.push(Action::Crash);
        }
    }
}

/// Where nothing is left to wait for, time stands still.
fn may_advance(world: &World) -> bool {
    let down = world.engine.is_none();
    let still_down = down && world.fault.is_some_and(|fault| world.now.mono < fault + DOWN);
    let waits = world.clients.values().any(|client| client.outcome.is_none());
    let healthy =
        !down && world.app.code.is_some_and(|code| code.started) && world.app.runner.view().connected;
    still_down || (!down && (waits || !healthy))
}

impl World {
    fn act(&mut self, action: Action) {
        match action {
            Action::Request => self.ask(),
            Action::Dial => self.connect(),
            Action::Up(at) => self.arrive_up(at, false),
            Action::UpThenCrash(at) => {
                self.spent.crashes += 1;
                self.arrive_up(at, true);
                if self.engine.is_some() {
                    self.crash();
                }
            }
            Action::Down(at) => {
                let link = &mut self.links[at];
                let conn = link.runner.expect("it still listens");
                let message = link.down.pop_front().expect("there is one");
                self.hear_down(conn, message);
            }
            Action::Drop(at) => {
                self.spent.drops += 1;
                self.fault = Some(self.now.mono);
                self.links[at].broken = true;
            }
            Action::EngineNotices(at) => {
                self.engine_notices(self.links[at].engine.expect("it has not noticed"))
            }
            Action::RunnerNotices(at) => {
                self.runner_notices(self.links[at].runner.expect("it has not noticed"))
            }
            Action::Crash => {
                self.spent.crashes += 1;
                self.crash();
            }
            Action::Restart => {
                self.fault = Some(self.now.mono);
                self.engine = Some(Engine::restore(self.now, &mut self.records));
            }
            Action::Started => self.instance(InstanceEvent::Started),
            Action::Stopped => self.instance(InstanceEvent::Stopped { error: None }),
            Action::Sleep => {
                self.spent.sleeps += 1;
                self.instance(InstanceEvent::Sleep);
            }
            Action::Advance => self.advance(),
            Action::Delay => {
                self.spent.delays += 1;
                self.fault = Some(self.now.mono);
                self.advance();
            }
        }
    }

    fn ask(&mut self) {
        self.spent.requests += 1;
        let ticket = Ticket(self.spent.requests);
        let safe = ticket.0.is_multiple_of(2);
        self.clients.insert(ticket, Client { safe, arrived: self.now.mono, outcome: None });
        let fresh = RequestId::from_u32(u32::try_from(ticket.0 * 100).expect("a few requests"));
        self.jobs.push_back(Job::Gateway(gateway::Input::Request { ticket, actor: actor(), safe, fresh }));
    }

    fn connect(&mut self) {
        let runner = self.app.dial.take().expect("it dials");
        if self.engine.is_none() {
            self.jobs.push_back(Job::Runner(closed(runner, runner::CloseClass::Retry)));
            return;
        }
        let conn = self.next_conn;
        self.next_conn = conn.next();
        self.links.push(Link::new(runner, conn));
        let key = RunnerKey::new("runner").expect("a short key");
        let opened = control::Input::SocketOpened { conn, namespace: "default".to_owned(), key };
        self.jobs.push_back(Job::Control(opened));
        self.jobs.push_back(Job::Runner(runner::Input::Dialled { conn: runner }));
    }

    fn arrive_up(&mut self, at: usize, crash: bool) {
        let link = &mut self.links[at];
        let conn = link.engine.expect("it still listens");
        let message = link.up.pop_front().expect("there is one");
        self.hear_up(conn, message, crash);
    }

    fn advance(&mut self) {
        let engine = self.engine.as_ref();
        let deadlines = [
            engine.and_then(|engine| engine.control.next_deadline()),
            engine.and_then(|engine| engine.gateway.next_deadline()),
            self.app.runner.next_deadline(),
        ];
        let moving = !self.jobs.is_empty();
        assert!(!moving, "a step begins with nothing left to do");
        let Some((at, _)) = deadlines.into_iter().flatten().min() else { return };
        self.now = self.now.after(at.since(self.now.mono));
        let due =
            |deadline: Option<(Mono, &'static str)>| deadline.is_some_and(|(at, _)| at <= self.now.mono);
        let [control, gateway, runner] = deadlines.map(due);
        self.jobs.extend(control.then_some(Job::Control(control::Input::Tick)));
        self.jobs.extend(gateway.then_some(Job::Gateway(gateway::Input::Tick)));
        self.jobs.extend(runner.then_some(Job::Runner(runner::Input::Tick)));
    }

    fn in_time(&self) -> bool {
        let options = gateway_options();
        let bound = options.ready_timeout + options.response_timeout;
        let waiting = self.clients.values().filter(|client| client.outcome.is_none());
        waiting.into_iter().all(|client| self.now.mono.since(client.arrived) <= bound)
    }

    fn all_done(&self) -> bool {
        self.clients.values().all(|client| client.outcome == Some(crate::world::Outcome::Done))
    }
}
