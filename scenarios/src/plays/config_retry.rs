//! `config_retry`: the pool is configured while the engine is down, slow or failing. In half of the seeds the store is
//! empty and clients ask from the beginning; in all of them the application is then started anew, with other slots per
//! runner, while the engine that knows its pool is in trouble: what it says last must be what the engine knows.

mod trouble;

use std::time::Duration;

use model::fault::Family;
use sim::Ratio;

use crate::phases::Plot;
use crate::plays::smoke::Smoke;
use crate::stack::Stack;
use crate::world::{Stream, World};

use trouble::{COLD, HOT, Trouble};

/// How long the engine is in trouble: shorter than one attempt, some attempts, half the deadline, beyond the deadline
/// of 60 s after which only the reconciler tries.
const AWAY: [(Duration, Duration); 4] = [
    (Duration::from_millis(10), Duration::from_millis(500)),
    (Duration::from_millis(500), Duration::from_secs(5)),
    (Duration::from_secs(5), Duration::from_secs(29)),
    (Duration::from_secs(55), Duration::from_secs(70)),
];

/// From one trouble to the next, for the application to be configured and used in.
const BETWEEN: (Duration, Duration) = (Duration::from_secs(1), Duration::from_secs(15));

/// Slots per runner that the application may ask for: as many as there are counters, and fewer, and more.
const SLOTS_MAX: u64 = 3;

/// See the module.
#[derive(Clone, Copy, Debug)]
pub struct ConfigRetry;

/// What is decided, each in a stream of its own.
struct Draws {
    world: World,
}

impl Draws {
    fn new(stack: &Stack) -> Self {
        Self { world: stack.world.clone() }
    }

    fn of(&self, what: &str) -> Stream {
        self.world.stream(&format!("trouble/api/{what}"))
    }

    fn is_cold(&self) -> bool {
        self.of("cold").chance(Ratio::new(1, 2))
    }

    fn away(&self) -> Duration {
        let bucket = *self.of("bucket").one_of(&AWAY);
        self.of("away").span(bucket.0..=bucket.1)
    }
}

impl Plot for ConfigRetry {
    fn recovery(&self) -> Duration {
        // At most 30 s until the reconciler tries again, 5 s for its attempt, then a cold start; an attempt that began
        // while nothing answered costs its time-out of 5 s more.
        Duration::from_secs(45)
    }

    fn families(&self) -> &'static [Family] {
        &[
            Family::EngineStopped,
            Family::EngineKilled,
            Family::EnginePowerLost,
            Family::EnginePaused,
            Family::InstanceKilled,
            Family::Slow,
            Family::ApiFails,
            Family::ApiHangs,
            Family::ApiCut,
            Family::DiskFails,
        ]
    }

    async fn open(&self, stack: &Stack) {
        let draws = Draws::new(stack);
        let (away, trouble) = (draws.away(), *draws.of("cold_trouble").one_of(&COLD));
        if !draws.is_cold() {
            return Smoke.open(stack).await;
        }
        if !trouble.is_allowed(stack) || stack.world.waives("spare/cold") {
            // What is left out or spared draws what it would have, here and below: what comes after it decides as it did.
            trouble::latency(&draws.of("latency"));
            return Smoke.open(stack).await;
        }
        stack.world.note(format!("there is no engine yet, but {trouble:?}, for {away:?}"));
        let begun = Trouble::begin_cold(trouble, stack, &draws.of("latency")).await;
        for host in stack.hosts() {
            host.boot();
        }
        let stack = stack.clone();
        stack.world.clone().spawn("engine comes", async move {
            stack.world.sleep(away).await;
            begun.end(&stack).await;
        });
    }

    async fn trouble(&self, stack: &Stack, end: Duration) {
        let draws = Draws::new(stack);
        // What `open` began ends by itself.
        while stack.ledger.is_broken() {
            stack.world.sleep(Duration::from_millis(250)).await;
        }
        loop {
            let wait = draws.of("between").span(BETWEEN.0..=BETWEEN.1);
            let (away, trouble) = (draws.away(), *draws.of("hot_trouble").one_of(&HOT));
            let slots = draws.of("slots").within(1..=SLOTS_MAX);
            if !trouble.is_offered(stack) {
                continue;
            }
            if !stack.wait(wait, end).await {
                return;
            }
            // Trouble that is spared takes its time, so that what comes after it stays near its moment.
            if stack.world.waives("spare/api") {
                trouble::latency(&draws.of("latency"));
                stack.world.sleep(away).await;
                continue;
            }
            let restarts = stack.ledger.allows(Family::InstanceKilled);
            if !restarts || !trouble.is_allowed(stack) {
                trouble::latency(&draws.of("latency"));
                continue;
            }
            stack.world.note(format!("the engine is in trouble: {trouble:?}, for {away:?}"));
            stack.application.set_slots(u32::try_from(slots).expect("a few"));
            let killed = stack.ledger.struck(Family::InstanceKilled);
            stack.application.node().kill();
            let begun = Trouble::begin_hot(trouble, stack, &draws.of("latency")).await;
            stack.application.boot();
            stack.ledger.repaired(killed);
            begun.run(stack, away).await;
        }
    }

    async fn heal(&self, _: &Stack) {}
}

#[cfg(test)]
mod tests;
