//! How a request, or a start, fails.

use protocol::error::{ErrorBody, cut};
use protocol::limits::USER_TEXT_BYTES_MAX;

use super::{AlarmError, KvError, Response, SaveError, ScheduleError};
use crate::sql::SqlError;

/// Why an actor could not do what it was asked to.
#[derive(Debug, thiserror::Error)]
pub enum ActorError {
    /// The client's fault, told to it as it is.
    #[error("{code}: {message}")]
    User {
        /// Status of the answer, 400 to 499.
        status: u16,
        /// What is wrong, for programs.
        code: String,
        /// What is wrong, for people.
        message: String,
    },
    /// Storage failed. The client learns whether it may have had its effect: `kv.not_done` or `kv.indeterminate`.
    #[error(transparent)]
    Kv(#[from] KvError),
    /// An alarm was not set, or may not have been: `alarm.not_done` or `alarm.indeterminate`.
    #[error(transparent)]
    Alarm(#[from] AlarmError),
    /// Its state is not known to be stored: `state.indeterminate`, `state.unfit` or `state.ended`. The change stands, so
    /// the client must take it for possible.
    #[error(transparent)]
    Save(#[from] SaveError),
    /// Something was not scheduled: `schedule.` with [`ScheduleError::code`]. Told as it is.
    #[error(transparent)]
    Schedule(#[from] ScheduleError),
    /// Its database did not do what it was asked to. The client learns of what storage failed in: `sql.not_committed`,
    /// `sql.indeterminate`, `sql.unread`, `sql.queue_full`; anything else is the actor's own fault.
    #[error(transparent)]
    Sql(#[from] SqlError),
    /// The actor's own fault. The client is told no more than that.
    #[error("internal error: {0}")]
    Internal(#[source] Box<dyn std::error::Error + Send + Sync>),
}

impl ActorError {
    /// A bad request: status 400.
    pub fn user(code: impl Into<String>, message: impl Into<String>) -> Self {
        Self::User { status: 400, code: code.into(), message: message.into() }
    }

    /// Something at the requested path that is not there: status 404.
    pub fn not_found(message: impl Into<String>) -> Self {
        Self::User { status: 404, code: "not_found".into(), message: message.into() }
    }

    /// Any other failure.
    pub fn internal(error: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> Self {
        Self::Internal(error.into())
    }

    /// What the client gets; of a fault of the actor's own no more than that, unless it is exposed.
    pub(crate) fn into_response(self, exposes: bool) -> Response {
        let (status, body) = self.into_body(exposes);
        Response::json(&body).with_status(status)
    }

    /// The same as a status and a body.
    pub(crate) fn into_body(self, exposes: bool) -> (u16, ErrorBody) {
        let (status, group, code, message) = match self {
            Self::User { status, code, message } => {
                let status = if (400..500).contains(&status) { status } else { 400 };
                (status, "user", code, message)
            }
            Self::Kv(error) => (503, "kv", error.code().to_owned(), error.to_string()),
            Self::Alarm(error) => (503, "alarm", error.code().to_owned(), error.to_string()),
            Self::Save(error) => (503, "state", error.code().to_owned(), error.to_string()),
            Self::Schedule(error) => {
                let status = if error.is_passing() { 503 } else { 400 };
                (status, "schedule", error.code().to_owned(), error.to_string())
            }
            Self::Sql(error) if error.is_of_storage() => {
                (503, "sql", error.code().to_owned(), error.to_string())
            }
            Self::Sql(error) => return Self::internal(error).into_body(exposes),
            Self::Internal(error) if exposes => {
                let message = cut(&error.to_string(), USER_TEXT_BYTES_MAX).to_owned();
                (500, "actor", "internal_error".to_owned(), message)
            }
            Self::Internal(_) => {
                (500, "actor", "internal_error".to_owned(), "An internal error occurred".to_owned())
            }
        };
        (status, ErrorBody { group: group.to_owned(), code, message, metadata: None })
    }
}
