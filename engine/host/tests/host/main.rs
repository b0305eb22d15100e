//! The engine's drivers on the kernel's loopback: what clients, runners and applications see of them.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod api;
mod backup;
mod bad_input;
mod budget;
mod config;
#[cfg(target_os = "linux")]
mod full_disk;
mod gateway;
mod life;
#[cfg(unix)]
mod logs;
mod metrics;
mod openapi;
mod session;
mod store;
mod store_files;
mod streams;
mod support;
mod targets;
#[cfg(unix)]
mod tokens;
mod websocket;
