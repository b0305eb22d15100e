//! `runner_lost`: a worker that hosts an actor is killed, frozen, or parted from the engine, both ways or one, for a moment
//! or until it is lost. The other worker lives: the actor moves there within the thresholds, and whoever comes back finds
//! that it has lost its rights.

use std::time::Duration;

use model::fault::Family;
use sim::Ratio;

use super::beside;
use super::rounds::{Rounds, WAITS};
use super::watch::{self, Watched};
use crate::phases::{Plot, Scale};
use crate::stack::{Stack, Worker};

/// How long a worker is silent: a hiccup, below the lost threshold of 15 s.
const HICCUP: (Duration, Duration) = (Duration::from_millis(100), Duration::from_secs(12));

/// The same until it is lost, and its actor has moved.
const GONE: (Duration, Duration) = (Duration::from_secs(22), Duration::from_secs(26));

/// How long a killed process is away: longer than the grace of 3 s, after which its actors move.
const AWAY: (Duration, Duration) = (Duration::from_secs(6), Duration::from_secs(8));

/// From a socket that was closed to the answer on another worker: the grace of 3 s, a start, round trips.
const CLOSED: Duration = Duration::from_secs(5);

/// From the moment at which a worker falls silent: the lost threshold of 15 s, a ping of 3 s, a start, round trips.
const SILENT: Duration = Duration::from_secs(20);

/// What befalls a worker.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Loss {
    Killed,
    Frozen,
    Parted,
    Unheard,
    Deaf,
}

const LOSSES: [Loss; 5] = [Loss::Killed, Loss::Frozen, Loss::Parted, Loss::Unheard, Loss::Deaf];

/// See the module.
#[derive(Clone, Copy, Debug)]
pub struct RunnerLost;

impl Loss {
    const fn family(self) -> Family {
        match self {
            Self::Killed => Family::InstanceKilled,
            Self::Frozen => Family::InstancePaused,
            Self::Parted | Self::Unheard | Self::Deaf => Family::Partition,
        }
    }
}

impl Plot for RunnerLost {
    fn recovery(&self) -> Duration {
        // 15 s until a silence is noticed by either side, and the start of the actor.
        Duration::from_secs(25)
    }

    fn families(&self) -> &'static [Family] {
        &[Family::InstanceKilled, Family::InstancePaused, Family::Partition]
    }

    fn times_recovery(&self) -> bool {
        true
    }

    fn scale(&self) -> Scale {
        Scale { keys: beside::BOTH, ..Scale::FULL }
    }

    async fn open(&self, stack: &Stack) {
        beside::open(stack, &[&stack.workers[0], &stack.workers[1]]).await;
    }

    async fn trouble(&self, stack: &Stack, end: Duration) {
        let watched = watch::find(stack).await;
        let rounds = Rounds::new(stack, "loss", &WAITS, end);
        loop {
            let loss = *rounds.of("loss").one_of(&LOSSES);
            let for_good = rounds.of("for_good").chance(Ratio::new(1, 2));
            let (hiccup, gone, away) =
                (rounds.span("hiccup", HICCUP), rounds.span("gone", GONE), rounds.span("away", AWAY));
            let span = match (loss, for_good) {
                (Loss::Killed, _) => away,
                (_, true) => gone,
                (_, false) => hiccup,
            };
            let Some(strikes) = rounds.next().await else { return };
            if !strikes {
                stack.world.sleep(span).await;
                continue;
            }
            if stack.ledger.allows(loss.family()) {
                strike(stack, loss, span, &watched).await;
            }
        }
    }

    async fn heal(&self, _: &Stack) {}

    async fn leave(&self, stack: &Stack) {
        beside::leave(stack).await;
    }
}

/// It befalls the worker that hosts the workers' actor, or else the first one.
async fn strike(stack: &Stack, loss: Loss, span: Duration, watched: &[Watched]) {
    let steady: Vec<_> = watched.iter().filter(|each| each.key != "a").cloned().collect();
    let warm = watch::warm(stack, &steady).await;
    let worker = hosting(stack, &warm).await.unwrap_or(&stack.workers[0]);
    stack.world.note(format!("{} is {loss:?} for {span:?}", worker.node().name()));
    let (node, engine) = (worker.node(), stack.engine.node());
    let strike = stack.ledger.struck(loss.family());
    match loss {
        Loss::Killed => node.kill(),
        Loss::Frozen => node.pause(),
        Loss::Parted => stack.world.partition(node, engine),
        Loss::Unheard => stack.world.block(node, engine),
        Loss::Deaf => stack.world.block(engine, node),
    }
    let begun = stack.world.elapsed();
    let bound = if loss == Loss::Killed { CLOSED } else { SILENT };
    if span > bound {
        watch::wait_for(stack, &warm, "the loss of its runner", bound).await;
    }
    stack.world.sleep(span.saturating_sub(stack.world.elapsed() - begun)).await;
    match loss {
        Loss::Killed => worker.boot(),
        Loss::Frozen => node.resume(),
        Loss::Parted | Loss::Unheard | Loss::Deaf => stack.world.heal(node, engine),
    }
    stack.world.note(format!("{} is back", node.name()));
    stack.ledger.repaired(strike);
}

/// The worker that hosts one of these actors.
async fn hosting<'a>(stack: &'a Stack, watched: &[Watched]) -> Option<&'a Worker> {
    let actor = &watched.first()?.actor;
    let view = stack.engine.control().await?;
    let runner = view.actors.iter().find(|it| it.actor.as_str() == actor)?.runner?;
    stack.workers.iter().find(|worker| worker.runner() == Some(runner))
}
