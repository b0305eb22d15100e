//! Tokio with time that jumps, and pipes in memory.

use std::future::Future;
use std::time::Duration;

use super::Contender;

/// Bytes a pipe holds, as much as a direction of a connection in `sim`.
const PIPE_BYTES: usize = 65_536;

/// Tokio with one thread and paused time. Its connections are pipes in memory: the kernel's sockets know no time that
/// jumps. So it has no network at all: a floor for the others, not a peer.
#[derive(Debug)]
pub enum Tokio {}

#[expect(clippy::disallowed_methods, reason = "plain tokio is what is compared with")]
impl Contender for Tokio {
    const NAME: &'static str = "tokio";
    type Stream = tokio::io::DuplexStream;

    fn run<F: Future<Output = ()> + Send + 'static>(workload: fn() -> F) {
        let mut builder = tokio::runtime::Builder::new_current_thread();
        builder.enable_all().start_paused(true).build().expect("a runtime").block_on(workload());
    }

    fn spawn(task: impl Future<Output = ()> + Send + 'static) {
        drop(tokio::spawn(task));
    }

    async fn sleep(duration: Duration) {
        tokio::time::sleep(duration).await;
    }

    async fn connect<F>(serve: fn(Self::Stream) -> F) -> Self::Stream
    where
        F: Future<Output = ()> + Send + 'static,
    {
        let (client, server) = tokio::io::duplex(PIPE_BYTES);
        drop(tokio::spawn(serve(server)));
        client
    }
}
