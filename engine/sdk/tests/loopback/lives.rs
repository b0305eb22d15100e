//! An actor's life as its code sees it: state, actions, sleep, destruction.

use std::sync::Arc;
use std::time::Duration;

use parking_lot::Mutex;
use protocol::wire::{ActorIntent, ActorState, Event, StopCode};
use sdk::{Action, Actions, Actor, ActorError, Context, Registry, RunnerOptions, Timings};
use tokio::sync::Semaphore;

use crate::engine::{Engine, actor};
use crate::keeper::Keeper;
use crate::test;

const ADD: Action<i64, i64> = Action::new("add");
const WAIT: Action<(), ()> = Action::new("wait");
const WISH: Action<String, ()> = Action::new("wish");
const FAIL: Action<(), ()> = Action::new("fail");

/// What happened, in order, and what lets something happen.
#[derive(Clone)]
struct Diary {
    lines: Arc<Mutex<Vec<String>>>,
    gate: Arc<Semaphore>,
}

impl Diary {
    fn note(&self, line: impl Into<String>) {
        self.lines.lock().push(line.into());
    }

    fn lines(&self) -> Vec<String> {
        self.lines.lock().clone()
    }
}

struct Tally(Diary);

impl Actor for Tally {
    type State = i64;

    fn actions(on: &mut Actions<Self>) {
        on.action(ADD, Self::add).action(WAIT, Self::wait).action(WISH, Self::wish).action(FAIL, Self::fail);
    }

    fn timings() -> Timings {
        Timings {
            action_timeout: Some(Duration::from_millis(300)),
            sleep_timeout: Some(Duration::from_millis(200)),
            ..Timings::default()
        }
    }

    async fn on_create(&self, ctx: &Context<i64>) -> Result<(), ActorError> {
        self.0.note("create");
        *ctx.state_mut() = 100;
        Ok(())
    }

    async fn on_start(&self, ctx: &Context<i64>) -> Result<(), ActorError> {
        self.0.note(format!("start {}", *ctx.state()));
        Ok(())
    }

    async fn on_sleep(&self, ctx: &Context<i64>) {
        self.0.note("sleep");
        *ctx.state_mut() += 1;
    }

    async fn on_destroy(&self, _: &Context<i64>) {
        self.0.note("destroy");
    }
}

impl Tally {
    async fn add(self: Arc<Self>, ctx: Context<i64>, by: i64) -> Result<i64, ActorError> {
        *ctx.state_mut() += by;
        ctx.save().await?;
        Ok(*ctx.state())
    }

    async fn wait(self: Arc<Self>, _: Context<i64>, (): ()) -> Result<(), ActorError> {
        self.0.gate.acquire().await.unwrap().forget();
        self.0.note("waited");
        Ok(())
    }

    async fn wish(self: Arc<Self>, ctx: Context<i64>, wish: String) -> Result<(), ActorError> {
        match wish.as_str() {
            "sleep" => ctx.sleep(),
            "destroy" => ctx.destroy(),
            "later" => {
                let (diary, again) = (self.0.clone(), ctx.clone());
                ctx.wait_until(async move {
                    diary.gate.acquire().await.unwrap().forget();
                    diary.note("later");
                    let diary = diary.clone();
                    again.wait_until(async move { diary.note("later still") });
                });
            }
            "awake" => {
                let (diary, awake) = (self.0.clone(), ctx.keep_awake());
                ctx.wait_until(async move {
                    diary.gate.acquire().await.unwrap().forget();
                    drop(awake);
                });
            }
            other => panic!("{other}"),
        }
        Ok(())
    }

    async fn fail(self: Arc<Self>, _: Context<i64>, (): ()) -> Result<(), ActorError> {
        Err(ActorError::internal("a secret"))
    }
}

/// Fails in the background.
struct Doomed;

impl Actor for Doomed {
    type State = ();

    async fn run(&self, _: &Context<()>) -> Result<(), ActorError> {
        Err(ActorError::internal("doom"))
    }
}

fn run(engine: &Engine, exposes: bool) -> Diary {
    let diary = Diary { lines: Arc::default(), gate: Arc::new(Semaphore::new(0)) };
    let held = diary.clone();
    let registry = Registry::builder()
        .actor("tally", move || Tally(held.clone()))
        .actor("doomed", || Doomed)
        .expose_errors(exposes)
        .build()
        .unwrap();
    let (_, shutdown) = sdk::shutdown();
    let options = RunnerOptions::new(engine.endpoint());
    drop(runtime::spawn("runner under test", async move { registry.run(options, shutdown).await }));
    diary
}

