//! `select!`, always biased.

/// What [`select!`](crate::select!) expands to; not for use by name.
#[doc(hidden)]
pub mod expansion {
    pub use tokio::select;
}

/// Waits on several branches and runs the first that is ready, in the order they are written.
///
/// It is `tokio::select!` with `biased;` always on. Tokio's own starts at a branch drawn from a process-wide counter,
/// which makes two runs of one simulated world differ. Being biased, a branch that is always ready starves those after
/// it: write cancellation and deadlines first, streams of work last.
///
/// ```
/// # runtime::process::block_on(None, async {
/// let first = runtime::select! {
///     () = std::future::ready(()) => "written first",
///     () = runtime::sleep(std::time::Duration::ZERO) => "written second",
/// };
/// assert_eq!(first, "written first");
/// # }).unwrap();
/// ```
#[macro_export]
macro_rules! select {
    ($($branches:tt)*) => {
        $crate::__select::select! { biased; $($branches)* }
    };
}
