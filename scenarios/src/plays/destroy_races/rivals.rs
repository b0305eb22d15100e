//! Clients of one key that make, find, ask and destroy its actors, none knowing of the other.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::rc::Rc;
use std::time::Duration;

use bytes::Bytes;
use http::Method;
use model::evidence::TouchKind;
use protocol::id::ActorId;
use serde::Deserialize;
use serde_json::json;

use crate::plays::crew::{self, Crew, Over};
use crate::stack::client::{ACTOR_BOUND, CALL_BOUND, Client, parsed};
use crate::stack::http::{Http, Refusal};
use crate::stack::{Stack, pool_of};

/// Clients of one key.
const RIVALS: u32 = 2;

/// Between two things that one does.
const PAUSE: (Duration, Duration) = (Duration::from_millis(1), Duration::from_millis(1500));

/// What one does next.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Act {
    /// Make it, or find it by its key.
    Find,
    /// Make it, and fail if it is there.
    Make,
    /// Ask it.
    Ask,
    /// Destroy it.
    Destroy,
}

const ACTS: [Act; 7] = [Act::Find, Act::Find, Act::Make, Act::Ask, Act::Ask, Act::Ask, Act::Destroy];

#[derive(Deserialize)]
struct Created {
    actor: CreatedActor,
}

#[derive(Deserialize)]
struct CreatedActor {
    actor_id: ActorId,
}

#[derive(Clone)]
struct Rival {
    client: Client,
    stack: Stack,
    key: &'static str,
    /// The actor that somebody made last of each key.
    known: Rc<RefCell<BTreeMap<&'static str, ActorId>>>,
}

/// Begins, some clients a key.
pub(in crate::plays) fn begin(stack: &Stack, keys: &'static [&'static str]) -> Crew {
    let (stack_of, known) = (stack.clone(), Rc::default());
    let rivals = keys.iter().flat_map(|key| (0..RIVALS).map(move |_| *key));
    Crew::begin(stack, rivals, move |client, key, over| {
        let rival = Rival { client, stack: stack_of.clone(), key, known: Rc::clone(&known) };
        async move { rival.act(&over).await }
    })
}

/// Destroys what there is of these keys, and is sure of it.
pub(in crate::plays) async fn clear(stack: &Stack, keys: &'static [&'static str]) {
    alone(stack, async move |rival| {
        for key in keys {
            Rival { key, ..rival.clone() }.replace(false).await;
        }
    })
    .await;
}

/// Makes the actor of a key, asks it, destroys it, and makes another, which is destroyed as well.
pub(in crate::plays) async fn once(stack: &Stack, key: &'static str) {
    alone(stack, async move |rival| {
        let rival = Rival { key, ..rival };
        rival.replace(true).await;
        rival.replace(true).await;
    })
    .await;
}

/// Lets one client do this by itself.
async fn alone(stack: &Stack, act: impl AsyncFn(Rival) + Clone + 'static) {
    let stack_of = stack.clone();
    crew::alone(stack, move |client| {
        let rival = Rival { client, stack: stack_of.clone(), key: "", known: Rc::default() };
        let act = act.clone();
        async move { act(rival).await }
    })
    .await;
}

impl Rival {
    async fn act(&self, over: &Over) {
        let name = self.client.node().name();
        let decides = |what: &str| self.stack.world.stream(&format!("operation/{name}/{what}"));
        let (pause, act) = (decides("pause"), decides("act"));
        while !over.is_over() {
            runtime::sleep(pause.span(PAUSE.0..=PAUSE.1)).await;
            match *act.one_of(&ACTS) {
                Act::Find => drop(self.find(Method::PUT).await),
                Act::Make => drop(self.find(Method::POST).await),
                Act::Ask => self.ask().await,
                Act::Destroy => drop(self.destroy().await),
            }
        }
    }

    fn known(&self) -> Option<ActorId> {
        self.known.borrow().get(self.key).copied()
    }

    async fn find(&self, method: Method) -> Option<ActorId> {
        let key = self.key;
        let body = json!({
            "name": "counter", "key": key, "runner_name_selector": pool_of(key), "crash_policy": "sleep",
        });
        let invoked = self.stack.ledger.now();
        let call = (method, "/actors?namespace=default", Bytes::from(body.to_string()));
        let is_there = |refusal: &Refusal| refusal.code == "actor.duplicate_key";
        let answer = self.client.ask(&mut Http::new(), (key, "make"), call, CALL_BOUND, is_there).await;
        let created = parsed::<Created>(&answer.ok()?).expect("who makes an actor is told its id");
        let actor = created.actor.actor_id;
        let touching = self.stack.ledger.touches(actor, TouchKind::Made, invoked);
        self.stack.ledger.touched(&touching, true, false);
        self.known.borrow_mut().insert(key, actor);
        Some(actor)
    }

    /// Destroys what there is of its key, or else what it makes, asked before or not.
    async fn replace(&self, asks: bool) {
        while self.find(Method::PUT).await.is_none() {
            runtime::sleep(PAUSE.1).await;
        }
        if asks {
            self.ask().await;
        }
        while !self.destroy().await {
            runtime::sleep(PAUSE.1).await;
        }
    }

    async fn ask(&self) {
        let Some(actor) = self.known() else { return };
        let path = format!("/gateway/{actor}/action/increment");
        let call = (Method::POST, path.as_str(), Bytes::from_static(b"{\"args\":1}"));
        self.touch(actor, (TouchKind::Asked, "ask"), call, ACTOR_BOUND).await;
    }

    /// Whether it is gone.
    async fn destroy(&self) -> bool {
        let Some(actor) = self.known() else { return false };
        let path = format!("/actors/{actor}?namespace=default");
        let call = (Method::DELETE, path.as_str(), Bytes::new());
        self.touch(actor, (TouchKind::Destroyed, "destroy"), call, CALL_BOUND).await
    }

    async fn touch(
        &self,
        actor: ActorId,
        (what, name): (TouchKind, &'static str),
        call: (Method, &str, Bytes),
        bound: Duration,
    ) -> bool {
        let ledger = &self.stack.ledger;
        let touching = ledger.touches(actor, what, ledger.now());
        let answer = self.client.ask(&mut Http::new(), (self.key, name), call, bound, |_| false).await;
        let unknown = answer.as_ref().is_err_and(|refusal| refusal.code == "actor.not_found");
        ledger.touched(&touching, answer.is_ok(), unknown);
        answer.is_ok() || unknown
    }
}
