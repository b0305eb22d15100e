//! The trace: `tracing` events of inhabitants and of the world itself, with virtual time and node.
//!
//! One global subscriber routes to the world of the thread. It is installed by the first run that asks for a trace,
//! so runs without one cost nothing; if the process has another subscriber already, it is set for the run's thread
//! alone. The digest never depends on any of this.

use std::cell::{Cell, RefCell};
use std::collections::VecDeque;
use std::fmt::Write as _;
use std::sync::Once;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use tracing::field::{Field, Visit};
use tracing::subscriber::Interest;
use tracing::{Event, Level, Metadata, Subscriber};
use tracing_subscriber::layer::{Context, Layer, SubscriberExt};
use tracing_subscriber::registry::LookupSpan;

use crate::core::{self, Core};
use crate::report::TraceLine;

/// At most so many lines are kept: the last ones.
pub const TRACE_LINES_MAX: usize = 1 << 18;

/// A world's trace.
pub(crate) struct Trace {
    level: Option<Level>,
    lines: RefCell<VecDeque<TraceLine>>,
    dropped: Cell<u64>,
}

impl Trace {
    pub(crate) const fn new(level: Option<Level>) -> Self {
        Self { level, lines: RefCell::new(VecDeque::new()), dropped: Cell::new(0) }
    }

    /// Whether lines of that level are kept.
    pub(crate) fn wants(&self, level: Level) -> bool {
        self.level.is_some_and(|most| level <= most)
    }

    /// The lines, oldest first.
    pub(crate) fn take(&self) -> Vec<TraceLine> {
        let dropped = self.dropped.get();
        let mut lines: Vec<_> = self.lines.borrow_mut().drain(..).collect();
        if let (true, Some(first)) = (dropped > 0, lines.first_mut()) {
            let _infallible = write!(first.text, "  ({dropped} lines before this one were dropped)");
        }
        lines
    }
}

impl Core {
    /// Tells something about the world itself. The text is made only if somebody wants it.
    #[inline]
    pub(crate) fn tell(&self, level: Level, text: impl FnOnce() -> String) {
        if self.trace.wants(level) {
            self.push_line(level, text());
        }
    }

    #[cold]
    fn push_line(&self, level: Level, text: String) {
        let node = match self.nodes.try_borrow() {
            Ok(nodes) if !nodes.is_empty() => nodes[self.current_node().index()].name.to_string(),
            Ok(_) | Err(_) => format!("node {}", self.current_node().0),
        };
        let line = TraceLine { at: self.elapsed(), node, level, text };
        if self.options.trace_to_stderr {
            eprintln!("{line}");
            return;
        }
        let mut lines = self.trace.lines.borrow_mut();
        if lines.len() == TRACE_LINES_MAX {
            lines.pop_front();
            self.trace.dropped.set(self.trace.dropped.get() + 1);
        }
        lines.push_back(line);
    }
}

/// Routes events to the world of the thread.
struct Route;

impl<S: Subscriber + for<'a> LookupSpan<'a>> Layer<S> for Route {
    /// Asked once per place in the source and kept for the whole process: other runs want other levels.
    fn register_callsite(&self, _metadata: &'static Metadata<'static>) -> Interest {
        Interest::sometimes()
    }

    fn enabled(&self, metadata: &Metadata<'_>, _context: Context<'_, S>) -> bool {
        core::try_with(|core| core.trace.wants(*metadata.level())).unwrap_or(false)
    }

    fn on_event(&self, event: &Event<'_>, context: Context<'_, S>) {
        let mut text = String::new();
        if let Some(scope) = context.event_scope(event) {
            for span in scope.from_root() {
                text.push_str(span.name());
                text.push_str(": ");
            }
        }
        let mut fields = Fields { message: String::new(), rest: String::new() };
        event.record(&mut fields);
        text.push_str(&fields.message);
        text.push_str(&fields.rest);
        let level = *event.metadata().level();
        let _no_world = core::try_with(|core| core.push_line(level, text));
    }
}

struct Fields {
    message: String,
    rest: String,
}

impl Visit for Fields {
    fn record_debug(&mut self, field: &Field, value: &dyn std::fmt::Debug) {
        let _infallible = match field.name() {
            "message" => write!(self.message, "{value:?}"),
            name => write!(self.rest, " {name}={value:?}"),
        };
    }
}

/// While this lives, events of this thread find their world.
pub(crate) struct Routing {
    _of_this_thread: Option<tracing::subscriber::DefaultGuard>,
}

static INSTALL: Once = Once::new();
static INSTALLED: AtomicBool = AtomicBool::new(false);

/// Makes events of this thread find their world, if the run wants a trace.
pub(crate) fn route(level: Option<Level>) -> Routing {
    if level.is_none() {
        return Routing { _of_this_thread: None };
    }
    INSTALL.call_once(|| {
        let subscriber = tracing_subscriber::registry().with(Route);
        let installed = tracing::subscriber::set_global_default(subscriber).is_ok();
        INSTALLED.store(installed, Ordering::Release);
    });
    if INSTALLED.load(Ordering::Acquire) {
        return Routing { _of_this_thread: None };
    }
    let subscriber = tracing_subscriber::registry().with(Route);
    Routing { _of_this_thread: Some(tracing::subscriber::set_default(subscriber)) }
}

/// Nanoseconds of a span, as far as 64 bits go.
pub(crate) fn nanos(span: Duration) -> u64 {
    u64::try_from(span.as_nanos()).unwrap_or(u64::MAX)
}
