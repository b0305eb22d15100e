//! `version_drain`: newer versions of the application come, one after the other, behind the serverless endpoint and as
//! workers; some of them fall over as soon as they are there, and the engine falls while some come. A version that is well
//! takes over without anybody noticing; one that is not leaves the one before it alone.

use std::time::Duration;

use model::Law;
use model::fault::Family;
use protocol::time::Mono;
use protocol::view::Fact;
use sim::Ratio;

use super::rounds::Rounds;
use super::watch::Watched;
use super::{beside, watch};
use crate::phases::{Plot, Scale};
use crate::stack::{Application, Stack, Worker};
use crate::world::Node;

/// From one deployment to the next.
const WAITS: [(Duration, Duration); 1] = [(Duration::from_secs(1), Duration::from_secs(6))];

/// Within how long a worker of a newer version overtakes: its first dial, its barrier, one commit; with slack.
const OVERTAKES: Duration = Duration::from_secs(10);

/// The same behind the endpoint: from one look at its metadata to the next are 5 s, and one runner is started first.
const LOOKED_AT: Duration = Duration::from_secs(20);

/// How long a version that falls over lives.
const LIVES: (Duration, Duration) = (Duration::from_millis(1), Duration::from_millis(800));

/// How long the engine is away that falls in the middle of a deployment.
const DOWN: (Duration, Duration) = (Duration::from_millis(20), Duration::from_secs(2));

/// When it falls after the newer version was started.
const FALLS: (Duration, Duration) = (Duration::from_millis(1), Duration::from_secs(6));

/// See the module.
#[derive(Clone, Copy, Debug)]
pub struct VersionDrain;

/// What runs a version of the application.
trait Host {
    fn node(&self) -> &Node;
    fn start(&self, version: u32);
}

impl Host for Application {
    fn node(&self) -> &Node {
        Self::node(self)
    }

    fn start(&self, version: u32) {
        self.set_version(version);
        self.boot();
    }
}

impl Host for Worker {
    fn node(&self) -> &Node {
        Self::node(self)
    }

    fn start(&self, version: u32) {
        self.set_version(version);
        self.boot();
    }
}

/// One kind of pool, with the host that runs its version, and the other one.
#[derive(Clone, Copy)]
struct Fleet {
    current: usize,
    version: u32,
}

impl Plot for VersionDrain {
    fn recovery(&self) -> Duration {
        // A look at the metadata each 5 s, at most 10 s of backoff for a stream, and the start of the actor.
        Duration::from_secs(30)
    }

    fn families(&self) -> &'static [Family] {
        &[Family::InstanceKilled, Family::EngineKilled]
    }

    fn laws(&self) -> &'static [Law] {
        &[Law::LastVersionNeverDrained]
    }

    fn times_recovery(&self) -> bool {
        true
    }

    fn scale(&self) -> Scale {
        Scale { keys: beside::BOTH, ..Scale::FULL }
    }

    async fn open(&self, stack: &Stack) {
        beside::open(stack, &[&stack.workers[0]]).await;
    }

    async fn trouble(&self, stack: &Stack, end: Duration) {
        let rounds = Rounds::new(stack, "deploy", &WAITS, end);
        let mut fleets = [Fleet { current: 0, version: 1 }; 2];
        let watched = watch::find(stack).await;
        // Of each kind one deployment goes well, whatever is left out.
        for (which, fleet) in fleets.iter_mut().enumerate() {
            deploy(stack, fleet, which == 0, &watched, None).await;
        }
        loop {
            let serverless = rounds.of("serverless").chance(Ratio::new(1, 2));
            let (broken, falls) =
                (rounds.of("broken").chance(Ratio::new(1, 3)), rounds.of("falls").chance(Ratio::new(1, 3)));
            let (lives, down) = (rounds.span("lives", LIVES), rounds.span("down", DOWN));
            let after = rounds.span("after", FALLS);
            let Some(strikes) = rounds.next().await else { return };
            let fleet = &mut fleets[usize::from(!serverless)];
            if broken && strikes && stack.ledger.allows(Family::InstanceKilled) {
                fall_over(stack, fleet, serverless, lives).await;
            } else {
                let falls = falls && strikes && stack.ledger.allows(Family::EngineKilled);
                deploy(stack, fleet, serverless, &watched, falls.then_some((after, down))).await;
            }
        }
    }

    async fn heal(&self, _: &Stack) {}

    async fn leave(&self, stack: &Stack) {
        // The rest is counted with both hosts up, as they are without any deployment.
        for host in stack.hosts().into_iter().filter(|host| !host.node().is_running()) {
            host.boot();
        }
        beside::leave(stack).await;
    }
}

