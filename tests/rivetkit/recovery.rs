//! The engine is killed while RivetKit actors are warm, asleep, and about to be rung: how soon each answers.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, UNIX_EPOCH};

use bytes::Bytes;
use gates::platform::Platform;
use gates::process::Process;
use http::{Method, Request, StatusCode};
use protocol::id::ActorId;
use runtime::Wall;
use sdk::{Client, ClientError};
use serde_json::{Value, json};

use super::{SCRIPT, node, normal, serverless};

/// Falls of the engine in one test.
const FALLS: usize = 5;

/// From the moment a runner's socket is open to the answer of an actor, in the median of all falls. What is promised.
const AFTER_DIAL: Duration = Duration::from_millis(300);

/// How long an actor may take to ring after it was due, when the engine fell before. RivetKit dials again after a
/// second, and a serverless instance has to be started: ours, with room for a loaded machine.
const RING: Duration = Duration::from_secs(5);

/// How long one request may take: held until the actor is ready, and answered.
const ANSWER: Duration = Duration::from_secs(45);

/// Askers beside the one that is measured.
const CROWD: usize = 8;

/// One line of the engine for each runner that connects.
const DIALLED: &str = "runner socket open";

/// One line of the engine for each request that it hands to a runner.
const FORWARDED: &str = "Forwarded";

/// Logs what [`DIALLED`] and [`FORWARDED`] say.
const LOG: &str = "info,host::sockets=debug,host::facts=trace";

/// Actors of each kind.
fn make(platform: &Platform) -> [ActorId; 3] {
    let mut script = node("make.mjs", &[], &[("RIVET_ENDPOINT", &platform.url())]);
    let line: Value =
        serde_json::from_str(&script.line_with("made", SCRIPT)).expect("the script prints JSON");
    ["counter", "sleeper", "reminder"].map(|name| {
        let id = line["made"][name].as_str().expect("it has an id");
        id.parse().expect("it is one of ours")
    })
}

/// Calls an action as RivetKit's client does, once: nothing repeats it. What RivetKit answers.
async fn call(
    client: &Client,
    actor: ActorId,
    action: &str,
    arguments: Value,
) -> Result<(StatusCode, Value), ClientError> {
    let body = json!({ "args": arguments }).to_string();
    let request = Request::builder()
        .method(Method::POST)
        .uri(format!("/action/{action}"))
        .header("content-type", "application/json")
        .header("x-rivet-encoding", "json")
        .body(Bytes::from(body))
        .expect("a valid request");
    let answer = runtime::timeout(ANSWER, client.request(actor, request)).await;
    let answer = answer.expect("every request is answered within its bound")?;
    let value: Value = serde_json::from_slice(answer.body()).expect("actions answer JSON");
    Ok((answer.status(), value))
}

/// What an action has put out, which must have succeeded.
fn output(action: &str, (status, value): (StatusCode, Value)) -> Value {
    assert!(status.is_success(), "{action}: {status} {value}");
    value["output"].clone()
}

/// Calls an action once, which must succeed.
async fn act(client: &Client, actor: ActorId, action: &str, arguments: Value) -> Result<Value, ClientError> {
    Ok(output(action, call(client, actor, action, arguments).await?))
}

/// Waits until the engine has put it to sleep.
async fn asleep(client: &Client, actor: ActorId) {
    let sleeps = async {
        while client.get(actor).await.expect("the engine answers").is_none_or(|it| it.sleep_ts.is_none()) {
            runtime::sleep(Duration::from_millis(20)).await;
        }
    };
    runtime::timeout(ANSWER, sleeps).await.expect("it falls asleep");
}

/// Whether the actor went to sleep with the call, which whoever calls repeats: it said so by itself, or RivetKit forgot the
/// call over it, as it does with what it has not answered when an actor stops, and then the engine says so.
fn slept_over(answer: &Result<(StatusCode, Value), ClientError>) -> bool {
    match answer {
        Ok((_, value)) => value["code"] == "stopping",
        Err(ClientError::Engine { body, .. }) => body.code == "tunnel_response_closed",
        Err(_) => false,
    }
}

/// Asks all the time, from many sides, until told to stop: how many were answered. None may be left without an answer.
async fn ask_on(client: Client, actor: ActorId, stop: Arc<AtomicBool>) -> u64 {
    let mut answered = 0;
    while !stop.load(Ordering::Acquire) {
        let answer = call(&client, actor, "visit", json!([])).await;
        if !slept_over(&answer) {
            output("visit", answer.expect("an engine that listens answers"));
        }
        answered += 1;
    }
    answered
}

/// When a line was logged, as [`runtime::wall`] counts.
fn logged(line: &str) -> Wall {
    let time = line.split_whitespace().next().expect("a line begins with its time");
    let time = humantime::parse_rfc3339(time).expect("in RFC 3339");
    let since = time.duration_since(UNIX_EPOCH).expect("it is later than 1970");
    Wall(u64::try_from(since.as_millis()).expect("milliseconds of an age that ends far off"))
}

/// The value of a field of a line.
fn field<'a>(line: &'a str, before: &str) -> &'a str {
    let (_, rest) = line.split_once(before).unwrap_or_else(|| panic!("no {before:?} in {line}"));
    rest.split([',', ' ', '}']).next().expect("splitting gives one part at least")
}

