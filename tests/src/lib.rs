//! Real processes for the gates `live` and `rivetkit`: the binaries people run, built once, started on loopback,
//! killed for good at the end.
//!
//! Not here: anything simulated (`it`), or the worlds compared with the kernel (`conformance`).

pub mod binaries;
pub mod platform;
pub mod process;

/// Runs a future on real tokio, on one thread.
///
/// # Panics
/// When the system gives no poller.
pub fn block_on<F: Future>(future: F) -> F::Output {
    runtime::process::block_on(Some(std::num::NonZero::<usize>::MIN), future).expect("the runtime starts")
}
