//! Whether a state is no dead end: without further faults, and with a client that asks, the actor comes to run in a process that
//! hosts it, or is destroyed.

use machines::control::Input;

use crate::process::Process;
use crate::world::{World, actor};

/// Steps that this may take: deadlines are a few seconds apart, and the longest way is a stop that nobody answers, and what
/// lingers after it.
const STEPS: usize = 400;

/// After so many steps the process that should host it answers the client's request that it does not.
const PATIENCE: usize = 60;

/// Whether the actor can be reached from here.
pub(crate) fn reachable(mut world: World) -> bool {
    // Somebody is there to host it.
    if world.processes.iter().all(|process| process.evicted || process.drains) {
        world.processes.push(Process::default());
    }
    let mut watched = false;
    for step in 0..STEPS {
        if world.engine.is_some() && !watched {
            world.control(Input::Watch { actor: actor() }, false);
            watched = true;
        }
        match world.phase() {
            Some("destroyed") => return true,
            Some("running") if world.hosted() => return true,
            Some("running") if step == PATIENCE => {
                world.disowned();
            }
            Some(_) | None => {}
        }
        // Nobody waits for ever on a socket that has fallen silent.
        if let Some(at) = world.links.iter().position(|link| link.process && link.silent) {
            world.process_notices(at);
        }
        // One draining process gets nothing new: it ends when it hosts nothing.
        for of in 0..world.processes.len() {
            if world.processes[of].drains && world.processes[of].instance.is_none() {
                world.die(of);
            }
        }
        let Some(action) = world.forced().first().copied() else {
            if !world.advance() {
                return false;
            }
            continue;
        };
        world.act(action);
    }
    false
}

impl World {
    /// A request for the actor comes back from the session of its runner, time and again.
    fn disowned(&mut self) {
        let Some(view) = self.engine.as_ref().map(|engine| engine.view()) else { return };
        let Some(shown) = view.actors.first() else { return };
        let conn = view.runners.iter().find(|it| Some(it.runner) == shown.runner).and_then(|it| it.conn);
        if let (Some(generation), Some(conn)) = (shown.generation, conn) {
            self.control(Input::Disowned { actor: actor(), generation, conn }, false);
        }
    }

    /// Whether the generation that has rights runs in a process with a session.
    fn hosted(&self) -> bool {
        let actors = self.engine.as_ref().map(|engine| engine.view().actors).unwrap_or_default();
        let generation = actors.first().and_then(|actor| actor.generation);
        let hosts = |(of, process): (usize, &Process)| {
            let instance = process.instance.filter(|it| it.runs && !it.stops);
            self.session(of).is_some() && instance.map(|it| it.generation) == generation.map(|it| it.0)
        };
        self.processes.iter().enumerate().any(hosts)
    }
}
