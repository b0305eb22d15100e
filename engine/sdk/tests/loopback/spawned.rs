//! An engine as a process: found, refused, spawned in vain, ended. The children are scripts.

use std::net::SocketAddr;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::time::Duration;

use futures_util::future::join_all;
use machines::runner::startup::spawn::TERM_GRACE;
use runtime::TcpListener;
use sdk::application::{Application, Cause, End, Health, Mode, SpawnOptions, StartError};
use tempfile::TempDir;

use crate::actors::Probe;
use crate::application::start;
use crate::test;

/// A script that stands for the engine, in a folder where each run of it leaves a line.
fn script(folder: &Path, then: &str) -> PathBuf {
    let path = folder.join("engine");
    std::fs::write(&path, format!("#!/bin/sh\necho $$ >> {}/runs\n{then}\n", folder.display())).unwrap();
    std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o700)).unwrap();
    path
}

/// The process ids of its runs.
fn runs(folder: &TempDir) -> Vec<String> {
    let runs = std::fs::read_to_string(folder.path().join("runs")).unwrap_or_default();
    runs.lines().map(str::to_owned).collect()
}

fn lives(pid: &str) -> bool {
    Path::new("/proc").join(pid).exists()
}

async fn free() -> SocketAddr {
    TcpListener::bind("127.0.0.1:0".parse().unwrap()).await.unwrap().local_addr().unwrap()
}

fn app(address: SocketAddr, binary: impl Into<PathBuf>, health_wait: Duration) -> Application {
    let options = SpawnOptions {
        endpoint: format!("http://{address}").parse().unwrap(),
        binary: Some(binary.into()),
        health_wait,
        ..SpawnOptions::default()
    };
    Application::builder(Probe::new().registry()).spawn(options).build().unwrap()
}

const WAIT: Duration = Duration::from_secs(10);

#[test]
fn a_child_that_ends_fails_everybody_once_and_the_next_call_tries_again() {
    test(async {
        let folder = tempfile::tempdir().unwrap();
        let app = app(free().await, script(folder.path(), "exit 3"), WAIT);
        let outcomes = join_all((0..10).map(|_| start(&app, Mode::Runner))).await;
        let failed = StartError::Failed(Cause::EngineExited);
        assert!(outcomes.into_iter().all(|outcome| outcome.unwrap() == Err(failed.clone())));
        assert_eq!(runs(&folder).len(), 1);
        assert_eq!(app.start_serverless().await, Err(failed), "in the other mode, too");
        assert_eq!(runs(&folder).len(), 2);
    });
}

#[test]
fn a_child_that_does_not_become_healthy_is_ended() {
    test(async {
        let folder = tempfile::tempdir().unwrap();
        let address = free().await;
        let app = app(address, script(folder.path(), "exec sleep 600"), Duration::from_millis(200));
        let begun = runtime::now();
        let failed = Cause::HealthCheckFailed { port: address.port() };
        assert_eq!(app.prepare().await, Err(StartError::Failed(failed)));
        assert_eq!(app.health(), Health::EngineStarting);
        let runs = runs(&folder);
        assert_eq!(runs.len(), 1);
        assert!(!lives(&runs[0]), "nothing is left when it is told");
        assert!(begun.elapsed() < TERM_GRACE, "it was asked to end, not killed");
    });
}

#[test]
fn a_shutdown_while_a_child_comes_up_takes_it_down() {
    test(async {
        let folder = tempfile::tempdir().unwrap();
        let app = app(free().await, script(folder.path(), "exec sleep 600"), WAIT);
        let starting = start(&app, Mode::Runner);
        while runs(&folder).is_empty() {
            runtime::sleep(Duration::from_millis(2)).await;
        }
        assert_eq!(app.shutdown().await, End::Drained);
        assert_eq!(starting.await.unwrap(), Err(StartError::ShutDown));
        assert!(!lives(&runs(&folder)[0]));
    });
}

#[test]
fn a_stranger_on_the_port_is_left_alone_and_named() {
    test(async {
        let listener = TcpListener::bind("127.0.0.1:0".parse().unwrap()).await.unwrap();
        let address = listener.local_addr().unwrap();
        let stranger = runtime::spawn("stranger", async move {
            use tokio::io::AsyncWriteExt as _;
            while let Ok((mut stream, _)) = listener.accept().await {
                stream.write_all(b"220 mail.example ESMTP\r\n").await.ok();
            }
        });
        let folder = tempfile::tempdir().unwrap();
        let app = app(address, script(folder.path(), "exit 0"), WAIT);
        let occupied = StartError::Failed(Cause::PortOccupied { port: address.port() });
        assert_eq!(app.start_runner().await, Err(occupied.clone()));
        assert_eq!(runs(&folder), Vec::<String>::new(), "nothing was spawned");
        stranger.abort();
        stranger.await.unwrap_err();
        assert_eq!(app.start_runner().await, Err(occupied), "it sticks");
    });
}

#[test]
fn a_binary_that_is_not_there_is_told_with_its_remedy() {
    test(async {
        let app = app(free().await, "/nowhere/rehearsal-engine", WAIT);
        let failed = app.prepare().await.unwrap_err();
        assert_eq!(failed.code(), "engine.binary_not_found");
        let text = failed.to_string();
        assert!(text.contains("REHEARSAL_ENGINE_BINARY") && !text.contains("/nowhere"), "{text}");
    });
}

#[test]
fn an_engine_is_spawned_on_this_machine_only() {
    test(async {
        for endpoint in ["http://10.1.2.3:6420", "https://127.0.0.1:6420"] {
            let options = SpawnOptions { endpoint: endpoint.parse().unwrap(), ..SpawnOptions::default() };
            let app = Application::builder(Probe::new().registry()).spawn(options).build().unwrap();
            assert_eq!(app.prepare().await, Err(StartError::Failed(Cause::InvalidEndpoint)));
        }
    });
}
