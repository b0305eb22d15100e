//! The engine's drivers on the kernel's loopback: what clients, runners and applications see of them.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod bad_input;
#[cfg(target_os = "linux")]
mod full_disk;
mod gateway;
mod life;
mod session;
mod store;
mod store_files;
mod streams;
mod support;
