//! One small API for tasks, time, TCP, names, disk, entropy and signals, over tokio or over a world.
//!
//! It is tokio-shaped and decides nothing. On a thread that a [`world::World`] has entered, that world answers; on all
//! other threads tokio does. Which one is chosen at run time by one thread-local read per task, timer and connection,
//! never by a `cfg` or a feature, so one test binary holds simulated and real tests side by side.
//!
//! Read [`world`] for the face a world shows. Who uses this crate must not use tokio's timers, sockets or tasks beside
//! it: they would leave the simulated world. `tokio::sync` (without `watch`) and `tokio::io` are free of a runtime.

pub mod time;
pub mod world;

pub use time::{Instant, Wall};
