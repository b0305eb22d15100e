//! The engine's drivers: HTTP API, gateway, runner sockets, outbound streams, store.
//!
//! Machines decide, this crate does: it turns bytes into inputs and effects into bytes, and keeps the payloads that
//! machines only speak of. It has no timer, retry or state of its own for anything that a machine decides.
//!
//! An [`Engine`] is opened with [`Options`] and run until it is told to stop. Everything below runs unchanged on tokio
//! and in a simulated world, since it uses `runtime` only. [`store`] is what survives, [`stream`] the requests that
//! start serverless runners.
//!
//! ```no_run
//! # async fn example() -> Result<(), Box<dyn std::error::Error>> {
//! let engine = host::Engine::open(host::Options::new("./data")).await?;
//! println!("listening on {}", engine.local_addr());
//! engine.run(std::future::pending()).await?;
//! # Ok(())
//! # }
//! ```

pub mod access;
mod budget;
mod clock;
mod control;
mod engine;
mod gateway;
mod halt;
mod http;
mod metadata;
mod metrics;
mod options;
pub mod outbound;
mod serial;
pub mod settings;
mod sockets;
pub mod store;
pub mod stream;

pub use engine::{Engine, OpenError, RunError, View, examine, masked};
pub use http::openapi::text as openapi;
pub use options::{Limits, Options};
