//! Long lives of databases of some pages.

use std::collections::BTreeSet;

use proptest::prelude::*;

use super::world::{Fate, World};

#[derive(Clone, Debug)]
struct Op {
    pages: u32,
    touched: BTreeSet<u32>,
    /// Of its requests, and of those of the load before it; what has none is answered.
    fates: Vec<Fate>,
}

fn fate() -> impl Strategy<Value = Fate> {
    prop_oneof![
        12 => Just(Fate::Answered),
        1 => Just(Fate::NotDone),
        1 => any::<bool>().prop_map(Fate::Lost),
        1 => any::<bool>().prop_map(Fate::Crash),
    ]
}

fn op() -> impl Strategy<Value = Op> {
    (0..12_u32, proptest::collection::btree_set(0..12_u32, 0..9), proptest::collection::vec(fate(), 0..12))
        .prop_map(|(pages, touched, fates)| Op { pages, touched, fates })
}

fn live(world: &mut World, op: Op) {
    let mut fates = op.fates.into_iter();
    let mut committed = false;
    loop {
        if world.driver.request.is_some() {
            world.fate(fates.next().unwrap_or(Fate::Answered));
        } else if !world.driver.pager.is_ready() {
            world.load();
        } else if committed {
            return;
        } else {
            committed = true;
            world.commit(op.pages, &op.touched);
        }
        assert!(world.survives(), "{world:?}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(256))]

    #[test]
    fn a_crash_at_any_moment_leaves_the_old_database_or_the_new(ops in proptest::collection::vec(op(), 1..12)) {
        let mut world = World::default();
        for op in ops {
            live(&mut world, op);
        }
        prop_assert_eq!(world.disk.recovered(), Ok(world.old));
    }
}
