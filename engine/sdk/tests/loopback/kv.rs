//! Storage, as an actor calls it.

use std::sync::{Arc, Mutex};

use bytes::Bytes;
use protocol::wire::{ActorState, Event, KvListQuery, KvMetadata, KvRequestData, KvResponseData};
use sdk::{Actor, ActorError, Context, KvError, Registry, Request, Response, RunnerOptions};

use crate::engine::{Engine, Socket, actor};
use crate::test;

type Outcome = Result<String, KvError>;
type Outcomes = Arc<Mutex<Vec<Outcome>>>;

/// Does one of each, and notes how it went.
struct Clerk(Outcomes);

impl Actor for Clerk {
    type State = ();

    async fn on_request(&self, ctx: &Context<()>, request: Request) -> Result<Response, ActorError> {
        let kv = ctx.kv();
        let text = |value: Option<Bytes>| format!("{value:?}");
        let outcome = match request.path() {
            "/get" => kv.get("k").await.map(text),
            "/put" => kv.put("k", "v").await.map(|()| "put".into()),
            "/delete" => kv.delete([Bytes::from("k")]).await.map(|()| "deleted".into()),
            "/list" => kv.list("p", Some(3)).await.map(|found| format!("{found:?}")),
            "/large" => kv.put("k", vec![0; 128 * 1024 + 1]).await.map(|()| "put".into()),
            "/many" => {
                kv.delete((0..129_u32).map(|n| n.to_le_bytes().to_vec().into())).await.map(|()| "no".into())
            }
            other => panic!("{other}"),
        };
        self.0.lock().unwrap().push(outcome.clone());
        Ok(Response::text(outcome?))
    }
}

async fn clerk() -> (Engine, Socket, Outcomes) {
    let engine = Engine::listen().await;
    let outcomes = Outcomes::default();
    let held = Arc::clone(&outcomes);
    let registry = Registry::builder().actor("clerk", move || Clerk(held.clone())).build().unwrap();
    let (_, shutdown) = sdk::shutdown();
    let options = RunnerOptions::new(engine.endpoint());
    drop(runtime::spawn("runner under test", async move { registry.run(options, shutdown).await }));
    let mut socket = engine.session().await;
    socket.start(actor(1), "clerk").await;
    let events = socket.events().await;
    assert_eq!(events[0].inner, Event::ActorStateUpdate { state: ActorState::Running });
    (engine, socket, outcomes)
}

fn found(pairs: &[(&'static str, &'static str)]) -> (Vec<Bytes>, Vec<Bytes>, Vec<KvMetadata>) {
    let metadata = || KvMetadata { version: Bytes::from_static(b"1"), update_ts: 5 };
    (
        pairs.iter().map(|(key, _)| Bytes::from(*key)).collect(),
        pairs.iter().map(|(_, value)| Bytes::from(*value)).collect(),
        pairs.iter().map(|_| metadata()).collect(),
    )
}

#[test]
fn each_operation_is_asked_and_answered() {
    test(async {
        let (_engine, mut socket, _) = clerk().await;
        let k = || vec![Bytes::from("\x04k")];
        let (keys, values, metadata) = found(&[("\x04k", "v")]);
        let hit = KvResponseData::Get { keys, values, metadata };
        let (keys, values, metadata) = found(&[]);
        let miss = KvResponseData::Get { keys, values, metadata };
        let (keys, values, metadata) = found(&[("\x04p1", "a"), ("\x04p2", "b")]);
        let listed = KvResponseData::List { keys, values, metadata };
        let list = KvRequestData::List {
            query: KvListQuery::Prefix { key: Bytes::from("\x04p") },
            reverse: None,
            limit: Some(3),
        };
        let script = [
            ("/get", KvRequestData::Get { keys: k() }, hit, r#"Some(b"v")"#),
            ("/get", KvRequestData::Get { keys: k() }, miss, "None"),
            (
                "/put",
                KvRequestData::Put { keys: k(), values: vec![Bytes::from("v")] },
                KvResponseData::Put,
                "put",
            ),
            ("/delete", KvRequestData::Delete { keys: k() }, KvResponseData::Delete, "deleted"),
            ("/list", list, listed, r#"[(b"p1", b"a"), (b"p2", b"b")]"#),
        ];
        for (number, (path, asked, given, body)) in script.into_iter().enumerate() {
            let number = u32::try_from(number).unwrap();
            socket.request(number, actor(1), "POST", path, "").await;
            let request = socket.kv().await;
            assert_eq!((request.actor_id, request.request_id, request.data), (actor(1), number, asked));
            socket.kv_answer(number, given).await;
            assert_eq!(socket.answer(number).await.body, body);
        }
    });
}

#[test]
fn a_refusal_reaches_the_actor_and_an_unhandled_one_the_client() {
    test(async {
        let (_engine, mut socket, outcomes) = clerk().await;
        socket.request(1, actor(1), "POST", "/put", "").await;
        let request = socket.kv().await;
        socket.kv_answer(request.request_id, KvResponseData::Error { message: "no right".into() }).await;
        let answer = socket.answer(1).await;
        assert_eq!(answer.status, 503);
        assert!(answer.body.contains(r#""group":"kv","code":"refused""#), "{}", answer.body);
        assert_eq!(answer.headers.get("x-rivet-error"), None, "the gateway must not repeat it");
        assert_eq!(*outcomes.lock().unwrap(), [Err(KvError::Refused { message: "no right".into() })]);
    });
}

#[test]
fn an_answer_of_another_kind_is_told() {
    test(async {
        let (_engine, mut socket, outcomes) = clerk().await;
        socket.request(1, actor(1), "POST", "/put", "").await;
        let request = socket.kv().await;
        socket.kv_answer(request.request_id, KvResponseData::Delete).await;
        assert_eq!(socket.answer(1).await.status, 503);
        assert_eq!(*outcomes.lock().unwrap(), [Err(KvError::Malformed)]);
    });
}

#[test]
fn what_is_beyond_a_bound_is_never_sent() {
    test(async {
        let (_engine, mut socket, outcomes) = clerk().await;
        for (number, path) in [(1, "/large"), (2, "/many")] {
            socket.request(number, actor(1), "POST", path, "").await;
            assert_eq!(socket.answer(number).await.status, 503);
        }
        let outcomes = outcomes.lock().unwrap();
        assert!(
            outcomes.iter().all(|outcome| matches!(outcome, Err(KvError::TooLarge { .. }))),
            "{outcomes:?}"
        );
    });
}
