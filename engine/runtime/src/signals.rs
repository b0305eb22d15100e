//! Being asked to stop.

use std::future::poll_fn;
use std::io;
use std::process::ExitCode;
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

/// One request to stop.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Signal {
    /// SIGINT: Ctrl-C.
    Interrupt,
    /// SIGTERM.
    Terminate,
}

impl Signal {
    /// The code with which a shell reports a process that it ended: 128 and its number (POSIX numbers it so).
    #[must_use]
    pub const fn exit_code(self) -> u8 {
        match self {
            Self::Interrupt => 130,
            Self::Terminate => 143,
        }
    }

    /// Ends the process as the signal would have done, so that whoever started it sees why: its default is restored and
    /// it is raised anew. The first process of a container (pid 1) cannot die of that; for it the answer is the exit code
    /// to return from `main` with. Call it when all is done: no destructor runs.
    #[must_use]
    pub fn end_process(self) -> ExitCode {
        let number = i32::from(self.exit_code()) - 128;
        if std::process::id() != 1
            && let Err(error) = signal_hook::low_level::emulate_default_handler(number)
        {
            debug_assert!(false, "SIGINT and SIGTERM have defaults: {error}");
        }
        ExitCode::from(self.exit_code())
    }
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
        self.next().await;
    }

    /// The same, and says which; in a world every one is SIGTERM.
    pub async fn next(&mut self) -> Signal {
        match &mut self.0 {
            Ground::Tokio { terminate, interrupt } => {
                poll_fn(|context| {
                    if terminate.poll_recv(context).is_ready() {
                        Poll::Ready(Signal::Terminate)
                    } else {
                        interrupt.poll_recv(context).map(|_| Signal::Interrupt)
                    }
                })
                .await
            }
            Ground::World { heard } => {
                let asked = world::home_of("signal").terminated(*heard);
                *heard = asked.await;
                Signal::Terminate
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
