//! What an actor does later, over the engine's side of a socket.

use std::sync::Arc;
use std::time::Duration;

use parking_lot::Mutex;
use protocol::time::Wall;
use protocol::wire::{ActorIntent, ActorState, Event, StopCode, ToServer};
use sdk::{Action, Actions, Actor, ActorError, Context, Registry, RunnerOptions};
use serde_json::{Value, json};
use tokio::sync::Semaphore;

use crate::engine::{Engine, actor};
use crate::keeper::Keeper;
use crate::test;

const PLAN: Action<(String, u64), Value> = Action::new("plan");
const RUNS: Action<u64, Vec<String>> = Action::new("runs");
const NOTE: Action<String, ()> = Action::new("note");
const GATE: Action<(), ()> = Action::new("gate");
const UNKNOWN: Action<(), ()> = Action::new("unknown");

/// What was done, in order, and what lets something be done.
#[derive(Clone)]
struct Diary {
    lines: Arc<Mutex<Vec<String>>>,
    gate: Arc<Semaphore>,
}

impl Diary {
    fn lines(&self) -> Vec<String> {
        self.lines.lock().clone()
    }
}

/// Plans what it is told to.
struct Planner(Diary);

impl Actor for Planner {
    type State = u64;

    fn actions(on: &mut Actions<Self>) {
        on.action(PLAN, Self::plan)
            .action(RUNS, Self::runs)
            .action(NOTE, Self::note)
            .action(GATE, Self::gate);
    }

    async fn on_sleep(&self, ctx: &Context<u64>) {
        if *ctx.state() > 0 {
            self.0.gate.acquire().await.unwrap().forget();
        }
    }
}

impl Planner {
    async fn plan(
        self: Arc<Self>,
        ctx: Context<u64>,
        (what, ms): (String, u64),
    ) -> Result<Value, ActorError> {
        let (span, schedule) = (Duration::from_millis(ms), ctx.schedule());
        Ok(match what.as_str() {
            "at" => json!(schedule.at(Wall(ms), NOTE, "at".to_owned()).await?.0),
            "after" => json!(schedule.after(span, NOTE, "after".to_owned()).await?.0),
            "every" => json!(schedule.every(span, "often", GATE, ()).await?.0),
            "cron" => json!(schedule.cron("0 4 * * *", "Mars/Phobos", "never", GATE, ()).await?.0),
            "unknown" => json!(schedule.after(span, UNKNOWN, ()).await?.0),
            "cancel" => json!(schedule.cancel("often").await?),
            "list" => {
                let listed = schedule.list().await?.into_iter();
                json!(listed.map(|job| (job.name, job.action, job.input, job.running)).collect::<Vec<_>>())
            }
            "alarm" => json!(ctx.set_alarm((ms > 0).then_some(Wall(ms))).await?),
            "sleepless" => json!(*ctx.state_mut() = ms),
            "destroy" => json!(ctx.destroy()),
            other => panic!("{other}"),
        })
    }

    async fn runs(self: Arc<Self>, ctx: Context<u64>, of: u64) -> Result<Vec<String>, ActorError> {
        let runs = ctx.schedule().runs(sdk::actor::schedule::JobId(of)).await?;
        Ok(runs.into_iter().map(|run| format!("{} {:?}", run.number, run.outcome)).collect())
    }

    async fn note(self: Arc<Self>, _: Context<u64>, line: String) -> Result<(), ActorError> {
        self.0.lines.lock().push(line);
        Ok(())
    }

    async fn gate(self: Arc<Self>, _: Context<u64>, (): ()) -> Result<(), ActorError> {
        self.0.lines.lock().push("at the gate".to_owned());
        self.0.gate.acquire().await.unwrap().forget();
        Err(ActorError::internal("no luck"))
    }
}

/// Another version of it, that can nothing of what was planned.
struct Forgetful;

impl Actor for Forgetful {
    type State = u64;

    fn actions(on: &mut Actions<Self>) {
        on.action(RUNS, |_, _, _| async { Ok(Vec::new()) });
    }
}