/// When the runner dialled that an actor was last asked on before it answered: others may dial before and after it.
fn dialled(platform: &mut Platform, actor: ActorId, answered: Wall) -> Wall {
    let asked = format!("actor: {actor:?}");
    let is_asked = |line: &str| line.contains(FORWARDED) && line.contains(&asked);
    // The answer can be here before the line is.
    platform.wait_for_line(FORWARDED, is_asked);
    let lines = platform.so_far();
    let asked = lines.iter().rfind(|line| is_asked(line) && logged(line) <= answered);
    let asked = asked.expect("it was asked before it answered");
    let conn = field(asked, "conn: ");
    let dial = lines.iter().find(|line| line.contains(DIALLED) && field(line, "conn=") == conn);
    logged(dial.expect("a runner that is asked has dialled"))
}

/// How one fall went.
struct Fall {
    /// From a runner's dial to the answer.
    after_dial: Duration,
    /// From the moment the engine listened to the answer.
    after_boot: Duration,
}

/// Kills the engine and calls an action at once, while others call `visit` of another actor.
async fn fall(platform: &mut Platform, (actor, action): (ActorId, &'static str), other: ActorId) -> Fall {
    platform.kill_and_start();
    let listens = runtime::now();
    let client = platform.client();
    let asked = client.clone();
    let answer = runtime::spawn("ask", async move {
        let answers = async {
            loop {
                let answer = call(&asked, actor, action, json!([1])).await;
                if !slept_over(&answer) {
                    return answer;
                }
            }
        };
        let answer = runtime::timeout(ANSWER, answers).await.expect("it does not fall asleep all the time");
        (answer, runtime::wall(), runtime::now())
    });
    let stop = Arc::new(AtomicBool::new(false));
    let crowd: Vec<_> = (0..CROWD)
        .map(|_| runtime::spawn("ask on", ask_on(client.clone(), other, Arc::clone(&stop))))
        .collect();
    let (answer, at, answered) = answer.await.expect("it is asked to its end");
    let value = output(action, answer.expect("an engine that listens answers"));
    assert!(value.is_u64(), "{value}");
    let dialled = dialled(platform, actor, at);
    stop.store(true, Ordering::Release);
    for asker in crowd {
        assert!(asker.await.expect("it asks to its end") > 0);
    }
    let after_dial = at.saturating_since(dialled);
    Fall { after_dial, after_boot: answered.saturating_since(listens) }
}

/// The engine falls time and again under a warm actor and one that sleeps. Never while one starts or stops: RivetKit does
/// not repeat what it had asked of the store of an engine that is gone, and gives such a start up after 30 s.
fn answers_after_falls(mode: &str, start: fn(&Platform) -> Process) {
    let mut platform = Platform::start_logging(LOG);
    let _application = start(&platform);
    let [counter, sleeper, reminder] = make(&platform);
    gates::block_on(async move {
        let client = platform.client();
        act(&client, counter, "increment", json!([1])).await.expect("a cold actor answers");
        asleep(&client, reminder).await;
        let mut falls = Vec::new();
        for turn in 0..FALLS {
            asleep(&client, sleeper).await;
            // Warm and asleep take turns.
            let asked = if turn % 2 == 0 { (counter, "increment") } else { (sleeper, "visit") };
            falls.push(fall(&mut platform, asked, sleeper).await);
        }
        falls.sort_by_key(|fall| fall.after_dial);
        let (median, last) = (&falls[FALLS / 2], &falls[FALLS - 1]);
        let slowest = falls.iter().map(|fall| fall.after_boot).max().unwrap_or_default();
        println!(
            "{mode}: answers {:?} after the dial in the median of {FALLS} falls, {:?} at most; {slowest:?} at most after the boot",
            median.after_dial, last.after_dial
        );
        assert!(median.after_dial <= AFTER_DIAL, "{:?} after the dial", median.after_dial);
    });
}

/// An actor sleeps towards its alarm while the engine falls: it rings, and nobody had to ask.
fn rings_after_a_fall(mode: &str, start: fn(&Platform) -> Process) {
    let mut platform = Platform::start();
    let _application = start(&platform);
    let [.., reminder] = make(&platform);
    gates::block_on(async move {
        let client = platform.client();
        let due = act(&client, reminder, "remind", json!([3000])).await.expect("a cold actor answers");
        let due = due.as_u64().expect("a time in milliseconds");
        asleep(&client, reminder).await;
        platform.kill_and_start();
        // It sleeps again when it has rung.
        let wakes = async {
            loop {
                let actor = client.get(reminder).await.expect("the engine answers").expect("it lives");
                if actor.sleep_ts.is_some_and(|at| at.0 >= due) {
                    break;
                }
                runtime::sleep(Duration::from_millis(20)).await;
            }
        };
        runtime::timeout(ANSWER, wakes).await.expect("its alarm wakes it");
        let rung = act(&client, reminder, "rung", json!([])).await.expect("it answers");
        let rung = rung.as_array().expect("a list").clone();
        assert_eq!(rung.len(), 1, "it rings once: {rung:?}");
        let late = rung[0]["at"].as_u64().expect("a time").saturating_sub(due);
        println!("{mode}: an alarm rang {late} ms after it was due");
        assert!(u128::from(late) <= RING.as_millis(), "{late} ms late");
    });
}

#[test]
fn a_serverless_rivetkit_application_answers_as_soon_as_it_has_dialled_again() {
    answers_after_falls("serverless", serverless);
}

#[test]
fn a_normal_rivetkit_application_answers_as_soon_as_it_has_dialled_again() {
    answers_after_falls("normal", normal);
}

#[test]
fn alarms_of_a_serverless_rivetkit_application_ring_over_a_fall() {
    rings_after_a_fall("serverless", serverless);
}

#[test]
fn alarms_of_a_normal_rivetkit_application_ring_over_a_fall() {
    rings_after_a_fall("normal", normal);
}
