//! Real processes for the gates `live` and `rivetkit`: the binaries people run, built once, started on loopback,
//! killed for good at the end.
//!
//! Not here: anything simulated (`it`), or the worlds compared with the kernel (`conformance`).

pub mod binaries;
pub mod platform;
pub mod process;

/// Runs a future on real tokio. The tasks it spawns run on, also while it waits for a process.
///
/// # Panics
/// When the system gives no poller.
pub fn block_on<F: Future>(future: F) -> F::Output {
    runtime::process::block_on(std::num::NonZero::new(2), future).expect("the runtime starts")
}
