//! Why something was not scheduled.

use std::time::Duration;

use protocol::error::UserText;

/// What whoever asked is told.
#[derive(Clone, Debug, PartialEq, Eq, Hash, thiserror::Error)]
pub enum ScheduleError {
    /// The name is empty or too long.
    #[error("a schedule's name has 1 to {max} bytes, not {bytes}")]
    BadName {
        /// Its length.
        bytes: usize,
        /// The longest.
        max: usize,
    },
    /// The payload is too large.
    #[error("a schedule's action and arguments have at most {max} bytes, not {bytes}")]
    TooLarge {
        /// Its length.
        bytes: usize,
        /// The longest.
        max: usize,
    },
    /// The actor has as many schedules as it may.
    #[error("an actor has at most {max} schedules")]
    TooMany {
        /// As many.
        max: usize,
    },
    /// As many changes as there may be schedules wait to be stored.
    #[error("{max} changes of schedules wait to be stored")]
    Busy {
        /// As many.
        max: usize,
    },
    /// The interval is too short.
    #[error("an interval is at least {} ms", min.as_millis())]
    IntervalTooShort {
        /// The shortest.
        min: Duration,
    },
    /// More runs shall be remembered than can be.
    #[error("at most {max} runs of a schedule are remembered")]
    TooManyRuns {
        /// As many.
        max: u32,
    },
    /// The cron expression cannot be read.
    #[error("this is no cron expression: {reason}")]
    BadCron {
        /// What is wrong with it.
        reason: UserText,
    },
    /// There is no such time zone.
    #[error("there is no time zone {zone}")]
    UnknownZone {
        /// As it was given.
        zone: UserText,
    },
    /// The cron expression names no time that will ever come.
    #[error("the cron expression names no time that comes")]
    NeverDue,
    /// It was not stored in time; it may still be.
    #[error("it is not known whether the schedule was stored")]
    Indeterminate,
    /// The actor is being destroyed.
    #[error("the actor is being destroyed")]
    Destroyed,
}

impl ScheduleError {
    /// Its stable name for clients.
    #[must_use]
    pub const fn code(&self) -> &'static str {
        match self {
            Self::BadName { .. } => "invalid_name",
            Self::TooLarge { .. } => "too_large",
            Self::TooMany { .. } => "too_many",
            Self::Busy { .. } => "busy",
            Self::IntervalTooShort { .. } => "interval_too_short",
            Self::TooManyRuns { .. } => "too_many_runs",
            Self::BadCron { .. } => "invalid_cron",
            Self::UnknownZone { .. } => "unknown_zone",
            Self::NeverDue => "never_due",
            Self::Indeterminate => "indeterminate",
            Self::Destroyed => "destroyed",
        }
    }
}
