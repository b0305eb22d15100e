//! A client of the counters: it makes them, then increments and reads them at its own pace, and writes down what it
//! said and heard.

use std::cell::Cell;
use std::rc::Rc;
use std::time::Duration;

use bytes::Bytes;
use http::Method;
use model::code::{ClientCode, Failure};
use model::history::{ClientId, Kind, OpId, Outcome};
use serde::Deserialize;

use super::http::{CONNECT_TIMEOUT, Http, Refusal};
pub use super::load::Load;
use super::load::{Draws, EASY, IDLE, Order};
use super::{engine, pool_of};
use crate::ledger::Ledger;
use crate::world::{Node, World};

/// What an API call that is not for an actor may take: it needs one commit. Ours.
const API_BOUND: Duration = Duration::from_secs(10);

/// The same, and the way there and back.
pub const CALL_BOUND: Duration = API_BOUND.saturating_add(CONNECT_TIMEOUT).saturating_add(SLACK);

/// What the operation of an actor may take: the gateway's bounds, and the way there.
pub const ACTOR_BOUND: Duration = engine::ANSWER_BOUND.saturating_add(CONNECT_TIMEOUT).saturating_add(SLACK);

/// What the way there and back may add to the platform's own bounds.
const SLACK: Duration = Duration::from_secs(1);

/// How much longer than its bound a client waits before it gives up by itself: an answer that comes too late is told
/// from one that never comes. Ours: short, since a client that waits in vain loads nobody.
pub(super) const PATIENCE: Duration = Duration::from_secs(5);

/// Between two attempts to make an actor. Ours: below a tenth of the shortest time for recovery that a play states.
pub(super) const RETRY: Duration = Duration::from_millis(250);

/// The same once several have failed: the wait doubles up to it. Ours: as long as the longest pause of the load.
const RETRY_MAX: Duration = Duration::from_secs(2);

/// One client, on a node of its own.
#[derive(Clone)]
pub struct Client {
    id: ClientId,
    node: Node,
    pub(super) world: World,
    ledger: Ledger,
    /// Operations on actors that somebody took, and those of them that succeeded.
    done: Rc<Cell<(u32, u32)>>,
    order: Rc<Cell<Order>>,
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
#[serde(untagged)]
enum Counted {
    ByAction { output: u64 },
    ByRequest(u64),
}

impl Client {
    /// The client numbered `id`.
    #[must_use]
    pub fn new(world: impl Into<World>, ledger: &Ledger, id: u32) -> Self {
        let world = world.into();
        let node = world.node(&format!("client-{id}"));
        let (done, order) = (Rc::default(), Rc::new(Cell::new(Order::Load)));
        Self { id: ClientId(id), node, world, ledger: ledger.clone(), done, order }
    }

