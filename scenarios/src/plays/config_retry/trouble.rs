//! What an application meets that wants to configure its pool.

use std::net::{Ipv4Addr, SocketAddr};
use std::time::Duration;

use model::fault::Family;
use runtime::TcpListener;
use sim::{Connection, Cut, Latency, Side};
use tokio::io::{AsyncReadExt, AsyncWriteExt};

use crate::ledger::Strike;
use crate::stack::{ENGINE_PORT, Stack};
use crate::world::Stream;

/// Latency of an engine that is far away, one way: a congested link, up to beyond an attempt's time-out of 5 s.
const FAR: (Duration, Duration) = (Duration::from_millis(200), Duration::from_secs(3));

/// How long an engine may take to stop when it is asked to: its drain of 10 s, and as much again.
const STOP: Duration = Duration::from_secs(20);

/// Syncs that fail one after the other: the engine's core restarts after each, and syncs as it does.
const SYNCS: u32 = 4;

/// How often it is looked whether the configuration is on its way: below one round trip of 200 µs.
const LOOK: Duration = Duration::from_micros(150);

/// How long a configuration is waited for: an application that has just started asks within milliseconds.
const ASKS: Duration = Duration::from_millis(500);

/// What the application meets instead of an engine that answers.
#[derive(Clone, Copy, Debug)]
pub(super) enum Trouble {
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
    /// It is paused.
    Paused,
    /// Its disk refuses to sync.
    Disk,
    /// It takes the configuration, and the connection breaks before its answer comes.
    AnswerLost,
}

/// Before there is an engine.
pub(super) const COLD: [Trouble; 5] =
    [Trouble::Down, Trouble::Dark, Trouble::Slow, Trouble::Failing, Trouble::Hanging];

/// With an engine that knows the pool.
pub(super) const HOT: [Trouble; 8] = [
    Trouble::Down,
    Trouble::Dark,
    Trouble::Slow,
    Trouble::Failing,
    Trouble::Hanging,
    Trouble::Paused,
    Trouble::Disk,
    Trouble::AnswerLost,
];

/// A trouble that is on.
pub(super) struct Begun {
    trouble: Trouble,
    strikes: Vec<Strike>,
}

impl Trouble {
    const fn family(self) -> Family {
        match self {
            Self::Down => Family::EngineStopped,
            Self::Dark => Family::EnginePowerLost,
            Self::Slow => Family::Slow,
            Self::Failing => Family::ApiFails,
            Self::Hanging => Family::ApiHangs,
            Self::Paused => Family::EnginePaused,
            Self::Disk => Family::DiskFails,
            Self::AnswerLost => Family::ApiCut,
        }
    }

    /// Whether its world has it.
    pub(super) fn is_offered(self, stack: &Stack) -> bool {
        stack.world.kind().offers(self.family()).is_ok()
    }

    /// Whether the run leaves out nothing of it.
    pub(super) fn is_allowed(self, stack: &Stack) -> bool {
        let kills = matches!(self, Self::Failing | Self::Hanging);
        stack.ledger.allows(self.family()) && (!kills || stack.ledger.allows(Family::EngineKilled))
    }

    /// Begins it in a world in which no engine has run.
    pub(super) async fn begin_cold(self, stack: &Stack, latency: &Stream) -> Begun {
        let node = stack.engine.node();
        let strikes = vec![stack.ledger.struck(self.family())];
        let least = self::latency(latency);
        match self {
            Self::Down => {}
            Self::Dark => {
                node.boot(std::future::pending);
                node.power_off();
            }
            Self::Slow => {
                far(stack, Latency::Uniform(least, least * 2));
                stack.engine.boot();
                let up = stack.until(Duration::from_secs(5), async || stack.engine.views().await.is_some());
                assert!(up.await, "an engine that is far away from its application boots as any other");
            }
            Self::Failing | Self::Hanging => self.stand_in(stack),
            Self::Paused | Self::Disk | Self::AnswerLost => unreachable!("these need an engine"),
        }
        Begun { trouble: self, strikes }
    }

