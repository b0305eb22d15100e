//! Telling the engine where a pool's application is, until it knows.
//!
//! One cycle makes attempts until one succeeds, one fails for good, or its deadline passes; whoever waits for the
//! cycle is told one outcome ([`Effect::Settled`]), however many ask. A failure that may pass never sticks: after the
//! deadline the machine goes on in the background, and a success is asserted anew from time to time, since the
//! configuration is a desired state that an engine with an empty store has forgotten. A failure that cannot pass
//! (bad credentials, bad configuration) sticks: asking again with the same words would not help.
//!
//! It holds no URL, no body and no waiter: the driver in `sdk` makes the requests. What an answer means is decided in
//! [`outcome`].

pub mod backoff;
mod face;
pub mod outcome;

#[cfg(test)]
mod tests;

use std::time::Duration;

pub use face::{Effect, Input, Options, Standing};
pub use outcome::{Failure, Outcome};

use protocol::time::{Mono, Now};

/// What the machine does at the moment.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
enum Phase {
    /// Before the first `Want`.
    Idle,
    /// An attempt runs.
    Trying { attempt: u64, until: Mono },
    /// The next attempt waits.
    Waiting { until: Mono },
    /// No attempt will help.
    Fatal(Failure),
    /// After `Stop`.
    Stopped,
}

/// The machine.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Configure {
    options: Options,
    phase: Phase,
    attempts: u64,
    /// Failures in a row: the exponent of the backoff.
    failures: u32,
    /// When the foreground cycle gives up; none in the background.
    cycle: Option<Mono>,
    /// The outcome of the last attempt that ended.
    last: Option<Result<(), Failure>>,
}

impl Configure {
    /// A machine that does nothing before the first [`Input::Want`].
    #[must_use]
    pub const fn new(options: Options) -> Self {
        Self { options, phase: Phase::Idle, attempts: 0, failures: 0, cycle: None, last: None }
    }

    /// One step.
    ///
    /// # Panics
    /// When an attempt ends that was never begun: a defect of the driver.
    pub fn handle(&mut self, now: Now, input: Input, out: &mut Vec<Effect>) {
        match input {
            Input::Tick => self.tick(now.mono, out),
            Input::Want => self.want(now.mono, out),
            Input::Ended { attempt, outcome, jitter } => self.ended(now.mono, attempt, outcome, jitter, out),
            Input::Forgotten => self.forgotten(now.mono, out),
            Input::Stop => self.stop(out),
        }
        self.check();
    }

    /// When to tick at the latest, and why.
    #[must_use]
    pub fn next_deadline(&self) -> Option<(Mono, &'static str)> {
        let phase = match &self.phase {
            Phase::Trying { until, .. } => (*until, "attempt timeout"),
            Phase::Waiting { until } => (*until, "next attempt"),
            Phase::Idle | Phase::Fatal(_) | Phase::Stopped => return None,
        };
        match self.cycle {
            // A cycle of one attempt ends with that attempt.
            Some(cycle) if cycle < phase.0 && !self.options.deadline.is_zero() => {
                Some((cycle, "configuration deadline"))
            }
            Some(_) | None => Some(phase),
        }
    }

    /// How the configuration stands.
    #[must_use]
    pub fn standing(&self) -> Standing {
        match (&self.phase, &self.last) {
            (Phase::Idle, _) => Standing::Idle,
            (Phase::Stopped, _) => Standing::Stopped,
            (Phase::Fatal(failure), _) => Standing::Fatal(failure.clone()),
            (Phase::Trying { .. } | Phase::Waiting { .. }, _) if self.cycle.is_some() => Standing::Pending,
            (Phase::Trying { .. } | Phase::Waiting { .. }, Some(Ok(()))) => Standing::Configured,
            (Phase::Trying { .. } | Phase::Waiting { .. }, Some(Err(failure))) => {
                Standing::Failing(failure.clone())
            }
            // The deadline was shorter than the first attempt, which still runs.
            (Phase::Trying { .. } | Phase::Waiting { .. }, None) => Standing::Failing(Failure::Timeout),
        }
    }

    /// Why the last attempt failed; none if it did not.
    #[must_use]
    pub const fn last_failure(&self) -> Option<&Failure> {
        match &self.last {
            Some(Err(failure)) => Some(failure),
            Some(Ok(())) | None => None,
        }
    }

    /// Walks the state.
    ///
    /// # Panics
    /// When an invariant does not hold.
    pub fn check(&self) {
        match &self.phase {
            Phase::Idle | Phase::Fatal(_) | Phase::Stopped => {
                assert!(self.cycle.is_none(), "a cycle runs only between Want and its outcome");
            }
            Phase::Trying { attempt, .. } => {
                assert_eq!(*attempt, self.attempts, "only the newest attempt runs");
            }
            Phase::Waiting { .. } => {
                assert!(self.attempts > 0, "a wait follows an attempt");
            }
        }
        if matches!(self.last, Some(Ok(()))) {
            assert!(self.cycle.is_none(), "a success ends its cycle");
            assert_eq!(self.failures, 0, "a success forgets earlier failures");
        }
    }

