//! Why an actor does not run although it should, as the API shows it in the actor's `error`.

use serde::{Deserialize, Serialize};

use crate::error::pool::RunnerPoolError;
use crate::error::text::UserText;
use crate::id::RunnerId;

/// The last failure of an actor. RivetKit prints it to whoever called the actor.
#[derive(
    Clone,
    Debug,
    PartialEq,
    Eq,
    PartialOrd,
    Ord,
    Hash,
    Serialize,
    Deserialize,
    thiserror::Error,
    utoipa::ToSchema,
)]
#[serde(rename_all = "snake_case")]
pub enum ActorError {
    /// No runner has room, and starting runners of the pool fails.
    #[error("{0}")]
    RunnerPoolError(RunnerPoolError),
    /// No runner has room.
    #[error("no runner has room")]
    NoCapacity,
    /// The runner did not start or stop the actor in time.
    #[error("runner {runner_id} did not respond")]
    RunnerNoResponse {
        /// The runner.
        runner_id: RunnerId,
    },
    /// The runner was lost.
    #[error("the connection to runner {runner_id} was lost")]
    RunnerConnectionLost {
        /// The runner.
        runner_id: RunnerId,
    },
    /// The runner did not drain in time.
    #[error("runner {runner_id} did not drain in time")]
    RunnerDrainingTimeout {
        /// The runner.
        runner_id: RunnerId,
    },
    /// The actor stopped with an error.
    #[error("the actor crashed: {}", message.as_ref().map_or("no message", UserText::as_str))]
    Crashed {
        /// What the runner said of it.
        message: Option<UserText>,
    },
    /// The engine failed.
    #[error("internal error")]
    InternalError,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_reads_as_seen_on_the_wire() {
        assert_eq!(serde_json::to_string(&ActorError::NoCapacity).unwrap(), r#""no_capacity""#);
        let pool = RunnerPoolError::ServerlessHttpError { status_code: 500, body: "boom".into() };
        assert_eq!(
            serde_json::to_string(&ActorError::RunnerPoolError(pool)).unwrap(),
            r#"{"runner_pool_error":{"serverless_http_error":{"status_code":500,"body":"boom"}}}"#
        );
    }
}
