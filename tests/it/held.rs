//! Promises that only the whole stack shows, each by itself.

use std::collections::BTreeSet;
use std::time::Duration;

use model::fault::Family;
use scenarios::ledger::Ledger;
use scenarios::phases::Plot as _;
use scenarios::plays::smoke::Smoke;
use scenarios::stack::Stack;
use scenarios::stack::client::{Client, Load};
use scenarios::world::World;
use sim::{Options, Ratio, Sim};

/// From the moment at which a warm key is asked after a restart to its answer.
const ANSWERS: Duration = Duration::from_secs(2);

/// From the boot of an engine to the first request: at once, while the runner dials again, and long after.
const DELAYS: [u64; 12] = [0, 1, 10, 25, 50, 100, 250, 500, 1000, 2000, 3000, 4000];

/// Runs a script on a stack that is up, with a client that has counted once on its key.
fn on_a_warm_stack<T: Send + 'static>(
    seed: u64,
    script: impl AsyncFn(&Stack, &Client) -> T + Send + 'static,
) -> T {
    let run = Sim::new(Options::seed(seed)).run(move |world| async move {
        let stack = Stack::new(&Ledger::new(World::from(&world)));
        Smoke.open(&stack).await;
        let client = Client::new(&world, &stack.ledger, 0);
        count(&client).await;
        script(&stack, &client).await
    });
    run.expect_ok()
}

/// One increment.
async fn count(client: &Client) {
    let pause = Duration::from_millis(1);
    let load = Load { operations: 1, pause_min: pause, pause_max: pause, increments: Ratio::new(1, 1) };
    client.begin(&["a"], load);
    client.node().ended().await;
}

#[test]
fn a_warm_key_answers_whenever_it_is_asked_after_a_restart() {
    for (seed, delay) in (0..).zip(DELAYS) {
        let delay = Duration::from_millis(delay);
        let took = on_a_warm_stack(seed, async move |stack, client| {
            let strike = stack.ledger.struck(Family::EngineKilled);
            stack.engine.node().kill();
            stack.world.sleep(Duration::from_millis(500)).await;
            stack.engine.boot();
            assert!(stack.engine.listening(ANSWERS).await, "a store of one actor opens at once");
            stack.ledger.repaired(strike);
            stack.world.sleep(delay).await;
            let begun = stack.world.elapsed();
            count(client).await;
            let took = stack.world.elapsed() - begun;
            let evidence = stack.ledger.evidence();
            assert_eq!((evidence.history.acknowledged(), evidence.history.failed()), (4, 0), "{delay:?}");
            took
        });
        assert!(took < ANSWERS, "asked after {delay:?} it takes {took:?}");
    }
}

#[test]
fn racers_for_a_key_are_given_one_actor() {
    for seed in 0..4 {
        let found = on_a_warm_stack(seed, async |stack, _| {
            let racers: Vec<_> = (1..6).map(|id| Client::new(&stack.world, &stack.ledger, id)).collect();
            let racing: Vec<_> = racers
                .into_iter()
                .map(|racer| stack.world.spawn("racer", async move { racer.found("contested").await }))
                .collect();
            let mut found = BTreeSet::new();
            for racer in racing {
                found.extend(racer.await);
            }
            found
        });
        assert_eq!(found.len(), 1, "{found:?}");
        assert!(found.iter().all(|actor| !actor.is_empty()), "every racer was given one");
    }
}
