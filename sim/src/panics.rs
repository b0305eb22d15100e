//! Panics inside a world: kept for the report, with their place in the source, instead of printed.
//!
//! One hook for the process, installed by the first run; on threads that no world has entered it calls the hook that
//! was there before.

use std::backtrace::{Backtrace, BacktraceStatus};
use std::cell::RefCell;
use std::sync::Once;

thread_local! {
    static LAST: RefCell<Option<String>> = const { RefCell::new(None) };
}

static INSTALL: Once = Once::new();

/// Installs the hook, once per process.
pub(crate) fn install() {
    INSTALL.call_once(|| {
        let before = std::panic::take_hook();
        std::panic::set_hook(Box::new(move |panic| {
            if crate::core::try_with(|_| ()).is_none() {
                return before(panic);
            }
            let text = panic.payload_as_str().unwrap_or("(a panic without a text)");
            let mut message = match panic.location() {
                Some(place) => format!("{text} ({}:{})", place.file(), place.line()),
                None => text.to_owned(),
            };
            let trace = Backtrace::capture();
            if trace.status() == BacktraceStatus::Captured {
                message.push_str(&format!("\n{trace}"));
            }
            let _thread_is_ending = LAST.try_with(|last| {
                last.borrow_mut().get_or_insert(message);
            });
        }));
    });
}

/// The message of the first panic on this thread since the last call.
pub(crate) fn take() -> Option<String> {
    LAST.with(|last| last.borrow_mut().take())
}
