//! The whole stack in one process on real sockets: engine, application and client, a counter counted through the
//! gateway in both modes, and over a restart of the engine.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod platform;
mod tokens;

use demo::counter::{INCREMENT, VALUE};
use protocol::view::Fact;
use sdk::RunEnd;

use platform::{Engine, Facts, Normal, Serverless, count, counter, test};

#[test]
fn a_normal_runner_counts() {
    test(async {
        let folder = tempfile::tempdir().unwrap();
        let engine = Engine::start(folder.path(), None).await;
        engine.normal_pool().await;
        let runner = Normal::start(&engine);
        let client = engine.client();
        let actor = counter(&client, "one").await;
        for expected in 1..=20 {
            assert_eq!(count(&client, actor).await, expected);
        }
        assert_eq!(runner.end().await, Ok(RunEnd::Drained));
        engine.stop().await;
    });
}

#[test]
fn a_handle_outlives_its_actor() {
    test(async {
        let folder = tempfile::tempdir().unwrap();
        let engine = Engine::start(folder.path(), None).await;
        engine.normal_pool().await;
        let runner = Normal::start(&engine);
        let client = engine.client();
        let counter = client.actors("counter").get_or_create("one");
        assert_eq!(counter.call(INCREMENT, 5).await.unwrap(), 5);
        let first = counter.actor_id().await.unwrap();
        client.destroy(first).await.unwrap();
        assert_eq!(counter.call(INCREMENT, 1).await.unwrap(), 1, "it is another one");
        assert_ne!(counter.actor_id().await.unwrap(), first);
        assert_eq!(client.actors("counter").get("one").call(VALUE, ()).await.unwrap(), 1);
        assert_eq!(runner.end().await, Ok(RunEnd::Drained));
        engine.stop().await;
    });
}

#[test]
fn a_serverless_runner_counts() {
    test(async {
        let folder = tempfile::tempdir().unwrap();
        let engine = Engine::start(folder.path(), None).await;
        let app = Serverless::start(&engine).await;
        let client = engine.client();
        let (first, second) = (counter(&client, "one").await, counter(&client, "two").await);
        for expected in 1..=10 {
            assert_eq!(count(&client, first).await, expected);
            assert_eq!(count(&client, second).await, expected);
        }
        assert!(app.service.runners() >= 2, "one slot a runner");
        app.end().await;
        engine.stop().await;
    });
}

#[test]
fn a_count_goes_on_when_the_engine_comes_back() {
    test(async {
        let folder = tempfile::tempdir().unwrap();
        let engine = Engine::start(folder.path(), None).await;
        engine.normal_pool().await;
        let facts = Facts::default();
        let runner = Normal::start_with(&engine, facts.clone());
        let client = engine.client();
        let actor = counter(&client, "one").await;
        assert_eq!(count(&client, actor).await, 1);
        let address = engine.stop().await;
        let engine = Engine::start(folder.path(), Some(address)).await;
        for expected in 2..=5 {
            assert_eq!(count(&client, actor).await, expected);
        }
        let starts = facts.count(|fact| matches!(fact, Fact::InstanceStarted { .. }));
        assert_eq!(starts, 1, "the actor never noticed");
        assert_eq!(runner.end().await, Ok(RunEnd::Drained));
        engine.stop().await;
    });
}

#[test]
fn a_count_goes_on_in_serverless_mode_too() {
    test(async {
        let folder = tempfile::tempdir().unwrap();
        let engine = Engine::start(folder.path(), None).await;
        let app = Serverless::start(&engine).await;
        let client = engine.client();
        let actor = counter(&client, "one").await;
        assert_eq!(count(&client, actor).await, 1);
        let address = engine.stop().await;
        let engine = Engine::start(folder.path(), Some(address)).await;
        for expected in 2..=5 {
            assert_eq!(count(&client, actor).await, expected);
        }
        app.end().await;
        engine.stop().await;
    });
}

#[test]
fn a_count_goes_on_when_the_application_comes_back() {
    test(async {
        let folder = tempfile::tempdir().unwrap();
        let engine = Engine::start(folder.path(), None).await;
        engine.normal_pool().await;
        let client = engine.client();
        let first = Normal::start(&engine);
        let actor = counter(&client, "one").await;
        assert_eq!(count(&client, actor).await, 1);
        assert_eq!(first.end().await, Ok(RunEnd::Drained));
        let second = Normal::start(&engine);
        assert_eq!(count(&client, actor).await, 2);
        assert_eq!(second.end().await, Ok(RunEnd::Drained));
        engine.stop().await;
    });
}