async fn tally() -> (Engine, Diary, Keeper) {
    let engine = Engine::listen().await;
    let diary = run(&engine, false);
    let mut keeper = Keeper::greet(&engine).await;
    keeper.start(actor(1), "tally", 1).await;
    assert_eq!(keeper.events().await, [RUNNING]);
    (engine, diary, keeper)
}

const RUNNING: Event = Event::ActorStateUpdate { state: ActorState::Running };
const SLEEP: Event = Event::ActorIntent { intent: ActorIntent::Sleep };
const DESTROY: Event = Event::ActorIntent { intent: ActorIntent::Stop };

fn stopped() -> Event {
    Event::ActorStateUpdate { state: ActorState::Stopped { code: StopCode::Ok, message: None } }
}

#[test]
fn a_state_is_created_once_and_read_by_every_later_start() {
    test(async {
        let (_engine, diary, mut keeper) = tally().await;
        assert_eq!(keeper.puts, 1, "the first state was stored before it was said that it runs");
        assert_eq!(keeper.call(1, actor(1), "add", r#"{"args":[5]}"#).await.body, r#"{"output":105}"#);
        keeper.stop(actor(1), 1).await;
        assert_eq!(keeper.events().await, [stopped()]);
        keeper.start(actor(1), "tally", 2).await;
        assert_eq!(keeper.events().await, [RUNNING]);
        assert_eq!(keeper.call(2, actor(1), "add", r#"{"args":1}"#).await.body, r#"{"output":107}"#);
        assert_eq!(diary.lines(), ["create", "start 100", "sleep", "start 106"]);
    });
}

#[test]
fn calls_that_come_together_share_a_write_and_are_answered_after_it() {
    test(async {
        let (_engine, _diary, mut keeper) = tally().await;
        for number in 1..=20 {
            keeper.ask(number, actor(1), "add", r#"{"args":1}"#).await;
        }
        let mut last = 0;
        for number in 1..=20 {
            let answer = keeper.answer(number).await;
            assert_eq!(answer.status, 200, "{}", answer.body);
            last = last.max(number);
        }
        assert_eq!(last, 20);
        assert!(keeper.puts < 15, "{} writes for 20 calls", keeper.puts);
    });
}

#[test]
fn a_write_that_fails_is_told_and_made_up_for() {
    test(async {
        let (_engine, _diary, mut keeper) = tally().await;
        keeper.refuses = 1;
        let answer = keeper.call(1, actor(1), "add", r#"{"args":5}"#).await;
        assert_eq!(answer.status, 503);
        assert!(answer.body.contains(r#""group":"state","code":"indeterminate""#), "{}", answer.body);
        let answer = keeper.call(2, actor(1), "add", r#"{"args":0}"#).await;
        assert_eq!(answer.body, r#"{"output":105}"#, "the change stands");
        assert_eq!(keeper.puts, 2);
    });
}

#[test]
fn an_idle_actor_asks_to_sleep_and_a_probe_does_not_keep_it_awake() {
    test(async {
        let (_engine, _diary, mut keeper) = tally().await;
        let begun = runtime::now();
        let probes = 3;
        for number in 1..=probes {
            keeper.socket.request_at(number, actor(1), "GET", "/health", "").await;
            assert_eq!(keeper.answer(number).await.body, r#"{"status":"ok"}"#);
        }
        assert_eq!(keeper.events().await, [SLEEP]);
        assert!(runtime::now().saturating_since(begun) >= Duration::from_millis(150));
        // It is still there for whoever asks before the engine stops it.
        assert_eq!(keeper.call(9, actor(1), "add", r#"{"args":1}"#).await.status, 200);
    });
}

#[test]
fn a_guard_keeps_an_actor_awake_until_it_is_dropped() {
    test(async {
        let (_engine, diary, mut keeper) = tally().await;
        assert_eq!(keeper.call(1, actor(1), "wish", r#"{"args":"awake"}"#).await.status, 200);
        let event = runtime::timeout(Duration::from_millis(600), keeper.events()).await;
        assert!(event.is_err(), "it sleeps though it is kept awake");
        diary.gate.add_permits(1);
        assert_eq!(keeper.events().await, [SLEEP]);
    });
}

#[test]
fn a_stop_waits_for_what_was_left_behind_and_for_what_that_leaves_behind() {
    test(async {
        let (_engine, diary, mut keeper) = tally().await;
        keeper.call(1, actor(1), "wish", r#"{"args":"later"}"#).await;
        keeper.stop(actor(1), 1).await;
        assert!(keeper.socket.quiet().await);
        diary.gate.add_permits(1);
        assert_eq!(keeper.events().await, [stopped()]);
        assert_eq!(diary.lines(), ["create", "start 100", "sleep", "later", "later still"]);
    });
}

#[test]
fn a_wish_is_told_before_the_answer_of_the_call_that_has_it() {
    test(async {
        let (_engine, diary, mut keeper) = tally().await;
        keeper.ask(1, actor(1), "wish", r#"{"args":"destroy"}"#).await;
        assert_eq!(keeper.events().await, [DESTROY]);
        assert_eq!(keeper.answer(1).await.body, r#"{"output":null}"#);
        keeper.stop(actor(1), 1).await;
        assert_eq!(keeper.events().await, [stopped()]);
        assert_eq!(diary.lines(), ["create", "start 100", "destroy"]);
    });
}

#[test]
fn a_call_that_takes_too_long_is_told_and_goes_on() {
    test(async {
        let (_engine, diary, mut keeper) = tally().await;
        let answer = keeper.call(1, actor(1), "wait", "").await;
        assert_eq!(answer.status, 408);
        assert!(answer.body.contains("action_timed_out"), "{}", answer.body);
        diary.gate.add_permits(1);
        assert_eq!(keeper.events().await, [SLEEP], "one answer only, and it kept the actor awake");
        assert_eq!(diary.lines().last().unwrap(), "waited");
    });
}

#[test]
fn what_cannot_be_called_is_told_apart() {
    test(async {
        let (_engine, _diary, mut keeper) = tally().await;
        let answer = keeper.call(1, actor(1), "nothing", "").await;
        assert!(answer.status == 404 && answer.body.contains("action_not_found"), "{answer:?}");
        let answer = keeper.call(2, actor(1), "add", r#"{"args":"five"}"#).await;
        assert!(answer.status == 400 && answer.body.contains("invalid_arguments"), "{answer:?}");
        let answer = keeper.call(3, actor(1), "add", "{").await;
        assert!(answer.status == 400 && answer.body.contains("invalid_json"), "{answer:?}");
        for (number, method, path, status) in [
            (4, "GET", "/action/add", 405),
            (5, "GET", "/elsewhere", 404),
            (6, "GET", "/requests", 404),
            (7, "GET", "/request", 404),
        ] {
            keeper.socket.request_at(number, actor(1), method, path, "").await;
            assert_eq!(keeper.answer(number).await.status, status, "{path}");
        }
    });
}

#[test]
fn what_fails_inside_is_told_only_where_it_is_exposed() {
    test(async {
        let (_engine, _diary, mut keeper) = tally().await;
        let answer = keeper.call(1, actor(1), "fail", "").await;
        assert!(answer.status == 500 && !answer.body.contains("secret"), "{answer:?}");
        let engine = Engine::listen().await;
        let _diary = run(&engine, true);
        let mut keeper = Keeper::greet(&engine).await;
        keeper.start(actor(1), "tally", 1).await;
        keeper.events().await;
        let answer = keeper.call(1, actor(1), "fail", "").await;
        assert!(answer.status == 500 && answer.body.contains("secret"), "{answer:?}");
    });
}

#[test]
fn background_code_that_fails_is_a_crash() {
    test(async {
        let engine = Engine::listen().await;
        let _diary = run(&engine, false);
        let mut keeper = Keeper::greet(&engine).await;
        keeper.start(actor(1), "doomed", 1).await;
        assert_eq!(keeper.events().await, [RUNNING]);
        let events = keeper.events().await;
        let [Event::ActorStateUpdate { state: ActorState::Stopped { code: StopCode::Error, message } }] =
            events.as_slice()
        else {
            panic!("{events:?}")
        };
        assert!(message.as_deref().unwrap().contains("doom"));
        assert_eq!(keeper.puts, 0, "one without state stores none");
    });
}
