//! Equal seeds give equal digests, whatever is watched; and what differs is named.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use sim::{Fall, Options, Sim, World, verify};
use tokio::io::{AsyncReadExt, AsyncWriteExt};

use crate::support::{MILLISECOND, connect, echo, server};

/// Clients that talk to a server while it falls again and again.
async fn busy(world: World) -> u64 {
    let node = server(&world, echo).await;
    let mut clients = Vec::new();
    for _ in 0..5 {
        let here = world.clone();
        clients.push(world.spawn("client", async move {
            let mut answers = 0;
            while here.elapsed() < Duration::from_secs(10) {
                if let Some(true) = here.within(Duration::from_secs(1), one_echo()).await {
                    answers += 1;
                }
                here.sleep(here.stream("client/rest").span(MILLISECOND..=100 * MILLISECOND)).await;
            }
            answers
        }));
    }
    let nemesis = world.stream("nemesis");
    while world.elapsed() < Duration::from_secs(10) {
        world.sleep(nemesis.span(100 * MILLISECOND..=1000 * MILLISECOND)).await;
        node.fall(*nemesis.one_of(&[Fall::Kill, Fall::PowerOff]));
        world.note(format!("{node:?}"));
        world.sleep(nemesis.span(MILLISECOND..=500 * MILLISECOND)).await;
        node.restart();
    }
    let mut answers = 0;
    for client in clients {
        answers += client.await.expect("the script's node never falls");
    }
    answers
}

async fn one_echo() -> bool {
    let Ok(mut stream) = connect("server").await else { return false };
    let mut answer = [0; 5];
    stream.write_all(b"hello").await.is_ok() && stream.read_exact(&mut answer).await.is_ok()
}

#[test]
fn a_seed_is_the_same_twice_and_seeds_differ() {
    let mut digests = std::collections::BTreeSet::new();
    for seed in 0..20 {
        let report = verify(&Options::seed(seed), busy).unwrap();
        digests.insert(report.digest);
        assert!(report.effects[&sim::Effect::Kill] + report.effects[&sim::Effect::PowerOff] > 5);
        assert!(report.expect_ok() > 100);
    }
    assert_eq!(digests.len(), 20);
}

#[test]
fn watching_changes_nothing() {
    let plain = Sim::seed(7).run(busy);
    let watched = Sim::new(Options {
        trace: Some(tracing::Level::TRACE),
        record_decisions: 1_000_000,
        keep_events: 0..1000,
        ..Options::seed(7)
    });
    let watched = watched.run(busy);
    assert_eq!(plain.digest, watched.digest);
    assert_eq!(watched.recorded.len() as u64, watched.decisions);
    assert_eq!(watched.kept.len(), 1000);
    assert!(plain.trace.is_empty() && plain.kept.is_empty());
    assert!(watched.trace.iter().any(|line| line.node == "script" && line.text.contains("note: ")));
}

#[test]
fn what_inhabitants_trace_carries_virtual_time_and_node() {
    let script = async |world: World| {
        world.node("teller").boot(|| async {
            runtime::sleep(Duration::from_millis(1500)).await;
            tracing::info!(count = 3, "told");
            tracing::debug!("too fine");
        });
        world.node("teller").ended().await;
    };
    let report = Sim::new(Options { trace: Some(tracing::Level::INFO), ..Options::seed(0) }).run(script);
    let told: Vec<_> = report.trace.iter().filter(|line| line.text.starts_with("told")).collect();
    assert_eq!(told.len(), 1);
    assert_eq!(told[0].to_string(), "     1.500000000  teller     INFO  told count=3");
    assert!(!report.trace.iter().any(|line| line.text.contains("too fine")));
}

/// What a run at that level hears of a callsite.
fn heard(level: tracing::Level, tell: fn()) -> bool {
    let options = Options { trace: Some(level), ..Options::seed(0) };
    let report = Sim::new(options).run(async move |_world: World| tell());
    report.trace.iter().any(|line| line.text == "fine")
}

#[test]
fn a_run_hears_what_an_earlier_one_did_not_want_and_the_other_way_round() {
    use tracing::Level;
    let (one, other): (fn(), fn()) = (|| tracing::debug!("fine"), || tracing::debug!("fine"));
    assert_eq!([heard(Level::INFO, one), heard(Level::DEBUG, one)], [false, true]);
    assert_eq!([heard(Level::DEBUG, other), heard(Level::INFO, other)], [true, false]);
}

static COUNTER: AtomicU64 = AtomicU64::new(0);

