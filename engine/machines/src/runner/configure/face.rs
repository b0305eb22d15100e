//! What goes into the machine and comes out of it.

use std::time::Duration;

use super::outcome::{Failure, Outcome};

/// Timings.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Options {
    /// Longest wait after the first failure; it doubles with each. Default 250 ms.
    pub backoff_base: Duration,
    /// Longest wait in the foreground. Default 5 s.
    pub backoff_max: Duration,
    /// After this long without success whoever waits is told the last failure. Zero: one attempt. Default 60 s
    /// (upstream's total).
    pub deadline: Duration,
    /// How long one attempt may take. Default 5 s.
    pub attempt_timeout: Duration,
    /// Longest wait in the background, before the next attempt and before a success is asserted anew. Default 30 s.
    pub background: Duration,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            backoff_base: Duration::from_millis(250),
            backoff_max: Duration::from_secs(5),
            deadline: Duration::from_secs(60),
            attempt_timeout: Duration::from_secs(5),
            background: Duration::from_secs(30),
        }
    }
}

/// One input of a step.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Input {
    /// Time has passed, nothing else.
    Tick,
    /// Somebody wants the pool configured and waits for the outcome: joins the cycle that runs, or is told at once.
    Want,
    /// An attempt ended, by itself or because it was cancelled; the last input of it.
    Ended {
        /// Which.
        attempt: u64,
        /// How.
        outcome: Outcome,
        /// A random number for the wait before the next attempt.
        jitter: u64,
    },
    /// The engine may have forgotten the pool: a success is asserted anew at once. Whatever is under way asserts it anyway.
    Forgotten,
    /// No more attempts.
    Stop,
}

/// One effect of a step, performed in order.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Effect {
    /// Ask the engine; `Ended` follows.
    Attempt {
        /// Counts from 1; told back.
        attempt: u64,
    },
    /// Give an attempt up; its `Ended` may still come and is ignored.
    Cancel {
        /// Which.
        attempt: u64,
    },
    /// Tell everybody who waits.
    Settled(Result<(), Failure>),
}

/// How the configuration stands, for health reports.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Standing {
    /// Nobody has asked for it.
    Idle,
    /// The first cycle runs.
    Pending,
    /// The engine knows the pool.
    Configured,
    /// Not configured within the deadline; attempts go on.
    Failing(Failure),
    /// Will never be.
    Fatal(Failure),
    /// Stopped.
    Stopped,
}
