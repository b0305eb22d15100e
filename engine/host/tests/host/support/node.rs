//! An engine that runs.

use std::net::SocketAddr;
use std::path::Path;

use host::{Engine, Options, RunError, View};
use runtime::JoinHandle;
use serde_json::{Value, json};
use tokio::sync::oneshot;

use super::{Response, call};

/// An engine that runs, until it is stopped or dropped.
pub(crate) struct Node {
    pub(crate) address: SocketAddr,
    pub(crate) view: View,
    stop: oneshot::Sender<()>,
    running: JoinHandle<Result<(), RunError>>,
}

impl Node {
    pub(crate) async fn start(data: &Path) -> Self {
        Self::start_with(data, |_| ()).await
    }

    pub(crate) async fn start_with(data: &Path, change: impl FnOnce(&mut Options)) -> Self {
        let mut options = Options::new(data);
        options.bind = "127.0.0.1:0".parse().unwrap();
        options.check_every = 1;
        change(&mut options);
        let engine = Engine::open(options).await.unwrap();
        let (address, view) = (engine.local_addr(), engine.view());
        let (stop, stopped) = oneshot::channel();
        let running = runtime::spawn(
            "engine",
            engine.run(async {
                stopped.await.ok();
            }),
        );
        Self { address, view, stop, running }
    }

    /// Stops it in order.
    pub(crate) async fn stop(self) {
        drop(self.stop);
        self.running.await.unwrap().unwrap();
    }

    /// A pool whose runners connect by themselves.
    pub(crate) async fn normal_pool(&self, pool: &str) -> Response {
        let body = json!({"datacenters": {"default": {"normal": {}}}});
        self.put(&format!("/runner-configs/{pool}?namespace=default"), &body).await
    }

    /// A get-or-create of the actor with this key.
    pub(crate) async fn actor(&self, key: &str) -> String {
        let body = json!({"name": "counter", "key": key, "runner_name_selector": "default", "crash_policy": "sleep"});
        let answer = self.put("/actors?namespace=default", &body).await.json();
        answer["actor"]["actor_id"].as_str().unwrap().to_owned()
    }

    pub(crate) async fn get(&self, path: &str) -> Response {
        call(self.address, "GET", path, "").await
    }

    pub(crate) async fn put(&self, path: &str, body: &Value) -> Response {
        call(self.address, "PUT", path, &body.to_string()).await
    }

    pub(crate) async fn post(&self, path: &str, body: &Value) -> Response {
        call(self.address, "POST", path, &body.to_string()).await
    }

    /// The actor as the API shows it.
    pub(crate) async fn shown(&self, actor: &str) -> Value {
        let answer = self.get(&format!("/actors?namespace=default&actor_ids={actor}")).await.json();
        answer["actors"][0].clone()
    }
}
