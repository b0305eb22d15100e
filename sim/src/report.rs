//! What a run hands back: how it ended, what it was, what was felt, what was told.

use std::collections::BTreeMap;
use std::fmt;
use std::time::Duration;

use crate::decide::{Decision, StreamCount};
use crate::digest::Checkpoint;
use crate::effects::Effect;
use crate::overrides::Unmatched;
use crate::points::fault::Strike;
use crate::points::{Point, Struck};
use crate::tap::Unmet;

/// Why a run failed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Failure {
    /// A task panicked. Its node fell with it.
    #[error("{node}/{task} panicked at {at:?}: {message}")]
    Panic {
        /// The node.
        node: String,
        /// The task.
        task: String,
        /// Virtual time.
        at: Duration,
        /// The panic's message, with its place in the source.
        message: String,
        /// Its backtrace, if `RUST_BACKTRACE` asks for one.
        backtrace: String,
    },
    /// Tasks were polled again and again without virtual time moving.
    #[error("{polls} polls at {at:?} without virtual time moving, of: {}", tasks.join(", "))]
    Spinning {
        /// The tasks last polled, as `node/task`.
        tasks: Vec<String>,
        /// How many polls.
        polls: u64,
        /// Virtual time.
        at: Duration,
    },
    /// The script waits, and nothing can ever happen again.
    #[error("nothing can ever happen again after {at:?}; these wait: {}", tasks.join(", "))]
    Stuck {
        /// All tasks, as `node/task`.
        tasks: Vec<String>,
        /// Virtual time.
        at: Duration,
    },
    /// Virtual time passed [`Options::time_max`](crate::Options::time_max).
    #[error("virtual time passed its limit of {limit:?}")]
    TimeLimit {
        /// The limit.
        limit: Duration,
    },
    /// More events than [`Options::events_max`](crate::Options::events_max).
    #[error("more than {limit} events, at {at:?}")]
    EventLimit {
        /// The limit.
        limit: u64,
        /// Virtual time.
        at: Duration,
    },
}

/// A line of the story: what a script chose to tell.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Note {
    /// Virtual time.
    pub at: Duration,
    /// The text.
    pub text: String,
}

/// A line of the trace.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TraceLine {
    /// Virtual time.
    pub at: Duration,
    /// The node it was said on; what the world itself says when something is due is said on `script`.
    pub node: String,
    /// The level.
    pub level: tracing::Level,
    /// The text.
    pub text: String,
}

impl fmt::Display for TraceLine {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let at = self.at;
        write!(
            out,
            "{:>6}.{:09}  {:<10} {:<5} {}",
            at.as_secs(),
            at.subsec_nanos(),
            self.node,
            self.level,
            self.text
        )
    }
}

/// An event kept as it was, named.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Event {
    /// The how-manieth event of the run, from zero.
    pub index: u64,
    /// Virtual time.
    pub at: Duration,
    /// What happened, with the names of those concerned.
    pub text: String,
    /// The event itself, as the digest has it: its kind and subject, its detail. It tells apart what has one text, such as
    /// polls of two tasks of one name.
    pub words: [u64; 2],
}

impl fmt::Display for Event {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "event {} at {:?}: {}", self.index, self.at, self.text)
    }
}

/// What a run hands back.
#[derive(Debug)]
pub struct Report<T> {
    /// The script's value, or why the run failed.
    pub outcome: Result<T, Failure>,
    /// The seed.
    pub seed: u64,
    /// The digest over every event; equal for equal runs.
    pub digest: u128,
    /// The digest on the way.
    pub checkpoints: Vec<Checkpoint>,
    /// How far virtual time went.
    pub elapsed: Duration,
    /// How many polls there were.
    pub polls: u64,
    /// How many events there were.
    pub events: u64,
    /// How many decisions fell.
    pub decisions: u64,
    /// Faults, as felt by whoever suffers them.
    pub effects: BTreeMap<Effect, u64>,
    /// Overrides that met no decision.
    pub unmatched: Vec<Unmatched>,
    /// Planned cuts that did not fall, those at bytes that did not come among them.
    pub unmet: Vec<Unmet>,
    /// What the script told.
    pub notes: Vec<Note>,
    /// The trace, if one was asked for.
    pub trace: Vec<TraceLine>,
    /// The decisions that were to be kept, and those that a pin moved.
    pub recorded: Vec<Decision>,
    /// The first points, if asked for.
    pub points: Vec<Point>,
    /// What has struck at a point.
    pub struck: Vec<Struck>,
    /// Strikes that met no point, or one at which they cannot strike.
    pub missed: Vec<Strike>,
    /// Every stream, if asked for.
    pub streams: Vec<StreamCount>,
    /// Events kept as they were, if asked for.
    pub kept: Vec<Event>,
}

impl<T> Report<T> {
    /// The same report, with another value.
    pub(crate) fn with_value<U>(self, value: impl FnOnce(T) -> U) -> Report<U> {
        Report {
            outcome: self.outcome.map(value),
            seed: self.seed,
            digest: self.digest,
            checkpoints: self.checkpoints,
            elapsed: self.elapsed,
            polls: self.polls,
            events: self.events,
            decisions: self.decisions,
            effects: self.effects,
            unmatched: self.unmatched,
            unmet: self.unmet,
            notes: self.notes,
            trace: self.trace,
            recorded: self.recorded,
            points: self.points,
            struck: self.struck,
            missed: self.missed,
            streams: self.streams,
            kept: self.kept,
        }
    }

    /// The script's value.
    ///
    /// # Panics
    /// If the run failed, with the failure and the seed.
    pub fn expect_ok(self) -> T {
        match self.outcome {
            Ok(value) => value,
            Err(failure) => panic!("seed {}: {failure}", self.seed),
        }
    }
}
