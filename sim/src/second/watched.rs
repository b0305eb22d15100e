//! Every future of an inhabitant is watched.
//!
//! It is counted among its node's tasks. Its polls are counted: madsim runs what is ready until nothing is, so tasks that wake each other for ever would hold
//! the run, and its time limit is looked at only where it rests. And a panic of its destructors is kept until the next
//! poll of anybody: madsim drops what it kills where a panic would abort the process.

use std::future::Future;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use madsim::task::NodeId;

use super::shared;
use crate::panics;

/// A run fails after so many polls without a rest. As [`Options::polls_max`](crate::Options::polls_max).
pub(super) const POLLS_MAX: u64 = 1_000_000;

/// From one poll to the next madsim's clock moves by 50 to 100 ns; where it moves by more than this, nothing was ready
/// in between.
pub(super) const REST: Duration = Duration::from_micros(1);

/// A future that is watched.
pub(super) struct Watched<F> {
    node: NodeId,
    name: &'static str,
    /// Gone once it is dropped.
    future: Option<Pin<Box<F>>>,
}

/// Watches a task of a node.
pub(super) fn watch<F: Future>(node: NodeId, name: &'static str, future: F) -> Watched<F> {
    shared::try_with(|shared| shared.count_task(node, name, true));
    Watched { node, name, future: Some(Box::pin(future)) }
}

impl<F: Future> Future for Watched<F> {
    type Output = F::Output;
    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<F::Output> {
        shared::try_with(|shared| shared.polled(self.name));
        self.future.as_mut().expect("it is there until it is dropped").as_mut().poll(context)
    }
}

impl<F> Drop for Watched<F> {
    fn drop(&mut self) {
        let future = self.future.take();
        if catch_unwind(AssertUnwindSafe(|| drop(future))).is_err() {
            let message = panics::take().message;
            shared::try_with(|shared| shared.broke(message));
        }
        shared::try_with(|shared| shared.count_task(self.node, self.name, false));
    }
}
