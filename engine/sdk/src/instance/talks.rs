//! What an instance does with its WebSockets, all at once.

use std::convert::Infallible;

use futures_util::StreamExt as _;
use futures_util::stream::FuturesUnordered;

use crate::actor::Boxed;

/// The futures of an instance's WebSockets that have not ended. Dropped with the instance.
#[derive(Default)]
pub(super) struct Talks(FuturesUnordered<Boxed<'static, ()>>);

impl Talks {
    pub(super) fn begin(&self, talk: Boxed<'static, ()>) {
        self.0.push(talk);
    }

    /// Runs them, for as long as it is awaited. Dropping the future stops none of them.
    pub(super) async fn run(&mut self) -> Infallible {
        self.end().await;
        std::future::pending().await
    }

    /// Runs them until all have ended.
    pub(super) async fn end(&mut self) {
        while let Some(()) = self.0.next().await {}
    }
}
