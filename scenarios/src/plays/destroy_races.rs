//! `destroy_races`: clients make, find, ask and destroy actors of the same keys at the same time, while workers are killed
//! and the engine falls. What was destroyed is gone, its key is free, and its storage is empty.

pub(super) mod rivals;

use std::time::Duration;

use model::Law;
use model::fault::Family;
use sim::Fall;

use super::beside;
use super::rounds::{Rounds, WAITS};
use crate::phases::{Plot, Scale};
use crate::stack::Stack;

/// The keys that are used again, of both kinds of pools.
const KEYS: &[&str] = &["d", "steady/e"];

/// How long whoever fell is away.
const DOWN: [(Duration, Duration); 2] = [
    (Duration::from_millis(1), Duration::from_millis(800)),
    (Duration::from_secs(1), Duration::from_secs(6)),
];

/// See the module.
#[derive(Clone, Copy, Debug)]
pub struct DestroyRaces;

/// What happens meanwhile.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Blow {
    EngineKilled,
    EnginePowerLost,
    WorkerKilled,
    WorkerParted,
}

const BLOWS: [Blow; 4] = [Blow::EngineKilled, Blow::EnginePowerLost, Blow::WorkerKilled, Blow::WorkerParted];

impl Blow {
    const fn family(self) -> Family {
        match self {
            Self::EngineKilled => Family::EngineKilled,
            Self::EnginePowerLost => Family::EnginePowerLost,
            Self::WorkerKilled => Family::InstanceKilled,
            Self::WorkerParted => Family::Partition,
        }
    }
}

impl Plot for DestroyRaces {
    fn recovery(&self) -> Duration {
        // As where the engine restarts.
        Duration::from_secs(30)
    }

    fn families(&self) -> &'static [Family] {
        &[
            Family::ActorDestroyed,
            Family::EngineKilled,
            Family::EnginePowerLost,
            Family::InstanceKilled,
            Family::Partition,
        ]
    }

    fn laws(&self) -> &'static [Law] {
        &[Law::DestroyIsFinal]
    }

    fn scale(&self) -> Scale {
        Scale { keys: beside::BOTH, ..Scale::FULL }
    }

    fn beside(&self) -> &'static [&'static str] {
        KEYS
    }

    async fn open(&self, stack: &Stack) {
        beside::open(stack, &[&stack.workers[0], &stack.workers[1]]).await;
    }

    async fn trouble(&self, stack: &Stack, end: Duration) {
        let destroyed = KEYS.iter().map(|key| stack.ledger.struck_within(Family::ActorDestroyed, key));
        let destroyed: Vec<_> = destroyed.collect();
        let rivals = rivals::begin(stack, KEYS);
        let rounds = Rounds::new(stack, "destroy", &WAITS, end);
        loop {
            let blow = *rounds.of("blow").one_of(&BLOWS);
            let down = rounds.one_span("down", &DOWN);
            let which = usize::try_from(rounds.of("worker").below(2)).expect("one of two");
            if stack.world.kind().offers(blow.family()).is_err() {
                continue;
            }
            let Some(strikes) = rounds.next().await else { break };
            if !strikes {
                stack.world.sleep(down).await;
                continue;
            }
            if stack.ledger.allows(blow.family()) {
                strike(stack, blow, down, which).await;
            }
        }
        rivals.end().await;
        // Whoever counts from here on begins at zero: what was destroyed has left nothing.
        rivals::clear(stack, KEYS).await;
        for strike in destroyed {
            stack.ledger.repaired(strike);
        }
    }

    async fn heal(&self, _: &Stack) {}

    async fn leave(&self, stack: &Stack) {
        beside::leave(stack).await;
    }
}

async fn strike(stack: &Stack, blow: Blow, down: Duration, which: usize) {
    stack.world.note(format!("{blow:?} for {down:?}"));
    let (engine, worker) = (stack.engine.node(), &stack.workers[which]);
    if blow == Blow::WorkerKilled {
        return beside::kill(stack, worker, down).await;
    }
    let strike = stack.ledger.struck(blow.family());
    match blow {
        Blow::EngineKilled => engine.fall(Fall::Kill),
        Blow::EnginePowerLost => engine.fall(Fall::PowerOff),
        Blow::WorkerParted | Blow::WorkerKilled => stack.world.partition(worker.node(), engine),
    }
    stack.world.sleep(down).await;
    match blow {
        Blow::EngineKilled | Blow::EnginePowerLost => stack.engine.boot(),
        Blow::WorkerParted | Blow::WorkerKilled => stack.world.heal(worker.node(), engine),
    }
    stack.ledger.repaired(strike);
}
