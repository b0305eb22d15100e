//! The rounds of a play's trouble: each waits for its moment, and is then struck or spared.

use std::time::Duration;

use crate::stack::Stack;
use crate::world::Stream;

/// From one round to the next: while the one before is being recovered from, or after.
pub(super) const WAITS: [(Duration, Duration); 2] =
    [(Duration::from_millis(1), Duration::from_secs(2)), (Duration::from_secs(2), Duration::from_secs(12))];

/// What decides the rounds, each thing in a stream of its own below one name.
pub(super) struct Rounds<'a> {
    stack: &'a Stack,
    begin: &'static str,
    waits: &'a [(Duration, Duration)],
    end: Duration,
}

impl<'a> Rounds<'a> {
    /// Rounds until `end`, decided by the streams below `begin`.
    pub(super) const fn new(
        stack: &'a Stack,
        begin: &'static str,
        waits: &'a [(Duration, Duration)],
        end: Duration,
    ) -> Self {
        Self { stack, begin, waits, end }
    }

    /// The stream that decides so.
    pub(super) fn of(&self, what: &str) -> Stream {
        self.stack.world.stream(&format!("{}/{what}", self.begin))
    }

    /// A span, drawn.
    pub(super) fn span(&self, what: &str, (least, most): (Duration, Duration)) -> Duration {
        self.of(what).span(least..=most)
    }

    /// A span of one of these ranges.
    pub(super) fn one_span(&self, what: &str, ranges: &[(Duration, Duration)]) -> Duration {
        let range = *self.of(&format!("{what}_bucket")).one_of(ranges);
        self.span(what, range)
    }

    /// Waits for the moment of the next round. None: there is no further one; else whether it strikes, or is spared and
    /// takes its time.
    pub(super) async fn next(&self) -> Option<bool> {
        let wait = self.one_span("wait", self.waits);
        let goes_on = self.stack.wait(wait, self.end).await;
        goes_on.then(|| !self.stack.world.waives(&format!("spare/{}", self.begin)))
    }
}
