//! What goes into the machine and comes out of it.

use std::time::Duration;

use crate::client::{Executed, Failure};

/// Bounds of a call.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Options {
    /// How long the call may take, all attempts and waits together. Default 120 s (ours: the gateway holds a request for
    /// 30 s and waits 60 s for its answer).
    pub deadline: Duration,
    /// Whether it may be carried out twice: then it is repeated also when it may have been carried out. Default no.
    pub idempotent: bool,
    /// How often another actor is looked for at its address when the one there is gone. Default 0: it means one actor.
    pub moves_max: u32,
    /// Between two looks; the first comes at once. Default 100 ms (upstream).
    pub move_wait: Duration,
    /// How often it fails at most for a reason that passes by itself. Default 5 (upstream).
    pub attempts_max: u32,
    /// Longest wait after the first of these failures; it doubles with each, with full jitter. Default 25 ms (upstream).
    pub backoff_base: Duration,
    /// Longest wait between two attempts. Default 200 ms (upstream).
    pub backoff_max: Duration,
}

impl Options {
    /// Looks for another actor at the address of one that must be there: 24 (upstream).
    pub const MOVES_OF_GET: u32 = 24;
    /// Looks for another actor at the address of one that is made if it is not there: 60 (upstream).
    pub const MOVES_OF_GET_OR_CREATE: u32 = 60;
}

impl Default for Options {
    fn default() -> Self {
        Self {
            deadline: Duration::from_secs(120),
            idempotent: false,
            moves_max: 0,
            move_wait: Duration::from_millis(100),
            attempts_max: 5,
            backoff_base: Duration::from_millis(25),
            backoff_max: Duration::from_millis(200),
        }
    }
}

/// One input of a step.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Input {
    /// Time has passed, nothing else.
    Tick,
    /// The call begins.
    Begin,
    /// What was asked for last has ended; the last input of it. One that was cancelled is ignored.
    Ended {
        /// Which.
        work: u64,
        /// How.
        outcome: Result<(), Failure>,
        /// A random number for the wait before the next attempt.
        jitter: u64,
    },
}

/// One effect of a step, performed in order. Each work is the only one until it has ended or was cancelled, and its
/// `Ended` follows.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Effect {
    /// Find the actor that is meant.
    Resolve {
        /// Counts from 1; told back.
        work: u64,
    },
    /// Send the call to the actor that was found last.
    Send {
        /// Told back.
        work: u64,
    },
    /// Ask the engine why the actor does not run. However that ends, the call has failed.
    Explain {
        /// Told back.
        work: u64,
    },
    /// The actor that was found last is not the one any more.
    Forget,
    /// Give a work up.
    Cancel {
        /// Which.
        work: u64,
    },
    /// The call is over; the last effect.
    Settled(End),
}

/// How a call ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum End {
    /// By the answer of its last attempt.
    Answered,
    /// By the failure of its last attempt.
    Failed {
        /// What of all attempts together.
        executed: Executed,
    },
    /// By its deadline.
    TimedOut {
        /// What of all attempts together.
        executed: Executed,
    },
}