    fn want(&mut self, now: Mono, out: &mut Vec<Effect>) {
        match (&self.phase, &self.last) {
            (Phase::Idle, _) => {
                self.cycle = Some(now + self.options.deadline);
                self.attempt(now, out);
            }
            (Phase::Fatal(failure), _) => out.push(Effect::Settled(Err(failure.clone()))),
            (Phase::Stopped, _) => out.push(Effect::Settled(Err(Failure::Stopped))),
            // A cycle runs: its outcome is everybody's.
            (Phase::Trying { .. } | Phase::Waiting { .. }, _) if self.cycle.is_some() => {}
            (Phase::Trying { .. } | Phase::Waiting { .. }, Some(Ok(()))) => out.push(Effect::Settled(Ok(()))),
            (Phase::Trying { .. }, Some(Err(_)) | None) => self.cycle = Some(now + self.options.deadline),
            (Phase::Waiting { .. }, Some(Err(_)) | None) => {
                self.cycle = Some(now + self.options.deadline);
                self.failures = 0;
                self.attempt(now, out);
            }
        }
    }

    fn forgotten(&mut self, now: Mono, out: &mut Vec<Effect>) {
        if let (Phase::Waiting { .. }, Some(Ok(()))) = (&self.phase, &self.last) {
            protocol::mark!("startup_pool_asserted_anew");
            self.attempt(now, out);
        }
    }

    fn tick(&mut self, now: Mono, out: &mut Vec<Effect>) {
        match &self.phase {
            Phase::Trying { attempt, until } if now >= *until => {
                let attempt = *attempt;
                out.push(Effect::Cancel { attempt });
                // A tick brings no randomness: the middle of the range.
                let wait = backoff::bound(&self.options, self.failures, self.cycle.is_none()) / 2;
                self.failed(now, Failure::Timeout, wait, out);
            }
            Phase::Waiting { until } if now >= *until => self.attempt(now, out),
            Phase::Idle | Phase::Trying { .. } | Phase::Waiting { .. } | Phase::Fatal(_) | Phase::Stopped => {
            }
        }
        self.give_up_cycle(now, out);
    }

    fn ended(&mut self, now: Mono, attempt: u64, outcome: Outcome, jitter: u64, out: &mut Vec<Effect>) {
        assert!(attempt <= self.attempts, "attempt {attempt} was never begun");
        match &self.phase {
            Phase::Trying { attempt: running, .. } if *running == attempt => {}
            // Cancelled before: its timeout or its stop was its end.
            Phase::Idle | Phase::Trying { .. } | Phase::Waiting { .. } | Phase::Fatal(_) | Phase::Stopped => {
                return;
            }
        }
        match outcome.class() {
            outcome::Class::Done => {
                self.failures = 0;
                self.last = Some(Ok(()));
                self.phase = Phase::Waiting { until: now + self.options.background };
                self.settle(Ok(()), out);
            }
            outcome::Class::Fatal(failure) => {
                self.phase = Phase::Fatal(failure.clone());
                self.last = Some(Err(failure.clone()));
                self.settle(Err(failure), out);
            }
            outcome::Class::Retry { failure, after } => {
                let background = self.cycle.is_none();
                let wait = backoff::wait(&self.options, self.failures, background, jitter).max(after);
                self.failed(now, failure, wait.min(self.options.background), out);
            }
        }
    }

    fn failed(&mut self, now: Mono, failure: Failure, wait: Duration, out: &mut Vec<Effect>) {
        self.failures = self.failures.saturating_add(1);
        self.last = Some(Err(failure));
        self.phase = Phase::Waiting { until: now + wait };
        self.give_up_cycle(now, out);
    }

    /// Ends the foreground cycle once its time is over; the attempts go on.
    fn give_up_cycle(&mut self, now: Mono, out: &mut Vec<Effect>) {
        if self.cycle.is_some_and(|until| now >= until) {
            // A cycle of one attempt waits for that attempt.
            if self.options.deadline.is_zero() && matches!(self.phase, Phase::Trying { .. }) {
                return;
            }
            let failure = match &self.last {
                Some(Err(failure)) => failure.clone(),
                Some(Ok(())) | None => Failure::Timeout,
            };
            self.settle(Err(failure), out);
        }
    }

    fn settle(&mut self, outcome: Result<(), Failure>, out: &mut Vec<Effect>) {
        if self.cycle.take().is_some() {
            out.push(Effect::Settled(outcome));
        }
    }

    fn attempt(&mut self, now: Mono, out: &mut Vec<Effect>) {
        self.attempts += 1;
        self.phase = Phase::Trying { attempt: self.attempts, until: now + self.options.attempt_timeout };
        out.push(Effect::Attempt { attempt: self.attempts });
    }

    fn stop(&mut self, out: &mut Vec<Effect>) {
        if let Phase::Trying { attempt, .. } = self.phase {
            out.push(Effect::Cancel { attempt });
        }
        self.settle(Err(Failure::Stopped), out);
        self.phase = Phase::Stopped;
    }
}
