//! Whoever configures the pools that no application configures by itself. What it asks is not judged: it tries until it is
//! done.

use std::time::Duration;

use bytes::Bytes;
use http::Method;
use serde_json::{Value, json};

use super::http::Http;
use super::{APPLICATION_PORT, ODD, STEADY, Stack};

/// How long one attempt may take. Ours: one commit and the way there and back, and an engine that is away.
const ATTEMPT: Duration = Duration::from_secs(15);

/// Between two attempts. Ours.
const RETRY: Duration = Duration::from_millis(250);

impl Stack {
    /// Configures the pool of the workers.
    pub async fn configure_steady(&self) {
        self.put(STEADY, json!({ "normal": {} })).await;
    }

    /// Configures the pool whose application misbehaves: a runner for each actor.
    pub async fn configure_odd(&self) {
        let url = format!("http://odd:{APPLICATION_PORT}/api/rivet");
        let config = json!({ "serverless": {
            "url": url, "request_lifespan": 900, "slots_per_runner": 1, "max_runners": 8,
            "metadata_poll_interval": 30_000,
        } });
        self.put(ODD, config).await;
    }

    /// Takes the configuration of a pool away.
    pub async fn forget_pool(&self, pool: &'static str) {
        self.operate(Method::DELETE, pool, Bytes::new()).await;
    }

    async fn put(&self, pool: &'static str, config: Value) {
        let body = json!({ "datacenters": { "default": config } });
        self.operate(Method::PUT, pool, body.to_string().into()).await;
    }

    async fn operate(&self, method: Method, pool: &'static str, body: Bytes) {
        let operator = self.world.node("client-operator");
        let path = format!("/runner-configs/{pool}?namespace=default");
        operator.boot(move || {
            let (method, path, body) = (method.clone(), path.clone(), body.clone());
            async move {
                loop {
                    let answer = Http::new().ask(method.clone(), &path, body.clone(), ATTEMPT).await;
                    match answer {
                        Ok(_) => return,
                        // It was removed before, and the answer was lost.
                        Err(refusal) if refusal.code == "runner_config.not_found" => return,
                        Err(_) => runtime::sleep(RETRY).await,
                    }
                }
            }
        });
        operator.ended().await;
    }
}
