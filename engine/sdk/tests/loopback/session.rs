//! What a runner says first, and requests through the tunnel.

use std::sync::atomic::Ordering;

use bytes::Bytes;
use protocol::wire::{ActorState, Event, Headers, ToClient, ToClientKind, ToServer};
use runtime::JoinHandle;
use sdk::{RunEnd, RunError, RunnerOptions, Stop};
use tokio_tungstenite::tungstenite::Message;

use crate::actors::Probe;
use crate::engine::{Engine, Socket, actor};
use crate::test;

/// A runner under test.
pub(crate) struct Run {
    pub(crate) stop: Stop,
    pub(crate) task: JoinHandle<Result<RunEnd, RunError>>,
}

/// Starts a runner with the probe's actors.
pub(crate) fn run(engine: &Engine, probe: &Probe) -> Run {
    run_with(RunnerOptions::new(engine.endpoint()), probe)
}

pub(crate) fn run_with(options: RunnerOptions, probe: &Probe) -> Run {
    let (stop, shutdown) = sdk::shutdown();
    let registry = probe.registry();
    let task = runtime::spawn("runner under test", async move { registry.run(options, shutdown).await });
    Run { stop, task }
}

/// An engine, a runner, their session, and an `echo` actor that runs.
pub(crate) async fn echo() -> (Engine, Run, Socket, Probe) {
    running("echo").await
}

/// The same with an actor of this name.
pub(crate) async fn running(name: &str) -> (Engine, Run, Socket, Probe) {
    let (engine, probe) = (Engine::listen().await, Probe::new());
    let run = run(&engine, &probe);
    let mut socket = engine.session().await;
    socket.start(actor(1), name).await;
    let events = socket.events().await;
    assert!(matches!(events[0].inner, Event::ActorStateUpdate { state: ActorState::Running }), "{events:?}");
    socket.ack(&events).await;
    (engine, run, socket, probe)
}

#[test]
fn the_first_words_are_those_of_the_protocol() {
    test(async {
        let engine = Engine::listen().await;
        let options = RunnerOptions {
            namespace: "a b".into(),
            pool: "web".into(),
            token: Some("s3cret".into()),
            version: 4,
            total_slots: 2,
            ..RunnerOptions::new(engine.endpoint())
        };
        let run = run_with(options, &Probe::new());
        let mut socket = engine.accept().await;
        let expected = "/runners/connect?protocol_version=7&namespace=a+b&runner_key=";
        let key = socket.target.strip_prefix(expected).expect("the query of the protocol").to_owned();
        assert_eq!((key.len(), &key[14..15], key.matches('-').count()), (36, "4", 4), "a random UUID: {key}");
        assert_eq!(socket.subprotocols, "rivet, rivet_token.s3cret");
        let init = socket.hello().await;
        assert_eq!((init.name.as_str(), init.version, init.total_slots), ("web", 4, 2));
        let names = init.prepopulate_actor_names.unwrap();
        assert_eq!(
            names.iter().map(|(name, _)| name).collect::<Vec<_>>(),
            ["bomb", "broken", "echo", "saver", "talker"]
        );
        assert_eq!(names.get("echo").unwrap().metadata, "{}");
        run.stop.now();
        assert_eq!(run.task.await.unwrap(), Ok(RunEnd::Stopped));
    });
}

#[test]
fn pings_are_answered_with_their_time() {
    test(async {
        let (_engine, _run, mut socket, _) = echo().await;
        socket.send(ToClient::Ping { ts: 1_795_297_294_498 }).await;
        assert_eq!(socket.recv().await, ToServer::Pong { ts: 1_795_297_294_498 });
    });
}

#[test]
fn an_actor_sees_the_request_and_the_gateway_its_answer() {
    test(async {
        let (_engine, _run, mut socket, _) = echo().await;
        socket.request(1, actor(1), "POST", "/a/b?c=d", "body").await;
        let answer = socket.answer(1).await;
        assert_eq!((answer.status, answer.body.as_str()), (200, "POST /a/b c=d body"));
        assert_eq!(answer.headers.get("content-type"), Some("text/plain; charset=utf-8"));
    });
}

#[test]
fn requests_of_one_actor_begin_in_their_order_and_wait_for_none() {
    test(async {
        let (_engine, _run, mut socket, probe) = echo().await;
        for number in 1..=5 {
            socket.request(number, actor(1), "GET", "/gate", &number.to_string()).await;
        }
        socket.request(6, actor(1), "GET", "/", "").await;
        assert_eq!(socket.answer(6).await.body, "GET / - ");
        assert_eq!(probe.running.load(Ordering::SeqCst), 5);
        probe.gate.add_permits(5);
        for number in 1..=5 {
            assert_eq!(socket.answer(number).await.body, format!("GET /gate - {number}"));
        }
        assert_eq!(probe.running.load(Ordering::SeqCst), 0);
    });
}

