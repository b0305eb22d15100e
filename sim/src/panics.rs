//! Panics inside a world: kept for the report, with their place in the source, instead of printed.
//!
//! One hook for the process, installed by the first run; on threads that no world has entered it calls the hook that
//! was there before.

use std::backtrace::{Backtrace, BacktraceStatus};
use std::cell::RefCell;
use std::sync::Once;

/// A panic, as the report tells it.
#[derive(Default)]
pub(crate) struct Panic {
    pub(crate) message: String,
    /// The frames above the executor; empty unless `RUST_BACKTRACE` asks for it.
    pub(crate) backtrace: String,
}

thread_local! {
    static LAST: RefCell<Option<Panic>> = const { RefCell::new(None) };
}

static INSTALL: Once = Once::new();

/// Installs the hook, once per process.
pub(crate) fn install() {
    INSTALL.call_once(|| {
        let before = std::panic::take_hook();
        std::panic::set_hook(Box::new(move |panic| {
            if !is_inside_a_run() {
                return before(panic);
            }
            let text = panic.payload_as_str().unwrap_or("(a panic without a text)");
            let message = match panic.location() {
                Some(place) => format!("{text} ({}:{})", place.file(), place.line()),
                None => text.to_owned(),
            };
            let trace = Backtrace::capture();
            let backtrace = match trace.status() {
                BacktraceStatus::Captured => above_the_executor(&trace.to_string()),
                _ => String::new(),
            };
            let _thread_is_ending = LAST.try_with(|last| {
                *last.borrow_mut() = Some(Panic { message, backtrace });
            });
        }));
    });
}

/// Whether this thread is in a run, of whichever world.
fn is_inside_a_run() -> bool {
    #[cfg(madsim)]
    if crate::second::is_here() {
        return true;
    }
    crate::core::try_with(|_| ()).is_some()
}

/// The last panic on this thread. Ask at once where one was caught: others may follow.
pub(crate) fn take() -> Panic {
    LAST.with(|last| last.borrow_mut().take()).unwrap_or_default()
}

/// What lies below the executor's poll is the same for every task.
fn above_the_executor(trace: &str) -> String {
    let lines = trace.lines();
    let above: Vec<_> = lines.take_while(|line| !line.contains("poll_next")).collect();
    above.join("\n")
}
