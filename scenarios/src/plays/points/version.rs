//! `version_drain`, small: one newer worker comes, and the older one goes.

use std::time::Duration;

use super::Scene;
use crate::plays::beside;
use crate::stack::{Stack, Worker};

/// How long the newer version may take to take over, and a struck one to come again.
const OVER: Duration = Duration::from_secs(3);

/// See the module.
#[derive(Clone, Copy, Debug)]
pub struct Version;

impl Scene for Version {
    const KEYS: &'static [&'static str] = &["steady/a"];

    async fn open(&self, stack: &Stack) {
        super::work(stack, &stack.workers[..1]).await;
    }

    async fn happen(&self, stack: &Stack) {
        let [old, new] = &stack.workers;
        stack.world.note("version 2 comes");
        new.set_version(2);
        super::start(new);
        stack.until(OVER, async || new.is_connected()).await;
        // Some requests of clients go by.
        stack.world.sleep(OVER / 3).await;
        // A worker that a strike has felled is not there to be stopped.
        if new.is_connected() {
            beside::stop(stack, old.node()).await;
        }
        stack.world.sleep(OVER / 3).await;
    }

    async fn heal(&self, stack: &Stack) {
        if !stack.workers.iter().any(Worker::is_connected) {
            super::work(stack, &stack.workers[1..]).await;
        }
    }
}
