//! `sse_drop`: a serverless stream is cut, from either side or silently, while the runner's WebSocket lives, and the
//! other way round; the platform kills an instance or pauses it, the network parts it from the engine for a while, the
//! engine is paused, actors dawdle: each leaves a runner behind that was replaced and may not know it.

mod blow;
mod cut;
mod spot;

use std::time::Duration;

use model::fault::Family;

use crate::phases::Plot;
use crate::plays::smoke::Smoke;
use crate::stack::Stack;

use blow::{Blow, Draws};
pub(super) use cut::links;

/// One of the two connections that hold a serverless runner.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum RunnerLink {
    /// The stream that the engine opened.
    Stream,
    /// The socket that the runner opened.
    Socket,
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

    fn families(&self) -> &'static [Family] {
        &[
            Family::StreamCut,
            Family::StreamSilent,
            Family::SocketCut,
            Family::SocketSilent,
            Family::InstanceKilled,
            Family::InstancePaused,
            Family::EnginePaused,
            Family::Partition,
            Family::ActorDawdles,
        ]
    }

    async fn open(&self, stack: &Stack) {
        stack.tap();
        Smoke.open(stack).await;
    }

    async fn trouble(&self, stack: &Stack, end: Duration) {
        let draws = Draws::new(&stack.world);
        loop {
            let wait = draws.wait();
            let blow = draws.kind();
            let details = draws.details();
            let (families, world) = (cut::families(blow, &details, stack), stack.world.kind());
            if !world.offers_all(&families) {
                continue;
            }
            if !stack.wait(wait, end).await {
                return;
            }
            // A blow that is spared takes its time, so that those after it stay near their moments.
            if stack.world.waives("spare/app") {
                stack.world.sleep(details.lasts(blow)).await;
                continue;
            }
            if !families.iter().all(|family| stack.ledger.allows(*family)) {
                continue;
            }
            match blow {
                Blow::Stream | Blow::Socket => cut::cut(stack, blow, &details).await,
                Blow::Kill => blow::kill(stack, &details).await,
                Blow::Pause => blow::pause(stack, &details).await,
                Blow::EnginePause => blow::pause_engine(stack, &details).await,
                Blow::Partition => blow::part(stack, &details).await,
                Blow::LateStart => blow::start_late(stack, &details).await,
                Blow::LateAnswer => blow::answer_late(stack, &details).await,
            }
        }
    }

    async fn heal(&self, stack: &Stack) {
        stack.prefer(&stack.application);
    }
}
