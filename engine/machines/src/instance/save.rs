//! When a state is written: what changes within an interval is written once, what somebody waits for as soon as they
//! want it. One write at a time; a change that comes meanwhile is in the next.

use std::time::Duration;

use protocol::id::Ticket;
use protocol::mark;
use protocol::time::Mono;

use super::options::Options;
use super::{Effect, Instance, Phase, SaveFailure, Saved, When};

/// What the engine is told of an actor whose state cannot be written.
pub(super) const UNFIT: &str =
    "the state of the actor cannot be written as it is: too large, or not to be encoded";

/// What is to be written, and for whom.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) struct Save {
    /// Whether it has changed since the last write began.
    pub(super) dirty: bool,
    /// Who waits for the write that runs, if one does.
    pub(super) writing: Option<Vec<Ticket>>,
    /// Who waits for the one after it.
    pub(super) waiting: Vec<Ticket>,
    /// When the next one begins.
    pub(super) due: Option<Mono>,
    /// When the last one began, or ended.
    last: Option<Mono>,
    /// How many have failed since one went well.
    failures: u32,
    /// Whether the last one could not be written at all.
    pub(super) unfit: bool,
}

impl Save {
    pub(super) const fn new() -> Self {
        let waiting = Vec::new();
        Self { dirty: false, writing: None, waiting, due: None, last: None, failures: 0, unfit: false }
    }

    pub(super) const fn change(&mut self) {
        self.dirty = true;
    }

    /// The next write begins by then.
    pub(super) fn want(&mut self, by: Mono) {
        self.due = Some(self.due.map_or(by, |due| due.min(by)));
    }

    /// Whether something is being written, or will be.
    pub(super) const fn is_pending(&self) -> bool {
        self.dirty || self.writing.is_some()
    }

    /// The wait after the last failure: half of a bound that doubles, and any part of the other half.
    fn retry(&self, options: &Options, jitter: u64) -> Duration {
        let bound = options.save_retry.saturating_mul(1 << self.failures.saturating_sub(1).min(16));
        let half = bound.min(options.save_retry_max) / 2;
        let nanos = half.as_nanos().saturating_mul(u128::from(jitter)) >> 64;
        half + Duration::from_nanos(u64::try_from(nanos).unwrap_or(u64::MAX))
    }
}

impl Instance {
    pub(super) fn changed(&mut self, now: Mono) {
        self.save.change();
        let by = match self.phase {
            // Its first state is written when it is whole, unless somebody wants it earlier.
            Phase::Creating { by } | Phase::Starting { by, first: true } => by,
            Phase::Fresh
            | Phase::Loading { .. }
            | Phase::Starting { first: false, .. }
            | Phase::Keeping { .. }
            | Phase::Running
            | Phase::Stopping { .. }
            | Phase::Saving { .. }
            | Phase::Ended => self.save.last.map_or(now, |last| last + self.options.save_interval).max(now),
        };
        self.save.want(by);
    }

    pub(super) fn save_asked(&mut self, now: Mono, ticket: Ticket, when: When, out: &mut Vec<Effect>) {
        if self.save.dirty {
            self.save.waiting.push(ticket);
            self.save.want(match when {
                When::Now => now,
                When::Within(span) => now + span,
            });
        } else if let Some(writing) = &mut self.save.writing {
            // Whatever they have changed is in what is being written.
            writing.push(ticket);
        } else {
            let outcome = if self.save.unfit { Err(SaveFailure::Unfit) } else { Ok(()) };
            out.push(Effect::TellSaved { ticket, outcome });
        }
    }

    pub(super) fn saved(&mut self, now: Mono, outcome: Saved, jitter: u64, out: &mut Vec<Effect>) {
        let told = self.save.writing.take().expect("only what is being written ends");
        self.save.last = Some(now);
        self.save.unfit = outcome == Saved::Unfit;
        let outcome = match outcome {
            Saved::Done => {
                self.save.failures = 0;
                Ok(())
            }
            Saved::Failed(failure) => {
                mark!("instance_save_failed");
                self.save.failures = self.save.failures.saturating_add(1);
                self.save.change();
                let wait = self.save.retry(&self.options, jitter);
                self.save.want(now + wait);
                Err(SaveFailure::Store(failure))
            }
            Saved::Unfit => {
                // Writing it again is of no use before it changes.
                mark!("instance_state_unfit");
                Err(SaveFailure::Unfit)
            }
        };
        out.extend(told.into_iter().map(|ticket| Effect::TellSaved { ticket, outcome }));
        if self.save.unfit && matches!(self.phase, Phase::Keeping { .. }) {
            self.fail(Some(UNFIT.to_owned()), out);
        }
    }

    /// Begins a write that is due.
    pub(super) fn write(&mut self, now: Mono, out: &mut Vec<Effect>) {
        if self.save.writing.is_none() && self.save.due.is_some_and(|due| due <= now) {
            self.save.due = None;
            self.save.dirty = false;
            self.save.last = Some(now);
            self.save.writing = Some(std::mem::take(&mut self.save.waiting));
            let begun = match self.phase {
                Phase::Creating { .. } | Phase::Starting { first: true, .. } => false,
                Phase::Fresh
                | Phase::Loading { .. }
                | Phase::Starting { first: false, .. }
                | Phase::Keeping { .. }
                | Phase::Running
                | Phase::Stopping { .. }
                | Phase::Saving { .. }
                | Phase::Ended => true,
            };
            out.push(Effect::Save { begun });
        }
    }

    /// Tells everybody that nothing is written any more.
    pub(super) fn end_saves(&mut self, out: &mut Vec<Effect>) {
        let told = self.save.writing.take().unwrap_or_default();
        let told = told.into_iter().chain(std::mem::take(&mut self.save.waiting));
        out.extend(told.map(|ticket| Effect::TellSaved { ticket, outcome: Err(SaveFailure::Ended) }));
        self.save = Save::new();
    }
}
