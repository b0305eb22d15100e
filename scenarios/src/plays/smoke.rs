//! `smoke`: nothing breaks. The stack boots, clients count, everything is answered.

use std::time::Duration;

use crate::phases::Plot;
use crate::stack::Stack;

/// See the module.
#[derive(Clone, Copy, Debug)]
pub struct Smoke;

impl Plot for Smoke {
    fn recovery(&self) -> Duration {
        // From the first request to the first answer of a cold serverless actor: one start, some round trips.
        Duration::from_secs(5)
    }

    async fn open(&self, stack: &Stack) {
        stack.engine.boot();
        stack.application.boot();
        let configured = stack.until(Duration::from_secs(30), async || {
            let views = stack.engine.views().await;
            views.is_some_and(|(control, _)| !control.pools.is_empty())
        });
        assert!(configured.await, "the application configures its pool when nothing is broken");
        stack.world.note("pool configured");
    }

    async fn trouble(&self, _: &Stack) {}

    async fn heal(&self, _: &Stack) {}
}
