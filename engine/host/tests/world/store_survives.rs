//! The store alone, crashed at every kind of disk operation, its making included.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use host::store::{Batch, Outcome, Store, Write};
use protocol::id::ActorId;
use protocol::wire::{KvRequestData, KvResponseData};
use sim::{Fall, Sim};

use crate::fall;

/// More than any round needs: each has several disk operations.
const COMMITS_MAX: u64 = 200;

fn kv(request: KvRequestData) -> Batch {
    let mut batch = Batch::new();
    batch.push(Write::Kv { actor: ActorId::from_entropy([1; 16]), request });
    batch
}

async fn read(store: &mut Store) -> u64 {
    let outcomes = store.commit(kv(KvRequestData::Get { keys: vec!["n".into()] })).await.unwrap();
    let [Outcome::Kv(KvResponseData::Get { values, .. })] = outcomes.as_slice() else {
        panic!("{outcomes:?}")
    };
    values.first().map_or(0, |value| u64::from_le_bytes(value[..].try_into().unwrap()))
}

#[test]
fn an_acknowledged_commit_is_there_after_any_crash() {
    for seed in 0..60 {
        Sim::seed(seed)
            .run(|world| async move {
                let (acknowledged, tried) = (Arc::new(AtomicU64::new(0)), Arc::new(AtomicU64::new(0)));
                let node = world.node("store");
                let chance = world.stream("test crash");
                let boot = {
                    let (acknowledged, tried) = (Arc::clone(&acknowledged), Arc::clone(&tried));
                    move || {
                        let (acknowledged, tried) = (Arc::clone(&acknowledged), Arc::clone(&tried));
                        async move {
                            let mut store = Store::open("data").await.unwrap();
                            let found = read(&mut store).await;
                            let known = acknowledged.load(Ordering::Relaxed);
                            assert!(found >= known, "acknowledged {known}, found {found}");
                            assert!(found <= tried.load(Ordering::Relaxed), "nobody wrote {found}");
                            for next in found + 1..=found + COMMITS_MAX {
                                tried.store(next, Ordering::Relaxed);
                                let value = next.to_le_bytes().to_vec().into();
                                let put = KvRequestData::Put { keys: vec!["n".into()], values: vec![value] };
                                store.commit(kv(put)).await.unwrap();
                                acknowledged.store(next, Ordering::Relaxed);
                            }
                            panic!("{COMMITS_MAX} commits, and no crash in any disk operation");
                        }
                    }
                };
                for round in 0..12 {
                    let how = if chance.below(2) == 0 { Fall::Kill } else { Fall::PowerOff };
                    if round == 0 {
                        node.boot(boot.clone());
                    } else {
                        node.restart();
                    }
                    // Some of them before the store is made.
                    node.crash_in_disk_operation(1 + chance.below(if round < 4 { 20 } else { 150 }), how);
                    while node.is_running() {
                        runtime::sleep(Duration::from_millis(5)).await;
                    }
                }
                assert!(acknowledged.load(Ordering::Relaxed) > 0);
            })
            .expect_ok();
    }
}

/// How many ways of falling each moment is tried in: what a power loss leaves of unsynced writes is drawn.
const WAYS: u64 = 40;

/// Opens the store for the first time, falls in its `nth` disk operation, and opens it again. Whether it fell.
fn opens_after_a_fall(seed: u64, nth: u64, how: Fall) -> bool {
    let opens = || async {
        let mut store = Store::open("data").await.unwrap();
        assert_eq!(read(&mut store).await, 0);
        store
    };
    let script = move |world: sim::World| async move {
        fall::opens_after_a_fall(&world.node("store"), nth, how, opens).await
    };
    Sim::seed(seed).run(script).expect_ok()
}

#[test]
fn the_first_boot_may_fall_in_any_disk_operation() {
    for how in [Fall::Kill, Fall::PowerOff] {
        let mut moments = 0;
        while (0..WAYS).filter(|seed| opens_after_a_fall(*seed, moments + 1, how)).count() > 0 {
            moments += 1;
        }
        println!("{how:?} in each of {moments} operations of a first boot");
        assert!(moments > 5, "only {moments} disk operations make a store");
    }
}
