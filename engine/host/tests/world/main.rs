//! The engine's drivers in a simulated world: they live there, their store survives crashes at any disk operation,
//! a failed commit is cured by beginning again, and what rots at rest is refused.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod commit_fails;
mod engine_lives;
mod fall;
mod read_only;
#[path = "../host/support/runner.rs"]
#[expect(dead_code, reason = "the tests on loopback use all of it")]
mod runner;
mod store_rots;
mod store_survives;
mod support;
mod tokens;
