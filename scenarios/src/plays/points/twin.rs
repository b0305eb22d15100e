//! `duplicate_runner`, small: a second process of one identity is started beside the first.

use std::time::Duration;

use model::Law;
use model::fault::Family;

use super::Scene;
use crate::plays::duplicate_runner::{IDENTITY, look};
use crate::stack::Stack;

/// How long the second may take to take over.
const OVER: Duration = Duration::from_secs(1);

/// See the module.
#[derive(Clone, Copy, Debug)]
pub struct Twin;

impl Scene for Twin {
    const KEYS: &'static [&'static str] = &["a"];
    const LAWS: &'static [Law] = &[Law::OneRunnerPerIdentity];
    const LEAVES_OUT: &'static [Law] = &[];
    const FAMILIES: &'static [Family] = &[Family::InstanceKilled];

    async fn open(&self, stack: &Stack) {
        for worker in &stack.workers {
            worker.set_identity(IDENTITY);
        }
        super::apply(stack).await;
        super::work(stack, &stack.workers[..1]).await;
        look(stack);
    }

    async fn happen(&self, stack: &Stack) {
        stack.world.note("the twin is started");
        let strike = stack.ledger.struck(Family::InstanceKilled);
        super::start(&stack.workers[1]);
        stack.world.sleep(OVER).await;
        stack.ledger.repaired(strike);
    }

    async fn heal(&self, stack: &Stack) {
        // The load is another pool's: what is demanded here is that one of them is left, and stays.
        let survives = async || {
            let left: Vec<_> = stack.workers.iter().filter(|worker| worker.node().is_running()).collect();
            matches!(left[..], [one] if one.is_connected())
        };
        let survives = stack.until(super::READY, survives).await;
        assert!(survives, "of two processes with one identity one survives");
    }
}
