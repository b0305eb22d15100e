//! Tasks: spawning, waiting for their end, ending them.

use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use tokio::sync::oneshot;

use crate::world::{self, TaskKey};

/// Why a task gave no output.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum JoinError {
    /// It was aborted, or its runtime or node ended first.
    #[error("the task was cancelled")]
    Cancelled,
    /// It panicked. In a world this also fells its node.
    #[error("the task panicked")]
    Panicked,
}

/// A spawned task. Awaiting it gives its output; dropping it lets the task run on by itself.
#[derive(Debug)]
#[must_use = "drop it on purpose to let the task run on by itself"]
pub struct JoinHandle<T>(Ground<T>);

#[derive(Debug)]
enum Ground<T> {
    Tokio(tokio::task::JoinHandle<T>),
    World { task: TaskKey, outcome: oneshot::Receiver<Result<T, JoinError>> },
}

/// Starts `future` as a task of its own. `name` appears in a world's traces and reports.
///
/// # Panics
/// Outside both a world and a tokio runtime.
pub fn spawn<F>(name: &'static str, future: F) -> JoinHandle<F::Output>
where
    F: Future + Send + 'static,
    F::Output: Send + 'static,
{
    let Some(world) = world::current() else {
        return JoinHandle(Ground::Tokio(on_tokio::spawn(future)));
    };
    let (sender, outcome) = oneshot::channel();
    let report = Report(Some(sender));
    let task = world.spawn(name, Box::pin(async move { report.finish(future.await) }));
    JoinHandle(Ground::World { task, outcome })
}

/// Runs `work`, which only computes, where it stops nobody else: on a blocking thread under tokio, at once in a world,
/// where computing takes no time. A panic in `work` is passed on. Once it has started, dropping the future does not end
/// `work`. What uses files enters by [`crate::disk::blocking`].
///
/// # Panics
/// Outside both a world and a tokio runtime.
pub async fn blocking<T, F>(work: F) -> T
where
    T: Send + 'static,
    F: FnOnce() -> T + Send + 'static,
{
    if world::current().is_some() {
        return work();
    }
    crate::disk::blocking(work).await
}

#[expect(clippy::disallowed_methods, reason = "the tokio world: these are its tasks")]
mod on_tokio {
    pub(super) fn spawn<F>(future: F) -> tokio::task::JoinHandle<F::Output>
    where
        F: Future + Send + 'static,
        F::Output: Send + 'static,
    {
        tokio::spawn(future)
    }
}

/// Tells the handle how the task ended, however it ends.
struct Report<T>(Option<oneshot::Sender<Result<T, JoinError>>>);

impl<T> Report<T> {
    fn finish(mut self, output: T) {
        self.tell(Ok(output));
    }
    fn tell(&mut self, outcome: Result<T, JoinError>) {
        if let Some(sender) = self.0.take() {
            // A dropped handle does not want to know.
            drop(sender.send(outcome));
        }
    }
}

impl<T> Drop for Report<T> {
    fn drop(&mut self) {
        self.tell(Err(if std::thread::panicking() { JoinError::Panicked } else { JoinError::Cancelled }));
    }
}

impl<T> JoinHandle<T> {
    /// Ends the task at its next await point. One that has ended is left alone.
    pub fn abort(&self) {
        match &self.0 {
            Ground::Tokio(handle) => handle.abort(),
            Ground::World { .. } if self.is_finished() => {}
            Ground::World { task, .. } => world::home_of("task").abort(*task),
        }
    }

    /// Whether the task has ended, in whichever way.
    #[must_use]
    pub fn is_finished(&self) -> bool {
        match &self.0 {
            Ground::Tokio(handle) => handle.is_finished(),
            Ground::World { outcome, .. } => outcome.is_terminated() || !outcome.is_empty(),
        }
    }
}

impl<T> Future for JoinHandle<T> {
    type Output = Result<T, JoinError>;
    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        match &mut self.0 {
            Ground::Tokio(handle) => {
                let outcome = ready!(Pin::new(handle).poll(context));
                Poll::Ready(outcome.map_err(|error| {
                    if error.is_panic() { JoinError::Panicked } else { JoinError::Cancelled }
                }))
            }
            Ground::World { outcome, .. } => {
                let outcome = ready!(Pin::new(outcome).poll(context));
                Poll::Ready(outcome.unwrap_or(Err(JoinError::Cancelled)))
            }
        }
    }
}
