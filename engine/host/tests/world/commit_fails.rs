//! A disk whose syncs fail, and one that crashes under the engine.

use std::time::Duration;

use sim::{Fall, Sim};

use crate::support::{actor, call, engine, healthy, pool};

#[test]
fn after_a_failed_commit_the_engine_begins_again_and_nothing_acknowledged_is_lost() {
    for seed in 0..8 {
        Sim::seed(seed)
            .run(|world| async move {
                let engine = engine(&world);
                healthy(&engine).await;
                pool(&engine).await;
                let mut acknowledged = Vec::new();
                let mut failed = 0;
                for round in 0..6 {
                    engine.fail_syncs(1);
                    for key in 0..4 {
                        match actor(&engine, &format!("{round}-{key}")).await {
                            Some(id) => acknowledged.push((format!("{round}-{key}"), id)),
                            None => failed += 1,
                        }
                    }
                    healthy(&engine).await;
                }
                assert!(engine.is_running());
                assert!(failed >= 6, "each failed sync is felt by a client, {failed} were");
                let restarts = protocol::mark::hits()["engine_core_restarted"];
                assert!(restarts >= 6, "{restarts}");
                for (key, id) in acknowledged {
                    assert_eq!(actor(&engine, &key).await, Some(id), "{key}");
                }
            })
            .expect_ok();
    }
}

#[test]
fn an_engine_whose_store_cannot_be_written_is_not_healthy() {
    Sim::seed(1)
        .run(|world| async move {
            let engine = engine(&world);
            healthy(&engine).await;
            for _ in 0..3 {
                engine.fail_syncs(1);
                // The engine begins again meanwhile, and cuts its clients off.
                let answer = call(&engine, "GET", "/health", "").await;
                assert!(answer.as_ref().is_none_or(|(status, _)| *status == 503), "{answer:?}");
                healthy(&engine).await;
            }
        })
        .expect_ok();
}

#[test]
fn a_crash_inside_a_commit_loses_nothing_acknowledged() {
    for seed in 0..24 {
        Sim::seed(seed)
            .run(|world| async move {
                let engine = engine(&world);
                let chance = world.stream("test crash");
                healthy(&engine).await;
                pool(&engine).await;
                let mut acknowledged = Vec::new();
                for round in 0..4 {
                    let how = if chance.below(2) == 0 { Fall::Kill } else { Fall::PowerOff };
                    if round % 2 == 0 {
                        engine.crash_in_disk_operation(1 + chance.below(120), how);
                    } else {
                        // While a sync is under way, too: what it writes is not durable then.
                        let after = chance.span(Duration::from_millis(1)..=Duration::from_millis(80));
                        let engine = engine.clone();
                        world.spawn("power off", async move {
                            runtime::sleep(after).await;
                            engine.power_off();
                        });
                    }
                    for key in 0..200 {
                        let key = format!("{round}-{key}");
                        match actor(&engine, &key).await {
                            Some(id) => acknowledged.push((key, id)),
                            None => break,
                        }
                    }
                    assert!(!engine.is_running());
                    runtime::sleep(Duration::from_millis(500)).await;
                    engine.restart();
                    healthy(&engine).await;
                }
                let (_, names) = call(&engine, "GET", "/namespaces", "").await.unwrap();
                assert_eq!(names["namespaces"].as_array().unwrap().len(), 1);
                for (key, id) in acknowledged {
                    assert_eq!(actor(&engine, &key).await, Some(id), "{key}");
                }
            })
            .expect_ok();
    }
}
