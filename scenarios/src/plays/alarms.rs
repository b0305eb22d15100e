//! `alarms`: actors set alarms and fall asleep, replace them and clear them, set them for the past and for the moment in
//! which they fall asleep, and many for one moment; the engine falls meanwhile, and sockets are cut. Whose alarm is due
//! runs soon after.

pub(super) mod planner;

use std::time::Duration;

use model::Law;
use model::fault::Family;
use sim::{Cut, Fall, Ratio, Side};

use super::beside;
use super::rounds::{Rounds, WAITS};
use crate::phases::{Plot, Scale};
use crate::stack::Stack;

/// The actors that sleep, of both kinds of pools.
const KEYS: &[&str] = &["c", "steady/d", "steady/e"];

/// Downtimes: shorter than most alarms, and longer.
const DOWN: [(Duration, Duration); 2] = [
    (Duration::from_millis(1), Duration::from_millis(800)),
    (Duration::from_secs(1), Duration::from_secs(9)),
];

/// How long nothing is broken at first: alarms are set, ring and are judged by the shorter bound.
const QUIET: Duration = Duration::from_secs(15);

/// Within how many disk operations of the moment a fall inside one comes: some commits.
const OPERATIONS: u64 = 20;

/// How long a fall inside a disk operation is waited for.
const PATIENCE: Duration = Duration::from_secs(5);

/// See the module.
#[derive(Clone, Copy, Debug)]
pub struct Alarms;

/// What happens to the engine.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Blow {
    Killed,
    PowerLost,
    InCommit,
    SocketsCut,
}

const BLOWS: [Blow; 4] = [Blow::Killed, Blow::PowerLost, Blow::InCommit, Blow::SocketsCut];

impl Blow {
    const fn family(self) -> Family {
        match self {
            Self::Killed => Family::EngineKilled,
            Self::PowerLost => Family::EnginePowerLost,
            Self::InCommit => Family::EngineFellInCommit,
            Self::SocketsCut => Family::SocketCut,
        }
    }
}

impl Plot for Alarms {
    fn recovery(&self) -> Duration {
        // As where the engine restarts.
        Duration::from_secs(30)
    }

    fn families(&self) -> &'static [Family] {
        &[Family::EngineKilled, Family::EnginePowerLost, Family::EngineFellInCommit, Family::SocketCut]
    }

    fn laws(&self) -> &'static [Law] {
        &[Law::AlarmIsDue]
    }

    fn scale(&self) -> Scale {
        Scale { keys: beside::BOTH, ..Scale::FULL }
    }

    fn beside(&self) -> &'static [&'static str] {
        KEYS
    }

    async fn open(&self, stack: &Stack) {
        beside::open(stack, &[&stack.workers[0]]).await;
    }

    async fn trouble(&self, stack: &Stack, end: Duration) {
        let recovery = Plot::recovery(self) + stack.world.kind().heals_within();
        let planners = planner::begin(stack, KEYS, recovery);
        stack.wait(QUIET, end).await;
        let rounds = Rounds::new(stack, "alarm", &WAITS, end);
        loop {
            let blow = *rounds.of("blow").one_of(&BLOWS);
            let (down, operation) =
                (rounds.one_span("down", &DOWN), rounds.of("operation").within(1..=OPERATIONS));
            // In a third of the time nothing is broken: then alarms are held to the shorter bound.
            let quiet = rounds.of("quiet").chance(Ratio::new(1, 3));
            if stack.world.kind().offers(blow.family()).is_err() {
                continue;
            }
            let Some(strikes) = rounds.next().await else { break };
            if !strikes || quiet {
                stack.world.sleep(down).await;
                continue;
            }
            if stack.ledger.allows(blow.family()) {
                strike(stack, blow, down, operation).await;
            }
        }
        planners.end().await;
    }

    async fn heal(&self, _: &Stack) {}

    async fn leave(&self, stack: &Stack) {
        beside::leave(stack).await;
    }
}

async fn strike(stack: &Stack, blow: Blow, down: Duration, operation: u64) {
    let node = stack.engine.node();
    stack.world.note(format!("{blow:?} for {down:?}"));
    let strike = stack.ledger.struck(blow.family());
    match blow {
        Blow::Killed => node.fall(Fall::Kill),
        Blow::PowerLost => node.fall(Fall::PowerOff),
        Blow::InCommit => {
            node.crash_in_disk_operation(operation, Fall::PowerOff);
            if stack.world.within(PATIENCE, node.ended()).await.is_none() {
                node.spare();
                node.fall(Fall::PowerOff);
            }
        }
        Blow::SocketsCut => {
            let sockets = stack.world.connections().into_iter();
            for socket in sockets.filter(|it| it.live && it.head.starts_with(b"GET /runners/connect")) {
                stack.world.cut(&socket, Cut::Reset, Side::Opener);
            }
        }
    }
    if blow != Blow::SocketsCut {
        stack.world.sleep(down).await;
        stack.engine.boot();
    }
    stack.ledger.repaired(strike);
}
