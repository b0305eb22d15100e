//! A start: the runner, its event stream, and how each ends the other.

use std::time::Duration;

use http::{Method, StatusCode};
use protocol::error::CloseReason;
use protocol::id::RunnerId;
use protocol::wire::{ToServer, ToServerlessServer};
use sdk::ServerlessOptions;

use crate::actors::Probe;
use crate::endpoint::{App, Events, PING, app};
use crate::engine::{Engine, RUNNER, Socket, actor};
use crate::test;

fn quick() -> ServerlessOptions {
    let mut options = ServerlessOptions::default();
    options.timings.stream_ping = Duration::from_millis(50);
    options.timings.drain_grace = Duration::from_millis(300);
    options
}

/// An application with one start: its stream and its runner's session.
async fn started(probe: &Probe) -> (Engine, App, Events, Socket) {
    let engine = Engine::listen().await;
    let app = app(probe, quick()).await;
    let mut events = app.open(&engine).await;
    assert_eq!(events.next().await.as_deref(), Some(PING), "the first bytes come at once");
    let socket = engine.session_with(None).await;
    let runner_id = RunnerId::from_entropy(RUNNER);
    assert_eq!(events.init().await, ToServerlessServer::Init { runner_id, runner_protocol_version: 7 });
    (engine, app, events, socket)
}

async fn gone(app: &App) {
    runtime::timeout(Duration::from_secs(5), app.service.drained()).await.expect("no runner is left");
}

#[test]
fn a_stream_names_its_runner_and_then_pings() {
    test(async {
        let (_engine, _app, mut events, _socket) = started(&Probe::new()).await;
        let begun = runtime::now();
        for _ in 0..10 {
            assert_eq!(events.next().await.as_deref(), Some(PING));
        }
        let took = begun.elapsed();
        assert!((Duration::from_millis(400)..Duration::from_millis(900)).contains(&took), "{took:?}");
    });
}

#[test]
fn each_start_is_a_runner_of_its_own() {
    test(async {
        let (engine, app, _events, first) = started(&Probe::new()).await;
        let _second_events = app.open(&engine).await;
        let second = engine.accept().await;
        assert_ne!(first.target, second.target, "another key");
        assert_eq!(app.service.runners(), 2);
    });
}

#[test]
fn a_closed_stream_drains_its_runner() {
    test(async {
        let probe = Probe::new();
        let (_engine, app, events, mut socket) = started(&probe).await;
        socket.start(actor(1), "echo").await;
        let running = socket.events().await;
        socket.ack(&running).await;
        events.close();
        assert_eq!(socket.recv().await, ToServer::Stopping);
        socket.stop(actor(1)).await;
        let stopped = socket.events().await;
        socket.ack(&stopped).await;
        assert_eq!(socket.closed().await, Some((1000, "pegboard.runner_shutdown".to_owned())));
        gone(&app).await;
    });
}

#[test]
fn a_runner_that_ends_ends_its_stream() {
    test(async {
        let (_engine, app, mut events, socket) = started(&Probe::new()).await;
        socket.close(CloseReason::Eviction).await;
        let rest = events.rest().await;
        let (last, pings) = rest.split_last().expect("it says that it ends");
        assert_eq!(last, "event: stopping\ndata: ");
        assert!(pings.iter().all(|event| event == PING));
        gone(&app).await;
    });
}

#[test]
fn a_dropped_socket_alone_changes_nothing() {
    test(async {
        let (engine, app, mut events, socket) = started(&Probe::new()).await;
        let target = socket.target.clone();
        drop(socket);
        let socket = engine.session_with(None).await;
        assert_eq!(socket.target, target);
        assert_eq!(events.next().await.as_deref(), Some(PING));
        assert_eq!(app.service.runners(), 1);
    });
}

#[test]
fn a_stream_is_closed_before_its_runner_ever_connected() {
    test(async {
        let engine = Engine::listen().await;
        let app = app(&Probe::new(), quick()).await;
        let mut events = app.open(&engine).await;
        assert_eq!(events.next().await.as_deref(), Some(PING));
        let _never_upgraded = engine.accept_raw().await;
        events.close();
        gone(&app).await;
    });
}

#[test]
fn a_shutdown_drains_every_runner_and_refuses_new_ones() {
    test(async {
        let probe = Probe::new();
        let (engine, app, mut events, mut socket) = started(&probe).await;
        socket.start(actor(1), "echo").await;
        let running = socket.events().await;
        socket.ack(&running).await;
        app.stop.drain();
        assert_eq!(socket.recv().await, ToServer::Stopping);
        let refused = app.ask(Method::GET, "/api/rivet/start", &App::start(&engine)).await;
        assert_eq!(refused.status(), StatusCode::SERVICE_UNAVAILABLE);
        assert!(refused.body().contains(r#""group":"registry","code":"shut_down""#), "{}", refused.body());
        assert_eq!(app.get("/api/rivet/health").await.status(), StatusCode::OK);
        socket.stop(actor(1)).await;
        let stopped = socket.events().await;
        socket.ack(&stopped).await;
        assert!(events.rest().await.iter().all(|event| event == PING));
        app.task.await.unwrap();
        assert_eq!(app.service.runners(), 0);
    });
}

#[test]
fn a_second_request_to_stop_cuts_everything_off() {
    test(async {
        let probe = Probe::new();
        let (_engine, app, _events, mut socket) = started(&probe).await;
        socket.start(actor(1), "echo").await;
        socket.events().await;
        socket.request(1, actor(1), "GET", "/gate", "").await;
        app.stop.drain();
        assert_eq!(socket.recv().await, ToServer::Stopping);
        app.stop.now();
        app.task.await.unwrap();
        assert_eq!(app.service.runners(), 0);
    });
}

#[test]
fn many_starts_leave_nothing_behind() {
    test(async {
        let engine = Engine::listen().await;
        let app = app(&Probe::new(), quick()).await;
        for _ in 0..200 {
            let mut events = app.open(&engine).await;
            assert_eq!(events.next().await.as_deref(), Some(PING));
            let mut socket = engine.session_with(None).await;
            events.init().await;
            events.close();
            assert_eq!(socket.recv().await, ToServer::Stopping);
        }
        gone(&app).await;
        app.stop.drain();
        app.task.await.unwrap();
    });
}
