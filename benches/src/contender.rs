//! Who runs the same workload: a world of ours, tokio, madsim (where the build has `--cfg madsim`), turmoil,
//! moonpool-sim.

#[cfg(madsim)]
mod hosted;
mod moonpool;
mod ours;
mod paused;
mod turmoil;

use std::future::Future;
use std::io;
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncWrite};

#[cfg(madsim)]
pub use hosted::Madsim;
pub use moonpool::Moonpool;
pub use ours::Ours;
pub use paused::Tokio;
pub use turmoil::Turmoil;

/// Where a server listens that has a node.
pub(crate) const PORT: u16 = 7;

/// An executor with a clock and a network, as far as a workload asks.
pub trait Contender: 'static {
    /// How the table calls it.
    const NAME: &'static str;
    /// A connection.
    type Stream: AsyncRead + AsyncWrite + Unpin + Send + 'static;

    /// Runs a workload from nothing to its end, on a fresh thread where that is the contender's way.
    fn run<F: Future<Output = ()> + Send + 'static>(workload: fn() -> F);
    /// Starts a task.
    fn spawn(task: impl Future<Output = ()> + Send + 'static);
    /// Waits.
    fn sleep(duration: Duration) -> impl Future<Output = ()> + Send;
    /// Connects to a server on another node, which hands each connection to `serve`: always the same one within a run.
    fn connect<F>(serve: fn(Self::Stream) -> F) -> impl Future<Output = Self::Stream> + Send
    where
        F: Future<Output = ()> + Send + 'static;
}

/// What an echo or ping needs of a stream's errors: none are expected.
pub(crate) fn fine<T>(outcome: io::Result<T>) -> T {
    outcome.expect("nothing breaks in a benchmark")
}
