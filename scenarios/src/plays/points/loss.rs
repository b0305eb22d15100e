//! `runner_lost`, small: of two workers the one that hosts the actor is killed, and does not come back for a while.

use std::time::Duration;

use model::fault::Family;

use super::Scene;
use crate::stack::Stack;

/// How long it is away: longer than the grace of 3 s, after which its actor moves.
const AWAY: Duration = Duration::from_secs(4);

/// How long clients work afterwards.
const AFTER: Duration = Duration::from_secs(1);

/// See the module.
#[derive(Clone, Copy, Debug)]
pub struct Loss;

impl Scene for Loss {
    const KEYS: &'static [&'static str] = &["steady/a"];
    const FAMILIES: &'static [Family] = &[Family::InstanceKilled];

    async fn open(&self, stack: &Stack) {
        super::work(stack, &stack.workers).await;
    }

    async fn happen(&self, stack: &Stack) {
        let view = stack.engine.control().await;
        let host = view.and_then(|view| view.actors.first().and_then(|actor| actor.runner));
        let worker = stack.workers.iter().find(|worker| host.is_some() && worker.runner() == host);
        let worker = worker.unwrap_or(&stack.workers[0]);
        stack.world.note(format!("{} is killed", worker.node().name()));
        let strike = stack.ledger.struck(Family::InstanceKilled);
        worker.node().kill();
        stack.world.sleep(AWAY).await;
        super::start(worker);
        stack.ledger.repaired(strike);
        stack.world.sleep(AFTER).await;
    }
}
