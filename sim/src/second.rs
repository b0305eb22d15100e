//! The third world: `runtime` answered by madsim's own executor, clock and network.
//!
//! A second opinion, independent of this crate's: it shares no line of the tasks, timers, sockets and files of [`Sim`],
//! so what both show of a stack is owed to neither. madsim's parts are used as they are, with what they lack:
//!
//! | | there |
//! |---|---|
//! | chance | one generator for schedule, latency and entropy: a draw added in one place moves all others; nothing is pinned or recorded |
//! | time | a timer takes 1 ms at least; an ended one is forgotten, and costs madsim an entry until its deadline |
//! | network | no half-close, no RST, no linger, no back-pressure; whoever is silent refuses; a killed peer's streams end at once |
//! | nodes | killed and restarted; no power loss |
//! | disk | ours, since madsim's files cannot carry a storage engine: blocks in memory that survive a kill, each piece of work 1 ms |
//! | failure | a panic of any task, or a world in which nothing can happen any more, ends the run |
//!
//! `docs/conformance.md` lists script by script where its sockets differ from the kernel's.
//!
//! ```
//! use std::time::Duration;
//! use tokio::io::{AsyncReadExt, AsyncWriteExt};
//!
//! let heard = sim::second::Second::seed(7).run(async |world: sim::second::World| {
//!     world.node("server").boot(|| async {
//!         let listener = runtime::TcpListener::bind(([0; 4], 80).into()).await.unwrap();
//!         let (mut stream, _) = listener.accept().await.unwrap();
//!         stream.write_all(b"hello").await.unwrap();
//!     });
//!     world.sleep(Duration::from_millis(10)).await;
//!     let address = runtime::resolve("server", 80).await.unwrap()[0];
//!     let mut heard = String::new();
//!     let mut stream = runtime::TcpStream::connect(address).await.unwrap();
//!     stream.read_to_string(&mut heard).await.unwrap();
//!     heard
//! });
//! assert_eq!(heard.unwrap(), "hello");
//! ```
//!
//! Next: `ground` gives the answers, `node` is what a script holds.
//!
//! [`Sim`]: crate::Sim

mod alarm;
mod file;
mod ground;
mod node;
mod shared;
mod socket;

use std::future::Future;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::rc::Rc;
use std::time::Duration;

use crate::{host, panics};
use ground::Ground;
use shared::Shared;

pub use node::{Node, Task};

/// A run on madsim, told its seed and not begun.
#[derive(Clone, Copy, Debug)]
pub struct Second {
    seed: u64,
}

/// Why a run gave no value.
#[derive(Debug, thiserror::Error)]
pub enum Failed {
    /// All tasks wait, and nothing is on the agenda that could wake one.
    #[error("madsim, seed {seed:#x}: every task waits for ever")]
    Stuck {
        /// The run's seed.
        seed: u64,
    },
    /// A task or the script panicked.
    #[error("madsim, seed {seed:#x}: {message}")]
    Panicked {
        /// The run's seed.
        seed: u64,
        /// What it said, and where.
        message: String,
    },
}

/// What madsim's executor says when nothing can happen any more.
const STUCK: &str = "no events, all tasks will block forever";

impl Second {
    /// With that seed, and madsim's defaults: 1 to 10 ms of latency, no loss.
    #[must_use]
    pub const fn seed(seed: u64) -> Self {
        Self { seed }
    }

    /// Runs `script` on a fresh thread (madsim gives hash keys per thread) until it ends or the run fails. Equal seeds
    /// and scripts give equal runs.
    ///
    /// # Errors
    /// [`Failed`].
    ///
    /// # Panics
    /// Inside a run: threads are refused there.
    pub fn run<T, F, Fut>(&self, script: F) -> Result<T, Failed>
    where
        T: Send + 'static,
        F: FnOnce(World) -> Fut + Send,
        Fut: Future<Output = T> + 'static,
    {
        panics::install();
        let _origin = runtime::now(); // taken from this thread's clock, not from a simulated one
        let seed = self.seed;
        host::fresh_thread(&format!("madsim {seed:#x}"), move || live(seed, script))
    }
}

fn live<T, F, Fut>(seed: u64, script: F) -> Result<T, Failed>
where
    F: FnOnce(World) -> Fut,
    Fut: Future<Output = T> + 'static,
{
    let madsim = madsim::runtime::Runtime::with_seed_and_config(seed, madsim::Config::default());
    let shared = madsim.block_on(async move { Shared::new(seed) });
    let left = shared::enter(&shared);
    let entered = runtime::world::enter(Rc::new(Ground(Rc::clone(&shared))));
    let world = World { shared: Rc::clone(&shared) };
    let outcome = catch_unwind(AssertUnwindSafe(|| madsim.block_on(async move { script(world).await })));
    let panic = panics::take();
    // What tasks hold may still ask its world as it is dropped.
    drop(madsim);
    shared.forget_mains();
    drop(entered);
    drop(left);
    outcome.map_err(|_payload| {
        if panic.message.starts_with(STUCK) {
            Failed::Stuck { seed }
        } else {
            Failed::Panicked { seed, message: panic.message }
        }
    })
}

/// Whether this thread is in a run.
pub(crate) fn is_here() -> bool {
    shared::try_with(|_| ()).is_some()
}

/// A world on madsim, as a script holds it. Clones are the same one; it stays on its thread.
///
/// The script runs on a node of its own, `script`, and may use everything of `runtime` there.
#[derive(Clone)]
pub struct World {
    shared: Rc<Shared>,
}

impl std::fmt::Debug for World {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(out, "World(madsim, seed {:#x}, at {:?})", self.seed(), self.elapsed())
    }
}

impl World {
    /// The seed.
    #[must_use]
    pub fn seed(&self) -> u64 {
        self.shared.seed
    }

    /// The node of that name; a new one gets the next address, and no process.
    #[must_use]
    pub fn node(&self, name: &str) -> Node {
        Node { id: self.shared.node(name), shared: Rc::clone(&self.shared) }
    }

    /// Virtual time since the run began.
    #[must_use]
    pub fn elapsed(&self) -> Duration {
        self.shared.time.elapsed()
    }

    /// Waits, a millisecond at least.
    pub async fn sleep(&self, span: Duration) {
        runtime::sleep(span).await;
    }

    /// Waits for `future`, at most so long. `None`: it took longer, and was dropped.
    pub async fn within<F: Future>(&self, span: Duration, future: F) -> Option<F::Output> {
        runtime::timeout(span, future).await.ok()
    }

    /// How many timers run.
    #[must_use]
    pub fn timers(&self) -> usize {
        self.shared.alarms.len()
    }

    /// Blocks both ways between two nodes (madsim's clog): streams wait, and whoever connects is refused.
    pub fn partition(&self, one: &Node, other: &Node) {
        let net = madsim::net::NetSim::current();
        net.clog_link(one.id, other.id);
        net.clog_link(other.id, one.id);
    }

    /// Opens both ways. What waits is tried again after madsim's back-off, which is up to 10 s.
    pub fn heal(&self, one: &Node, other: &Node) {
        let net = madsim::net::NetSim::current();
        net.unclog_link(one.id, other.id);
        net.unclog_link(other.id, one.id);
    }
}
