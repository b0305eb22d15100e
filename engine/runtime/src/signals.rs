//! Being asked to stop.

use std::future::poll_fn;
use std::io;
use std::task::Poll;

use crate::world;

/// Requests to stop gracefully: SIGTERM and Ctrl-C (SIGINT). From the first one made in a process on, these signals do
/// not end it by themselves.
#[derive(Debug)]
pub struct Signals(Ground);

#[derive(Debug)]
enum Ground {
    Tokio { terminate: tokio::signal::unix::Signal, interrupt: tokio::signal::unix::Signal },
    World { heard: u64 },
}

impl Signals {
    /// Takes over the process's signals, or the node's. What came before is not heard.
    ///
    /// # Errors
    /// What the system says.
    pub fn new() -> io::Result<Self> {
        use tokio::signal::unix::{SignalKind, signal};
        if let Some(world) = world::current() {
            return Ok(Self(Ground::World { heard: world.take_signals() }));
        }
        Ok(Self(Ground::Tokio {
            terminate: signal(SignalKind::terminate())?,
            interrupt: signal(SignalKind::interrupt())?,
        }))
    }

    /// Waits for the next request to stop. Call it again to hear a second one, which usually means *at once*; signals
    /// that come between two calls are kept, as one.
    pub async fn terminate(&mut self) {
        match &mut self.0 {
            Ground::Tokio { terminate, interrupt } => {
                poll_fn(|context| {
                    if terminate.poll_recv(context).is_ready() || interrupt.poll_recv(context).is_ready() {
                        return Poll::Ready(());
                    }
                    Poll::Pending
                })
                .await;
            }
            Ground::World { heard } => {
                let asked = world::home_of("signal").terminated(*heard);
                *heard = asked.await;
            }
        }
    }
}

/// Waits for one request to stop, as [`Signals`] does.
///
/// # Errors
/// What the system says when signals are taken over.
pub async fn terminate() -> io::Result<()> {
    Signals::new()?.terminate().await;
    Ok(())
}
