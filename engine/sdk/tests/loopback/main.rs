//! The application's side on real sockets, against an engine that is played by the test: it speaks the runner protocol
//! frame by frame, so that each test says what a runner may rely on and what it must send.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod actors;
mod application;
mod calls;
mod client;
mod connections;
mod database;
#[cfg(feature = "embedded")]
mod embedded;
mod endpoint;
mod engine;
mod keeper;
mod kv;
mod life;
mod lives;
mod played;
mod pool;
mod reconnect;
mod schedule;
mod secure;
mod self_call;
mod session;
mod spawned;
mod stream;
mod web;
mod websocket;

use std::future::Future;
use std::time::Duration;

/// Longer than anything below may take.
const PATIENCE: Duration = Duration::from_secs(20);

/// Runs a test in the tokio world, on one thread.
fn test(body: impl Future<Output = ()>) {
    let one = std::num::NonZeroUsize::MIN;
    runtime::process::block_on(Some(one), async {
        runtime::timeout(PATIENCE, body).await.expect("the test ends in time");
    })
    .unwrap();
}
