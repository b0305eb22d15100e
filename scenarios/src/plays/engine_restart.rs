//! `engine_restart`: the engine falls at a seeded moment, killed or without power, also inside a commit, and is back
//! after a seeded while; once or twice a run.

use std::time::Duration;

use model::fault::Family;
use sim::{Fall, Ratio};

use crate::phases::Plot;
use crate::plays::smoke::Smoke;
use crate::stack::Stack;

/// Downtimes: shorter than a runner's first redial, within the grace, beyond it, and beyond the lost threshold.
const DOWN: [(Duration, Duration); 4] = [
    (Duration::from_millis(1), Duration::from_millis(50)),
    (Duration::from_millis(50), Duration::from_secs(3)),
    (Duration::from_secs(3), Duration::from_secs(10)),
    (Duration::from_secs(10), Duration::from_secs(25)),
];

/// When the first fall comes, counted from the first request of a client.
const FIRST: (Duration, Duration) = (Duration::from_millis(1), Duration::from_secs(30));

/// From a boot to the next fall; it may fall again while it recovers.
const AGAIN: (Duration, Duration) = (Duration::from_millis(1), Duration::from_secs(12));

/// Within how many disk operations of the moment a fall inside a commit comes. A commit has about ten.
const OPERATIONS: u64 = 40;

/// See the module.
#[derive(Clone, Copy, Debug)]
pub struct EngineRestart;

impl Plot for EngineRestart {
    fn recovery(&self) -> Duration {
        // Boot, 15 s until a runner that does not come back is lost, at most 10 s of backoff for its stream, and the
        // start of the actor on the new one.
        Duration::from_secs(30)
    }

    async fn open(&self, stack: &Stack) {
        Smoke.open(stack).await;
    }

    async fn trouble(&self, stack: &Stack) {
        let plan = stack.world.stream("fall/engine");
        let falls = if plan.chance(Ratio::new(1, 3)) { 2 } else { 1 };
        let mut wait = FIRST;
        for _ in 0..falls {
            stack.world.sleep(plan.span(wait.0..=wait.1)).await;
            let how = *plan.one_of(&[Fall::Kill, Fall::PowerOff]);
            let family = match how {
                Fall::Kill => Family::EngineKilled,
                Fall::PowerOff => Family::EnginePowerLost,
            };
            let node = stack.engine.node();
            assert!(node.is_running(), "an engine that runs is felled");
            if plan.chance(Ratio::new(1, 2)) {
                stack.world.note(format!("engine falls inside a disk operation: {how:?}"));
                node.crash_in_disk_operation(plan.within(1..=OPERATIONS), how);
                // Between two requests an engine writes nothing: then it falls where it stands.
                if stack.world.within(AGAIN.1, node.ended()).await.is_none() {
                    node.spare();
                    node.fall(how);
                }
            } else {
                stack.world.note(format!("engine falls: {how:?}"));
                node.fall(how);
            }
            let strike = stack.ledger.struck(family);
            stack.ledger.felt(family);
            let down = plan.one_of(&DOWN);
            stack.world.sleep(plan.span(down.0..=down.1)).await;
            stack.engine.boot();
            stack.ledger.repaired(strike);
            wait = AGAIN;
        }
    }

    async fn heal(&self, _: &Stack) {}
}