async fn planner() -> (Engine, Diary, Keeper) {
    let engine = Engine::listen().await;
    let diary = Diary { lines: Arc::default(), gate: Arc::new(Semaphore::new(0)) };
    let held = diary.clone();
    let registry = Registry::builder()
        .actor("planner", move || Planner(held.clone()))
        .actor("forgetful", || Forgetful)
        .build()
        .unwrap();
    let (_, shutdown) = sdk::shutdown();
    let options = RunnerOptions::new(engine.endpoint());
    drop(runtime::spawn("runner under test", async move { registry.run(options, shutdown).await }));
    let mut keeper = Keeper::greet(&engine).await;
    start(&mut keeper, "planner", 1).await;
    (engine, diary, keeper)
}

const RUNNING: Event = Event::ActorStateUpdate { state: ActorState::Running };
const DESTROY: Event = Event::ActorIntent { intent: ActorIntent::Stop };
const STOPPED: Event =
    Event::ActorStateUpdate { state: ActorState::Stopped { code: StopCode::Ok, message: None } };

async fn start(keeper: &mut Keeper, name: &str, generation: u32) {
    keeper.start(actor(1), name, generation).await;
    assert_eq!(keeper.events().await, [RUNNING]);
}

/// The alarm that is set next.
async fn alarm(keeper: &mut Keeper) -> Option<i64> {
    match keeper.events().await.as_slice() {
        [Event::SetAlarm { alarm_ts }] => *alarm_ts,
        other => panic!("instead of an alarm came {other:?}"),
    }
}

fn plan(what: &str, ms: u64) -> String {
    json!({ "args": [what, ms] }).to_string()
}

