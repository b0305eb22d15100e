//! One call to an actor: found, sent, and sent again where that is safe.
//!
//! Two kinds of failure are repeated. At a *boundary* (an engine that restarts, an actor that stops at this moment) the
//! same is tried a few times, with a backoff of milliseconds. When the actor is *gone*, another one is looked for at its
//! address, if the call has an address and not just an id. Either only if no actor has begun with the call
//! ([`Executed::No`]), or if it may be carried out twice. Of all attempts together it is told what may have happened.
//!
//! It holds no id, no body and no answer: the driver in `sdk` has those, and performs one work at a time.

mod face;
#[cfg(test)]
mod tests;

use std::time::Duration;

pub use face::{Effect, End, Input, Options};

use protocol::mark;
use protocol::time::{Mono, Now};

use super::{Class, Executed, Failure, backoff};

/// What is being done.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
enum Phase {
    Fresh,
    Resolving { work: u64 },
    Sending { work: u64 },
    Explaining { work: u64 },
    Waiting { until: Mono },
    Over,
}

/// The machine.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Call {
    options: Options,
    phase: Phase,
    /// When it is over in any case.
    by: Mono,
    works: u64,
    /// Failures at a boundary.
    failures: u32,
    /// Actors that were gone.
    moves: u32,
    /// What the attempts that have ended did, together.
    executed: Executed,
}

impl Call {
    /// A call that begins with [`Input::Begin`].
    #[must_use]
    pub const fn new(options: Options) -> Self {
        let by = Mono::MAX;
        Self { options, phase: Phase::Fresh, by, works: 0, failures: 0, moves: 0, executed: Executed::No }
    }

    /// One step.
    ///
    /// # Panics
    /// When it begins twice, or a work ends that was never begun.
    pub fn handle(&mut self, now: Now, input: Input, out: &mut Vec<Effect>) {
        match input {
            Input::Tick => self.tick(now.mono, out),
            Input::Begin => {
                assert_eq!(self.phase, Phase::Fresh, "a call begins once");
                self.by = now.mono + self.options.deadline;
                self.resolve(out);
            }
            Input::Ended { work, outcome, jitter } => {
                assert!(work <= self.works, "work {work} was never begun");
                if self.work() == Some(work) {
                    self.ended(now.mono, outcome, jitter, out);
                }
            }
        }
        self.check();
    }

    /// When to tick at the latest, and why.
    #[must_use]
    pub const fn next_deadline(&self) -> Option<(Mono, &'static str)> {
        match self.phase {
            Phase::Resolving { .. } | Phase::Sending { .. } | Phase::Explaining { .. } => {
                Some((self.by, "call deadline"))
            }
            Phase::Waiting { until } => Some((until, "next attempt")),
            Phase::Fresh | Phase::Over => None,
        }
    }

    /// Walks the state.
    ///
    /// # Panics
    /// When an invariant does not hold.
    pub fn check(&self) {
        if let Some(work) = self.work() {
            assert_eq!(work, self.works, "one work at a time");
        }
        if let Phase::Waiting { until } = self.phase {
            assert!(until < self.by, "no attempt begins after the deadline");
        }
        assert!(self.moves <= self.options.moves_max, "it follows no more moves than it may");
        if matches!(self.phase, Phase::Resolving { .. } | Phase::Sending { .. } | Phase::Waiting { .. }) {
            let unharmed = self.executed == Executed::No || self.options.idempotent;
            assert!(unharmed, "what may have been carried out is not sent again");
            assert_ne!(self.executed, Executed::Yes, "what was carried out is over");
        }
    }

    const fn work(&self) -> Option<u64> {
        match self.phase {
            Phase::Resolving { work } | Phase::Sending { work } | Phase::Explaining { work } => Some(work),
            Phase::Fresh | Phase::Waiting { .. } | Phase::Over => None,
        }
    }

    fn tick(&mut self, now: Mono, out: &mut Vec<Effect>) {
        match self.phase {
            Phase::Waiting { until } if now >= until => self.resolve(out),
            Phase::Resolving { work } | Phase::Sending { work } | Phase::Explaining { work }
                if now >= self.by =>
            {
                out.push(Effect::Cancel { work });
                self.time_out(out);
            }
            Phase::Fresh
            | Phase::Resolving { .. }
            | Phase::Sending { .. }
            | Phase::Explaining { .. }
            | Phase::Waiting { .. }
            | Phase::Over => {}
        }
    }

