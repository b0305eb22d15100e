//! `duplicate_runner`: two processes are started with one identity, one after the other or at once, killed, parted, and
//! their sockets cut, so that both dial again. The newest evicts the other, and exactly one survives.
//!
//! Their incarnations tell them apart: whoever takes the identity over is another runner, on which the actors of the one
//! before start anew, and the one before learns when it is back that nothing is its own any more.

use std::time::Duration;

use model::Law;
use model::evidence::Sight;
use model::fault::Family;
use sim::{Cut, Side};

use super::beside;
use super::rounds::{Rounds, WAITS};
use crate::phases::{Plot, Scale};
use crate::stack::{Stack, Worker};

/// The identity of both.
pub(super) const IDENTITY: &str = "twin";

/// How often it is looked who speaks.
const LOOK: Duration = Duration::from_millis(500);

/// Between the starts of two that are started at once.
const APART: (Duration, Duration) = (Duration::ZERO, Duration::from_millis(60));

/// How long one is parted from the engine: noticed or not.
const PARTED: [(Duration, Duration); 2] = [
    (Duration::from_millis(100), Duration::from_secs(10)),
    (Duration::from_secs(16), Duration::from_secs(22)),
];

/// How long whoever was evicted may take to notice that.
const NOTICED: Duration = Duration::from_secs(2);

/// What befalls them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Blow {
    /// Whoever does not run is started.
    Started,
    /// Both are started anew.
    Both,
    /// The sockets are cut, and whoever does not run is started.
    Cut,
    /// One that runs is parted from the engine, and the other is started meanwhile.
    Parted,
}

const BLOWS: [Blow; 5] = [Blow::Started, Blow::Both, Blow::Both, Blow::Cut, Blow::Parted];

/// See the module.
#[derive(Clone, Copy, Debug)]
pub struct DuplicateRunner;

impl Blow {
    const fn families(self) -> &'static [Family] {
        match self {
            Self::Started | Self::Both => &[Family::InstanceKilled],
            Self::Cut => &[Family::InstanceKilled, Family::SocketCut],
            Self::Parted => &[Family::InstanceKilled, Family::Partition],
        }
    }
}

impl Plot for DuplicateRunner {
    fn recovery(&self) -> Duration {
        // 15 s until a silence is noticed by either side, and the start of the actor.
        Duration::from_secs(25)
    }

    fn families(&self) -> &'static [Family] {
        &[Family::InstanceKilled, Family::SocketCut, Family::Partition]
    }

    fn laws(&self) -> &'static [Law] {
        &[Law::OneRunnerPerIdentity]
    }

    fn scale(&self) -> Scale {
        Scale { keys: beside::BOTH, ..Scale::FULL }
    }

    async fn open(&self, stack: &Stack) {
        for worker in &stack.workers {
            worker.set_identity(IDENTITY);
        }
        beside::open(stack, &[&stack.workers[0]]).await;
        look(stack);
    }

    async fn trouble(&self, stack: &Stack, end: Duration) {
        let rounds = Rounds::new(stack, "twin", &WAITS, end);
        loop {
            let blow = *rounds.of("blow").one_of(&BLOWS);
            let (apart, parted) = (rounds.span("apart", APART), rounds.one_span("parted", &PARTED));
            let first = usize::try_from(rounds.of("first").below(2)).expect("one of two");
            if !stack.world.kind().offers_all(blow.families()) {
                continue;
            }
            let Some(strikes) = rounds.next().await else { return };
            if strikes && blow.families().iter().all(|family| stack.ledger.allows(*family)) {
                strike(stack, blow, first, (apart, parted)).await;
            }
        }
    }

    async fn heal(&self, stack: &Stack) {
        // Nobody is left over of two that are started at once.
        strike(stack, Blow::Both, 0, (Duration::from_millis(1), Duration::ZERO)).await;
    }

    async fn leave(&self, stack: &Stack) {
        beside::leave(stack).await;
    }
}

async fn strike(stack: &Stack, blow: Blow, first: usize, (apart, parted): (Duration, Duration)) {
    stack.world.note(format!("twins: {blow:?}"));
    // Whoever takes over ends the other's actors as a platform does that kills it.
    let strikes: Vec<_> = blow.families().iter().map(|family| stack.ledger.struck(*family)).collect();
    let twins = [&stack.workers[first], &stack.workers[1 - first]];
    let running = twins.into_iter().find(|twin| twin.node().is_running());
    match blow {
        Blow::Started => start(stack, twins, apart).await,
        Blow::Both => {
            for twin in twins {
                twin.node().kill();
            }
            start(stack, twins, apart).await;
        }
        Blow::Cut => {
            cut(stack);
            start(stack, twins, apart).await;
            cut(stack);
        }
        Blow::Parted => {
            if let Some(running) = running {
                stack.world.partition(running.node(), stack.engine.node());
                start(stack, twins, apart).await;
                stack.world.sleep(parted).await;
                stack.world.heal(running.node(), stack.engine.node());
            }
        }
    }
    stack.until(NOTICED, async || twins.iter().filter(|twin| twin.node().is_running()).count() < 2).await;
    for strike in strikes {
        stack.ledger.repaired(strike);
    }
}

async fn start(stack: &Stack, twins: [&Worker; 2], apart: Duration) {
    for twin in twins {
        if !twin.node().is_running() {
            twin.boot();
        }
        stack.world.sleep(apart).await;
    }
}

/// Cuts the sockets of both.
fn cut(stack: &Stack) {
    for connection in stack.world.connections() {
        let is_theirs = stack.workers.iter().any(|worker| *worker.node().name() == connection.from);
        if connection.live && is_theirs && stack.world.cut(&connection, Cut::Reset, Side::Opener) {
            let strike = stack.ledger.struck(Family::SocketCut);
            stack.ledger.repaired(strike);
        }
    }
}

/// Looks who speaks, until the load is gone.
pub(super) fn look(stack: &Stack) {
    let stack = stack.clone();
    drop(stack.world.clone().spawn("who speaks", async move {
        while !stack.is_over() {
            let sight = |worker: &Worker| Sight {
                node: worker.node().name().to_string(),
                runner: worker.runner(),
                identity: IDENTITY.to_owned(),
                alive: worker.node().is_running(),
                connected: worker.is_connected(),
            };
            stack.ledger.saw_speakers(stack.workers.iter().map(sight).collect());
            stack.world.sleep(LOOK).await;
        }
    }));
}
