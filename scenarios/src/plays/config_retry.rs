//! `config_retry`: the pool is configured while the engine is down, slow or failing. Clients ask from the beginning.

use std::net::{Ipv4Addr, SocketAddr};
use std::time::Duration;

use model::fault::Family;
use runtime::TcpListener;
use sim::{Effect, Latency, Stream};
use tokio::io::{AsyncReadExt, AsyncWriteExt};

use crate::phases::Plot;
use crate::stack::{ENGINE_PORT, Stack};

/// How long the engine is away: shorter than one attempt, some attempts, half the deadline, beyond the deadline of
/// 60 s after which only the reconciler tries.
const AWAY: [(Duration, Duration); 4] = [
    (Duration::from_millis(10), Duration::from_millis(500)),
    (Duration::from_millis(500), Duration::from_secs(5)),
    (Duration::from_secs(5), Duration::from_secs(29)),
    (Duration::from_secs(55), Duration::from_secs(70)),
];

/// What the engine does instead of answering.
#[derive(Clone, Copy, Debug)]
enum Trouble {
    /// Its host is up, nobody listens: connections are refused.
    Down,
    /// Its host has no power: nothing answers at all.
    Dark,
    /// It is far away.
    Slow,
    /// Whatever stands in its place answers 503.
    Failing,
    /// Whatever stands in its place accepts and never answers.
    Hanging,
}

/// See the module.
#[derive(Clone, Copy, Debug)]
pub struct ConfigRetry;

impl Plot for ConfigRetry {
    fn recovery(&self) -> Duration {
        // At most 30 s until the reconciler tries again, 5 s for its attempt, then a cold start; an attempt that began
        // while nothing answered costs its time-out of 5 s more.
        Duration::from_secs(45)
    }

    async fn open(&self, stack: &Stack) {
        let plan = stack.world.stream("trouble/api");
        let away = plan.one_of(&AWAY);
        let away = plan.span(away.0..=away.1);
        let trouble =
            *plan.one_of(&[Trouble::Down, Trouble::Dark, Trouble::Slow, Trouble::Failing, Trouble::Hanging]);
        stack.world.note(format!("the engine is {trouble:?} for {away:?}"));
        begin(stack, trouble, &plan);
        if matches!(trouble, Trouble::Slow) {
            let up = stack.until(Duration::from_secs(5), async || stack.engine.views().await.is_some());
            assert!(up.await, "an engine that is far away from its application boots as any other");
        }
        stack.application.boot();
        let stack = stack.clone();
        stack.world.clone().spawn("engine comes", async move {
            let strikes: Vec<_> =
                families(trouble).iter().map(|family| stack.ledger.struck(*family)).collect();
            let end_of_trouble = stack.world.elapsed() + away;
            if is_met(&stack, away).await {
                for family in families(trouble) {
                    stack.ledger.felt(*family);
                }
            }
            stack.world.sleep(end_of_trouble.saturating_sub(stack.world.elapsed())).await;
            end(&stack, trouble);
            stack.world.note("the engine is there");
            for strike in strikes {
                stack.ledger.repaired(strike);
            }
        });
    }

    async fn trouble(&self, stack: &Stack) {
        // What `open` began ends by itself; demands are made only after that.
        stack.until(Duration::from_secs(120), async || !stack.ledger.is_broken()).await;
    }

    async fn heal(&self, _: &Stack) {}
}

/// What its sufferers feel. Whatever stands in for the engine is killed in the end.
const fn families(trouble: Trouble) -> &'static [Family] {
    match trouble {
        Trouble::Down | Trouble::Failing => &[Family::ApiFails, Family::EngineStopped],
        Trouble::Dark => &[Family::ApiFails, Family::EnginePowerLost],
        Trouble::Slow => &[Family::ApiFails, Family::Slow],
        Trouble::Hanging => &[Family::ApiFails, Family::EnginePaused, Family::EngineKilled],
    }
}

/// Whether the application, which asks at once, meets the trouble in time. It looks every millisecond, which is less
/// than any exchange takes.
async fn is_met(stack: &Stack, limit: Duration) -> bool {
    let end = stack.world.elapsed() + limit;
    while stack.world.elapsed() < end {
        let mut connections = stack.world.connections().into_iter();
        if connections.any(|connection| connection.from == "app")
            || stack.world.effects().contains_key(&Effect::Refused)
        {
            return true;
        }
        stack.world.sleep(Duration::from_millis(1)).await;
    }
    false
}

fn begin(stack: &Stack, trouble: Trouble, plan: &Stream) {
    let node = stack.engine.node();
    match trouble {
        Trouble::Down => {}
        Trouble::Dark => {
            node.boot(std::future::pending);
            node.power_off();
        }
        Trouble::Slow => {
            let least = plan.span(Duration::from_millis(200)..=Duration::from_secs(3));
            let latency = Latency::Uniform(least, least * 2);
            let application = stack.application.node();
            stack.world.set_latency(application, node, latency);
            stack.world.set_latency(node, application, latency);
            stack.engine.boot();
        }
        Trouble::Failing => node.boot(|| stand_in(true)),
        Trouble::Hanging => node.boot(|| stand_in(false)),
    }
}

fn end(stack: &Stack, trouble: Trouble) {
    let node = stack.engine.node();
    match trouble {
        Trouble::Down | Trouble::Dark => stack.engine.boot(),
        Trouble::Slow => {
            let application = stack.application.node();
            let usual = stack.world.options().net.latency;
            stack.world.set_latency(application, node, usual);
            stack.world.set_latency(node, application, usual);
        }
        Trouble::Failing | Trouble::Hanging => {
            node.kill();
            stack.engine.boot();
        }
    }
}

/// What stands in the engine's place: a proxy whose backend is missing.
async fn stand_in(answers: bool) {
    const BODY: &str = r#"{"group":"guard","code":"service_unavailable","message":"no backend"}"#;
    let answer = format!(
        "HTTP/1.1 503 Service Unavailable\r\ncontent-length: {}\r\nconnection: close\r\n\r\n{BODY}",
        BODY.len()
    );
    let address = SocketAddr::from((Ipv4Addr::UNSPECIFIED, ENGINE_PORT));
    let listener = TcpListener::bind(address).await.expect("the port is free while the engine is away");
    loop {
        let Ok((mut stream, _)) = listener.accept().await else { return };
        let answer = answer.clone();
        drop(runtime::spawn("stand-in", async move {
            let mut request = [0; 4096];
            // A peer that goes away is answered by closing, too.
            if stream.read(&mut request).await.is_err() {
                return;
            }
            if !answers {
                std::future::pending::<()>().await;
            }
            drop(stream.write_all(answer.as_bytes()).await);
            drop(stream.shutdown().await);
        }));
    }
}
