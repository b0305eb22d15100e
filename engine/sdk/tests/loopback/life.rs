//! How actors start, stop, fail and want things, and how a runner ends.

use std::sync::atomic::Ordering;
use std::time::Duration;

use protocol::error::CloseReason;
use protocol::wire::{ActorIntent, ActorState, Event, KvRequestData, KvResponseData, StopCode, ToServer};
use sdk::{RunEnd, RunError, RunnerOptions, View};

use crate::actors::Probe;
use crate::engine::{Engine, actor};
use crate::session::{echo, run, run_with};
use crate::test;

fn stopped(event: &Event) -> Option<(StopCode, Option<&str>)> {
    match event {
        Event::ActorStateUpdate { state: ActorState::Stopped { code, message } } => {
            Some((*code, message.as_deref()))
        }
        _ => None,
    }
}

#[test]
fn an_actor_that_does_not_start_says_why() {
    test(async {
        let (engine, probe) = (Engine::listen().await, Probe::new());
        let _run = run(&engine, &probe);
        let mut socket = engine.session().await;
        for (number, name, why) in [(1, "broken", "no luck today"), (2, "nobody", "no actor named")] {
            socket.start(actor(number), name).await;
            let events = socket.events().await;
            let (code, message) = stopped(&events[0].inner).expect("it stopped");
            assert_eq!(code, StopCode::Error);
            assert!(message.unwrap().contains(why), "{message:?}");
        }
    });
}

#[test]
fn an_actor_that_panics_has_crashed_and_its_neighbour_lives() {
    test(async {
        let (_engine, _run, mut socket, probe) = echo().await;
        socket.start(actor(2), "echo").await;
        socket.events().await;
        socket.request(1, actor(1), "GET", "/panic", "").await;
        let mut seen = Vec::new();
        for _ in 0..2 {
            match socket.recv().await {
                ToServer::Events(events) => seen.push(format!("{:?}", stopped(&events[0].inner).unwrap().0)),
                ToServer::TunnelMessage(message) => seen.push(format!("{:?}", message.message_kind)),
                other => panic!("{other:?}"),
            }
        }
        assert_eq!(seen, ["ResponseAbort", "Error"]);
        assert_eq!(probe.dropped.load(Ordering::SeqCst), 1);
        socket.request(2, actor(2), "GET", "/", "").await;
        assert_eq!(socket.answer(2).await.status, 200);
    });
}

#[test]
fn a_factory_that_panics_costs_its_own_actor_only() {
    test(async {
        let (_engine, _run, mut socket, _) = echo().await;
        socket.start(actor(2), "bomb").await;
        let events = socket.events().await;
        assert_eq!(stopped(&events[0].inner), Some((StopCode::Error, Some("the actor panicked"))));
        socket.request(1, actor(1), "GET", "/", "").await;
        assert_eq!(socket.answer(1).await.status, 200);
    });
}

#[test]
fn wishes_become_events_once() {
    test(async {
        let (_engine, _run, mut socket, _) = echo().await;
        let wishes = [
            ("/alarm", Event::SetAlarm { alarm_ts: Some(5_000) }),
            ("/sleep", Event::ActorIntent { intent: ActorIntent::Sleep }),
            ("/destroy", Event::ActorIntent { intent: ActorIntent::Stop }),
        ];
        for (number, (path, wish)) in wishes.into_iter().enumerate() {
            let number = u32::try_from(number).unwrap();
            socket.request(number, actor(1), "POST", path, "").await;
            let events = socket.events().await;
            assert_eq!(events.len(), 1);
            assert_eq!(events[0].inner, wish);
            assert_eq!(events[0].checkpoint.index, i64::from(number) + 1, "indexes go on after Running");
            socket.ack(&events).await;
            assert_eq!(socket.answer(number).await.status, 200);
        }
    });
}

#[test]
fn an_alarm_is_set_when_the_engine_has_stored_it() {
    test(async {
        let (_engine, _run, mut socket, _) = echo().await;
        socket.request(1, actor(1), "POST", "/alarm", "").await;
        let events = socket.events().await;
        assert!(socket.quiet().await, "whoever set it waits");
        socket.ack(&events).await;
        assert_eq!(socket.answer(1).await.status, 200);
    });
}

#[test]
fn a_stop_finishes_the_requests_in_progress_and_sends_later_ones_back() {
    test(async {
        let (_engine, _run, mut socket, probe) = echo().await;
        socket.request(1, actor(1), "GET", "/gate", "").await;
        assert!(socket.quiet().await);
        socket.stop(actor(1)).await;
        socket.request(2, actor(1), "GET", "/", "").await;
        assert_eq!(socket.answer(2).await.headers.get("x-rivet-error"), Some("runner.actor_not_found"));
        assert!(socket.quiet().await, "it finishes what it does");
        probe.gate.add_permits(1);
        assert_eq!(socket.answer(1).await.status, 200);
        let events = socket.events().await;
        assert_eq!(stopped(&events[0].inner), Some((StopCode::Ok, None)));
    });
}

