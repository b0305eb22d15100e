//! `point_restart`: one client and one counter; the engine is killed once and comes back. Nothing else breaks by
//! itself, so that one fault can be tried at every point of the run, from the first boot until all is answered again.

use std::time::Duration;

use model::fault::Family;
use sim::{Point, PointFault};

use super::points::struck;
use crate::phases::{Plot, Scale};
use crate::stack::Stack;

/// How long the application is waited for: a black hole of 20 s, the 30 s after which it configures its pool again, its
/// attempt, and slack. Beyond it clients begin anyway, and the laws say what is wrong.
const CONFIGURED: Duration = Duration::from_secs(90);

/// How long clients work before the engine falls: the actor is made and started, some operations are answered.
const BEFORE: Duration = Duration::from_millis(1500);

/// How long the engine is away: as long as a platform takes to start it again, within the grace of 3 s for sessions.
const DOWN: Duration = Duration::from_millis(500);

/// How long they work afterwards: the session is back after 1 s, and what is asked meanwhile is answered.
const AFTER: Duration = Duration::from_millis(2500);

/// How long a strike may take to be repaired: the longest fault, and whoever is started again.
const REPAIRED: Duration = Duration::from_secs(30);

/// See the module.
#[derive(Clone, Copy, Debug)]
pub struct PointRestart;

impl Plot for PointRestart {
    fn recovery(&self) -> Duration {
        // As where the pool cannot be configured: a strike may hit its configuration.
        Duration::from_secs(45)
    }

    fn families(&self) -> &'static [Family] {
        &[Family::EngineKilled]
    }

    fn scale(&self) -> Scale {
        Scale::SMALL
    }

    fn may_strike(&self, point: &Point, fault: PointFault) -> bool {
        struck::may_strike(point, fault)
    }

    async fn open(&self, stack: &Stack) {
        struck::watch(stack);
        stack.engine.boot();
        for host in stack.hosts() {
            host.boot();
        }
        let configured = stack.until(CONFIGURED, async || {
            let views = stack.engine.views().await;
            views.is_some_and(|(control, _)| !control.pools.is_empty())
        });
        let configured = configured.await;
        stack.world.note(if configured { "pool configured" } else { "pool not configured" });
    }

    async fn trouble(&self, stack: &Stack, _end: Duration) {
        stack.world.sleep(BEFORE).await;
        struck::kill_engine(stack, DOWN).await;
        stack.world.sleep(AFTER).await;
        stack.world.close_points();
        stack.until(REPAIRED, async || !stack.ledger.is_broken()).await;
    }

    async fn heal(&self, _: &Stack) {}
}
