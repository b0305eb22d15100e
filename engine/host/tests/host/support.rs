//! What the tests share: an engine on a folder of its own, a client, a runner played by hand.

mod client;
mod node;
mod runner;

use std::future::Future;
use std::num::NonZeroUsize;
use std::time::Duration;

pub(crate) use client::{Response, call, call_with, get, raw, try_call_with};
pub(crate) use node::Node;
pub(crate) use runner::Runner;

/// Longer than anything a test waits for takes.
const PATIENCE: Duration = Duration::from_secs(20);

/// Runs a test on the tokio world.
pub(crate) fn run<F: Future>(test: F) -> F::Output {
    let test = async { runtime::timeout(PATIENCE, test).await.expect("the test ends in time") };
    runtime::process::block_on(NonZeroUsize::new(2), test).expect("the tokio world starts")
}

/// Waits until `look` finds what it looks for.
pub(crate) async fn until<T, F>(what: &str, mut look: impl FnMut() -> F) -> T
where
    F: Future<Output = Option<T>>,
{
    let seen = async {
        loop {
            if let Some(found) = look().await {
                return found;
            }
            runtime::sleep(Duration::from_millis(10)).await;
        }
    };
    match runtime::timeout(Duration::from_secs(10), seen).await {
        Ok(found) => found,
        Err(runtime::Elapsed) => panic!("never: {what}"),
    }
}
