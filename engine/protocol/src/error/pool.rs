//! Why starting runners of a serverless pool fails, as the API shows it in `runner_pool_error`.

use serde::{Deserialize, Serialize};

use crate::error::text::UserText;

/// The last failure of a pool that has an active one.
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
pub enum RunnerPoolError {
    /// The application answered the start with another status than 200.
    #[error("the application answered {status_code}: {body}")]
    ServerlessHttpError {
        /// The status.
        status_code: u16,
        /// The beginning of the body.
        body: UserText,
    },
    /// The event stream ended before its runner was connected, or without anybody having asked for it.
    #[error("the application's event stream ended early")]
    ServerlessStreamEndedEarly,
    /// The application could not be reached, broke off, did not start a runner in time, or answered no event stream.
    #[error("the application could not be reached: {message}")]
    ServerlessConnectionError {
        /// The whole chain of causes.
        message: UserText,
    },
    /// The event stream held something that is no message.
    #[error("the application's event stream is not understood: {message}")]
    ServerlessInvalidSsePayload {
        /// What is wrong with it.
        message: UserText,
        /// The beginning of it.
        raw_payload: Option<UserText>,
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
        let error = RunnerPoolError::ServerlessHttpError { status_code: 500, body: "boom".into() };
        assert_eq!(
            serde_json::to_string(&error).unwrap(),
            r#"{"serverless_http_error":{"status_code":500,"body":"boom"}}"#
        );
        let early = serde_json::to_string(&RunnerPoolError::ServerlessStreamEndedEarly).unwrap();
        assert_eq!(early, r#""serverless_stream_ended_early""#);
    }
}
