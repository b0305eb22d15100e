//! How an application starts, fails and ends, beside an engine that is played.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use futures_util::future::join_all;
use http::Request;
use http_body_util::BodyExt;
use protocol::error::CloseReason;
use protocol::wire::{ToServer, ToServerKind};
use runtime::{JoinHandle, TcpListener};
use sdk::application::{Application, Builder, Cause, End, Health, Mode, Standing, StartError};

use crate::actors::Probe;
use crate::engine::{Engine, Socket, actor};
use crate::test;

fn builder(probe: &Probe) -> Builder {
    Application::builder(probe.registry())
}

/// An application that connects to a played engine.
fn connected(engine: &Engine) -> Application {
    builder(&Probe::new()).endpoint(engine.endpoint().to_string()).build().unwrap()
}

/// The same, with its runner up; the engine announces this as the longest stop of an actor.
async fn running(stop_threshold: Option<i64>) -> (Engine, Application, Socket) {
    let engine = Engine::listen().await;
    let app = connected(&engine);
    let starting = start(&app, Mode::Runner);
    let mut socket = engine.accept().await;
    socket.hello().await;
    socket.greet_with(Some(10_000), stop_threshold.unwrap_or(1_800_000)).await;
    starting.await.unwrap().unwrap();
    (engine, app, socket)
}

/// Calls in a task of its own.
pub(crate) fn start(app: &Application, mode: Mode) -> JoinHandle<Result<(), StartError>> {
    let app = app.clone();
    runtime::spawn("start under test", async move { app.start(mode).await })
}

fn get(path: &str) -> Request<()> {
    Request::get(path).body(()).unwrap()
}

async fn asked(app: &Application, path: &str) -> (u16, String) {
    let response = app.handle(&get(path)).await;
    let status = response.status().as_u16();
    let body = response.into_body().collect().await.unwrap().to_bytes();
    (status, String::from_utf8(body.to_vec()).unwrap())
}

/// Outside of any runtime: a task, a timer or a socket would panic here.
#[test]
fn making_one_does_nothing() {
    let app = builder(&Probe::new()).endpoint("http://127.0.0.1:1").build().unwrap();
    app.configure(|options| options.pool = "other".to_owned()).unwrap();
    assert_eq!(app.standing(), Standing::Idle);
    assert_eq!((app.endpoint(), app.listening(), app.pool_standing()), (None, None, None));
    drop(app);
}