#[test]
fn a_drain_lets_actors_save_and_says_goodbye() {
    test(async {
        let (engine, probe) = (Engine::listen().await, Probe::new());
        let run = run(&engine, &probe);
        let mut socket = engine.session().await;
        socket.start(actor(1), "saver").await;
        let events = socket.events().await;
        socket.ack(&events).await;
        run.stop.drain();
        assert_eq!(socket.recv().await, ToServer::Stopping);
        assert!(socket.quiet().await, "the engine moves the actors");
        socket.stop(actor(1)).await;
        let put = socket.kv().await;
        assert!(matches!(put.data, KvRequestData::Put { .. }), "{put:?}");
        socket.kv_answer(put.request_id, KvResponseData::Put).await;
        let events = socket.events().await;
        assert_eq!(stopped(&events[0].inner), Some((StopCode::Ok, None)));
        socket.ack(&events).await;
        assert_eq!(socket.closed().await, Some((1000, "pegboard.runner_shutdown".to_owned())));
        assert_eq!(run.task.await.unwrap(), Ok(RunEnd::Drained));
        assert_eq!(probe.dropped.load(Ordering::SeqCst), 1);
    });
}

#[test]
fn the_view_shows_a_session_as_long_as_it_lives() {
    test(async {
        let (engine, probe, view) = (Engine::listen().await, Probe::new(), View::default());
        let run =
            run_with(RunnerOptions { view: view.clone(), ..RunnerOptions::new(engine.endpoint()) }, &probe);
        let mut socket = engine.session().await;
        socket.start(actor(1), "echo").await;
        let events = socket.events().await;
        socket.request(1, actor(1), "GET", "/gate", "").await;
        assert!(socket.quiet().await);
        let sessions = view.sessions();
        let [(key, standing)] = sessions.as_slice() else { panic!("{sessions:?}") };
        assert!(socket.target.ends_with(key.as_str()));
        assert_eq!(
            (standing.connected, standing.instances, standing.events, standing.requests),
            (true, 1, 1, 1)
        );
        probe.gate.add_permits(1);
        socket.answer(1).await;
        socket.ack(&events).await;
        assert!(socket.quiet().await);
        let standing = &view.sessions()[0].1;
        assert_eq!((standing.events, standing.kv, standing.requests), (0, 0, 0), "at rest nothing is left");
        run.stop.now();
        run.task.await.unwrap().unwrap();
        assert!(view.sessions().is_empty());
    });
}

#[test]
fn a_drain_does_not_wait_for_an_engine_that_is_gone() {
    test(async {
        let (engine, probe) = (Engine::listen().await, Probe::new());
        let mut options = RunnerOptions::new(engine.endpoint());
        options.timings.drain_grace = Duration::from_millis(300);
        let run = run_with(options, &probe);
        let mut socket = engine.session_with(None).await;
        socket.start(actor(1), "echo").await;
        socket.events().await;
        drop((socket, engine));
        run.stop.drain();
        assert_eq!(run.task.await.unwrap(), Ok(RunEnd::Drained));
        assert_eq!(probe.dropped.load(Ordering::SeqCst), 1);
    });
}

#[test]
fn stopping_at_once_cuts_user_code_off() {
    test(async {
        let (_engine, run, mut socket, probe) = echo().await;
        socket.request(1, actor(1), "GET", "/gate", "").await;
        assert!(socket.quiet().await);
        run.stop.drain();
        assert_eq!(socket.recv().await, ToServer::Stopping);
        run.stop.now();
        assert_eq!(run.task.await.unwrap(), Ok(RunEnd::Stopped));
        assert_eq!(probe.dropped.load(Ordering::SeqCst), 1);
    });
}

#[test]
fn an_evicted_runner_does_not_come_back() {
    test(async {
        let (engine, run, socket, probe) = echo().await;
        socket.close(CloseReason::Eviction).await;
        assert_eq!(run.task.await.unwrap(), Err(RunError::Evicted));
        assert_eq!(probe.dropped.load(Ordering::SeqCst), 1);
        let again = runtime::timeout(Duration::from_millis(200), engine.accept()).await;
        assert!(again.is_err(), "it dialled again");
    });
}

#[test]
fn what_cannot_be_sent_is_refused_before_anything_is() {
    test(async {
        let engine = Engine::listen().await;
        let options = RunnerOptions { token: Some("a b".into()), ..RunnerOptions::new(engine.endpoint()) };
        assert_eq!(run_with(options, &Probe::new()).task.await.unwrap(), Err(RunError::Token));
        let options = RunnerOptions { pool: String::new(), ..RunnerOptions::new(engine.endpoint()) };
        let refused = run_with(options, &Probe::new()).task.await.unwrap();
        assert!(matches!(refused, Err(RunError::Name(_))), "{refused:?}");
    });
}
