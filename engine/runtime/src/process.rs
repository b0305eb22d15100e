//! The process: its entry into the tokio world, and processes beside it ([`Child`]).

mod child;

pub use child::{Child, Command};

use std::future::Future;
use std::io;
use std::num::NonZeroUsize;

/// Starts the tokio world, runs `future` in it to its end, then ends it: other tasks are dropped at their next await
/// point, and started blocking work is waited for. `threads` is how many run tasks, one per core if it is `None`; one
/// thread means the calling one.
///
/// In a simulated world nobody calls this: there a node's first task is started by the world.
///
/// # Errors
/// What the system says when threads or the poller cannot be made.
///
/// # Panics
/// On a thread that a world has entered, or that runs tasks of tokio already.
pub fn block_on<F: Future>(threads: Option<NonZeroUsize>, future: F) -> io::Result<F::Output> {
    assert!(crate::world::current().is_none(), "a simulated world starts its nodes itself");
    let mut builder = match threads.map(NonZeroUsize::get) {
        Some(1) => tokio::runtime::Builder::new_current_thread(),
        threads => {
            let mut builder = tokio::runtime::Builder::new_multi_thread();
            if let Some(threads) = threads {
                builder.worker_threads(threads);
            }
            builder
        }
    };
    Ok(builder.enable_all().build()?.block_on(future))
}
