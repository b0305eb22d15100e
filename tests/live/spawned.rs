//! An application whose engine is a process of its own.

use gates::binaries::Binaries;
use gates::process::free_port;
use sdk::application::{Application, End, SpawnOptions};
use sdk::{Actor, Client, Registry};

struct Nobody;

impl Actor for Nobody {
    type State = ();
}

/// Spawned and used; spared by another application that found it; ended with the one that spawned it.
#[test]
fn an_engine_that_was_spawned_ends_with_its_application() {
    let folder = tempfile::tempdir().expect("the temporary folder is writable");
    let options = SpawnOptions {
        endpoint: format!("http://127.0.0.1:{}", free_port()).parse().expect("an endpoint"),
        binary: Some(Binaries::built().engine()),
        data: folder.path().join("data"),
        log: Some(folder.path().join("log")),
        ..SpawnOptions::default()
    };
    let app = |options: &SpawnOptions| {
        let registry = Registry::builder().actor("nobody", || Nobody).build().expect("a registry");
        Application::builder(registry).spawn(options.clone()).build().expect("one engine")
    };
    gates::block_on(async move {
        let client = Client::new(options.endpoint.clone(), "default", None);
        let owner = app(&options);
        owner.start_runner().await.expect("it is up");
        let guest = app(&SpawnOptions { binary: Some("/nowhere".into()), ..options.clone() });
        guest.start_runner().await.expect("it found one");
        assert_eq!(guest.shutdown().await, End::Drained);
        client.health().await.expect("what was found is spared");
        assert_eq!(owner.shutdown().await, End::Drained);
        client.health().await.expect_err("what was spawned is gone");
        let log = std::fs::read_to_string(folder.path().join("log")).expect("its output is kept");
        assert!(log.contains("rehearsal-engine listening on"), "{log}");
    });
}
