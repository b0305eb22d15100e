//! A client of the counters: it makes them, then increments and reads them at its own pace, and writes down what it
//! said and heard.

use std::time::Duration;

use bytes::Bytes;
use http::Method;
use model::code::Failure;
use model::history::{ClientId, Kind, Outcome};
use serde::Deserialize;
use sim::{Node, Ratio, Stream, World};

use super::http::{CONNECT_TIMEOUT, Http, Refusal};
use super::{POOL, engine};
use crate::ledger::Ledger;

/// What an API call that is not for an actor may take: it needs one commit. Ours.
const API_BOUND: Duration = Duration::from_secs(10);

/// What the operation of an actor may take: the gateway's bounds, and the way there.
const ACTOR_BOUND: Duration = engine::ANSWER_BOUND.saturating_add(CONNECT_TIMEOUT).saturating_add(SLACK);

/// What the way there and back may add to the platform's own bounds.
const SLACK: Duration = Duration::from_secs(1);

/// How much longer than its bound a client waits before it gives up by itself: an answer that comes too late is told
/// from one that never comes.
const PATIENCE: Duration = Duration::from_secs(30);

/// Between two attempts to make an actor.
const RETRY: Duration = Duration::from_millis(250);

/// How a client loads the stack.
#[derive(Clone, Copy, Debug)]
pub struct Load {
    /// Operations on actors.
    pub operations: u32,
    /// Shortest pause between two of them.
    pub pause_min: Duration,
    /// Longest pause between two of them.
    pub pause_max: Duration,
    /// How often an operation is an increment.
    pub increments: Ratio,
}

/// One client, on a node of its own.
#[derive(Clone)]
pub struct Client {
    id: ClientId,
    node: Node,
    world: World,
    ledger: Ledger,
}

#[derive(Deserialize)]
struct Created {
    actor: CreatedActor,
}

#[derive(Deserialize)]
struct CreatedActor {
    actor_id: String,
}

#[derive(Deserialize)]
struct Counted {
    value: u64,
}

impl Client {
    /// The client numbered `id`.
    #[must_use]
    pub fn new(world: &World, ledger: &Ledger, id: u32) -> Self {
        let node = world.node(&format!("client-{id}"));
        Self { id: ClientId(id), node, world: world.clone(), ledger: ledger.clone() }
    }

