//! How a call to the engine fails.

use std::time::Duration;

use machines::client::Failure;
use protocol::error::{Code, ErrorBody};

pub use machines::client::Executed;

/// Why a call has no answer, or not the one that was wanted.
#[derive(Debug, thiserror::Error)]
pub enum ClientError {
    /// No connection to the engine: nothing was sent.
    #[error("the engine cannot be reached")]
    Unreachable {
        /// What the system says.
        #[source]
        source: Box<dyn std::error::Error + Send + Sync>,
    },
    /// The connection broke before the whole answer was there.
    #[error("the connection to the engine broke before its answer")]
    Broken {
        /// What broke.
        #[source]
        source: Box<dyn std::error::Error + Send + Sync>,
    },
    /// The engine refused.
    #[error("the engine answered {status}: {}.{}: {}", body.group, body.code, body.message)]
    Engine {
        /// The status code.
        status: u16,
        /// What it said.
        body: ErrorBody,
        /// What its `Retry-After` asks for.
        retry_after: Option<Duration>,
    },
    /// What answered does not speak as an engine does.
    #[error("what answered {status} is no engine: {reason}")]
    Undecodable {
        /// The status code.
        status: u16,
        /// What is wrong with it.
        reason: String,
    },
    /// The answer is larger than the platform carries.
    #[error("the answer is larger than {limit} bytes")]
    TooLarge {
        /// The bound.
        limit: usize,
    },
    /// The call could not be made.
    #[error("{what} cannot be sent")]
    Invalid {
        /// What of it.
        what: &'static str,
    },
}

impl ClientError {
    /// What failed, as far as it decides anything.
    #[must_use]
    pub fn failure(&self) -> Failure {
        match self {
            Self::Unreachable { .. } => Failure::Unreachable,
            Self::Broken { .. } => Failure::Broken,
            Self::Engine { status, body, .. } => {
                body.kind().map_or(Failure::Unknown { status: *status }, Failure::Platform)
            }
            Self::Undecodable { status, .. } => Failure::Foreign { status: *status },
            Self::TooLarge { .. } => Failure::Platform(Code::GuardResponseBodyTooLarge),
            Self::Invalid { .. } => Failure::Unsendable,
        }
    }

    /// Whether the call may have had its effect all the same, as far as the client can tell.
    #[must_use]
    pub fn executed(&self) -> Executed {
        self.failure().executed()
    }
}
