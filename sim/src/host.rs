//! Where a run lives: a fresh thread, inside madsim's context.
//!
//! The context makes what libraries ask of the operating system deterministic: hash keys, `getrandom`, `Instant`,
//! `SystemTime`; and it refuses threads. Hash keys are cached per thread, hence a fresh one per run. madsim's own
//! executor, clock and network are not used: one future of its `block_on` holds the whole run, and its clock is pushed
//! as virtual time moves. Without `--cfg madsim` (an exported `RUSTFLAGS` replaces the one of the workspace) runs go
//! on, unhosted, and say so once.

use std::time::Duration;

/// The stack of a run's thread: deep futures in unoptimised builds need more than the default.
const STACK_BYTES: usize = 16 << 20;

/// The clock of the context.
pub(crate) struct Clock {
    #[cfg(madsim)]
    handle: madsim::time::TimeHandle,
}

impl Clock {
    /// Moves it on.
    #[inline]
    pub(crate) fn advance(&self, span: Duration) {
        #[cfg(madsim)]
        self.handle.advance(span);
        #[cfg(not(madsim))]
        let _nobody_reads_it = span;
    }
}

/// Whether runs of this build are hosted.
#[must_use]
pub const fn is_hosted() -> bool {
    cfg!(madsim)
}

/// Runs `work` once on a fresh thread inside the context, and waits for it. What is run has no type here, nor further in:
/// threads, and madsim's executor, are compiled once and not once for each script.
///
/// # Panics
/// If the thread cannot be started (inside a run, for instance), or if `work` panics.
pub(crate) fn on_fresh_thread(seed: u64, name: &str, work: &mut (dyn FnMut(Clock) + Send)) {
    fresh_thread(name, &mut || hosted(seed, work));
}

/// Runs `work` once on a fresh thread, and waits for it. Panics as [`on_fresh_thread`] does.
pub(crate) fn fresh_thread(name: &str, work: &mut (dyn FnMut() + Send)) {
    std::thread::scope(|scope| {
        let thread = std::thread::Builder::new()
            .name(name.to_owned())
            .stack_size(STACK_BYTES)
            .spawn_scoped(scope, work)
            .expect("the host gives one thread per run; a run cannot be started inside a run");
        if let Err(panic) = thread.join() {
            std::panic::resume_unwind(panic);
        }
    });
}

#[cfg(madsim)]
fn hosted(seed: u64, work: &mut dyn FnMut(Clock)) {
    use crate::clock::WALL_BASE;

    let runtime = madsim::runtime::Runtime::with_seed_and_config(seed, madsim::Config::default());
    runtime.block_on(async move {
        let handle = madsim::time::TimeHandle::current();
        // madsim begins somewhere in 2022: its wall clock joins ours, so that libraries agree with `runtime`.
        let begin = handle.now_time().duration_since(std::time::UNIX_EPOCH);
        let begin = begin.expect("madsim's clock begins after 1970");
        handle.advance(WALL_BASE.checked_sub(begin).expect("our base is later than madsim's"));
        work(Clock { handle });
    });
}

#[cfg(not(madsim))]
fn hosted(_seed: u64, work: &mut dyn FnMut(Clock)) {
    static SAY: std::sync::Once = std::sync::Once::new();
    SAY.call_once(|| {
        eprintln!(
            "sim: built without --cfg madsim: runs are unhosted, so what libraries ask of the operating system \
             (hash keys, entropy, clocks) differs from run to run"
        );
    });
    work(Clock {});
}
