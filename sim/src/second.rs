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
//! | failure | a panic of any task, a world in which nothing can happen any more, one that never rests or goes on for too long ends the run |
//!
//! A panic inside a run is kept for its outcome; madsim itself prints `context: node=…` for each to standard error.
//!
//! What a script decides ([`World::stream`]) is decided as in [`Sim`]: one seed gives both worlds the same decisions of a
//! name. When a run ends, its files refuse and its nodes are killed before anything of it is dropped, so that destructors
//! find a world that answers, and nothing of the run outlives it.
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
mod stream;
mod watched;
mod world;

use std::cell::RefCell;
use std::future::Future;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::Pin;
use std::rc::Rc;
use std::time::Duration;

use madsim::net::NetSim;
use madsim::runtime::{Handle, Runtime};

use crate::report::Note;
use crate::{host, panics};
use ground::Ground;
use shared::Shared;

pub use node::{Node, Task};
pub use stream::Stream;
pub use world::World;

/// A run on madsim, told its seed and not begun.
#[derive(Clone, Copy, Debug)]
pub struct Second {
    seed: u64,
    limit: Duration,
}

/// How long a run may go on if nothing is said. As [`Options::time_max`](crate::Options::time_max).
const LIMIT: Duration = Duration::from_hours(24);

/// Why a run gave no value.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
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
    /// Tasks woke each other, or themselves, again and again.
    #[error("madsim, seed {seed:#x}: {polls} polls without a rest, the last of the task {task}")]
    Spinning {
        /// The run's seed.
        seed: u64,
        /// The task polled last.
        task: &'static str,
        /// How many polls.
        polls: u64,
    },
    /// Virtual time passed the run's limit.
    #[error("madsim, seed {seed:#x}: virtual time passed its limit of {limit:?}")]
    TimeLimit {
        /// The run's seed.
        seed: u64,
        /// The limit.
        limit: Duration,
    },
}

/// A script that has begun.
type Script<'a> = Pin<Box<dyn Future<Output = ()> + 'a>>;

/// What a run hands back.
#[derive(Debug)]
pub struct Report<T> {
    /// The script's value, or why there is none.
    pub outcome: Result<T, Failed>,
    /// How far virtual time went.
    pub elapsed: Duration,
    /// Packets that madsim's network carried: the one count of its own that tells two runs apart.
    pub packets: u64,
    /// What the script told.
    pub notes: Vec<Note>,
}

/// What madsim's executor says when nothing can happen any more.
const STUCK: &str = "no events, all tasks will block forever";

/// What it says when virtual time has passed its limit.
const LATE: &str = "time limit exceeded";

impl Second {
    /// With that seed, and madsim's defaults: 1 to 10 ms of latency, no loss. Virtual time is limited to a day.
    #[must_use]
    pub const fn seed(seed: u64) -> Self {
        Self { seed, limit: LIMIT }
    }

    /// The same, failing when virtual time passes `limit`.
    #[must_use]
    pub const fn limit(self, limit: Duration) -> Self {
        Self { limit, ..self }
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
        self.report(script).outcome
    }

    /// The same, with what else is known of the run, also of one that failed.
    ///
    /// # Panics
    /// Inside a run: threads are refused there.
    pub fn report<T, F, Fut>(&self, script: F) -> Report<T>
    where
        T: Send + 'static,
        F: FnOnce(World) -> Fut + Send,
        Fut: Future<Output = T> + 'static,
    {
        panics::install();
        let _origin = runtime::now(); // taken from this thread's clock, not from a simulated one
        let (mut script, mut told) = (Some(script), None);
        host::fresh_thread(&format!("madsim {:#x}", self.seed), &mut || {
            let value = RefCell::new(None);
            let mut begin = |world| -> Script<'_> {
                let (script, place) = (script.take().expect("a run begins once"), &value);
                Box::pin(async move {
                    let outcome = script(world).await;
                    *place.borrow_mut() = Some(outcome);
                })
            };
            let report = self.live(&mut begin, &|| drop(value.take()));
            let Report { outcome, elapsed, packets, notes } = report;
            let outcome = outcome.map(|()| value.take().expect("a script that did not fail has ended"));
            told = Some(Report { outcome, elapsed, packets, notes });
        });
        told.expect("a run that was waited for is over")
    }

    /// A whole run, of a script without a type, so that this is compiled once. What the script left is forgotten if the
    /// run fails.
    fn live<'a>(self, begin: &mut dyn FnMut(World) -> Script<'a>, forget: &dyn Fn()) -> Report<()> {
        let seed = self.seed;
        let mut madsim = Runtime::with_seed_and_config(seed, madsim::Config::default());
        madsim.set_time_limit(self.limit);
        let shared = madsim.block_on(async move { Shared::new(seed) });
        let left = shared::enter(&shared);
        let entered = runtime::world::enter(Rc::new(Ground(Rc::clone(&shared))));
        let (own, world) = (shared.script(), World { shared: Rc::clone(&shared) });
        let script = || madsim.block_on(watched::watch(own, "script", begin(world)));
        let outcome = self.judged(&shared, catch_unwind(AssertUnwindSafe(script)));
        let (elapsed, notes) = (shared.time.elapsed(), shared.notes());
        let mut packets = 0;
        let end = || packets = madsim.block_on(end(&shared));
        let ended = self.judged(&shared, catch_unwind(AssertUnwindSafe(end)));
        let outcome = outcome.and(ended);
        if outcome.is_err() {
            // A script's value may hold what still asks its world as it is dropped.
            forget();
        }
        drop(madsim);
        shared.forget_mains();
        drop(entered);
        drop(left);
        Report { outcome, elapsed, packets, notes }
    }

    /// What became of a part of the run.
    fn judged<T>(self, shared: &Shared, part: std::thread::Result<T>) -> Result<T, Failed> {
        let Self { seed, limit } = self;
        if part.is_ok()
            && let Some(message) = shared.broken()
        {
            return Err(Failed::Panicked { seed, message });
        }
        part.map_err(|_payload| {
            let panic = panics::take();
            if let Some(message) = shared.broken() {
                Failed::Panicked { seed, message }
            } else if let Some(task) = shared.spun() {
                Failed::Spinning { seed, task, polls: watched::POLLS_MAX }
            } else if panic.message.starts_with(STUCK) {
                Failed::Stuck { seed }
            } else if panic.message.starts_with(LATE) {
                Failed::TimeLimit { seed, limit }
            } else {
                Failed::Panicked { seed, message: panic.message }
            }
        })
    }
}

/// Ends every process and task while madsim can still be asked: what is pending would hold itself for ever, and its
/// destructors want a world. They find files that refuse. Returns how many packets there were.
async fn end(shared: &Shared) -> u64 {
    let packets = NetSim::current().stat().msg_count;
    let handle = Handle::current();
    for id in shared.close() {
        handle.resume(id);
        handle.kill(id);
    }
    packets
}

/// Whether this thread is in a run.
pub(crate) fn is_here() -> bool {
    shared::try_with(|_| ()).is_some()
}
