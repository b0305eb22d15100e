//! An engine in a world: served, stopped, at rest, deterministic.

use std::time::Duration;

use sim::{Census, Options, Sim, Status};

use crate::support::{actor, call, engine, healthy, pool};

#[test]
fn it_serves_stops_and_leaves_nothing() {
    Sim::seed(1)
        .run(|world| async move {
            let engine = engine(&world);
            healthy(&engine).await;
            pool(&engine).await;
            runtime::sleep(Duration::from_secs(1)).await;
            let before = world.census()["engine"].clone();
            let id = actor(&engine, "k").await.unwrap();
            // No runner is there: the request is held to its bound.
            let begun = world.elapsed();
            let (status, body) = call(&engine, "DELETE", &format!("/actors/{id}"), "").await.unwrap();
            assert_eq!(status, 200, "{body}");
            assert!(world.elapsed() - begun < Duration::from_secs(1));
            runtime::sleep(Duration::from_secs(60)).await;
            // One timer is: the destroyed actor is listed for a week.
            let rest = Census { timers: before.timers + 1, ..before };
            assert_eq!(world.census()["engine"], rest, "at rest nothing is left");
            engine.ask_to_stop();
            runtime::sleep(Duration::from_secs(10)).await;
            assert_eq!(engine.status(), Status::Exited);
            assert_eq!(world.census().get("engine").cloned().unwrap_or_default(), Census::default());
        })
        .expect_ok();
}

#[test]
fn a_seed_gives_the_same_run_again() {
    let options = Options::seed(7);
    let run = sim::verify(&options, |world| async move {
        let engine = engine(&world);
        healthy(&engine).await;
        pool(&engine).await;
        for key in ["a", "b", "c"] {
            actor(&engine, key).await.unwrap();
        }
        engine.kill();
        runtime::sleep(Duration::from_secs(1)).await;
        engine.restart();
        healthy(&engine).await;
        actor(&engine, "d").await.unwrap();
    });
    match run {
        Ok(report) => report.expect_ok(),
        Err(divergence) => panic!("{divergence:?}"),
    }
}
