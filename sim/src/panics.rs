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

/// What lies below the executor's poll is the same for every task. A frame that polls any other stream is above it.
fn above_the_executor(trace: &str) -> String {
    let is_executor = |line: &str| line.contains("sim::tasks::") && line.contains("poll_next");
    let above: Vec<_> = trace.lines().take_while(|line| !is_executor(line)).collect();
    above.join("\n")
}

#[cfg(test)]
mod tests {
    use std::future::poll_fn;
    use std::pin::Pin;
    use std::task::{Context, Poll};

    use futures_util::{Stream, StreamExt};

    use super::*;
    use crate::{Sim, World};

    /// A stream that gives the backtrace of its poll.
    struct Traced;

    impl Stream for Traced {
        type Item = String;
        fn poll_next(self: Pin<&mut Self>, _context: &mut Context<'_>) -> Poll<Option<String>> {
            Poll::Ready(Some(above_the_executor(&Backtrace::force_capture().to_string())))
        }
    }

    fn reads_a_stream(context: &mut Context<'_>) -> Poll<String> {
        Traced.poll_next_unpin(context).map(|trace| trace.expect("it has no end"))
    }

    #[test]
    fn a_backtrace_ends_at_the_executor_and_not_at_the_inhabitants_streams() {
        let script = async |_world: World| poll_fn(reads_a_stream).await;
        let trace = Sim::seed(0).run(script).expect_ok();
        assert!(trace.contains("reads_a_stream"), "{trace}");
        assert!(!trace.contains("sim::run::drive"), "{trace}");
    }
}
