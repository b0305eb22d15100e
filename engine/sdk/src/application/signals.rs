//! For binaries: an application that ends when its process is asked to. No other part of this crate touches signals.

use std::pin::pin;

use runtime::signals::{Signal, Signals};

use super::{Application, Mode, StartError};

impl Application {
    /// Starts in a mode and runs to the end. The first signal ends it in order, the second one at once. Returns the first
    /// one, none if there was none: end the process with [`Signal::end_process`], so that whoever started it sees why.
    ///
    /// # Errors
    /// Why it did not start, or what ended it without being asked: exit with code 1.
    pub async fn run(&self, mode: Mode, mut signals: Signals) -> Result<Option<Signal>, StartError> {
        let mut first = None;
        let mut settled = pin!(async {
            match self.start(mode).await {
                // Asked to end while it started: the end is what is waited for.
                Ok(()) | Err(StartError::ShutDown) => self.settled().await.map_err(StartError::Failed),
                Err(error) => Err(error),
            }
        });
        loop {
            runtime::select! {
                ended = settled.as_mut() => return ended.map(|_| first),
                signal = signals.next() => {
                    self.shared().ask(None, first.is_none());
                    first.get_or_insert(signal);
                }
            }
        }
    }
}
