//! Calls to actors, against an engine played by a test that counts what it is asked.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use bytes::Bytes;
use futures_util::future::join_all;
use http::{Request, Response};
use http_body_util::{BodyExt, Full};
use parking_lot::Mutex;
use protocol::api::CrashPolicy;
use protocol::error::{ActorError, Code};
use protocol::id::ActorId;
use sdk::{Action, CallError, Client, Executed, Handle};
use serde_json::{Value, json};
use tokio::sync::Notify;

use crate::engine::actor;
use crate::{played, test};

const ADD: Action<i64, i64> = Action::new("add");

/// What the engine does with a request.
#[derive(Clone, Debug)]
enum Reply {
    /// An answer of the actor's side, or of the API.
    Says(u16, Value),
    /// An error of the platform.
    Refuses(u16, &'static str, &'static str),
    /// It ends the connection.
    HangsUp,
    /// It never answers.
    Hangs,
}

/// The engine's side of a client: what it was asked, in order.
struct Played {
    client: Client,
    asked: Arc<Mutex<Vec<String>>>,
}

/// Plays an engine by a function of what it is asked (method, path with query, body) and of how often that kind of
/// request came before.
async fn play(answer: impl Fn(&str, usize) -> Reply + Clone + Send + Sync + 'static) -> Played {
    let asked = Arc::new(Mutex::new(Vec::<String>::new()));
    let log = Arc::clone(&asked);
    let endpoint = played::serve(move |request| {
        let (log, answer) = (Arc::clone(&log), answer.clone());
        async move {
            let (parts, body) = request.into_parts();
            let body = body.collect().await.unwrap().to_bytes();
            let line = format!("{} {} {}", parts.method, parts.uri, String::from_utf8_lossy(&body));
            let before = {
                let mut log = log.lock();
                let before = log.iter().filter(|line| line.starts_with(parts.method.as_str())).count();
                log.push(line.clone());
                before
            };
            match answer(&line, before) {
                Reply::Says(status, body) => Some(response(status, &body, None)),
                Reply::Refuses(status, group, code) => {
                    let body = json!({"group": group, "code": code, "message": "no"});
                    Some(response(status, &body, Some(format!("{group}.{code}"))))
                }
                Reply::HangsUp => None,
                Reply::Hangs => std::future::pending().await,
            }
        }
    })
    .await;
    Played { client: Client::new(endpoint, "default", None), asked }
}

fn response(status: u16, body: &Value, error: Option<String>) -> Response<Full<Bytes>> {
    let mut response = Response::builder().status(status);
    if let Some(error) = error {
        response = response.header("x-rivet-error", error);
    }
    response.body(Full::from(body.to_string())).unwrap()
}

impl Played {
    /// How many requests began so.
    fn count(&self, begin: &str) -> usize {
        self.asked.lock().iter().filter(|line| line.starts_with(begin)).count()
    }

    fn counter(&self) -> Handle {
        self.client.actors("counter").get_or_create("k")
    }
}

/// An actor as the API shows it.
fn shown(actor: ActorId, error: Option<ActorError>) -> Value {
    let mut shown = json!({
        "actor_id": actor, "name": "counter", "key": "k", "namespace_id": "9i3halmrv1puua7r2mvi49taqjbl00",
        "datacenter": "default", "runner_name_selector": "default", "crash_policy": "sleep", "create_ts": 1,
        "start_ts": null, "pending_allocation_ts": null, "connectable_ts": null, "sleep_ts": null,
        "reschedule_ts": null, "destroy_ts": null,
    });
    if let Some(error) = error {
        shown["error"] = serde_json::to_value(error).unwrap();
    }
    shown
}

fn made(actor: ActorId) -> Reply {
    Reply::Says(200, json!({"actor": shown(actor, None), "created": true}))
}

fn listed(actors: &[Value]) -> Reply {
    Reply::Says(200, json!({"actors": actors, "pagination": {"cursor": null}}))
}

const OUTPUT: fn() -> Reply = || Reply::Says(200, json!({"output": 7}));

