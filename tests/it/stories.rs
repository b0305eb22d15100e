//! Scripted plays, told: what clients asked and heard, what fell and came back, the verdict. Times in tenths of a
//! second, so that a story changes only when what happens does.

use std::fmt::Write as _;
use std::time::Duration;

use model::Law;
use protocol::time::Mono;
use protocol::view::Fact;
use scenarios::ledger::Ledger;
use scenarios::phases::Plot;
use scenarios::plays::smoke::Smoke;
use scenarios::stack::Stack;
use scenarios::stack::client::{Client, Load};
use sim::{Cut, Fall, Options, Ratio, Side, Sim};

/// A client that counts on one counter, at an even pace.
struct Counting(Client);

impl Counting {
    /// So many increments, one each half second.
    async fn count(&self, operations: u32) {
        let pause = Duration::from_millis(500);
        let load = Load { operations, pause_min: pause, pause_max: pause, increments: Ratio::new(1, 1) };
        self.0.begin(&["a"], load);
        self.0.node().ended().await;
    }
}

/// Runs a script on a stack that is up, and compares how it is told with the story of this name.
fn story(name: &str, script: impl AsyncFn(&Stack, &Counting) + Send + 'static) {
    told(name, async move |stack, client| {
        Smoke.open(stack).await;
        script(stack, client).await;
    });
}

/// The same on a stack of which nothing runs yet.
fn told(name: &str, script: impl AsyncFn(&Stack, &Counting) + Send + 'static) {
    let report = Sim::new(Options::seed(1)).run(|world| async move {
        let stack = Stack::new(&Ledger::new(&world));
        let client = Counting(Client::new(&world, &stack.ledger, 0));
        script(&stack, &client).await;
        let mut evidence = stack.ledger.evidence();
        evidence.recovery = Duration::from_secs(30);
        let verdict = model::judge(&evidence);
        for broken in &verdict.broken {
            world.note(format!("broken: {broken}"));
        }
        // Those of single plays have nothing to judge here.
        let general: Vec<_> = Law::ALL.into_iter().filter(|law| law.is_general()).map(Law::name).collect();
        let unjudged: Vec<_> = verdict.unjudged.into_iter().filter(|law| general.contains(law)).collect();
        world.note(format!("{} laws held, not judged: {}", verdict.held.len(), unjudged.join(", ")));
        world.notes()
    });
    let mut story = String::new();
    for note in report.expect_ok() {
        writeln!(story, "{:>5.1} s  {}", note.at.as_secs_f64(), note.text).expect("a string takes text");
    }
    insta::with_settings!({ omit_expression => true, prepend_module_to_snapshot => false }, {
        insta::assert_snapshot!(name, story);
    });
}

#[test]
fn nothing_breaks() {
    story("nothing_breaks", async |_, client| client.count(3).await);
}

#[test]
fn the_engine_is_killed_between_two_requests() {
    story("the_engine_is_killed_between_two_requests", async |stack, client| {
        client.count(3).await;
        stack.world.note("the engine is killed");
        let strike = stack.ledger.struck(model::fault::Family::EngineKilled);
        stack.engine.node().kill();
        stack.world.sleep(Duration::from_secs(1)).await;
        stack.engine.boot();
        stack.ledger.repaired(strike);
        client.count(3).await;
    });
}

#[test]
fn the_engine_loses_power_inside_the_commit_of_an_increment() {
    story("the_engine_loses_power_inside_the_commit_of_an_increment", async |stack, client| {
        client.count(2).await;
        stack.world.note("the engine will lose power in its third disk operation from here");
        let strike = stack.ledger.struck(model::fault::Family::EnginePowerLost);
        stack.engine.node().crash_in_disk_operation(3, Fall::PowerOff);
        let stack_too = stack.clone();
        let back = stack.world.spawn("engine comes back", async move {
            stack_too.engine.node().ended().await;
            stack_too.world.note("the engine has lost power");
            stack_too.world.sleep(Duration::from_secs(2)).await;
            stack_too.engine.boot();
            stack_too.ledger.repaired(strike);
        });
        client.count(3).await;
        back.await;
    });
}

#[test]
fn the_event_stream_is_cut_silently_while_the_socket_lives() {
    story("the_event_stream_is_cut_silently_while_the_socket_lives", async |stack, client| {
        client.count(2).await;
        let mut streams = stack.world.connections().into_iter().rev();
        let stream = streams.find(|connection| connection.live && connection.carries("GET /api/rivet/start"));
        let stream = stream.expect("a serverless actor that answered is held open by a stream");
        let strike = stack.ledger.struck(model::fault::Family::StreamSilent);
        assert!(stack.world.cut(&stream, Cut::Silence, Side::Opener), "the stream was live");
        stack.world.note("the event stream carries nothing any more");
        stack.world.sleep(Duration::from_secs(12)).await;
        stack.ledger.repaired(strike);
        client.count(2).await;
    });
}

#[test]
fn the_pool_is_configured_as_soon_as_the_engine_is_there() {
    told("the_pool_is_configured_as_soon_as_the_engine_is_there", async |stack, client| {
        let strike = stack.ledger.struck(model::fault::Family::EngineStopped);
        stack.application.boot();
        stack.world.sleep(Duration::from_secs(3)).await;
        stack.world.note(format!("the pool is configured: {}", stack.application.is_configured()));
        stack.engine.boot();
        stack.ledger.repaired(strike);
        stack.until(Duration::from_secs(30), async || stack.application.is_configured()).await;
        stack.world.note(format!("the pool is configured: {}", stack.application.is_configured()));
        client.count(2).await;
    });
}

#[test]
fn a_start_that_comes_too_late_is_kept_out_by_the_fence() {
    story("a_start_that_comes_too_late_is_kept_out_by_the_fence", async |stack, client| {
        let strike = stack.ledger.struck(model::fault::Family::ActorDawdles);
        stack.whims.next_start(Duration::from_secs(33));
        stack.world.note("the next start takes 33 s");
        client.count(2).await;
        stack.world.sleep(Duration::from_secs(5)).await;
        stack.ledger.repaired(strike);
        let facts = stack.ledger.evidence().told;
        for told in facts {
            if let Fact::Placed { generation, .. } | Fact::Ended { generation, .. } = told.fact {
                let at = told.at.since(Mono::ZERO).as_secs_f64();
                stack.world.note(format!("at {at:.1} s {generation:?} was {}", word(&told.fact)));
            }
        }
        let refused = protocol::mark::hits()["control.kv_refused"];
        stack.world.note(format!("KV requests refused: {refused}"));
    });
}

const fn word(fact: &Fact) -> &'static str {
    match fact {
        Fact::Placed { .. } => "placed",
        _ => "ended",
    }
}
