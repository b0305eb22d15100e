//! `restart_race`: the engine is killed, stopped, paused or loses power while serverless and normal actors live, and is
//! back soon; sometimes a serverless stream is cut before it falls or after it is back while the runner's socket lives, or
//! the other way round. Whoever was warm answers soon after the engine listens again, and no runner is there twice.

use std::time::Duration;

use model::fault::Family;
use sim::{Cut, Fall, Side};

use super::rounds::{Rounds, WAITS};
use super::sse_drop::{RunnerLink, links};
use super::{beside, watch};
use crate::phases::{Plot, Scale};
use crate::stack::Stack;

/// Downtimes: shorter than a runner's first redial, within the grace of 3 s, beyond it, and beyond the lost threshold
/// of 15 s. Most restarts are short.
const DOWN: [(Duration, Duration); 6] = [
    (Duration::from_millis(1), Duration::from_millis(50)),
    (Duration::from_millis(1), Duration::from_millis(300)),
    (Duration::from_millis(50), Duration::from_secs(1)),
    (Duration::from_millis(50), Duration::from_secs(3)),
    (Duration::from_secs(3), Duration::from_secs(8)),
    (Duration::from_secs(15), Duration::from_secs(20)),
];

/// Beyond this downtime actors may have been given up by their runners, who are cut off: not warm any more.
const WARM: Duration = Duration::from_secs(10);

/// From a restarted engine that listens to the answer of an actor that was warm when it was killed.
const ANSWERS: Duration = Duration::from_secs(2);

/// How long a boot may take: recovery of the store, and slack.
const BOOT: Duration = Duration::from_secs(5);

/// How long an engine may take to stop when it is asked to: its drain of 10 s, and as much again.
const STOP: Duration = Duration::from_secs(20);

/// When a link is cut after the boot: while its runner comes back, or a little later.
const AFTER: (Duration, Duration) = (Duration::from_millis(1), Duration::from_millis(500));

/// How the engine goes away.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Away {
    Killed,
    PowerLost,
    Stopped,
    Paused,
}

/// How often each is drawn.
const AWAYS: [Away; 6] =
    [Away::Killed, Away::Killed, Away::Killed, Away::PowerLost, Away::Stopped, Away::Paused];

/// Whose link is cut beside it, and when.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Beside {
    Nothing,
    Before(RunnerLink),
    After(RunnerLink),
}

/// How often each is drawn.
const BESIDES: [Beside; 6] = [
    Beside::Nothing,
    Beside::Nothing,
    Beside::Nothing,
    Beside::Before(RunnerLink::Stream),
    Beside::After(RunnerLink::Stream),
    Beside::After(RunnerLink::Socket),
];

/// See the module.
#[derive(Clone, Copy, Debug)]
pub struct RestartRace;

impl Away {
    const fn family(self) -> Family {
        match self {
            Self::Killed => Family::EngineKilled,
            Self::PowerLost => Family::EnginePowerLost,
            Self::Stopped => Family::EngineStopped,
            Self::Paused => Family::EnginePaused,
        }
    }
}

impl Beside {
    const fn family(self) -> Option<Family> {
        match self {
            Self::Nothing => None,
            Self::Before(RunnerLink::Stream) | Self::After(RunnerLink::Stream) => Some(Family::StreamCut),
            Self::Before(RunnerLink::Socket) | Self::After(RunnerLink::Socket) => Some(Family::SocketCut),
        }
    }
}

impl Plot for RestartRace {
    fn recovery(&self) -> Duration {
        // As where the engine restarts and where streams are cut: 15 s until a silent socket is given up, at most 10 s of
        // backoff for a stream, and the start of the actor.
        Duration::from_secs(30)
    }

    fn families(&self) -> &'static [Family] {
        &[
            Family::EngineKilled,
            Family::EnginePowerLost,
            Family::EngineStopped,
            Family::EnginePaused,
            Family::StreamCut,
            Family::SocketCut,
        ]
    }

    fn times_recovery(&self) -> bool {
        true
    }

    fn scale(&self) -> Scale {
        Scale { keys: beside::BOTH, ..Scale::FULL }
    }

    async fn open(&self, stack: &Stack) {
        beside::open(stack, &[&stack.workers[0]]).await;
    }

    async fn trouble(&self, stack: &Stack, end: Duration) {
        let watched = watch::find(stack).await;
        let rounds = Rounds::new(stack, "restart", &WAITS, end);
        loop {
            let (away, beside) = (*rounds.of("away").one_of(&AWAYS), *rounds.of("beside").one_of(&BESIDES));
            let (down, after) = (rounds.one_span("down", &DOWN), rounds.span("after", AFTER));
            let families: Vec<_> = [away.family()].into_iter().chain(beside.family()).collect();
            if !stack.world.kind().offers_all(&families) {
                continue;
            }
            let Some(strikes) = rounds.next().await else { return };
            if !strikes {
                stack.world.sleep(down).await;
                continue;
            }
            if !families.iter().all(|family| stack.ledger.allows(*family)) {
                continue;
            }
            let warm = watch::warm(stack, &watched).await;
            if let Beside::Before(link) = beside {
                cut(stack, link);
            }
            go_away(stack, away, down).await;
            if away == Away::Killed && beside == Beside::Nothing && down <= WARM {
                watch::wait_for(stack, &warm, "the restart of the engine", ANSWERS).await;
            }
            if let Beside::After(link) = beside {
                stack.world.sleep(after).await;
                cut(stack, link);
            }
        }
    }

    async fn heal(&self, _: &Stack) {}

    async fn leave(&self, stack: &Stack) {
        beside::leave(stack).await;
    }
}

/// The engine is away for a while; when this returns it listens again.
async fn go_away(stack: &Stack, away: Away, down: Duration) {
    let node = stack.engine.node();
    stack.world.note(format!("the engine is {away:?}, for {down:?}"));
    let strike = stack.ledger.struck(away.family());
    match away {
        Away::Killed => node.fall(Fall::Kill),
        Away::PowerLost => node.fall(Fall::PowerOff),
        Away::Stopped => {
            let orderly = node.stop(STOP).await;
            assert!(orderly, "an engine that is asked to stop does");
        }
        Away::Paused => node.pause(),
    }
    stack.world.sleep(down).await;
    if away == Away::Paused {
        node.resume();
    } else {
        stack.engine.boot();
        let listens = stack.engine.listening(BOOT).await;
        assert!(listens, "an engine that boots listens within {BOOT:?}");
    }
    stack.world.note("the engine is back");
    stack.ledger.repaired(strike);
}

/// Cuts the stream or the socket of a serverless runner, if there is one.
fn cut(stack: &Stack, link: RunnerLink) {
    let Some(connection) = links(stack, link).into_iter().next() else { return };
    if stack.world.cut(&connection, Cut::Reset, Side::Opener) {
        stack.world.note(format!("the {link:?} of a runner is cut"));
        let family = match link {
            RunnerLink::Stream => Family::StreamCut,
            RunnerLink::Socket => Family::SocketCut,
        };
        let strike = stack.ledger.struck(family);
        stack.ledger.repaired(strike);
    }
}
