//! Clients who wait for one key each, and take the time it needs to answer once it can.

use std::time::Duration;

use super::beside::BOTH;
use crate::stack::Stack;
use crate::stack::client::Client;
use crate::world::Task;

/// Numbers of these clients begin here: they are no load, and no probers.
const FIRST: u32 = 40;

/// How long beyond its bound a key is asked: then the law says what it says.
const BEYOND: Duration = Duration::from_secs(1);

/// A key, its actor, and the number of whoever waits for it.
#[derive(Clone, Debug)]
pub(super) struct Watched {
    pub(super) key: &'static str,
    pub(super) actor: String,
    number: u32,
}

/// Finds the actors of [`BOTH`] keys, once the engine says which they are.
pub(super) async fn find(stack: &Stack) -> Vec<Watched> {
    let mut watched = Vec::new();
    for (key, number) in BOTH.iter().zip(FIRST..) {
        let client = Client::new(&stack.world, &stack.ledger, number);
        let actor = client.found(key).await;
        watched.push(Watched { key, actor, number });
    }
    watched
}

/// Those of them whose actor runs on a runner that has a session.
pub(super) async fn warm(stack: &Stack, watched: &[Watched]) -> Vec<Watched> {
    let Some(view) = stack.engine.control().await else { return Vec::new() };
    let is_warm = |each: &&Watched| {
        let actor = view.actors.iter().find(|actor| actor.actor.as_str() == each.actor);
        let runner = actor.filter(|actor| actor.phase == "running").and_then(|actor| actor.runner);
        view.runners.iter().any(|it| Some(it.runner) == runner && it.conn.is_some() && !it.draining)
    };
    watched.iter().filter(is_warm).cloned().collect()
}

/// Waits until each of them answers, at most a little longer than it may take from now on.
pub(super) async fn wait_for(stack: &Stack, watched: &[Watched], of: &'static str, bound: Duration) {
    let begun: Vec<_> = watched.iter().map(|each| begin(stack, each, of, bound)).collect();
    for waits in begun {
        waits.await;
    }
}

/// Waits until each of them has answered once.
pub(super) async fn served(stack: &Stack, watched: &[Watched]) {
    for each in watched {
        let client = Client::new(&stack.world, &stack.ledger, each.number);
        client.wait_for(each.key, &each.actor);
        client.node().ended().await;
    }
}

/// Waits until one of them answers, and takes its time by itself: others may take longer.
fn begin(stack: &Stack, watched: &Watched, of: &'static str, bound: Duration) -> Task<()> {
    let (world, ledger) = (stack.world.clone(), stack.ledger.clone());
    let client = Client::new(&world, &ledger, watched.number);
    let awaited = ledger.awaits(watched.key, of, bound);
    client.wait_for(watched.key, &watched.actor);
    stack.world.spawn("watch", async move {
        let answered = world.within(bound + BEYOND, client.node().ended()).await.is_some();
        ledger.recovered(&awaited, answered);
        client.end();
        client.node().ended().await;
    })
}