    fn time_out(&mut self, out: &mut Vec<Effect>) {
        match self.phase {
            Phase::Sending { .. } => {
                mark!("client_call_timed_out_with_the_actor");
                self.executed = self.executed.max(Executed::Maybe);
                self.settle(End::TimedOut { executed: self.executed }, out);
            }
            // The failure is known; only its reason is not.
            Phase::Explaining { .. } => self.settle(End::Failed { executed: self.executed }, out),
            Phase::Fresh | Phase::Resolving { .. } | Phase::Waiting { .. } | Phase::Over => {
                self.settle(End::TimedOut { executed: self.executed }, out);
            }
        }
    }

    fn ended(&mut self, now: Mono, outcome: Result<(), Failure>, jitter: u64, out: &mut Vec<Effect>) {
        match (self.phase, outcome) {
            (Phase::Resolving { .. }, Ok(())) => {
                let work = self.next_work();
                self.phase = Phase::Sending { work };
                out.push(Effect::Send { work });
            }
            // To find or make an actor is no part of the call, and may be repeated.
            (Phase::Resolving { .. }, Err(failure)) => self.failed(now, failure, jitter, out),
            (Phase::Sending { .. }, Ok(())) => self.settle(End::Answered, out),
            (Phase::Sending { .. }, Err(failure)) => {
                self.executed = self.executed.max(failure.executed());
                if failure.class() == Class::Stale {
                    out.push(Effect::Forget);
                }
                if failure.executed() == Executed::No || self.options.idempotent {
                    self.failed(now, failure, jitter, out);
                } else {
                    self.settle(End::Failed { executed: self.executed }, out);
                }
            }
            (Phase::Explaining { .. }, Ok(()) | Err(_)) => {
                self.settle(End::Failed { executed: self.executed }, out);
            }
            (Phase::Fresh | Phase::Waiting { .. } | Phase::Over, Ok(()) | Err(_)) => {
                unreachable!("only a work ends")
            }
        }
    }

    /// A failure after which nothing stands against another attempt.
    fn failed(&mut self, now: Mono, failure: Failure, jitter: u64, out: &mut Vec<Effect>) {
        match failure.class() {
            Class::Boundary if self.failures + 1 < self.options.attempts_max => {
                let Options { backoff_base, backoff_max, .. } = self.options;
                let bound = backoff::bound(backoff_base, backoff_max, self.failures);
                self.failures += 1;
                self.wait(now, backoff::within(bound, jitter), out);
            }
            Class::Stale if self.moves < self.options.moves_max => {
                mark!("client_call_follows_a_move");
                let wait = if self.moves == 0 { Duration::ZERO } else { self.options.move_wait };
                self.moves += 1;
                self.wait(now, wait, out);
            }
            Class::Unscheduled if matches!(self.phase, Phase::Sending { .. }) => {
                let work = self.next_work();
                self.phase = Phase::Explaining { work };
                out.push(Effect::Explain { work });
            }
            Class::Final | Class::Boundary | Class::Stale | Class::Unscheduled => {
                self.settle(End::Failed { executed: self.executed }, out);
            }
        }
    }

    /// Another attempt after this, unless the call is over by then: it then ends by what failed now.
    fn wait(&mut self, now: Mono, wait: Duration, out: &mut Vec<Effect>) {
        let until = now + wait;
        if until >= self.by {
            self.settle(End::Failed { executed: self.executed }, out);
        } else if wait.is_zero() {
            self.resolve(out);
        } else {
            self.phase = Phase::Waiting { until };
        }
    }

    fn resolve(&mut self, out: &mut Vec<Effect>) {
        let work = self.next_work();
        self.phase = Phase::Resolving { work };
        out.push(Effect::Resolve { work });
    }

    const fn next_work(&mut self) -> u64 {
        self.works += 1;
        self.works
    }

    fn settle(&mut self, end: End, out: &mut Vec<Effect>) {
        self.phase = Phase::Over;
        out.push(Effect::Settled(end));
    }
}
