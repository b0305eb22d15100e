//! What plays put beside engine and application: runners that connect by themselves, and how all of it is taken away.

use std::time::Duration;

use model::fault::Family;

use super::smoke::Smoke;
use crate::phases::Plot as _;
use crate::stack::{ODD, STEADY, Stack, Worker};
use crate::world::Node;

/// A key of the application and one of the workers: whatever a play does, both kinds of pools are asked.
pub(super) const BOTH: &[&str] = &["a", "steady/b"];

/// How long a worker may take to be connected when nothing is broken: its first dial, and some round trips.
const CONNECTED: Duration = Duration::from_secs(5);

/// How long a process may take to stop when it is asked to: twice its drain of 10 s, and slack.
const STOP: Duration = Duration::from_secs(30);

/// Boots everything, and waits until nothing is missing.
pub(super) async fn open(stack: &Stack, workers: &[&Worker]) {
    Smoke.open(stack).await;
    stack.configure_steady().await;
    for worker in workers {
        worker.boot();
    }
    let connected = stack.until(CONNECTED, async || workers.iter().all(|worker| worker.is_connected())).await;
    assert!(connected, "workers connect when nothing is broken");
}

/// Asks a process to stop, and has it killed if it does not. Where nothing was broken meanwhile it does.
pub(super) async fn stop(stack: &Stack, node: &Node) {
    let asked = stack.ledger.now();
    let orderly = node.stop(STOP).await;
    let name = node.name();
    assert!(orderly || stack.ledger.was_broken(asked), "{name} stops within {STOP:?} when it is asked to");
}

/// Takes away whatever plays bring.
pub(super) async fn leave(stack: &Stack) {
    for worker in &stack.workers {
        stop(stack, worker.node()).await;
    }
    stack.forget_pool(STEADY).await;
    if stack.odd.node().is_running() {
        stack.forget_pool(ODD).await;
        stack.odd.node().kill();
    }
}

/// A worker's process is killed; it is back after a while.
pub(super) async fn kill(stack: &Stack, worker: &Worker, away: Duration) {
    let strike = stack.ledger.struck(Family::InstanceKilled);
    stack.world.note(format!("{} is killed", worker.node().name()));
    worker.node().kill();
    stack.world.sleep(away).await;
    worker.boot();
    stack.ledger.repaired(strike);
}
