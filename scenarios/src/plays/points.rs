//! Plays that are run once with each fault at each of their points: each is a larger one at a scale that can be
//! enumerated, where one thing happens once and nothing else breaks by itself.
//!
//! A strike may hit whatever prepares a scene, so scenes wait for what they need, and go on without it when it does not
//! come: the laws say what is wrong. [`struck`] tells the ledger what struck, and starts again whoever fell.

mod alarm;
mod destroy;
mod disk;
mod loss;
mod race;
mod spoil;
pub(super) mod struck;
mod twin;
mod version;

pub use alarm::Alarm;
pub use destroy::Destroy;
pub use disk::Disk;
pub use loss::Loss;
pub use race::Race;
pub use spoil::Spoil;
pub use twin::Twin;
pub use version::Version;

use std::time::Duration;

use model::Law;
use model::fault::Family;
use sim::{Point, PointFault};

use super::beside;
use crate::phases::{Plot, Scale};
use crate::stack::{Stack, Worker};

/// How long whatever a scene needs is waited for: a black hole of 20 s, and what tries again after it.
const READY: Duration = Duration::from_secs(60);

/// How long a strike may take to be repaired: the longest fault, and whoever is started again.
const REPAIRED: Duration = Duration::from_secs(30);

/// How long clients work before something happens: actors are made and started, some operations are answered.
const BEFORE: Duration = Duration::from_secs(1);

/// What happens in a small play.
pub trait Scene {
    /// The counters.
    const KEYS: &'static [&'static str];
    /// The fault families of what happens.
    const FAMILIES: &'static [Family] = &[];
    /// The keys that it uses by itself.
    const BESIDE: &'static [&'static str] = &[];
    /// Laws that it shows what they read, beside those that every play does.
    const LAWS: &'static [Law] = &[];
    /// General laws that it has nothing to show: most scenes have no serverless runner.
    const LEAVES_OUT: &'static [Law] = &[Law::StreamsEndOnce];
    /// Boots what it needs, and waits for it.
    fn open(&self, stack: &Stack) -> impl Future<Output = ()>;
    /// What happens, once clients have begun.
    fn happen(&self, stack: &Stack) -> impl Future<Output = ()>;
    /// Mends what is left.
    fn heal(&self, _stack: &Stack) -> impl Future<Output = ()> {
        async {}
    }
}

/// A scene as a play.
#[derive(Clone, Copy, Debug)]
pub struct Small<S>(pub S);

impl<S: Scene> Plot for Small<S> {
    fn recovery(&self) -> Duration {
        // As where the pool cannot be configured: a strike may hit its configuration.
        Duration::from_secs(45)
    }

    fn families(&self) -> &'static [Family] {
        S::FAMILIES
    }

    fn laws(&self) -> &'static [Law] {
        S::LAWS
    }

    fn leaves_out(&self) -> &'static [Law] {
        S::LEAVES_OUT
    }

    fn beside(&self) -> &'static [&'static str] {
        S::BESIDE
    }

    fn scale(&self) -> Scale {
        Scale { keys: S::KEYS, ..Scale::SMALL }
    }

    fn may_strike(&self, point: &Point, fault: PointFault) -> bool {
        struck::may_strike(point, fault)
    }

    async fn open(&self, stack: &Stack) {
        struck::watch(stack);
        stack.engine.boot();
        self.0.open(stack).await;
    }

    async fn trouble(&self, stack: &Stack, _end: Duration) {
        stack.world.sleep(BEFORE).await;
        self.0.happen(stack).await;
        stack.world.close_points();
        stack.until(REPAIRED, async || !stack.ledger.is_broken()).await;
    }

    async fn heal(&self, stack: &Stack) {
        self.0.heal(stack).await;
    }

    async fn leave(&self, stack: &Stack) {
        beside::leave(stack).await;
        for host in stack.hosts().into_iter().filter(|host| !host.node().is_running()) {
            host.boot();
        }
        stack.until(READY, async || stack.application.is_configured()).await;
    }
}

/// Boots workers, and waits until they are connected.
async fn work(stack: &Stack, workers: &[Worker]) {
    stack.configure_steady().await;
    for worker in workers {
        start(worker);
    }
    stack.until(READY, async || workers.iter().all(Worker::is_connected)).await;
}

/// Starts a worker, unless the platform has done so already.
fn start(worker: &Worker) {
    if !worker.node().is_running() {
        worker.boot();
    }
}

/// Boots the application, and waits until its pool is configured.
async fn apply(stack: &Stack) {
    for host in stack.hosts() {
        host.boot();
    }
    stack.until(READY, async || stack.application.is_configured()).await;
}