#[test]
fn many_calls_find_their_actor_once_and_say_what_they_mean() {
    test(async {
        let played = play(|line, _| if line.starts_with("PUT") { made(actor(1)) } else { OUTPUT() }).await;
        let counter = played.client.actors("counter").in_pool("big").with_input("abc").get_or_create("k");
        assert_eq!(played.asked.lock().len(), 0, "a handle asks nobody");
        let calls = (0..20).map(|_| counter.call(ADD, 5));
        assert!(join_all(calls).await.into_iter().all(|answer| answer.unwrap() == 7));
        let asked = played.asked.lock().clone();
        let create = r#"{"name":"counter","key":"k","input":"YWJj","runner_name_selector":"big","crash_policy":"sleep"}"#;
        assert_eq!(asked[0], format!("PUT /actors?namespace=default {create}"));
        let call = format!(r#"POST /gateway/{}/action/add {{"args":5}}"#, actor(1));
        assert!(asked[1..].iter().all(|line| *line == call), "{asked:?}");
        assert_eq!(asked.len(), 21);
        assert_eq!(counter.clone().actor_id().await.unwrap(), actor(1));
        assert_eq!(played.asked.lock().len(), 21, "it is known");
    });
}

#[test]
fn a_lookup_that_fails_is_everybodys_failure_and_nobodys_afterwards() {
    test(async {
        let played = play(|line, before| match (line.starts_with("PUT"), before) {
            (true, 0) => Reply::Refuses(400, "actor", "no_runner_config_configured"),
            (true, _) => made(actor(1)),
            (false, _) => OUTPUT(),
        })
        .await;
        let counter = played.counter();
        for answer in join_all((0..3).map(|_| counter.call(ADD, 1))).await {
            let error = answer.unwrap_err();
            assert_eq!(error.executed(), Executed::No);
            assert!(
                matches!(error, CallError::Platform { code: Code::ActorNoRunnerConfig, .. }),
                "{error:?}"
            );
        }
        assert_eq!(played.asked.lock().len(), 1);
        assert_eq!(counter.call(ADD, 1).await.unwrap(), 7);
    });
}

#[test]
fn a_lookup_is_given_up_with_the_last_who_waits() {
    test(async {
        let played = play(|line, before| match (line.starts_with("PUT"), before) {
            (true, 0) => Reply::Hangs,
            (true, _) => made(actor(1)),
            (false, _) => OUTPUT(),
        })
        .await;
        let counter = played.counter();
        let error = counter.clone().within(Duration::from_millis(30)).call(ADD, 1).await.unwrap_err();
        assert!(matches!(error, CallError::Deadline { last: None, .. }), "{error:?}");
        assert_eq!(error.executed(), Executed::No, "it was not sent");
        assert_eq!(counter.call(ADD, 1).await.unwrap(), 7);
        assert_eq!(played.count("PUT"), 2);
    });
}

#[test]
fn an_address_outlives_its_actor_and_an_id_does_not() {
    test(async {
        let gone = |line: &str| line.contains(&actor(1).to_string());
        let played = play(move |line, before| match line.split(' ').next() {
            Some("PUT") => made(actor(if before == 0 { 1 } else { 2 })),
            Some("GET") => match before {
                0 => listed(&[shown(actor(1), None)]),
                1 => listed(&[]),
                _ => listed(&[shown(actor(2), None)]),
            },
            _ if gone(line) => Reply::Refuses(404, "actor", "not_found"),
            _ => OUTPUT(),
        })
        .await;
        let counter = played.counter();
        assert_eq!(counter.call(ADD, 1).await.unwrap(), 7);
        assert_eq!((played.count("PUT"), played.count("POST")), (2, 2));
        assert_eq!(counter.call(ADD, 1).await.unwrap(), 7);
        assert_eq!((played.count("PUT"), played.count("POST")), (2, 3), "the new one is known");

        let there = played.client.actors("counter").get("k");
        assert_eq!(there.call(ADD, 1).await.unwrap(), 7);
        assert_eq!((played.count("GET"), played.count("PUT")), (3, 2), "it is looked for, and not made");
        let query = "GET /actors?name=counter&key=k&namespace=default";
        assert_eq!(played.count(query), 3);

        let before = played.asked.lock().len();
        let error = played.client.by_id(actor(1)).call(ADD, 1).await.unwrap_err();
        assert!(matches!(error, CallError::Platform { code: Code::ActorNotFound, .. }), "{error:?}");
        assert_eq!((played.asked.lock().len(), error.executed()), (before + 1, Executed::No));
    });
}

/// How often a call is sent that fails like this each time, and what that says about its effect.
async fn sent(reply: Reply, idempotent: bool) -> (usize, Executed) {
    let played = play(move |_, _| reply.clone()).await;
    let counter = played.client.by_id(actor(1));
    let counter = if idempotent { counter.idempotent() } else { counter };
    let error = counter.call(ADD, 1).await.unwrap_err();
    (played.count("POST"), error.executed())
}

#[test]
fn only_what_is_safe_is_sent_again() {
    test(async {
        let error =
            |status, group, code| Reply::Says(status, json!({"group": group, "code": code, "message": ""}));
        let unready = || error(503, "actor", "overloaded");
        let stopped = || Reply::Refuses(503, "guard", "actor_stopped_while_waiting");
        let lost = || Reply::Refuses(503, "guard", "tunnel_response_closed");
        let cases = [
            (unready(), 5, 5, Executed::No),
            (stopped(), 5, 5, Executed::No),
            (lost(), 1, 5, Executed::Maybe),
            (Reply::HangsUp, 1, 5, Executed::Maybe),
            (Reply::Says(502, json!("a proxy")), 1, 5, Executed::Maybe),
            (error(503, "kv", "indeterminate"), 1, 1, Executed::Maybe),
            (error(409, "user", "full"), 1, 1, Executed::Yes),
            (Reply::Refuses(403, "api", "forbidden"), 1, 1, Executed::No),
            (Reply::Refuses(500, "core", "internal_error"), 1, 1, Executed::Maybe),
        ];
        // All at once: they wait in between.
        join_all(cases.into_iter().map(async |(reply, once, again, executed)| {
            assert_eq!(sent(reply.clone(), false).await, (once, executed), "{reply:?}");
            assert_eq!(sent(reply.clone(), true).await, (again, executed), "{reply:?}, idempotent");
        }))
        .await;
    });
}

#[test]
fn an_error_tells_of_all_attempts_together() {
    test(async {
        let played = play(|_, before| match before {
            0 => Reply::HangsUp,
            _ => Reply::Refuses(403, "api", "forbidden"),
        })
        .await;
        let error = played.client.by_id(actor(1)).idempotent().call(ADD, 1).await.unwrap_err();
        assert!(matches!(error, CallError::Platform { code: Code::ApiForbidden, .. }), "{error:?}");
        assert_eq!(error.executed(), Executed::Maybe, "the first attempt may have been carried out");
    });
}

#[test]
fn an_actor_that_was_created_is_meant_by_its_id() {
    test(async {
        let played = play(|line, before| match (line.starts_with("POST /actors"), before) {
            (true, 0) => made(actor(1)),
            (true, _) => Reply::Says(400, json!({"group": "actor", "code": "duplicate_key", "message": ""})),
            (false, _) => OUTPUT(),
        })
        .await;
        let counters = played.client.actors("counter").on_crash(CrashPolicy::Restart);
        let counter = counters.create(None).await.unwrap();
        assert_eq!(counter.call(ADD, 1).await.unwrap(), 7);
        let create = r#"{"name":"counter","runner_name_selector":"default","crash_policy":"restart"}"#;
        assert_eq!(played.asked.lock()[0], format!("POST /actors?namespace=default {create}"));
        assert_eq!(played.asked.lock().len(), 2, "nobody looks for it");
        let error = counters.create(Some("k")).await.unwrap_err();
        assert_eq!(error.executed(), Executed::No);
        assert_eq!(played.asked.lock().len(), 3, "that another one has the key is not tried again");
    });
}

#[test]
fn a_request_of_its_own_kind_is_answered_by_the_actor_whatever_it_says() {
    test(async {
        let played = play(|line, before| match line.split(' ').next() {
            Some("GET") if before == 0 => Reply::Refuses(503, "guard", "tunnel_response_closed"),
            Some("POST") => Reply::Refuses(503, "guard", "tunnel_response_closed"),
            _ => Reply::Says(503, json!("mine")),
        })
        .await;
        let actor_1 = played.client.by_id(actor(1));
        let get = Request::get("/a/b?c=d").body(Bytes::new()).unwrap();
        let answer = actor_1.request(get).await.unwrap();
        assert_eq!((answer.status().as_u16(), &answer.body()[..]), (503, &b"\"mine\""[..]));
        assert_eq!(played.count(&format!("GET /gateway/{}/request/a/b?c=d ", actor(1))), 2, "it is safe");
        let post = Request::post("/").body(Bytes::from("x")).unwrap();
        let error = actor_1.request(post).await.unwrap_err();
        assert_eq!((error.executed(), played.count("POST")), (Executed::Maybe, 1));
    });
}

#[test]
fn a_call_ends_by_its_deadline() {
    test(async {
        let played = play(|_, _| Reply::Hangs).await;
        let hung = played.client.by_id(actor(1)).within(Duration::from_millis(30));
        let error = hung.call(ADD, 1).await.unwrap_err();
        assert!(
            matches!(&error, CallError::Deadline { within, .. } if *within == Duration::from_millis(30)),
            "{error:?}"
        );
        assert_eq!(error.executed(), Executed::Maybe, "the actor may have it");

        // Each look for another actor waits 100 ms: the call gives up when there is no time left for one.
        let played = play(|line, _| match line.starts_with("PUT") {
            true => made(actor(1)),
            false => Reply::Refuses(404, "actor", "not_found"),
        })
        .await;
        let gone = played.counter().within(Duration::from_millis(250)).call(ADD, 1).await.unwrap_err();
        assert!(matches!(gone, CallError::Platform { code: Code::ActorNotFound, .. }), "{gone:?}");
        let sent = played.count("POST");
        assert!((2..=4).contains(&sent), "at 0, 0, 100 and 200 ms: {sent}");
    });
}

#[test]
fn errors_keep_what_was_said() {
    test(async {
        let body =
            json!({"group": "user", "code": "too_small", "message": "Try more.", "metadata": {"least": 3}});
        let played = play(move |line, _| match line.split('/').nth(3).map(|path| path.contains("action")) {
            Some(true) if line.contains("action/add") => Reply::Says(422, body.clone()),
            _ => Reply::Says(200, json!({"output": "seven"})),
        })
        .await;
        let counter = played.client.by_id(actor(1));
        let error = counter.call(ADD, 1).await.unwrap_err();
        assert_eq!(error.code(), Some(("user", "too_small")));
        let CallError::Answered { status: 422, body, executed: Executed::Yes } = error else {
            panic!("{error:?}")
        };
        assert_eq!((body.message.as_str(), body.metadata), ("Try more.", Some(json!({"least": 3}))));
        assert_eq!(counter.call_by_name("odd name/é", json!([1, "a"])).await.unwrap(), json!("seven"));
        let call = format!(r#"POST /gateway/{}/action/odd%20name%2F%C3%A9 {{"args":[1,"a"]}}"#, actor(1));
        assert_eq!(played.asked.lock().last(), Some(&call));
        let error = counter.call(Action::<(), i64>::new("text"), ()).await.unwrap_err();
        assert!(matches!(error, CallError::Output { .. }), "{error:?}");
        assert_eq!(error.executed(), Executed::Yes);
    });
}

#[test]
fn nothing_is_an_output_too() {
    test(async {
        let played = play(|_, _| Reply::Says(200, json!({}))).await;
        played.client.by_id(actor(1)).call(Action::<(), ()>::new("forget"), ()).await.unwrap();
    });
}

#[test]
fn an_actor_that_does_not_run_is_told_with_its_reason() {
    test(async {
        for (knows, expected) in [(true, Some(ActorError::NoCapacity)), (false, None)] {
            let played = play(move |line, _| match line.starts_with("GET") {
                true if knows => listed(&[shown(actor(1), Some(ActorError::NoCapacity))]),
                true => Reply::HangsUp,
                false => Reply::Refuses(400, "guard", "actor_runner_failed"),
            })
            .await;
            let error = played.client.by_id(actor(1)).call(ADD, 1).await.unwrap_err();
            assert_eq!(error.executed(), Executed::No);
            let CallError::Unscheduled { code, actor: which, reason, .. } = error else {
                panic!("{error:?}")
            };
            assert_eq!((code, which, reason), (Code::GuardActorRunnerFailed, actor(1), expected));
            assert_eq!((played.count("POST"), played.count("GET")), (1, 1), "asked once");
        }
    });
}

#[test]
fn a_call_that_is_dropped_is_given_up_wherever_it_is() {
    test(async {
        let ended = Arc::new(AtomicUsize::new(0));
        let seen = Arc::clone(&ended);
        /// Counts its drops: hyper drops what it serves when its client has gone.
        struct Served(Arc<AtomicUsize>, Arc<Notify>);
        impl Drop for Served {
            fn drop(&mut self) {
                self.0.fetch_add(1, Ordering::SeqCst);
                self.1.notify_one();
            }
        }
        let (arrived, over) = (Arc::new(Notify::new()), Arc::new(Notify::new()));
        let (bell, knell) = (Arc::clone(&arrived), Arc::clone(&over));
        let endpoint = played::serve(move |_| {
            let served = Served(Arc::clone(&seen), Arc::clone(&knell));
            bell.notify_one();
            async move {
                let _served = served;
                std::future::pending().await
            }
        })
        .await;
        let client = Client::new(endpoint, "default", None);
        // One gives up a call, the other the look for its actor.
        for (dropped, counter) in
            [client.by_id(actor(1)), client.actors("counter").get_or_create("k")].iter().enumerate()
        {
            runtime::select! {
                _ = counter.call(ADD, 1) => panic!("nobody answers"),
                () = arrived.notified() => {}
            }
            over.notified().await;
            assert_eq!(ended.load(Ordering::SeqCst), dropped + 1);
        }
    });
}