fn hosts(stack: &Stack, serverless: bool) -> [&dyn Host; 2] {
    if serverless { [&stack.application, &stack.spare] } else { [&stack.workers[0], &stack.workers[1]] }
}

/// Sends what comes to the host of that number from here on.
fn prefer(stack: &Stack, serverless: bool, host: usize) {
    if serverless {
        stack.prefer(stack.hosts()[host]);
    }
}

/// A newer version comes, and takes over.
async fn deploy(
    stack: &Stack,
    fleet: &mut Fleet,
    serverless: bool,
    watched: &[Watched],
    falls: Option<(Duration, Duration)>,
) {
    let (next, version) = (1 - fleet.current, fleet.version + 1);
    let [old, new] = [fleet.current, next].map(|host| hosts(stack, serverless)[host]);
    stack.world.note(format!("version {version} comes on {}", new.node().name()));
    // What it ran before was overtaken long ago.
    beside::stop(stack, new.node()).await;
    let (key, bound) = if serverless { ("a", LOOKED_AT) } else { ("steady/b", OVERTAKES) };
    // A version overtakes where one before it runs: an actor that was moved before may sleep.
    let watched: Vec<_> = watched.iter().filter(|each| each.key == key).cloned().collect();
    watch::served(stack, &watched).await;
    let since = stack.ledger.now();
    new.start(version);
    prefer(stack, serverless, next);
    *fleet = Fleet { current: next, version };
    let awaited = match falls {
        None => Some(stack.ledger.awaits(key, "the deployment of a version", bound)),
        Some((after, down)) => {
            stack.world.sleep(after).await;
            restart(stack, down).await;
            None
        }
    };
    // A little longer than it may take: the law says the rest.
    let over = overtakes(stack, version, since, bound + Duration::from_secs(1)).await;
    if let Some(awaited) = awaited {
        stack.ledger.recovered(&awaited, over);
    }
    if over && !serverless {
        // A platform stops the old one once it has nothing to do any more; it drains what it has.
        beside::stop(stack, old.node()).await;
    }
}

/// Whether the version overtakes one before it, from `since` on and within so long from now.
async fn overtakes(stack: &Stack, version: u32, since: Mono, limit: Duration) -> bool {
    let is = |fact: &Fact| matches!(fact, Fact::RunnerOvertaken { newest, .. } if *newest == version);
    stack.until(limit, async || stack.ledger.was_told(since, is)).await
}

async fn restart(stack: &Stack, down: Duration) {
    stack.world.note("the engine falls in the middle of it");
    let strike = stack.ledger.struck(Family::EngineKilled);
    stack.engine.node().kill();
    stack.world.sleep(down).await;
    stack.engine.boot();
    stack.ledger.repaired(strike);
}

/// A newer version comes and falls over, and comes again and falls over: the platform returns to the one before.
async fn fall_over(stack: &Stack, fleet: &mut Fleet, serverless: bool, lives: Duration) {
    let (next, version) = (1 - fleet.current, fleet.version + 1);
    let [old, new] = [fleet.current, next].map(|host| hosts(stack, serverless)[host]);
    stack.world.note(format!("version {version} comes on {} and falls over", new.node().name()));
    beside::stop(stack, new.node()).await;
    let since = stack.ledger.now();
    let strike = stack.ledger.struck(Family::InstanceKilled);
    for _ in 0..2 {
        new.start(version);
        prefer(stack, serverless, next);
        stack.world.sleep(lives).await;
        new.node().kill();
    }
    prefer(stack, serverless, fleet.current);
    // What it sent before its end can still be on its way.
    if !serverless && overtakes(stack, version, since, OVERTAKES).await {
        // It was well for a moment: the one before was drained for it, and is started anew.
        beside::stop(stack, old.node()).await;
        old.start(fleet.version);
    }
    stack.ledger.repaired(strike);
    fleet.version = version;
}
