//! How an alarm fails to be set.

use super::ScheduleError;
use super::schedule::Refusal;

/// Why an actor does not know that its alarm is stored.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum AlarmError {
    /// The instance has no right to its actor any more: the alarm is the one before.
    #[error("the alarm was not set")]
    NotDone,
    /// It was told to the engine, which did not say that it has stored it: it may be set, now or later.
    #[error("the alarm may or may not have been set")]
    Indeterminate,
}

impl AlarmError {
    /// Its stable name for clients.
    #[must_use]
    pub const fn code(self) -> &'static str {
        match self {
            Self::NotDone => "not_done",
            Self::Indeterminate => "indeterminate",
        }
    }
}

impl From<ScheduleError> for AlarmError {
    fn from(error: ScheduleError) -> Self {
        match error {
            ScheduleError::Refused(Refusal::Indeterminate) | ScheduleError::Ended => Self::Indeterminate,
            ScheduleError::Refused(_)
            | ScheduleError::NoAction { .. }
            | ScheduleError::NoJson { .. }
            | ScheduleError::Unread(_) => Self::NotDone,
        }
    }
}
