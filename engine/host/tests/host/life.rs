//! An engine from its start to its end.

use std::fs;
use std::net::SocketAddr;
use std::path::Path;
use std::process::Command;
use std::time::Duration;

use host::store::{Batch, FILE_NAME, Store, VERIFIED_BYTES_MAX, Write};
use host::{Engine, OpenError, Options};
use machines::control::Record;
use machines::control::record::Key;
use protocol::id::{ActorId, NamespaceId};
use serde_json::json;

use crate::support::{Node, Runner, get, run, until};

#[test]
fn it_answers_what_it_is() {
    let folder = tempfile::tempdir().unwrap();
    run(async {
        let node = Node::start(folder.path()).await;
        let health = node.get("/health").await;
        assert_eq!(health.status, 200);
        assert_eq!(
            health.json(),
            json!({"runtime": "engine", "status": "ok", "version": env!("CARGO_PKG_VERSION")})
        );
        assert_eq!(health.headers["x-rivet-ray-id"].len(), 30);
        assert!(!health.headers.contains_key("date"));
        let url = format!("http://{}/", node.address);
        let datacenters = node.get("/datacenters?namespace=default").await.json();
        assert_eq!(datacenters["datacenters"], json!([{"label": 1, "name": "default", "url": url}]));
        assert_eq!(node.get("/metadata?namespace=default").await.json()["runtime"], "engine");
        node.stop().await;
    });
}

#[test]
fn what_was_answered_is_there_after_a_restart() {
    let folder = tempfile::tempdir().unwrap();
    run(async {
        let node = Node::start(folder.path()).await;
        node.normal_pool("default").await;
        let actor = node.actor("k").await;
        let (shown, namespaces) = (node.shown(&actor).await, node.get("/namespaces").await.json());
        node.stop().await;

        let node = Node::start(folder.path()).await;
        assert_eq!(node.shown(&actor).await, shown);
        assert_eq!(node.get("/namespaces").await.json(), namespaces);
        assert_eq!(node.actor("k").await, actor);
        let configs = node.get("/runner-configs?namespace=default&runner_names=default").await.json();
        assert!(
            configs["runner_configs"]["default"]["datacenters"]["default"]["normal"].is_object(),
            "{configs}"
        );
        node.stop().await;
    });
}

#[test]
fn a_stop_sends_runners_away_and_leaves_nothing() {
    let folder = tempfile::tempdir().unwrap();
    run(async {
        let node = Node::start(folder.path()).await;
        let address = node.address;
        let (mut runner, _) = Runner::connect(address, "r").await;
        let view = node.view.clone();
        let hears = runtime::spawn("runner", async move { runner.closed_while_talking().await });
        node.stop().await;
        let (code, reason) = hears.await.unwrap();
        assert_eq!(code, 1011);
        assert!(reason.starts_with("ws.going_away#"), "{reason}");
        assert_eq!(view.control().await, None);
        assert!(runtime::TcpStream::connect(address).await.is_err(), "nobody listens any more");
        // The store is free.
        Node::start(folder.path()).await.stop().await;
    });
}

#[test]
fn a_stop_waits_for_requests_in_flight_but_not_for_ever() {
    let folder = tempfile::tempdir().unwrap();
    run(async {
        let node = Node::start_with(folder.path(), |options| {
            options.drain_timeout = Duration::from_millis(300);
        });
        let node = node.await;
        node.normal_pool("default").await;
        let actor = node.actor("k").await;
        let address = node.address;
        let waits = runtime::spawn("client", async move { get_error(address, &actor).await });
        let view = node.view.clone();
        until("the request waits", || async { view.gateway().await.filter(|gateway| gateway.waiting == 1) })
            .await;
        let begun = runtime::now();
        node.stop().await;
        assert!(begun.elapsed() >= Duration::from_millis(300), "it waited");
        assert!(waits.await.unwrap(), "the client heard of its end");
    });
}

/// Whether the request failed, in whatever way.
async fn get_error(address: SocketAddr, actor: &str) -> bool {
    let path = format!("/gateway/{actor}/x");
    let asked = runtime::spawn("request", async move { get(address, &path).await.status });
    asked.await.map_or(true, |status| status.as_u16() >= 500)
}

#[test]
fn it_refuses_to_start_in_one_clear_line() {
    let folder = tempfile::tempdir().unwrap();
    run(async {
        let mut options = Options::new(folder.path());
        options.bind = "0.0.0.0:0".parse().unwrap();
        let error = Engine::open(options.clone()).await.unwrap_err();
        assert!(matches!(error, OpenError::Insecure { .. }));
        assert!(error.to_string().contains("--insecure"), "{error}");

        options.insecure = true;
        let error = Engine::open(options.clone()).await.unwrap_err();
        assert!(matches!(error, OpenError::NoPublicUrl { .. }), "nobody could dial it: {error}");
        options.public_url = Some("engine:6420".to_owned());
        let error = Engine::open(options.clone()).await.unwrap_err();
        assert!(matches!(error, OpenError::PublicUrl { .. }), "{error}");
        options.public_url = None;

        let node = Node::start(folder.path()).await;
        options.bind = "127.0.0.1:0".parse().unwrap();
        let error = Engine::open(options.clone()).await.unwrap_err();
        assert!(error.to_string().contains("in use by another process"), "{error}");
        let other = tempfile::tempdir().unwrap();
        options.data = other.path().to_owned();
        options.bind = node.address;
        let error = Engine::open(options).await.unwrap_err();
        assert!(matches!(error, OpenError::Bind { .. }), "{error}");
        // The store it had opened for that is free again.
        Node::start(other.path()).await.stop().await;
        node.stop().await;
    });
}

/// A store that is too large to be verified at a start, with a damaged page of records.
async fn damaged(folder: &Path) {
    let mut store = Store::open(folder).await.unwrap();
    let mut batch = Batch::new();
    let input = vec![7; usize::try_from(VERIFIED_BYTES_MAX / 4).unwrap()];
    for number in 0..5 {
        let (actor, input) = (ActorId::from_entropy([number; 16]), input.clone().into());
        batch.push(Write::KeepInput { actor, input });
        let name = Key::ActorName(NamespaceId::from_entropy([number; 16]), "the name of an actor".to_owned());
        batch.push(Write::Put(name, Box::new(Record::ActorName("{}".to_owned()))));
    }
    store.commit(batch).await.unwrap();
    store.close().await;
    let file = folder.join(FILE_NAME);
    let mut content = fs::read(&file).unwrap();
    assert!(content.len() as u64 > VERIFIED_BYTES_MAX);
    let mark = b"the name of an actor";
    for page in content.chunks_mut(4096) {
        if page.windows(mark.len()).any(|bytes| bytes == mark) {
            // What kind of page it is.
            page[0] = 0xff;
        }
    }
    fs::write(&file, content).unwrap();
}

#[test]
fn a_large_store_that_is_damaged_ends_it_in_one_line() {
    let folder = tempfile::tempdir().unwrap();
    run(damaged(folder.path()));
    let mut serve = Command::new(env!("CARGO_BIN_EXE_rehearsal-engine"));
    serve.args(["serve", "--bind", "127.0.0.1:0", "--log", "off", "--data"]).arg(folder.path());
    let ended = serve.output().unwrap();
    let told = String::from_utf8(ended.stderr).unwrap();
    assert_eq!((ended.status.code(), told.lines().count()), (Some(1), 1), "{told}");
    assert!(told.contains("may be damaged, see `check`"), "{told}");
    assert_eq!(
        String::from_utf8(ended.stdout).unwrap(),
        "",
        "it says that it listens only when it can serve"
    );
}
