//! One small API for tasks, time, TCP, names, disk, entropy and signals, over tokio or over a world.
//!
//! It is tokio-shaped and decides nothing. On a thread that a [`world::World`] has entered, that world answers; on all
//! other threads tokio does. Which one is chosen at run time by one thread-local read per task, timer and connection,
//! never by a `cfg` or a feature, so one test binary holds simulated and real tests side by side.
//!
//! | need | here |
//! |---|---|
//! | tasks | [`spawn`], [`blocking`], [`JoinHandle`], [`select!`] |
//! | time | [`now`], [`wall`], [`sleep`], [`timeout`], [`interval`], [`Instant`], [`Wall`] |
//! | network | [`TcpListener`], [`TcpStream`], [`KeepAlive`], [`resolve`] |
//! | TLS | [`tls::Client`], on real sockets |
//! | HTTP libraries | [`http::Executor`], [`http::Timer`], [`http::Connector`], [`http::SecureConnector`]; hyper's `rt` traits on [`TcpStream`] |
//! | storage | [`disk`] |
//! | chance | [`entropy`] |
//! | the process | [`process::block_on`], [`process::Child`], [`signals::Signals`] |
//!
//! Read [`world`] for the face a world shows. Who uses this crate must not use tokio's timers, sockets or tasks beside
//! it: they would leave the simulated world. `tokio::sync` (without `watch`) and `tokio::io` are free of a runtime.

pub mod disk;
pub mod entropy;
pub mod http;
pub mod net;
pub mod process;
mod select;
pub mod signals;
pub mod task;
pub mod time;
pub mod tls;
pub mod world;

pub use net::{KeepAlive, TcpListener, TcpStream, connect_any, resolve};
pub use task::{JoinError, JoinHandle, blocking, spawn};
pub use time::{
    Elapsed, Instant, Interval, Sleep, Timeout, Wall, interval, now, sleep, sleep_until, timeout, timeout_at,
    wall,
};

#[doc(hidden)]
pub use select::expansion as __select;
