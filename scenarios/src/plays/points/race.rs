//! `restart_race`, small: a serverless actor and a worker's are warm, and the engine is killed once.

use std::time::Duration;

use model::Law;
use model::fault::Family;

use super::Scene;
use crate::stack::Stack;

/// How long the engine is away.
const DOWN: Duration = Duration::from_millis(200);

/// How long clients work afterwards.
const AFTER: Duration = Duration::from_millis(1500);

/// See the module.
#[derive(Clone, Copy, Debug)]
pub struct Race;

impl Scene for Race {
    const KEYS: &'static [&'static str] = &["a", "steady/b"];
    const LEAVES_OUT: &'static [Law] = &[];
    const FAMILIES: &'static [Family] = &[Family::EngineKilled];

    async fn open(&self, stack: &Stack) {
        super::apply(stack).await;
        super::work(stack, &stack.workers[..1]).await;
    }

    async fn happen(&self, stack: &Stack) {
        super::struck::kill_engine(stack, DOWN).await;
        stack.world.sleep(AFTER).await;
    }
}
