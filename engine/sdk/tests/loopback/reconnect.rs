//! What survives the loss of a socket.

use std::sync::atomic::Ordering;
use std::time::Duration;

use protocol::error::CloseReason;
use protocol::wire::{ActorState, Event, KvRequestData, KvResponseData};
use runtime::Instant;
use sdk::RunnerOptions;

use crate::actors::Probe;
use crate::engine::{Engine, actor};
use crate::session::{echo, run, run_with};
use crate::test;

#[test]
fn a_runner_comes_back_at_once_under_its_key_with_its_actors() {
    test(async {
        let (engine, _run, socket, probe) = echo().await;
        let key = socket.target.clone();
        let dropped: Instant = runtime::now();
        socket.close(CloseReason::GoingAway).await;
        let mut socket = engine.session().await;
        assert!(dropped.elapsed() < Duration::from_millis(500), "{:?}", dropped.elapsed());
        assert_eq!(socket.target, key);
        socket.request(1, actor(1), "GET", "/", "").await;
        assert_eq!(socket.answer(1).await.status, 200);
        assert_eq!(probe.dropped.load(Ordering::SeqCst), 0, "the actor never noticed");
    });
}

#[test]
fn what_was_not_acknowledged_is_told_again_in_one_message() {
    test(async {
        let (engine, probe) = (Engine::listen().await, Probe::new());
        let _run = run(&engine, &probe);
        let mut socket = engine.session().await;
        socket.start(actor(1), "echo").await;
        socket.events().await;
        socket.request(1, actor(1), "GET", "/alarm", "").await;
        socket.events().await;
        drop(socket);
        let mut socket = engine.session().await;
        let events = socket.events().await;
        let kinds: Vec<_> =
            events.iter().map(|event| (event.checkpoint.index, event.inner.clone())).collect();
        let running = Event::ActorStateUpdate { state: ActorState::Running };
        assert_eq!(kinds, [(0, running), (1, Event::SetAlarm { alarm_ts: Some(5_000) })]);
        // A start that comes again changes nothing.
        socket.start(actor(1), "echo").await;
        assert!(!matches!(
            runtime::timeout(Duration::from_millis(100), socket.recv()).await,
            Ok(protocol::wire::ToServer::Events(_))
        ));
    });
}

#[test]
fn a_write_without_answer_is_sent_again_and_answered_once() {
    test(async {
        let (engine, probe) = (Engine::listen().await, Probe::new());
        let _run = run(&engine, &probe);
        let mut socket = engine.session().await;
        socket.start(actor(1), "saver").await;
        let events = socket.events().await;
        socket.ack(&events).await;
        socket.stop(actor(1)).await;
        let first = socket.kv().await;
        drop(socket);
        let mut socket = engine.session().await;
        let again = socket.kv().await;
        assert_eq!((first.request_id, &first.data), (again.request_id, &again.data));
        assert!(matches!(again.data, KvRequestData::Put { .. }));
        socket.kv_answer(again.request_id, KvResponseData::Put).await;
        assert_eq!(socket.events().await.len(), 1, "it has stopped");
    });
}

#[test]
fn a_refusal_of_what_was_sent_before_leaves_its_effect_open() {
    test(async {
        let (engine, probe) = (Engine::listen().await, Probe::new());
        let _run = run(&engine, &probe);
        let mut socket = engine.session().await;
        socket.start(actor(1), "saver").await;
        let events = socket.events().await;
        socket.ack(&events).await;
        let refusal = || KvResponseData::Error { message: "no right".into() };
        socket.request(1, actor(1), "POST", "/save", "").await;
        let once = socket.kv().await;
        socket.kv_answer(once.request_id, refusal()).await;
        assert!(socket.answer(1).await.body.contains("refused"), "it was not done");
        socket.request(2, actor(1), "POST", "/save", "").await;
        socket.kv().await;
        drop(socket);
        let mut socket = engine.session().await;
        let again = socket.kv().await;
        socket.kv_answer(again.request_id, refusal()).await;
        assert!(socket.answer(2).await.body.contains("indeterminate"), "it may have been done");
    });
}

#[test]
fn a_runner_that_is_cut_off_stops_its_actors() {
    test(async {
        let (engine, probe) = (Engine::listen().await, Probe::new());
        let run = run_with(RunnerOptions::new(engine.endpoint()), &probe);
        let mut socket = engine.accept().await;
        socket.hello().await;
        let init = protocol::wire::ToClientInit {
            runner_id: protocol::id::RunnerId::from_entropy([7; 16]),
            metadata: protocol::wire::ProtocolMetadata {
                runner_lost_threshold: 200,
                actor_stop_threshold: 1_800_000,
                serverless_drain_grace_period: None,
            },
        };
        socket.send(protocol::wire::ToClient::Init(init)).await;
        socket.start(actor(1), "echo").await;
        socket.events().await;
        drop((socket, engine));
        while probe.dropped.load(Ordering::SeqCst) == 0 {
            runtime::sleep(Duration::from_millis(10)).await;
        }
        run.stop.now();
        run.task.await.unwrap().unwrap();
    });
}
