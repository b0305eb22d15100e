//! What the gateway is told: the routes of the actors it holds requests for.

use protocol::id::ActorId;

use super::Control;
use super::actors::doomed;
use super::effect::Effect;
use super::pool::PoolKey;
use super::record::{Phase, Stage};
use super::step::Step;
use crate::route::Route;

impl Control {
    /// Wakes the actor and tells its route, in this step and at each change.
    pub(super) fn watch(&mut self, step: &mut Step, id: ActorId) {
        if !self.reading {
            self.wake(step, id);
        }
        // Told as it stands at the end of the step; forgetting the last one told makes it be told anew.
        self.watches.insert(id, None);
        self.observed.remove(&id);
        step.routes.insert(id);
    }

    /// What is open to an actor keeps it from nothing: it may sleep, and nobody wakes it for that.
    pub(super) fn observe(&mut self, id: ActorId) {
        if self.watches.contains_key(&id) {
            self.observed.insert(id);
        }
    }

    pub(super) fn unwatch(&mut self, id: ActorId) {
        self.watches.remove(&id);
        self.observed.remove(&id);
    }

    /// Whether somebody waits for the actor.
    pub(super) fn is_wanted(&self, id: ActorId) -> bool {
        self.watches.contains_key(&id) && !self.observed.contains(&id)
    }

    /// Tells the routes that changed in this step.
    pub(super) fn tell_routes(&mut self, step: &mut Step) {
        for actor in std::mem::take(&mut step.routes) {
            let Some(told) = self.watches.get(&actor).copied() else { continue };
            let route = self.route(actor);
            if told != Some(route) {
                self.watches.insert(actor, Some(route));
                step.perform(Effect::Route { actor, route });
            }
        }
    }

    /// Where requests for the actor may go.
    pub(super) fn route(&self, id: ActorId) -> Route {
        let Some(actor) = self.actors.get(id) else { return Route::Unknown };
        let Phase::Allocated { runner, stage, .. } = &actor.phase else {
            return match actor.phase {
                Phase::Destroyed => Route::Unknown,
                Phase::Pending { .. } => self.pools[&PoolKey::of_actor(actor)].health.mood().route(),
                Phase::Sleeping | Phase::Backoff { .. } | Phase::Allocated { .. } => Route::Waiting,
            };
        };
        let generation = actor.generation.expect("an allocated actor has a generation");
        match (self.runners[runner].conn, stage) {
            (Some(conn), Stage::Running) => Route::Ready { conn, generation },
            (Some(conn), Stage::Stopping { .. }) if doomed(&actor.phase) => {
                Route::Ending { conn, generation }
            }
            (Some(conn), Stage::Stopping { .. }) => Route::Draining { conn, generation },
            // What it was asked before may still be answered on its session; without one, it is as good as gone.
            (None, Stage::Stopping { .. }) if doomed(&actor.phase) => Route::Unknown,
            (None, Stage::Running | Stage::Stopping { .. }) | (_, Stage::Starting { .. }) => Route::Waiting,
        }
    }
}
