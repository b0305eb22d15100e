//! An engine in the application's process.

use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;

use http::Request;
use protocol::api::{CrashPolicy, CreateActor};
use runtime::TcpListener;
use sdk::Client;
use sdk::application::{Application, Cause, Embedded, End, Mode, SpawnOptions, Standing, StartError};

use crate::actors::Probe;
use crate::test;

fn app(folder: &Path, port: u16) -> Application {
    let embedded = Embedded::new(folder).bind(SocketAddr::from(([127, 0, 0, 1], port)));
    Application::builder(Probe::new().registry())
        .embedded(embedded)
        .with(|options| options.serving.listen = Some(SocketAddr::from(([127, 0, 0, 1], 0))))
        .build()
        .unwrap()
}

/// Asks an actor through the gateway.
async fn ask(app: &Application) -> String {
    let client = Client::new(app.endpoint().unwrap(), "default", None);
    let actor = CreateActor {
        name: "echo".into(),
        key: Some("one".into()),
        input: None,
        runner_name_selector: "default".into(),
        crash_policy: CrashPolicy::Sleep,
        datacenter: None,
    };
    let (actor, _) = client.get_or_create(&actor).await.unwrap();
    let request = Request::get("/request/path").body(bytes::Bytes::new()).unwrap();
    let answer = client.request(actor.actor_id, request).await.unwrap();
    String::from_utf8(answer.body().to_vec()).unwrap()
}

/// Whether the port is free again.
async fn is_free(address: SocketAddr) -> bool {
    TcpListener::bind(address).await.is_ok()
}

fn address(app: &Application) -> SocketAddr {
    app.endpoint().unwrap().to_string().strip_prefix("http://").unwrap().parse().unwrap()
}

#[test]
fn engine_and_runner_come_up_and_go_with_nothing_left() {
    test(async {
        let folder = tempfile::tempdir().unwrap();
        let app = app(folder.path(), 0);
        app.prepare().await.unwrap();
        assert_eq!(app.standing(), Standing::Prepared);
        let address = address(&app);
        app.start_runner().await.unwrap();
        app.ready().await.unwrap();
        assert_eq!(app.pool_standing(), Some(sdk::Standing::Configured), "its engine knows its pool");
        assert_eq!(ask(&app).await, "GET /path - ");
        assert_eq!(app.shutdown().await, End::Drained);
        assert!(is_free(address).await);
        // The store was closed: the next one opens it, at the same port.
        let again = self::app(folder.path(), address.port());
        again.start_runner().await.unwrap();
        assert_eq!(ask(&again).await, "GET /path - ");
        assert_eq!(again.stop_now().await, End::Stopped);
        assert!(is_free(address).await);
    });
}

#[test]
fn engine_and_endpoint_find_each_other() {
    test(async {
        let folder = tempfile::tempdir().unwrap();
        let app = app(folder.path(), 0);
        app.start_serverless().await.unwrap();
        app.ready().await.unwrap();
        assert_eq!(app.pool_standing(), Some(sdk::Standing::Configured));
        assert_eq!(ask(&app).await, "GET /path - ");
        let (engine, own) = (address(&app), app.listening().unwrap());
        assert_eq!(app.shutdown().await, End::Drained);
        assert!(is_free(engine).await && is_free(own).await);
    });
}

#[test]
fn a_port_that_is_taken_is_named_and_leaves_no_engine() {
    test(async {
        let folder = tempfile::tempdir().unwrap();
        let taken = TcpListener::bind("127.0.0.1:0".parse().unwrap()).await.unwrap();
        let port = taken.local_addr().unwrap().port();
        let failed = app(folder.path(), port).start_runner().await;
        assert_eq!(failed, Err(StartError::Failed(Cause::PortOccupied { port })));
        // Nothing holds the store.
        let other = app(folder.path(), 0);
        other.prepare().await.unwrap();
        other.shutdown().await;
    });
}

#[test]
fn a_service_that_fails_takes_the_engine_with_it_before_it_is_told() {
    test(async {
        let folder = tempfile::tempdir().unwrap();
        let app = app(folder.path(), 0);
        app.prepare().await.unwrap();
        let engine = address(&app);
        let taken = TcpListener::bind("127.0.0.1:0".parse().unwrap()).await.unwrap();
        let own = taken.local_addr().unwrap();
        app.shutdown().await;
        let app = Application::builder(Probe::new().registry())
            .embedded(Embedded::new(folder.path()).bind(engine))
            .with(|options| options.serving.listen = Some(own))
            .build()
            .unwrap();
        let failed = app.start_serverless().await;
        assert_eq!(failed, Err(StartError::Failed(Cause::PortOccupied { port: own.port() })));
        assert!(is_free(engine).await, "what the attempt created is gone");
    });
}

#[test]
fn a_store_that_is_held_may_be_let_go() {
    test(async {
        let folder = tempfile::tempdir().unwrap();
        let (holder, app) = (app(folder.path(), 0), app(folder.path(), 0));
        holder.prepare().await.unwrap();
        assert_eq!(app.start_runner().await, Err(StartError::Failed(Cause::StartFailed)));
        holder.shutdown().await;
        app.start_runner().await.unwrap();
        app.shutdown().await;
    });
}

#[test]
fn an_engine_that_runs_is_used_and_spared() {
    test(async {
        let folder = tempfile::tempdir().unwrap();
        let first = app(folder.path(), 0);
        first.prepare().await.unwrap();
        let options = SpawnOptions {
            endpoint: first.endpoint().unwrap(),
            binary: Some("/nowhere".into()),
            ..SpawnOptions::default()
        };
        let second = Application::builder(Probe::new().registry()).spawn(options).build().unwrap();
        second.start_runner().await.unwrap();
        assert_eq!(ask(&second).await, "GET /path - ");
        assert_eq!(second.shutdown().await, End::Drained);
        first.start_runner().await.unwrap();
        assert_eq!(ask(&first).await, "GET /path - ");
        first.shutdown().await;
    });
}

#[test]
fn a_shutdown_while_the_engine_opens_takes_it_down_when_it_is_open() {
    test(async {
        let folder = tempfile::tempdir().unwrap();
        let app = Arc::new(app(folder.path(), 0));
        let starting = crate::application::start(&app, Mode::Runner);
        while app.standing() == Standing::Idle {
            // On this one thread the start goes as far as it can, and waits for the disk.
            tokio::task::yield_now().await;
        }
        assert_eq!(app.standing(), Standing::Preparing);
        assert_eq!(app.shutdown().await, End::Drained);
        assert_eq!(starting.await.unwrap(), Err(StartError::ShutDown));
        let next = self::app(folder.path(), 0);
        next.prepare().await.unwrap();
        next.shutdown().await;
    });
}