#[test]
fn errors_are_told_as_they_may_be() {
    test(async {
        let (_engine, _run, mut socket, _) = echo().await;
        socket.request(1, actor(1), "GET", "/fail", "").await;
        let answer = socket.answer(1).await;
        assert_eq!(answer.status, 500);
        assert!(!answer.body.contains("secret"), "{}", answer.body);
        socket.request(2, actor(1), "GET", "/user", "").await;
        let answer = socket.answer(2).await;
        assert_eq!(answer.status, 400);
        assert_eq!(answer.body, r#"{"group":"user","code":"too_small","message":"Try more."}"#);
    });
}

#[test]
fn a_request_for_nobody_here_is_sent_back() {
    test(async {
        let (_engine, _run, mut socket, _) = echo().await;
        socket.request(1, actor(9), "GET", "/", "").await;
        let answer = socket.answer(1).await;
        assert_eq!(answer.status, 503);
        assert_eq!(answer.headers.get("x-rivet-error"), Some("runner.actor_not_found"));
    });
}

#[test]
fn an_actor_cannot_say_that_it_was_not_reached() {
    test(async {
        let (_engine, _run, mut socket, _) = echo().await;
        socket.request(1, actor(1), "POST", "/forge", "").await;
        let answer = socket.answer(1).await;
        assert_eq!((answer.status, answer.body.as_str()), (503, "mine"));
        assert_eq!(answer.headers.get("x-rivet-error"), None);
    });
}

#[test]
fn one_request_too_many_is_refused_at_once() {
    test(async {
        let (_engine, _run, mut socket, probe) = echo().await;
        for number in 1..=1024 {
            socket.request(number, actor(1), "GET", "/gate", "").await;
        }
        socket.request(2000, actor(1), "GET", "/gate", "").await;
        let answer = socket.answer(2000).await;
        assert_eq!(answer.status, 503);
        assert!(answer.body.contains(r#""group":"actor","code":"overloaded""#), "{}", answer.body);
        assert_eq!(probe.running.load(Ordering::SeqCst), 1024, "those that were taken are not disturbed");
    });
}

#[test]
fn an_abort_fires_the_signal_of_its_request_only() {
    test(async {
        let (_engine, _run, mut socket, probe) = echo().await;
        socket.request(1, actor(1), "GET", "/wait", "").await;
        socket.request(2, actor(1), "GET", "/wait", "").await;
        assert!(socket.quiet().await, "both wait for their signal");
        socket.tunnel(1, ToClientKind::RequestAbort).await;
        assert!(socket.quiet().await, "nobody waits for the answer");
        assert_eq!(probe.aborts.load(Ordering::SeqCst), 1);
        assert_eq!(probe.running.load(Ordering::SeqCst), 1);
    });
}

#[test]
fn a_request_in_pieces_arrives_whole() {
    test(async {
        let (_engine, _run, mut socket, _) = echo().await;
        let start = ToClientKind::RequestStart {
            actor_id: actor(1),
            method: "PUT".into(),
            path: "/request/".into(),
            headers: Headers::new(),
            body: Some(Bytes::from_static(b"one ")),
            stream: true,
        };
        socket.tunnel(1, start).await;
        let piece = |body: &'static str, finish| ToClientKind::RequestChunk { body: body.into(), finish };
        socket.tunnel(1, piece("two ", false)).await;
        assert!(socket.quiet().await);
        socket.tunnel(1, piece("three", true)).await;
        assert_eq!(socket.answer(1).await.body, "PUT / - one two three");
    });
}

#[test]
fn what_no_actor_could_read_is_refused() {
    test(async {
        let (_engine, _run, mut socket, _) = echo().await;
        socket.request(1, actor(1), "G E T", "/", "").await;
        assert_eq!(socket.answer(1).await.status, 400);
        socket.request(2, actor(1), "GET", "no path", "").await;
        assert_eq!(socket.answer(2).await.status, 400);
    });
}

#[test]
fn frames_that_mean_nothing_disturb_nobody() {
    test(async {
        let (_engine, _run, mut socket, _) = echo().await;
        socket.send_raw(Message::Binary(Bytes::from_static(b"\xff\xff"))).await;
        socket.send_raw(Message::Text("hello".into())).await;
        socket.send_raw(Message::Binary(Bytes::new())).await;
        socket.request(1, actor(1), "GET", "/", "").await;
        assert_eq!(socket.answer(1).await.status, 200);
    });
}