/// Every run of this one differs in what a client writes, long after the beginning.
async fn leaky(world: World) {
    server(&world, echo).await;
    let mut stream = connect("server").await.expect("it listens");
    for round in 0..2000u64 {
        let byte = if round == 1500 { COUNTER.fetch_add(1, Ordering::Relaxed) } else { round };
        stream.write_all(&byte.to_le_bytes()).await.expect("alive");
        stream.read_exact(&mut [0; 8]).await.expect("alive");
    }
}

#[test]
fn an_injected_nondeterminism_is_caught_and_its_first_event_named() {
    let divergence = verify(&Options::seed(3), leaky).unwrap_err();
    assert!(divergence.agreed >= sim::CHECKPOINT_EVENTS, "most of it is equal: {divergence}");
    let [Some(one), Some(other)] = &divergence.first else { panic!("{divergence}") };
    assert_eq!((one.index, one.at), (other.index, other.at));
    assert!(one.text.contains("write on script→server:80#0 (opener)"), "{divergence}");
    assert_ne!(one.text, other.text);
}

/// The events of a run in which something is done to a node after a second.
fn events_of(deed: fn(&sim::Node)) -> Vec<sim::Event> {
    let options = Options { keep_events: 0..1000, ..Options::seed(0) };
    let run = Sim::new(options).run(async move |world: World| {
        let node = world.node("node");
        node.boot(|| async { runtime::signals::terminate().await.expect("it listens") });
        let sleeper = node.spawn("sleeper", runtime::sleep(Duration::from_secs(9)));
        world.sleep(Duration::from_secs(1)).await;
        deed(&node);
        world.sleep(Duration::from_secs(1)).await;
        drop(sleeper);
    });
    run.kept
}

#[test]
fn the_first_event_that_differs_is_named_for_what_it_is() {
    let (killed, powerless) = (events_of(sim::Node::kill), events_of(sim::Node::power_off));
    let texts = |one: &[sim::Event], other: &[sim::Event]| {
        sim::first_difference(one, other).map(|event| event.expect("both go on").text)
    };
    assert_eq!(texts(&killed, &powerless), ["node: is killed", "node: loses power"]);
    let asked = events_of(sim::Node::ask_to_stop);
    assert!(asked.iter().any(|event| event.text == "node: exits"), "{asked:?}");
    let drifts = events_of(|node| node.drift_clocks(1));
    let told = |text: &str| drifts.iter().filter(|event| event.text.ends_with(text)).count();
    assert_eq!((told("is set anew, since its clock runs otherwise"), told("fires")), (1, 2), "{drifts:?}");
}

#[test]
fn events_that_are_told_alike_are_not_taken_for_the_same() {
    let kept = |turns: [usize; 2]| {
        let options = Options { keep_events: 0..1000, ..Options::seed(0) };
        let run = Sim::new(options).run(async move |world: World| {
            let wakes = [(); 2].map(|()| std::sync::Arc::new(tokio::sync::Notify::new()));
            for wake in &wakes {
                let wake = std::sync::Arc::clone(wake);
                drop(world.spawn("twin", async move { wake.notified().await }));
            }
            world.sleep(MILLISECOND).await;
            for turn in turns {
                wakes[turn].notify_one();
                world.sleep(MILLISECOND).await;
            }
        });
        run.kept
    };
    let (one, other) = (kept([0, 1]), kept([1, 0]));
    let texts = |events: &[sim::Event]| events.iter().map(|event| event.text.clone()).collect::<Vec<_>>();
    assert_eq!(texts(&one), texts(&other), "their texts are the same");
    let first = sim::first_difference(&one, &other).map(|event| event.map(|event| (event.at, event.text)));
    let polled = Some((MILLISECOND, "script/twin is polled".to_owned()));
    assert_eq!(first, [polled.clone(), polled]);
}

#[test]
fn what_the_network_itself_says_is_said_on_the_scripts_node() {
    let script = async |world: World| {
        server(&world, echo).await;
        let client = world.node("client");
        client.boot(|| async {
            let _stream = connect("server").await;
            runtime::sleep(Duration::from_secs(1)).await;
        });
        client.ended().await;
    };
    let trace = Some(tracing::Level::TRACE);
    let report = Sim::new(Options { trace, ..Options::seed(0) }).run(script);
    let said: Vec<_> = report.trace.iter().filter(|line| line.text.ends_with("established")).collect();
    assert_eq!(said.iter().map(|line| &*line.node).collect::<Vec<_>>(), ["script"], "{said:?}");
}
