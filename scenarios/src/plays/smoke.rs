//! `smoke`: nothing breaks. The stack boots, clients count, everything is answered.

use std::time::Duration;

use model::fault::Family;

use crate::phases::Plot;
use crate::stack::Stack;

/// How long the application may take to configure its pool when nothing is broken: half of its own deadline of 60 s.
const CONFIGURED: Duration = Duration::from_secs(30);

/// See the module.
#[derive(Clone, Copy, Debug)]
pub struct Smoke;

impl Plot for Smoke {
    fn recovery(&self) -> Duration {
        // From the first request to the first answer of a cold serverless actor: one start, some round trips.
        Duration::from_secs(5)
    }

    fn families(&self) -> &'static [Family] {
        &[]
    }

    async fn open(&self, stack: &Stack) {
        stack.engine.boot();
        for host in stack.hosts() {
            host.boot();
        }
        let configured = stack.until(CONFIGURED, async || {
            let views = stack.engine.views().await;
            views.is_some_and(|(control, _)| !control.pools.is_empty())
        });
        assert!(configured.await, "the application configures its pool when nothing is broken");
        stack.world.note("pool configured");
    }

    async fn trouble(&self, stack: &Stack, end: Duration) {
        stack.wait(end, end).await;
    }

    async fn heal(&self, _: &Stack) {}
}
