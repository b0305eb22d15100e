//! A deterministic world for network services: tasks, clock, network, disk, faults, decisions.
//!
//! Code that asks [`runtime`] for tasks, time, TCP, names, files and entropy runs unchanged on tokio, in production,
//! and in a [`World`], where a whole stack of nodes lives on one thread, virtual time jumps from event to event, and
//! everything left open (which task runs next, how long a segment takes, how many bytes a read returns, what a power
//! loss leaves of a disk) is decided by a seed. The same seed gives the same run, to the last event; a failing one is
//! one line to replay. The crate knows no inhabitant: put your own stack in.
//!
//! ```
//! use std::time::Duration;
//! use runtime::{TcpListener, TcpStream};
//! use tokio::io::{AsyncReadExt, AsyncWriteExt};
//!
//! let report = sim::Sim::seed(7).run(async |world: sim::World| {
//!     let server = world.node("server");
//!     server.boot(|| async {
//!         let listener = TcpListener::bind(([0; 4], 80).into()).await.unwrap();
//!         loop {
//!             let (mut stream, _) = listener.accept().await.unwrap();
//!             stream.write_all(b"hello").await.unwrap();
//!         }
//!     });
//!     world.sleep(Duration::from_millis(1)).await;
//!     let address = runtime::resolve("server", 80).await.unwrap()[0];
//!     let mut stream = TcpStream::connect(address).await.unwrap();
//!     let mut heard = String::new();
//!     stream.read_to_string(&mut heard).await.unwrap();
//!     server.power_off();
//!     let silence = world.within(Duration::from_secs(60), TcpStream::connect(address)).await;
//!     assert!(silence.is_none(), "a host without power refuses nothing");
//!     heard
//! });
//! assert_eq!(report.expect_ok(), "hello");
//! ```
//!
//! # Where to go
//!
//! | to | look at |
//! |---|---|
//! | run a script, read what it was | [`Sim`], [`Options`], [`Report`], [`Failure`] |
//! | write tests | [`macro@test`]: `#[sim::test(seeds = 0..20)]` |
//! | boot, kill, cut the power of, pause, stop nodes; crash inside a disk operation | [`Node`] |
//! | break disks and clocks of nodes | [`Node`], [`Often`], [`DiskSnapshot`] |
//! | block paths, cut single connections, at a byte if need be | [`World::partition`], [`World::connections`], [`World::cut_at`] |
//! | cut inside an event, a chunk, a frame, a message of your own | [`tap`], [`World::plan_cut`] |
//! | put a proxy or a balancer between nodes | [`middlebox`] |
//! | strike at every point of a run | [`Options::record_points`], [`Options::strikes`], [`World::struck`], [`Point`] |
//! | go on with another seed, or schedule by priorities | [`Options::recipe`], [`Schedule::Pct`] |
//! | decide in a script | [`World::stream`]; decide otherwise with [`Options::overrides`] |
//! | let overrides take faults, operations or nodes away | [`World::waives`], [`World::given`] |
//! | know that faults were felt, and that nothing is left | [`World::effects`], [`World::census`] |
//! | ask madsim's executor and network for a second opinion | `second::Second` (with `--cfg madsim`) |
//! | know that a run is repeatable, and if not, why | [`verify()`], [`Divergence`] |
//!
//! `examples/partition.rs` is a whole program of thirty lines of code.
//!
//! # Rules for inhabitants
//!
//! What an inhabitant asks of `runtime` is answered by the world. What its libraries ask of the operating system is
//! made deterministic by the host of the run (a fresh thread inside madsim's context, if the build has `--cfg madsim`):
//! hash keys, `getrandom` 0.3 and 0.4, `Instant`, `SystemTime`; threads are refused. What no host can help against:
//! tokio's timers, sockets and tasks (they panic: there is no reactor), `tokio::select!` and `watch` (they draw from a
//! counter of the process), statics that hold state, `getrandom` 0.2. [`verify()`] finds these.

pub(crate) mod agenda;
pub(crate) mod census;
pub(crate) mod clock;
pub(crate) mod core;
pub(crate) mod decide;
pub(crate) mod digest;
pub(crate) mod disk;
pub(crate) mod effects;
pub(crate) mod ground;
pub(crate) mod host;
pub mod middlebox;
pub(crate) mod names;
pub(crate) mod net;
pub(crate) mod node;
pub(crate) mod options;
pub(crate) mod overrides;
pub(crate) mod panics;
pub(crate) mod points;
pub(crate) mod ranges;
pub(crate) mod registry;
pub(crate) mod report;
pub(crate) mod run;
#[cfg(madsim)]
pub mod second;
pub(crate) mod seeded;
pub(crate) mod storage;
pub(crate) mod stream;
pub mod tap;
pub(crate) mod task;
pub(crate) mod tasks;
pub(crate) mod trace;
pub(crate) mod verify;
pub(crate) mod waiters;
pub(crate) mod waker;
pub(crate) mod world;

pub use census::Census;
pub use clock::{DRIFT_MAX, WALL_BASE};
pub use decide::{Branch, Decision, StreamCount, decision};
pub use digest::{CHECKPOINT_EVENTS, CHECKPOINTS_MAX, Checkpoint, WINDOW_MAX};
pub use disk::{DiskCounts, DiskOptions, DiskSnapshot, Often};
pub use effects::Effect;
pub use host::is_hosted;
pub use net::conn::{HEAD_BYTES, Side};
pub use net::cut::{Connection, Cut};
pub use node::handle::Node;
pub use node::{Fall, Status};
pub use options::{Latency, Network, Options, PCT_DEPTH_MAX, Ratio, Resend, Schedule};
pub use overrides::{Override, OverrideError, Overrides, Streams, Unmatched};
pub use points::fault::{AWAY, PointFault, Strike, StrikeError};
pub use points::{Likeness, Link, Point, PointKind, Struck, UnknownPoint};
pub use report::{Event, Failure, Note, Report, TraceLine};
pub use run::Sim;
pub use seeded::Seeded;
pub use sim_macros::test;
pub use stream::Stream;
pub use task::Task;
pub use trace::TRACE_LINES_MAX;
pub use verify::{Divergence, first_difference, last_shared, verify};
pub use world::{World, elapsed};