    /// Begins the load on its node, for counters of these keys. Await [`Node::ended`] of [`Self::node`] for its end.
    pub fn begin(&self, keys: &'static [&'static str], load: Load) {
        let client = self.clone();
        self.node.boot(move || {
            let client = client.clone();
            async move { client.run(keys, load).await }
        });
    }

    /// Its node.
    #[must_use]
    pub const fn node(&self) -> &Node {
        &self.node
    }

    async fn run(self, keys: &[&str], load: Load) {
        let name = self.node.name();
        let pause = self.world.stream(&format!("pause/{name}"));
        let choice = self.world.stream(&format!("operation/{name}"));
        let mut http = Http::new();
        let mut actors = Vec::new();
        for key in keys {
            actors.push(self.make(&mut http, key).await);
        }
        for _ in 0..load.operations {
            runtime::sleep(pause.span(load.pause_min..=load.pause_max)).await;
            let which = usize::try_from(choice.below(keys.len() as u64)).expect("an index fits");
            let kind = pick(&choice, load.increments);
            self.operate(&mut http, keys[which], &actors[which], kind).await;
        }
    }

    /// Makes (or finds) the counter of a key, however often it takes. Returns its id.
    async fn make(&self, http: &mut Http, key: &str) -> String {
        loop {
            if let Some(id) = self.try_make(http, key).await {
                return id;
            }
            runtime::sleep(RETRY).await;
        }
    }

    async fn try_make(&self, http: &mut Http, key: &str) -> Option<String> {
        let body = serde_json::json!({
            "name": "counter", "key": key, "runner_name_selector": POOL, "crash_policy": "sleep",
        });
        let op = self.ledger.invoke(self.id, key, Kind::Create, API_BOUND + CONNECT_TIMEOUT + SLACK);
        let limit = API_BOUND + CONNECT_TIMEOUT + SLACK + PATIENCE;
        let answer = http.ask(Method::PUT, "/actors?namespace=default", body.to_string().into(), limit);
        let created = answer.await.and_then(|bytes| parsed::<Created>(&bytes));
        match created {
            Ok(created) => {
                self.ledger.end(op, Outcome::Acknowledged { value: 0 });
                Some(created.actor.actor_id)
            }
            Err(refusal) => {
                self.ledger.end(op, failed(refusal));
                None
            }
        }
    }

    /// One operation on a counter. Returns whether it succeeded.
    pub async fn operate(&self, http: &mut Http, key: &str, actor: &str, kind: Kind) -> bool {
        let op = self.ledger.invoke(self.id, key, kind, ACTOR_BOUND);
        let (method, path, body) = match kind {
            Kind::Increment { by } => {
                let body = serde_json::json!({ "by": by });
                (Method::POST, format!("/gateway/{actor}/increment"), Bytes::from(body.to_string()))
            }
            Kind::Read => (Method::GET, format!("/gateway/{actor}/value"), Bytes::new()),
            Kind::Create | Kind::Call(_) => unreachable!("clients of counters only increment and read them"),
        };
        let answer = http.ask(method, &path, body, ACTOR_BOUND + PATIENCE).await;
        match answer.and_then(|bytes| parsed::<Counted>(&bytes)) {
            Ok(counted) => {
                self.world.note(format!("{} {kind:?} {key} -> {}", self.node.name(), counted.value));
                self.ledger.end(op, Outcome::Acknowledged { value: counted.value });
                true
            }
            Err(refusal) => {
                self.world.note(format!("{} {kind:?} {key} -> {}", self.node.name(), refusal.code));
                self.ledger.end(op, failed(refusal));
                false
            }
        }
    }

    /// After healing: asks each counter until it answers, at most for `limit` each.
    pub fn probe(&self, keys: &'static [&'static str], limit: Duration) {
        let client = self.clone();
        self.node.boot(move || {
            let client = client.clone();
            async move {
                let end = runtime::now() + limit;
                let mut http = Http::new();
                for key in keys {
                    while runtime::now() < end {
                        let Some(actor) = client.try_make(&mut http, key).await else {
                            runtime::sleep(RETRY).await;
                            continue;
                        };
                        if client.operate(&mut http, key, &actor, Kind::Read).await {
                            break;
                        }
                        runtime::sleep(RETRY).await;
                    }
                }
            }
        });
    }

    /// Deletes the counters of these keys: the load is taken away.
    pub fn clear(&self, keys: &'static [&'static str]) {
        let client = self.clone();
        self.node.boot(move || {
            let client = client.clone();
            async move {
                let mut http = Http::new();
                for key in keys {
                    let id = client.make(&mut http, key).await;
                    let path = format!("/actors/{id}?namespace=default");
                    let bound = API_BOUND + CONNECT_TIMEOUT + SLACK;
                    let op = client.ledger.invoke(client.id, key, Kind::Call("delete"), bound);
                    let answer = http.ask(Method::DELETE, &path, Bytes::new(), bound + PATIENCE);
                    let outcome = match answer.await {
                        Ok(_) => Outcome::Acknowledged { value: 0 },
                        Err(refusal) => failed(refusal),
                    };
                    client.ledger.end(op, outcome);
                }
            }
        });
    }
}

fn pick(choice: &Stream, increments: Ratio) -> Kind {
    if choice.chance(increments) { Kind::Increment { by: choice.within(1..=3) } } else { Kind::Read }
}

fn parsed<T: for<'a> Deserialize<'a>>(bytes: &Bytes) -> Result<T, Refusal> {
    serde_json::from_slice(bytes).map_err(|_other| model::code::ClientCode::Malformed.into())
}

fn failed(refusal: Refusal) -> Outcome {
    // A code that nobody knows is judged by the law of explained failures: until then it may have had an effect.
    let executed = refusal.code.parse::<Failure>().map_or(model::history::Executed::Maybe, Failure::executed);
    Outcome::Failed { code: refusal.code, executed }
}
