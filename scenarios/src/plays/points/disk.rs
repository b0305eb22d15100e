//! `disk_faults`, small: the engine's disk refuses everything for a moment, and heals.

use std::time::Duration;

use model::Law;
use model::fault::Family;

use super::Scene;
use crate::stack::Stack;

/// For how long it fails: an increment or two.
const FAILS: Duration = Duration::from_millis(800);

/// How long clients work afterwards.
const AFTER: Duration = Duration::from_millis(1500);

/// See the module.
#[derive(Clone, Copy, Debug)]
pub struct Disk;

impl Scene for Disk {
    const KEYS: &'static [&'static str] = &["steady/a"];
    const FAMILIES: &'static [Family] = &[Family::DiskFails];
    // No runner is lost in it, and its one placement can be durable without anybody having been told of it.
    const LEAVES_OUT: &'static [Law] = &[Law::StreamsEndOnce, Law::LostIsLost];

    async fn open(&self, stack: &Stack) {
        super::work(stack, &stack.workers[..1]).await;
    }

    async fn happen(&self, stack: &Stack) {
        if stack.world.kind().offers(Family::DiskFails).is_ok() {
            let node = stack.engine.node();
            let strike = stack.ledger.struck(Family::DiskFails);
            stack.engine.may_end(true);
            node.fail_writes(u32::MAX);
            stack.world.sleep(FAILS).await;
            node.fail_writes(0);
            // Its core may begin anew once more before it is well.
            stack.world.sleep(FAILS).await;
            stack.engine.may_end(false);
            if !node.is_running() {
                stack.engine.boot();
            }
            stack.ledger.repaired(strike);
        }
        stack.world.sleep(AFTER).await;
    }
}