    /// Begins it with an engine that runs.
    pub(super) async fn begin_hot(self, stack: &Stack, latency: &Stream) -> Begun {
        let node = stack.engine.node();
        let mut strikes = vec![stack.ledger.struck(self.family())];
        let least = self::latency(latency);
        match self {
            Self::Down => {
                let orderly = node.stop(STOP).await;
                assert!(orderly, "an engine that is asked to stop does");
            }
            Self::Dark => node.power_off(),
            Self::Slow => far(stack, Latency::Uniform(least, least * 2)),
            Self::Failing | Self::Hanging => {
                strikes.push(stack.ledger.struck(Family::EngineKilled));
                node.kill();
                self.stand_in(stack);
            }
            Self::Paused => node.pause(),
            Self::Disk => {
                stack.engine.may_end(true);
                node.fail_syncs(SYNCS);
            }
            Self::AnswerLost => {}
        }
        Begun { trouble: self, strikes }
    }

    fn stand_in(self, stack: &Stack) {
        let answers = matches!(self, Self::Failing);
        stack.engine.node().boot(move || stand_in(answers));
    }
}

impl Begun {
    /// Lets it be on for so long, or until it has happened.
    pub(super) async fn run(self, stack: &Stack, away: Duration) {
        if matches!(self.trouble, Trouble::AnswerLost) {
            if lose_answer(stack).await {
                stack.ledger.felt(&self.strikes[0]);
            }
        } else {
            stack.world.sleep(away).await;
        }
        self.end(stack).await;
    }

    /// Ends it. An application that does not know its pool to be configured by now has suffered from it.
    pub(super) async fn end(self, stack: &Stack) {
        let node = stack.engine.node();
        if !stack.application.is_configured() {
            stack.ledger.felt(&self.strikes[0]);
        }
        match self.trouble {
            Trouble::Down | Trouble::Dark => stack.engine.boot(),
            Trouble::Slow => {
                far(stack, stack.world.usual_latency());
                // What was opened while it was far away stays slow for good: it is opened anew.
                let apps = |each: &Connection| each.from == "app" || each.to == "app";
                for slow in stack.world.connections().iter().filter(|each| each.live && apps(each)) {
                    stack.world.cut(slow, Cut::Reset, Side::Opener);
                }
            }
            Trouble::Failing | Trouble::Hanging => {
                node.kill();
                stack.engine.boot();
            }
            Trouble::Paused => node.resume(),
            Trouble::Disk => {
                node.fail_syncs(0);
                stack.engine.may_end(false);
                if !node.is_running() {
                    stack.engine.boot();
                }
            }
            Trouble::AnswerLost => {}
        }
        stack.world.note("the engine is well");
        for strike in self.strikes {
            stack.ledger.repaired(strike);
        }
    }
}

/// How far away the engine is next, at least.
pub(super) fn latency(decided: &Stream) -> Duration {
    decided.span(FAR.0..=FAR.1)
}

/// Sets how far the engine is from those who configure pools, for connections opened from here on.
fn far(stack: &Stack, latency: Latency) {
    let (application, engine) = (stack.application.node(), stack.engine.node());
    stack.world.set_latency(application, engine, latency);
    stack.world.set_latency(engine, application, latency);
}

/// Breaks the connection on which the pool is being configured as soon as the first byte of the answer would arrive:
/// it was committed by then. Returns whether.
async fn lose_answer(stack: &Stack) -> bool {
    let end = stack.world.elapsed() + ASKS;
    while stack.world.elapsed() < end {
        let mut connections = stack.world.connections().into_iter();
        let asking =
            connections.find(|each| each.live && each.to == "engine" && each.carries("PUT /runner-configs"));
        if let Some(asking) = asking {
            let answered = asking.sent[Side::Acceptor as usize];
            if stack.world.cut_at(&asking, Side::Opener, answered, Cut::Reset) {
                stack.world.note("the answer to a configuration will be lost");
                return true;
            }
        }
        stack.world.sleep(LOOK).await;
    }
    false
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
