//! What the end of an attempt means: done, failed for now, or failed for good.

use std::time::Duration;

/// How an attempt ended, as the driver saw it.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Outcome {
    /// The engine took the configuration.
    Done,
    /// The engine answered with another status than 200.
    Status {
        /// The status code.
        status: u16,
        /// The engine's `group.code`, or the start of what it said.
        code: String,
        /// What its `Retry-After` asks for.
        retry_after: Option<Duration>,
    },
    /// No answer: refused, reset, not resolved, cut off.
    Unreachable {
        /// For people.
        message: String,
    },
    /// A 200 that does not decode: something else than an engine.
    Undecodable {
        /// For people.
        message: String,
    },
    /// The engine knows no datacenter yet.
    NoDatacenter,
    /// The request could not be made from the configuration (a bad URL, a bad name).
    Invalid {
        /// For people.
        message: String,
    },
}

/// Why the pool is not configured.
#[derive(Clone, Debug, PartialEq, Eq, Hash, thiserror::Error)]
pub enum Failure {
    /// The engine refused with this status.
    #[error("the engine answered {status}: {code}")]
    Status {
        /// The status code.
        status: u16,
        /// The engine's `group.code`, or the start of what it said.
        code: String,
    },
    /// The engine cannot be reached.
    #[error("the engine cannot be reached: {message}")]
    Unreachable {
        /// For people.
        message: String,
    },
    /// The attempt took too long.
    #[error("the engine did not answer in time")]
    Timeout,
    /// What answered is not an engine.
    #[error("what answered is not an engine: {message}")]
    Undecodable {
        /// For people.
        message: String,
    },
    /// The engine knows no datacenter yet.
    #[error("the engine knows no datacenter yet")]
    NoDatacenter,
    /// The configuration itself is wrong.
    #[error("the configuration is invalid: {message}")]
    Invalid {
        /// For people.
        message: String,
    },
    /// The application is shutting down.
    #[error("the application is shutting down")]
    Stopped,
}

/// What an outcome means.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) enum Class {
    /// The engine knows.
    Done,
    /// Asking again cannot help.
    Fatal(Failure),
    /// Ask again, not before `after` has passed.
    Retry {
        /// Why.
        failure: Failure,
        /// What the engine asked for.
        after: Duration,
    },
}

impl Outcome {
    pub(super) fn class(self) -> Class {
        let retry = |failure| Class::Retry { failure, after: Duration::ZERO };
        match self {
            Self::Done => Class::Done,
            Self::Status { status, code, retry_after } => {
                let no_namespace = code == NAMESPACE_NOT_FOUND;
                let failure = Failure::Status { status, code };
                if no_namespace || may_pass(status) {
                    Class::Retry { failure, after: retry_after.unwrap_or_default() }
                } else {
                    Class::Fatal(failure)
                }
            }
            Self::Unreachable { message } => retry(Failure::Unreachable { message }),
            Self::NoDatacenter => retry(Failure::NoDatacenter),
            Self::Undecodable { message } => Class::Fatal(Failure::Undecodable { message }),
            Self::Invalid { message } => Class::Fatal(Failure::Invalid { message }),
        }
    }
}

/// The namespace may still be made, by whoever deploys engine and application together. Its status is 400.
const NAMESPACE_NOT_FOUND: &str = "namespace.not_found";

/// Whether asking again may help: 404 from whatever stands before an engine that is being deployed, and what RFC 9110
/// and RFC 6585 call temporary. Every other status below 500 says that the request itself is wrong.
const fn may_pass(status: u16) -> bool {
    matches!(status, 404 | 408 | 425 | 429) || status >= 500
}
