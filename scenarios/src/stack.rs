//! The whole stack in a world: clients, one engine with its gateway, a platform with two hosts of
//! one application.
//!
//! Everything that runs here is what production runs: `host`, `sdk`, `demo`, over real HTTP, SSE, WebSocket and
//! database bytes. What is of the testbed: who boots and fells it, and the clients that ask. Next: [`crate::phases`],
//! which plays a run on it.

pub mod application;
pub mod client;
pub mod dawdle;
pub mod engine;
pub mod http;
mod load;
pub mod odd;
pub mod operator;
mod probe;
pub mod taps;
pub mod worker;

use std::cell::Cell;
use std::rc::Rc;
use std::time::Duration;

use crate::ledger::Ledger;
use crate::world::{World, WorldKind};

pub use application::Application;
pub use dawdle::Whims;
pub use engine::Engine;
pub use odd::Odd;
pub use worker::Worker;

/// Where the engine listens.
pub const ENGINE_PORT: u16 = 6420;

/// Where the application listens.
pub const APPLICATION_PORT: u16 = 6440;

/// The pool that the application serves.
pub const POOL: &str = "default";

/// A pool whose runners connect by themselves.
pub const STEADY: &str = "steady";

/// A pool whose application misbehaves.
pub const ODD: &str = "odd";

/// What keys of its actors begin with.
pub const ODD_KEYS: &str = "odd/";

/// The pool in which the actor of a key lives: what stands before its slash, or else [`POOL`].
#[must_use]
pub fn pool_of(key: &str) -> &str {
    key.split_once('/').map_or(POOL, |(pool, _)| pool)
}

/// The name under which the platform's hosts are reached: the first of them that takes a connection.
pub const PLATFORM: &str = "platform";

/// How far clocks of the platform's nodes drift at most, in parts per million, as often as it is drawn. Ours: ten times
/// what quartz does, in every third run. It breaks nothing and explains nothing: who measures in his own time is off by a
/// thousandth.
const DRIFTS: [u32; 3] = [0, 0, 1000];

/// The stack of one run.
#[derive(Clone)]
pub struct Stack {
    /// Its world.
    pub world: World,
    /// Where evidence goes.
    pub ledger: Ledger,
    /// The engine.
    pub engine: Engine,
    /// The host of the application that the platform prefers, and that configures the pool.
    pub application: Application,
    /// Its other host.
    pub spare: Application,
    /// Hosts of runners that connect by themselves, to [`STEADY`], where a play boots them.
    pub workers: [Worker; 2],
    /// The application of [`ODD`], where a play boots it.
    pub odd: Odd,
    /// What the application's actors are told.
    pub whims: Whims,
    over: Rc<Cell<bool>>,
}

impl Stack {
    /// Puts its nodes into the world; nothing is booted yet.
    #[must_use]
    pub fn new(ledger: &Ledger) -> Self {
        let world = ledger.world();
        let engine = Engine::new(world, ledger);
        let whims = Whims::default();
        let application = Application::new(ledger, "app", &whims, true);
        let spare = Application::new(ledger, "app-spare", &whims, false);
        let workers = ["worker-a", "worker-b"].map(|name| Worker::new(ledger, name, &whims));
        let odd = Odd::new(ledger, &whims);
        let (world, ledger) = (world.clone(), ledger.clone());
        let over = Rc::default();
        let stack = Self { world, ledger, engine, application, spare, workers, odd, whims, over };
        stack.prefer(&stack.application);
        stack.drift();
        stack
    }

    /// Lets the clock of each node drift by at most so many parts per million as is drawn, fast or slow.
    fn drift(&self) {
        let most = *self.world.stream("drift").one_of(&DRIFTS);
        if most == 0 || self.world.kind() == WorldKind::Madsim {
            return;
        }
        let workers = self.workers.iter().map(Worker::node);
        let nodes = [self.engine.node(), self.application.node(), self.spare.node()].into_iter();
        for node in nodes.chain(workers) {
            let drift = self.world.stream(&format!("drift/{}", node.name())).below(2 * u64::from(most) + 1);
            let ppm = i32::try_from(drift).expect("twice a small drift") - most.cast_signed();
            node.drift_clocks(ppm);
        }
    }

    /// The hosts of the application.
    #[must_use]
    pub const fn hosts(&self) -> [&Application; 2] {
        [&self.application, &self.spare]
    }

    /// Lets the platform send new connections to this host first.
    pub fn prefer(&self, first: &Application) {
        let mut nodes: Vec<_> = self.hosts().iter().map(|host| host.node()).collect();
        nodes.sort_by_key(|node| node.name() != first.node().name());
        self.world.alias(PLATFORM, &nodes);
    }

    /// Whoever looks on may go: the load is gone.
    pub fn end(&self) {
        self.over.set(true);
    }

    /// Whether the load is gone.
    #[must_use]
    pub fn is_over(&self) -> bool {
        self.over.get()
    }

    /// Waits so long, but not beyond `end`. Returns whether that lies ahead still.
    pub async fn wait(&self, span: Duration, end: Duration) -> bool {
        self.world.sleep(span.min(end.saturating_sub(self.world.elapsed()))).await;
        self.world.elapsed() < end
    }

    /// Waits until `true`, looking every 50 ms of virtual time in the first second and every 250 ms from then on, at most
    /// so long. Returns whether it came.
    pub async fn until(&self, limit: Duration, mut is: impl AsyncFnMut() -> bool) -> bool {
        let begun = self.world.elapsed();
        while !is().await {
            let waited = self.world.elapsed() - begun;
            if waited >= limit {
                return false;
            }
            let often = waited < Duration::from_secs(1);
            self.world.sleep(Duration::from_millis(if often { 50 } else { 250 })).await;
        }
        true
    }
}