#[test]
fn a_request_that_comes_first_is_answered() {
    test(async {
        let engine = Engine::listen().await;
        let app = connected(&engine);
        let (status, health) = asked(&app, "/api/rivet/health").await;
        assert_eq!(status, 503);
        assert!(health.contains(r#""status":"engine_starting""#), "it waits for nothing: {health}");
        let (status, metadata) = asked(&app, "/api/rivet/metadata").await;
        assert_eq!(status, 200);
        assert!(metadata.contains(r#""serverless""#), "{metadata}");
        assert_eq!(asked(&app, "/api/rivet/health").await.0, 200);
        assert_eq!(asked(&app, "/nowhere").await.0, 404);
        assert_eq!(app.standing(), Standing::Running(Mode::Serverless));
        assert_eq!(app.shutdown().await, End::Drained);
        let (status, refused) = asked(&app, "/api/rivet/start").await;
        assert_eq!(status, 503);
        assert!(refused.contains("shut_down"), "{refused}");
    });
}

#[test]
fn many_starts_are_one() {
    test(async {
        let engine = Engine::listen().await;
        let ready = Arc::new(AtomicUsize::new(0));
        let counted = Arc::clone(&ready);
        let app = builder(&Probe::new())
            .endpoint(engine.endpoint().to_string())
            .with(move |options| {
                options.on_ready = Some(Arc::new(move |_| {
                    counted.fetch_add(1, Ordering::SeqCst);
                }));
            })
            .build()
            .unwrap();
        let starts: Vec<_> = (0..50).map(|_| start(&app, Mode::Runner)).collect();
        let watcher = app.clone();
        let watch = runtime::spawn("watch", async move { watcher.ready().await });
        let socket = engine.session().await;
        for outcome in join_all(starts).await {
            assert_eq!(outcome.unwrap(), Ok(()));
        }
        assert_eq!(watch.await.unwrap(), Ok(()));
        assert_eq!(app.start_runner().await, Ok(()), "later, too");
        assert_eq!(ready.load(Ordering::SeqCst), 1);
        let second = runtime::timeout(Duration::from_millis(50), engine.accept_raw()).await;
        assert!(second.is_err(), "one runner");
        drop(socket);
        assert_eq!(app.stop_now().await, End::Stopped);
    });
}

#[test]
fn the_other_mode_is_refused_and_changes_nothing() {
    test(async {
        for (mode, other) in [(Mode::Runner, Mode::Serverless), (Mode::Serverless, Mode::Runner)] {
            let engine = Engine::listen().await;
            let app = connected(&engine);
            let first = start(&app, mode);
            let socket = match mode {
                Mode::Runner => Some(engine.session().await),
                Mode::Serverless => None,
            };
            first.await.unwrap().unwrap();
            let conflict = StartError::ModeConflict { current: mode, requested: other };
            assert_eq!(app.start(other).await, Err(conflict.clone()));
            assert_eq!(conflict.code(), "runtime.mode_conflict");
            assert_eq!(app.standing(), Standing::Running(mode));
            assert_eq!(app.start(mode).await, Ok(()));
            if mode == Mode::Runner {
                let (status, refused) = asked(&app, "/api/rivet/metadata").await;
                assert_eq!(status, 409);
                assert!(refused.contains("mode_conflict"), "{refused}");
            }
            drop(socket);
            app.stop_now().await;
        }
    });
}

#[test]
fn the_configuration_closes_when_preparation_begins() {
    test(async {
        let engine = Engine::listen().await;
        let app = connected(&engine);
        app.configure(|options| options.pool = "late".to_owned()).unwrap();
        let starting = start(&app, Mode::Runner);
        let mut socket = engine.accept().await;
        assert_eq!(socket.hello().await.name, "late");
        let refused = app.configure(|options| options.pool = "too late".to_owned());
        assert_eq!(refused, Err(StartError::Configured));
        drop(socket);
        app.stop_now().await;
        assert_eq!(starting.await.unwrap(), Err(StartError::ShutDown));
        assert_eq!(app.configure(|_| {}), Err(StartError::ShutDown));
    });
}

#[test]
fn what_is_wrong_for_good_is_told_at_once_to_everybody_and_sticks() {
    test(async {
        let app = builder(&Probe::new()).endpoint("http://127.0.0.1:1").token("no token").build().unwrap();
        let outcomes = join_all((0..5).map(|_| start(&app, Mode::Runner))).await;
        let failed = app.prepare().await.unwrap_err();
        assert_eq!(failed.code(), "config.invalid");
        assert!(outcomes.into_iter().all(|outcome| outcome.unwrap() == Err(failed.clone())));
        assert_eq!(app.ready().await, Err(failed.clone()));
        assert_eq!(app.settled().await.map_err(StartError::Failed), Err(failed));
        let (status, health) = asked(&app, "/api/rivet/health").await;
        assert_eq!(status, 503);
        assert!(health.contains(r#""status":"failed""#) && health.contains("invalid"), "{health}");
        assert_eq!(app.shutdown().await, End::Drained);
    });
}

#[test]
fn an_engine_that_refuses_for_good_fails_the_start() {
    test(async {
        for (reason, closes) in [(CloseReason::Unauthorized, 1), (CloseReason::NamespaceNotFound, 3)] {
            let engine = Engine::listen().await;
            let app = connected(&engine);
            let starting = start(&app, Mode::Runner);
            for _ in 0..closes {
                let mut socket = engine.accept().await;
                socket.hello().await;
                socket.close(reason).await;
            }
            let failed = starting.await.unwrap().unwrap_err();
            assert_eq!(failed.code(), "engine.rejected", "{reason:?}");
            assert!(matches!(app.health(), Health::EngineRejected { .. }));
            assert_eq!(app.start_runner().await, Err(failed));
        }
    });
}

#[test]
fn an_engine_that_refuses_a_runner_that_ran_is_told_by_health() {
    test(async {
        let (engine, app, socket) = running(None).await;
        assert_eq!(app.health(), Health::Ok);
        socket.close(CloseReason::Eviction).await;
        assert_eq!(app.settled().await, Err(Cause::Evicted));
        assert_eq!(app.health().word(), "failed");
        let again = start(&app, Mode::Runner);
        let _socket = engine.session().await;
        assert_eq!(again.await.unwrap(), Ok(()), "that may pass");
    });
}

#[test]
fn an_engine_that_is_away_is_waited_for() {
    test(async {
        let address = {
            let listener = TcpListener::bind("127.0.0.1:0".parse().unwrap()).await.unwrap();
            listener.local_addr().unwrap()
        };
        let app = builder(&Probe::new()).endpoint(format!("http://{address}")).build().unwrap();
        let starting = start(&app, Mode::Runner);
        let refused = runtime::timeout(Duration::from_millis(100), app.ready()).await;
        assert!(refused.is_err(), "readiness is pending");
        assert_eq!(app.health(), Health::EngineStarting);
        let engine = Engine::at(address).await;
        let _socket = engine.session().await;
        assert_eq!(starting.await.unwrap(), Ok(()));
    });
}

#[test]
fn two_shutdowns_share_one_drain_and_later_starts_are_refused() {
    test(async {
        let (_engine, app, mut socket) = running(None).await;
        socket.start(actor(1), "echo").await;
        let events = socket.events().await;
        socket.ack(&events).await;
        let shutdowns = [app.clone(), app.clone()]
            .map(|app| runtime::spawn("shutdown", async move { app.shutdown().await }));
        assert_eq!(socket.recv().await, ToServer::Stopping);
        assert_eq!(app.health(), Health::ShuttingDown);
        assert_eq!(app.start_runner().await, Err(StartError::ShutDown));
        // The actor still answers while it drains.
        socket.request(1, actor(1), "GET", "/", "").await;
        assert!(matches!(socket.tunnelled(1).await, ToServerKind::ResponseStart { status: 200, .. }));
        socket.stop(actor(1)).await;
        let events = socket.events().await;
        assert!(shutdowns.iter().all(|shutdown| !shutdown.is_finished()), "the engine does not know yet");
        socket.ack(&events).await;
        assert_eq!(socket.closed().await, Some((1000, "pegboard.runner_shutdown".to_owned())));
        drop(socket);
        for shutdown in shutdowns {
            assert_eq!(shutdown.await.unwrap(), End::Drained);
        }
        assert_eq!(app.shutdown().await, End::Drained);
        assert_eq!(app.start_serverless().await, Err(StartError::ShutDown));
    });
}

#[test]
fn a_drain_can_be_cut_short() {
    test(async {
        let (_engine, app, mut socket) = running(None).await;
        socket.start(actor(1), "echo").await;
        socket.events().await;
        let draining = app.clone();
        let draining = runtime::spawn("shutdown", async move { draining.shutdown().await });
        assert_eq!(socket.recv().await, ToServer::Stopping);
        drop(socket);
        assert_eq!(app.stop_now().await, End::Stopped);
        assert_eq!(draining.await.unwrap(), End::Stopped, "one end");
    });
}

/// The least grace there is.
#[test]
fn a_drain_takes_as_long_as_the_engine_lets_a_stop_take() {
    test(async {
        let (_engine, app, mut socket) = running(Some(1_000)).await;
        socket.start(actor(1), "echo").await;
        socket.events().await;
        let begun = runtime::now();
        let draining = app.clone();
        let draining = runtime::spawn("shutdown", async move { draining.shutdown().await });
        assert_eq!(socket.recv().await, ToServer::Stopping);
        assert!(socket.closed().await.is_some(), "nobody stops the actor");
        drop(socket);
        assert_eq!(draining.await.unwrap(), End::Overdue);
        assert!(begun.elapsed() >= Duration::from_secs(1));
    });
}

#[test]
fn an_application_that_nobody_holds_stops() {
    test(async {
        let (_engine, app, mut socket) = running(None).await;
        drop(app);
        assert!(socket.closed().await.is_some());
    });
}

#[test]
fn a_port_that_is_taken_is_named() {
    test(async {
        let taken = TcpListener::bind("127.0.0.1:0".parse().unwrap()).await.unwrap();
        let address = taken.local_addr().unwrap();
        let app = builder(&Probe::new())
            .endpoint("http://127.0.0.1:1")
            .with(|options| options.serving.listen = Some(address))
            .build()
            .unwrap();
        let occupied = Cause::PortOccupied { port: address.port() };
        assert_eq!(app.start_serverless().await, Err(StartError::Failed(occupied.clone())));
        assert!(occupied.to_string().contains(&address.port().to_string()));
        drop(taken);
        assert_eq!(app.start_serverless().await, Err(StartError::Failed(occupied)), "it sticks");
    });
}

#[test]
fn a_part_that_panics_fails_the_start() {
    test(async {
        let engine = Engine::listen().await;
        let app = builder(&Probe::new())
            .endpoint(engine.endpoint().to_string())
            .with(|options| options.on_ready = Some(Arc::new(|_| panic!("asked to"))))
            .build()
            .unwrap();
        let starting = start(&app, Mode::Runner);
        let _socket = engine.session().await;
        // The engine knew it before the panic.
        assert_eq!(starting.await.unwrap(), Ok(()));
        assert_eq!(app.settled().await, Err(Cause::Panicked));
    });
}
