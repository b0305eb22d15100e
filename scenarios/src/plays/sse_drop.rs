//! `sse_drop`: a serverless stream is cut, from either side or silently, while the runner's WebSocket lives, and the
//! other way round; or the platform kills the instance, which cuts both.

use std::time::Duration;

use model::fault::Family;
use sim::{Connection, Cut, Effect, Ratio, Side, Stream};

use crate::phases::Plot;
use crate::plays::smoke::Smoke;
use crate::stack::Stack;

/// From one blow to the next.
const BETWEEN: (Duration, Duration) = (Duration::from_millis(1), Duration::from_secs(12));

/// How long a blow waits for somebody it can hit.
const PATIENCE: Duration = Duration::from_secs(30);

/// How long the platform takes to start an instance again.
const PLATFORM: (Duration, Duration) = (Duration::from_millis(10), Duration::from_secs(3));

/// What is hit.
#[derive(Clone, Copy, Debug)]
enum Blow {
    /// The stream that the engine opened.
    Stream,
    /// The socket that the runner opened.
    Socket,
    /// The instance.
    Instance,
}

/// See the module.
#[derive(Clone, Copy, Debug)]
pub struct SseDrop;

impl Plot for SseDrop {
    fn recovery(&self) -> Duration {
        // 15 s until a silent socket is given up by either side, at most 10 s of backoff for a stream, and the start of
        // the actor.
        Duration::from_secs(30)
    }

    async fn open(&self, stack: &Stack) {
        Smoke.open(stack).await;
    }

    async fn trouble(&self, stack: &Stack) {
        let plan = stack.world.stream("blow/app");
        for _ in 0..plan.within(1..=4) {
            stack.world.sleep(plan.span(BETWEEN.0..=BETWEEN.1)).await;
            let blow =
                *plan.one_of(&[Blow::Stream, Blow::Stream, Blow::Socket, Blow::Socket, Blow::Instance]);
            match blow {
                Blow::Instance => kill_instance(stack, &plan).await,
                Blow::Stream | Blow::Socket => cut(stack, &plan, blow).await,
            }
        }
    }

    async fn heal(&self, _: &Stack) {}
}

async fn kill_instance(stack: &Stack, plan: &Stream) {
    stack.world.note("platform kills the instance");
    let strike = stack.ledger.struck(Family::InstanceKilled);
    if stack.application.node().is_running() {
        stack.application.node().kill();
        stack.ledger.felt(Family::InstanceKilled);
    }
    stack.world.sleep(plan.span(PLATFORM.0..=PLATFORM.1)).await;
    stack.application.boot();
    stack.ledger.repaired(strike);
}

async fn cut(stack: &Stack, plan: &Stream, blow: Blow) {
    let mut target = None;
    stack
        .until(PATIENCE, async || {
            target = targets(stack, blow).into_iter().next();
            target.is_some()
        })
        .await;
    let Some(target) = target else { return };
    let how = *plan.one_of(&[Cut::Reset, Cut::Fin, Cut::Silence]);
    let near = *plan.one_of(&Side::BOTH);
    let strike = stack.ledger.struck(family(blow, how));
    let before = cuts(stack);
    // Half of the cuts fall between two bytes of what comes next, not between two events.
    if plan.chance(Ratio::new(1, 2)) {
        let reader = *plan.one_of(&Side::BOTH);
        let more = plan.within(1..=200);
        stack.world.note(format!("{blow:?} will be cut by {how:?} within {more} bytes"));
        let got = target.sent[reader.other() as usize];
        if stack.world.cut_at(&target, reader, got + more, how) {
            stack.world.sleep(Duration::from_secs(4)).await;
        }
    }
    let now = stack.world.cut(&target, how, near);
    stack.world.note(format!("{blow:?} is cut by {how:?} near {near:?}: {now}"));
    if now || cuts(stack) > before {
        stack.ledger.felt(family(blow, how));
    }
    stack.ledger.repaired(strike);
}

/// Cuts that hit something, so far.
fn cuts(stack: &Stack) -> u64 {
    let effects = stack.world.effects();
    [Effect::CutReset, Effect::CutFin, Effect::CutSilence]
        .iter()
        .filter_map(|effect| effects.get(effect))
        .sum()
}

fn family(blow: Blow, how: Cut) -> Family {
    match (blow, how) {
        (Blow::Stream, Cut::Reset | Cut::Fin) => Family::StreamCut,
        (Blow::Stream, Cut::Silence) => Family::StreamSilent,
        (Blow::Socket, Cut::Reset | Cut::Fin) => Family::SocketCut,
        (Blow::Socket, Cut::Silence) => Family::SocketSilent,
        (Blow::Instance, _) => Family::InstanceKilled,
    }
}

fn targets(stack: &Stack, blow: Blow) -> Vec<Connection> {
    let (from, request) = match blow {
        Blow::Stream => ("engine", "GET /api/rivet/start"),
        Blow::Socket => ("app", "GET /runners/connect"),
        Blow::Instance => return Vec::new(),
    };
    let is_target = |connection: &Connection| {
        // Of a WebSocket only the first bytes are a request.
        let asks = connection.carries(request) || connection.head.starts_with(request.as_bytes());
        connection.live && connection.from == from && asks
    };
    stack.world.connections().into_iter().filter(is_target).collect()
}
