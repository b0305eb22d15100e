//! The control plane led beside the reference of `model`: what clients ask, what runners do, how time passes and when the engine
//! falls is drawn, and after every step both must tell the same of every actor.
//!
//! [`world`] carries a step out on both sides, [`op`] says which there are. A difference shrinks to the few steps that
//! bring it about.

mod op;
mod world;

use proptest::prelude::*;

use crate::op::{Op, op};
use crate::world::World;

fn differs(ops: &[Op]) -> Option<String> {
    let mut world = World::new();
    ops.iter().find_map(|op| world.run(op).err().map(|breach| format!("{op:?}: {breach}")))
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn the_control_plane_does_what_the_reference_says(ops in prop::collection::vec(op(), 1..80)) {
        prop_assert_eq!(differs(&ops), None);
    }
}

/// Lives as they are drawn reach what they are to compare.
#[test]
fn lives_reach_every_stand() {
    use proptest::strategy::ValueTree;
    let mut runner = proptest::test_runner::TestRunner::deterministic();
    let mut reached = std::collections::BTreeSet::new();
    for _ in 0..60 {
        let ops = prop::collection::vec(op(), 1..80).new_tree(&mut runner).unwrap().current();
        let mut world = World::new();
        for op in &ops {
            world.run(op).unwrap();
            reached.extend(world.control.view().actors.iter().map(|actor| actor.phase));
        }
    }
    let all = ["backoff", "pending", "running", "sleeping", "starting", "stopping"];
    assert_eq!(reached.into_iter().collect::<Vec<_>>(), all);
}
