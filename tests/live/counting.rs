//! A counter, incremented through the gateway while the engine is killed with SIGKILL and started again.

use std::os::unix::process::ExitStatusExt as _;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

use bytes::Bytes;
use gates::binaries::Binaries;
use gates::platform::{Platform, READY};
use gates::process::{Process, free_port};
use http::Request;
use protocol::api::{CrashPolicy, CreateActor};
use protocol::id::ActorId;
use sdk::{Client, ClientError};
use tokio::sync::Notify;

/// How long one request may take: held until the actor is ready, and answered.
const ANSWER: Duration = Duration::from_secs(45);

/// How long an increment may take from the moment the engine listens again. Unloaded it is to be below 2 s: a runner
/// dials at least once a second in the first minute, and is then served at once. Ours: ten such dials, for machines
/// that do something else meanwhile; the figure is printed.
const BACK: Duration = Duration::from_secs(10);

/// How long a hundred increments may take, a restart among them. Ours: they take a second.
const PROGRESS: Duration = Duration::from_secs(120);

/// Between a failed request and the next.
const RETRY: Duration = Duration::from_millis(5);

async fn make(client: &Client) -> ActorId {
    let actor = CreateActor {
        name: "counter".to_owned(),
        key: Some("live".to_owned()),
        runner_name_selector: "default".to_owned(),
        crash_policy: CrashPolicy::Sleep,
        datacenter: None,
        input: None,
    };
    // The application has configured its pool when it says that it is ready, or is about to.
    let begun = runtime::now();
    loop {
        assert!(begun.elapsed() < READY, "the pool is not configured");
        match client.get_or_create(&actor).await {
            Ok((actor, _)) => return actor.actor_id,
            Err(error) if error.to_string().contains("runner_config") => {
                runtime::sleep(Duration::from_millis(50)).await;
            }
            Err(error) => panic!("the counter is not made: {error}"),
        }
    }
}

/// Asks the counter. An error is one after which nobody knows whether it counted: the engine was killed meanwhile.
async fn ask(client: &Client, actor: ActorId, action: &str) -> Result<u64, ClientError> {
    let args = if action == "increment" { &b"{\"args\":1}"[..] } else { b"" };
    let request = Request::post(format!("/action/{action}")).body(Bytes::from_static(args));
    let request = request.expect("a valid request");
    let answer = runtime::timeout(ANSWER, client.request(actor, request)).await;
    let answer = match answer.expect("every request is answered or fails within its bound") {
        Ok(answer) => answer,
        Err(error @ (ClientError::Unreachable { .. } | ClientError::Broken { .. })) => return Err(error),
        Err(error @ ClientError::Engine { status: 500.., .. }) => return Err(error),
        Err(error) => panic!("{error}: a kill explains no such failure"),
    };
    let value: serde_json::Value = serde_json::from_slice(answer.body()).expect("the counter answers JSON");
    let count = value["output"].as_u64();
    // What the counter itself refuses, it refuses because its storage did not answer.
    count.ok_or(ClientError::Undecodable { status: answer.status().as_u16(), reason: value.to_string() })
}

/// Increments until told to stop; returns the counts it heard and how many answers it did not hear.
async fn count_on(
    client: Client,
    actor: ActorId,
    stop: Arc<AtomicBool>,
    progress: Arc<Progress>,
) -> (Vec<u64>, u64) {
    let (mut heard, mut unknown) = (Vec::new(), 0);
    while !stop.load(Ordering::Acquire) {
        match ask(&client, actor, "increment").await {
            Ok(value) => {
                heard.push(value);
                progress.one_more();
            }
            Err(error) => {
                println!("unknown: {error}");
                unknown += 1;
                runtime::sleep(RETRY).await;
            }
        }
    }
    (heard, unknown)
}

/// How many increments were answered.
#[derive(Default)]
struct Progress {
    answered: AtomicU64,
    changed: Notify,
}

impl Progress {
    fn one_more(&self) {
        self.answered.fetch_add(1, Ordering::AcqRel);
        self.changed.notify_one();
    }

    /// Waits for so many more.
    async fn reached(&self, more: u64) {
        let goal = self.answered.load(Ordering::Acquire) + more;
        let reached = async {
            while self.answered.load(Ordering::Acquire) < goal {
                self.changed.notified().await;
            }
        };
        runtime::timeout(PROGRESS, reached).await.expect("the counter is counted on");
    }
}

fn demo(platform: &Platform, mode: &str) -> Process {
    let url = platform.url();
    let listen = format!("127.0.0.1:{}", free_port());
    let mut arguments = vec![mode, "--endpoint", &url];
    if mode == "serverless" {
        arguments.extend(["--listen", &listen]);
    }
    let mut process = Process::start(&Binaries::built().demo(), &arguments, &[]);
    process.line_with("ready", READY);
    process
}

/// Kills the engine again and again while a client counts: nothing acknowledged is lost or repeated.
fn survives_kills(mode: &'static str) {
    const KILLS: u64 = 3;
    const BETWEEN_KILLS: u64 = 100;
    let mut platform = Platform::start();
    let mut application = demo(&platform, mode);
    let client = platform.client();
    gates::block_on(async move {
        let actor = make(&client).await;
        let first = ask(&client, actor, "increment").await.expect("a cold counter answers");
        assert_eq!(first, 1);
        let (stop, progress) = (Arc::new(AtomicBool::new(false)), Arc::new(Progress::default()));
        let counting = runtime::spawn(
            "counting",
            count_on(client.clone(), actor, Arc::clone(&stop), Arc::clone(&progress)),
        );
        for _ in 0..KILLS {
            progress.reached(BETWEEN_KILLS).await;
            platform.kill_and_start();
            let before = runtime::now();
            // A new client: the other one may still hold a connection to the engine that was killed.
            let value = ask(&platform.client(), actor, "increment").await;
            let took = before.elapsed();
            value.expect("the counter counts after a restart");
            println!("{mode}: incremented {took:?} after the engine was back");
            assert!(took < BACK, "{took:?} until the first increment");
        }
        stop.store(true, Ordering::Release);
        let (heard, unknown) = counting.await.expect("the counting task ends");
        assert!(heard.windows(2).all(|pair| pair[0] < pair[1]), "counts only grow: {heard:?}");
        let last = ask(&client, actor, "value").await.expect("the counter answers at the end");
        let acknowledged = heard.len() as u64 + first + KILLS;
        assert!(acknowledged <= last, "{acknowledged} acknowledged, {last} counted: one is lost");
        assert!(
            last <= acknowledged + unknown,
            "{acknowledged} acknowledged and {unknown} unknown: {last} is too much"
        );
        println!("{mode}: {acknowledged} acknowledged, {unknown} unknown, {last} counted");
        application.terminate();
        // It ends as the signal would have ended it, after its drain.
        assert_eq!(application.wait().signal(), Some(15), "{}", application.rest().join("\n"));
        platform.stop();
    });
}

#[test]
fn a_counter_of_a_serverless_application_survives_kills_of_the_engine() {
    survives_kills("serverless");
}

#[test]
fn a_counter_of_a_normal_application_survives_kills_of_the_engine() {
    survives_kills("normal");
}