    /// Begins the load on its node, for counters of these keys. Await [`Node::ended`] of [`Self::node`] for its end.
    pub fn begin(&self, keys: &'static [&'static str], load: Load) {
        let client = self.clone();
        self.done.set((0, 0));
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

    /// Whether somebody took so many of its operations on actors, and half of them succeeded.
    #[must_use]
    pub fn has_done(&self, operations: u32) -> bool {
        let (heard, good) = self.done.get();
        heard >= operations && good >= operations / 2
    }

    /// Lets it make longer pauses as soon as it [has done](Self::has_done) so many operations.
    pub fn ease(&self, after: u32) {
        self.order.set(Order::Ease { after });
    }

    /// Lets it end after the operation it is at.
    pub fn end(&self) {
        self.order.set(Order::End);
    }

    pub(super) fn is_over(&self) -> bool {
        self.order.get() == Order::End
    }

    /// The client's number.
    #[must_use]
    pub const fn id(&self) -> ClientId {
        self.id
    }

    async fn run(self, keys: &[&str], load: Load) {
        let draws = Draws::new(&self.world, &self.node.name());
        let skip = format!("skip/{}", self.node.name());
        let mut http = Http::new();
        let mut actors = Vec::new();
        for key in keys {
            actors.push(self.make(&mut http, key).await);
        }
        while self.done.get().0 < load.operations {
            let pause = draws.pause.span(load.pause_min..=load.pause_max);
            let eased = matches!(self.order.get(), Order::Ease { after } if self.has_done(after));
            let pause = if eased { pause * EASY } else { pause };
            runtime::sleep(pause).await;
            if pause > IDLE {
                http = Http::new();
            }
            if self.is_over() {
                return;
            }
            let which = usize::try_from(draws.key.below(keys.len() as u64)).expect("an index fits");
            let kind = draws.kind(load.increments);
            if self.world.waives(&skip) {
                // Counted, so that the run does not wait for it to be made up for.
                let (heard, good) = self.done.get();
                self.done.set((heard + 1, good + 1));
                continue;
            }
            let answer = self.operate(&mut http, keys[which], &actors[which], kind).await;
            let (heard, good) = self.done.get();
            let heard = heard + u32::from(answer != Answer::Unheard);
            self.done.set((heard, good + u32::from(answer == Answer::Good)));
        }
    }

    /// Makes (or finds) the counter of a key, however often it takes. Returns its id.
    pub async fn make(&self, http: &mut Http, key: &str) -> String {
        let mut wait = RETRY;
        loop {
            if let Some(id) = self.try_make(http, key).await {
                return id;
            }
            runtime::sleep(wait).await;
            wait = (wait * 2).min(RETRY_MAX);
        }
    }

    /// The same once.
    pub async fn try_make(&self, http: &mut Http, key: &str) -> Option<String> {
        let body = serde_json::json!({
            "name": "counter", "key": key, "runner_name_selector": pool_of(key), "crash_policy": "sleep",
        });
        let op = self.ledger.invoke(self.id, key, Kind::Create, CALL_BOUND);
        let limit = CALL_BOUND + PATIENCE;
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

    /// One operation on a counter, within the platform's own bound.
    pub async fn operate(&self, http: &mut Http, key: &str, actor: &str, kind: Kind) -> Answer {
        self.operate_within(http, (key, actor), kind, ACTOR_BOUND).await
    }

    /// One operation on the counter of a key, within a bound.
    pub async fn operate_within(
        &self,
        http: &mut Http,
        (key, actor): (&str, &str),
        kind: Kind,
        bound: Duration,
    ) -> Answer {
        let op = self.ledger.invoke(self.id, key, kind, bound);
        let (method, path, body) = match kind {
            Kind::Increment { by } => {
                let body = serde_json::json!({ "args": by });
                (Method::POST, format!("/gateway/{actor}/action/increment"), Bytes::from(body.to_string()))
            }
            Kind::Read => (Method::GET, format!("/gateway/{actor}/request/value"), Bytes::new()),
            Kind::Create | Kind::Call(_) => unreachable!("clients of counters only increment and read them"),
        };
        let answer = http.ask(method, &path, body, ACTOR_BOUND + PATIENCE).await;
        match answer.and_then(|bytes| parsed::<Counted>(&bytes)) {
            Ok(Counted::ByAction { output: value } | Counted::ByRequest(value)) => {
                self.world.note(format!("{} {kind:?} {key} -> {value}", self.node.name()));
                self.ledger.end(op, Outcome::Acknowledged { value });
                Answer::Good
            }
            Err(refusal) => {
                self.world.note(format!("{} {kind:?} {key} -> {}", self.node.name(), refusal.code));
                let unheard = ClientCode::is_unheard(&refusal.code);
                self.ledger.end(op, failed(refusal));
                if unheard { Answer::Unheard } else { Answer::Bad }
            }
        }
    }

    /// Any other request of this client's, on its node, by a stable name. A refusal is written down as the failure it is,
    /// unless it `is` expected.
    ///
    /// # Errors
    /// [`Refusal`].
    pub async fn ask(
        &self,
        http: &mut Http,
        (key, what): (&str, &'static str),
        (method, path, body): (Method, &str, Bytes),
        bound: Duration,
        is_expected: impl Fn(&Refusal) -> bool,
    ) -> Result<Bytes, Refusal> {
        let op = self.ledger.invoke(self.id, key, Kind::Call(what), bound);
        let answer = http.ask(method, path, body, bound + PATIENCE).await;
        let outcome = match &answer {
            Ok(_) => Outcome::Acknowledged { value: 0 },
            Err(refusal) if is_expected(refusal) => Outcome::Acknowledged { value: 0 },
            Err(refusal) => failed(refusal.clone()),
        };
        if let Err(refusal) = &answer {
            self.world.note(format!("{} {what} {key} -> {}", self.node.name(), refusal.code));
        }
        self.ledger.end(op, outcome);
        answer
    }

    /// Asks whether the engine knows the pool as it was configured last: so many slots per runner. Returns whether.
    pub(super) async fn check_pool(&self, http: &mut Http, slots: u32) -> bool {
        let op = self.call("configuration", "read configuration");
        let limit = CALL_BOUND + PATIENCE;
        let answer = http.ask(Method::GET, "/runner-configs?namespace=default", Bytes::new(), limit).await;
        let known = answer.and_then(|bytes| parsed::<serde_json::Value>(&bytes)).and_then(|configs| {
            let pool = &configs["runner_configs"][super::POOL]["datacenters"]["default"];
            let known = pool["serverless"]["slots_per_runner"].as_u64();
            if known == Some(u64::from(slots)) { Ok(()) } else { Err(ClientCode::Outdated.into()) }
        });
        let is_known = known.is_ok();
        let outcome = known.map_or_else(failed, |()| Outcome::Acknowledged { value: 0 });
        self.ledger.end(op, outcome);
        is_known
    }

    fn call(&self, key: &str, what: &'static str) -> OpId {
        self.ledger.invoke(self.id, key, Kind::Call(what), CALL_BOUND)
    }

    /// Deletes the counters of these keys: the load is taken away.
    pub fn clear(&self, keys: Vec<&'static str>) {
        let client = self.clone();
        self.node.boot(move || {
            let (client, keys) = (client.clone(), keys.clone());
            async move {
                let mut http = Http::new();
                for key in keys {
                    let id = client.make(&mut http, key).await;
                    let path = format!("/actors/{id}?namespace=default");
                    let op = client.call(key, "delete");
                    let answer = http.ask(Method::DELETE, &path, Bytes::new(), CALL_BOUND + PATIENCE);
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

/// How an operation on a counter went.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Answer {
    /// It succeeded.
    Good,
    /// It failed.
    Bad,
    /// Nobody took it.
    Unheard,
}

pub(crate) fn parsed<T: for<'a> Deserialize<'a>>(bytes: &Bytes) -> Result<T, Refusal> {
    serde_json::from_slice(bytes).map_err(|_other| ClientCode::Malformed.into())
}

pub(crate) fn failed(refusal: Refusal) -> Outcome {
    // A code that nobody knows is judged by the law of explained failures: until then it may have had an effect.
    let executed = refusal.code.parse::<Failure>().map_or(model::history::Executed::Maybe, Failure::executed);
    Outcome::Failed { code: refusal.code, executed }
}