/// Plans something for which the alarm changes; answers the new one, and what was answered.
async fn planned(keeper: &mut Keeper, number: u32, what: &str, ms: u64) -> (Option<i64>, String) {
    keeper.ask(number, actor(1), "plan", &plan(what, ms)).await;
    let at = alarm(keeper).await;
    let answer = keeper.answer(number).await;
    assert_eq!(answer.status, 200, "{}", answer.body);
    (at, answer.body.strip_prefix(r#"{"output":"#).unwrap().strip_suffix('}').unwrap().to_owned())
}

/// Milliseconds after which something is due, and in which that is stored.
const SOON: u64 = 400;

/// Schedules that are stored, and runs.
fn stored(keeper: &Keeper) -> (usize, usize) {
    let of = |prefix: &[u8]| keeper.stored.keys().filter(|(_, key)| key.starts_with(prefix)).count();
    (of(&[1, 2]), of(&[9]))
}

/// Whatever is scheduled has been due since 2001.
fn overdue(keeper: &mut Keeper) {
    for ((_, key), value) in &mut keeper.stored {
        if key.starts_with(&[1, 2]) {
            let mut bytes = value.to_vec();
            let due = bytes.windows(7).position(|bytes| bytes == br#""next":"#).unwrap() + 7;
            bytes[due..due + 13].copy_from_slice(b"1000000000000");
            *value = bytes.into();
        }
    }
}

#[test]
fn what_is_planned_is_told_when_the_alarm_is_stored_and_runs_once() {
    test(async {
        let (_engine, diary, mut keeper) = planner().await;
        keeper.ask(1, actor(1), "plan", &plan("after", SOON)).await;
        let ToServer::Events(events) = keeper.recv().await else {
            panic!("its row is stored, then its alarm")
        };
        assert_eq!(stored(&keeper), (1, 0));
        assert!(keeper.socket.quiet().await, "whoever plans waits");
        keeper.socket.ack(&events).await;
        assert_eq!(keeper.answer(1).await.status, 200);
        assert!(diary.lines().is_empty());
        assert_eq!(alarm(&mut keeper).await, None, "nothing is left to be woken for");
        assert_eq!(stored(&keeper), (0, 0));
        // A call comes behind what was due before it.
        keeper.call(2, actor(1), "note", r#"{"args":"called"}"#).await;
        assert_eq!(diary.lines(), ["after", "called"]);
    });
}

#[test]
fn what_is_planned_survives_a_sleep_and_nothing_runs_once_a_stop_has_begun() {
    test(async {
        let (_engine, diary, mut keeper) = planner().await;
        keeper.call(1, actor(1), "plan", &plan("sleepless", 1)).await;
        let (at, _) = planned(&mut keeper, 2, "after", SOON).await;
        keeper.stop(actor(1), 1).await;
        while i64::try_from(runtime::wall().as_millis()).unwrap() <= at.unwrap() {
            assert!(keeper.socket.quiet().await, "it is due meanwhile");
        }
        diary.gate.add_permits(1);
        assert_eq!(keeper.events().await, [STOPPED]);
        assert_eq!((diary.lines().len(), stored(&keeper)), (0, (1, 0)));
        start(&mut keeper, "planner", 2).await;
        assert_eq!(alarm(&mut keeper).await, at, "whatever woke it is used up");
        assert_eq!(alarm(&mut keeper).await, None);
        keeper.call(3, actor(1), "note", r#"{"args":"called"}"#).await;
        assert_eq!(diary.lines(), ["after", "called"]);
    });
}

#[test]
fn a_stop_waits_for_what_was_due_and_for_its_end_to_be_stored() {
    test(async {
        let (_engine, diary, mut keeper) = planner().await;
        let (_, id) = planned(&mut keeper, 1, "every", 3_600_000).await;
        keeper.stop(actor(1), 1).await;
        assert_eq!(keeper.events().await, [STOPPED]);
        overdue(&mut keeper);
        start(&mut keeper, "planner", 2).await;
        assert!(alarm(&mut keeper).await.is_some());
        assert!(alarm(&mut keeper).await.is_some(), "it is armed again before it runs");
        let listed = keeper.call(2, actor(1), "plan", &plan("list", 0)).await;
        assert_eq!(listed.body, r#"{"output":[["often","gate",null,true]]}"#);
        assert_eq!(diary.lines(), ["at the gate"]);
        keeper.stop(actor(1), 2).await;
        assert!(keeper.socket.quiet().await);
        diary.gate.add_permits(1);
        assert_eq!(keeper.events().await, [STOPPED]);
        assert_eq!(stored(&keeper), (1, 1), "how it went was stored before");
        start(&mut keeper, "planner", 3).await;
        alarm(&mut keeper).await;
        let runs = keeper.call(3, actor(1), "runs", &format!(r#"{{"args":{id}}}"#)).await;
        assert_eq!(runs.body, r#"{"output":["0 Failed { reason: \"internal error: no luck\" }"]}"#);
    });
}

#[test]
fn a_stop_waits_until_the_last_alarm_is_stored() {
    test(async {
        let (_engine, diary, mut keeper) = planner().await;
        planned(&mut keeper, 1, "after", SOON).await;
        let ToServer::Events(events) = keeper.recv().await else { panic!("it clears its alarm") };
        keeper.stop(actor(1), 1).await;
        assert!(keeper.socket.quiet().await, "the engine may have the one before");
        keeper.socket.ack(&events).await;
        assert_eq!(keeper.events().await, [STOPPED]);
        assert_eq!(diary.lines(), ["after"]);
    });
}

#[test]
fn what_is_claimed_too_late_is_put_back_before_the_stop() {
    test(async {
        let (_engine, diary, mut keeper) = planner().await;
        planned(&mut keeper, 1, "after", SOON).await;
        let claim = keeper.socket.kv().await;
        keeper.stop(actor(1), 1).await;
        assert!(keeper.socket.quiet().await, "it is not known to be claimed");
        let answer = keeper.carry_out(actor(1), claim.data);
        assert_eq!(stored(&keeper), (0, 0));
        keeper.socket.kv_answer(claim.request_id, answer).await;
        assert_eq!(keeper.events().await, [STOPPED]);
        assert_eq!((diary.lines().len(), stored(&keeper)), (0, (1, 0)));
    });
}

#[test]
fn a_run_that_was_cut_off_was_interrupted_and_a_missing_action_ends_its_schedule() {
    test(async {
        let (engine, diary, mut keeper) = planner().await;
        let (_, id) = planned(&mut keeper, 1, "every", 3_600_000).await;
        keeper.stop(actor(1), 1).await;
        keeper.events().await;
        overdue(&mut keeper);
        start(&mut keeper, "planner", 2).await;
        alarm(&mut keeper).await;
        alarm(&mut keeper).await;
        keeper.call(2, actor(1), "note", r#"{"args":"called"}"#).await;
        assert_eq!(diary.lines(), ["at the gate", "called"]);
        // Its end is never stored: another runner takes over.
        let stored_before = keeper.stored.clone();
        drop((engine, keeper));
        let (_engine, _diary, mut keeper) = planner().await;
        keeper.stop(actor(1), 1).await;
        assert_eq!(keeper.events().await, [STOPPED]);
        keeper.stored = stored_before;
        start(&mut keeper, "planner", 2).await;
        alarm(&mut keeper).await;
        let runs = keeper.call(3, actor(1), "runs", &format!(r#"{{"args":{id}}}"#)).await;
        assert_eq!(runs.body, r#"{"output":["0 Interrupted"]}"#);
        keeper.stop(actor(1), 2).await;
        assert_eq!(keeper.events().await, [STOPPED]);
        overdue(&mut keeper);
        start(&mut keeper, "forgetful", 3).await;
        while alarm(&mut keeper).await.is_some() {}
        assert_eq!(stored(&keeper), (0, 0), "nothing is left of it");
    });
}

#[test]
fn an_alarm_of_its_own_code_and_its_schedules_do_not_replace_each_other() {
    test(async {
        let (_engine, _diary, mut keeper) = planner().await;
        let hours = 4_000_000_000_000;
        let own = Some(i64::try_from(hours).unwrap());
        assert_eq!(planned(&mut keeper, 1, "alarm", hours).await.0, own);
        assert!(planned(&mut keeper, 2, "every", 3_600_000).await.0 < own, "the earlier of both");
        keeper.stop(actor(1), 1).await;
        keeper.events().await;
        start(&mut keeper, "planner", 2).await;
        assert!(alarm(&mut keeper).await < own);
        assert_eq!(planned(&mut keeper, 3, "cancel", 0).await, (own, "true".into()));
        assert_eq!(planned(&mut keeper, 4, "alarm", 0).await.0, None);
    });
}

#[test]
fn what_cannot_be_planned_is_told_by_its_code() {
    test(async {
        let (_engine, _diary, mut keeper) = planner().await;
        let bad =
            [("every", "interval_too_short"), ("cron", "unknown_zone"), ("unknown", "action_not_found")];
        for (number, (what, code)) in (1..).zip(bad) {
            let answer = keeper.call(number, actor(1), "plan", &plan(what, 1)).await;
            assert_eq!(answer.status, 400, "{what}");
            let expected = format!(r#""group":"schedule","code":"{code}""#);
            assert!(answer.body.contains(&expected), "{}", answer.body);
        }
        let answer = keeper.call(9, actor(1), "plan", &plan("cancel", 0)).await;
        assert_eq!(answer.body, r#"{"output":false}"#);
        assert_eq!((keeper.puts, stored(&keeper)), (1, (0, 0)), "its first state is all that was written");
    });
}

#[test]
fn a_destroyed_actor_clears_its_alarm() {
    test(async {
        let (_engine, _diary, mut keeper) = planner().await;
        planned(&mut keeper, 1, "after", 3_600_000).await;
        keeper.ask(2, actor(1), "plan", &plan("destroy", 0)).await;
        assert_eq!(keeper.events().await, [DESTROY]);
        keeper.answer(2).await;
        keeper.stop(actor(1), 1).await;
        assert_eq!(alarm(&mut keeper).await, None);
        assert_eq!(keeper.events().await, [STOPPED]);
    });
}

#[test]
fn one_request_reads_what_few_actors_go_beyond() {
    test(async {
        let (_engine, _diary, mut keeper) = planner().await;
        assert_eq!(keeper.lists, 1, "state and schedules are read together");
        planned(&mut keeper, 1, "at", 4_000_000_000_000).await;
        // None of these needs another alarm.
        for number in 2..=70 {
            assert_eq!(
                keeper.call(number, actor(1), "plan", &plan("at", 4_000_000_000_001)).await.status,
                200
            );
        }
        keeper.stop(actor(1), 1).await;
        keeper.events().await;
        start(&mut keeper, "planner", 2).await;
        assert_eq!((keeper.lists, stored(&keeper)), (3, (70, 0)), "two more");
        alarm(&mut keeper).await;
        let listed = keeper.call(71, actor(1), "plan", &plan("list", 0)).await;
        assert_eq!(listed.body.matches("note").count(), 70);
    });
}
