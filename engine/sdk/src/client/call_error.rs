//! How a call to an actor fails.

use std::sync::Arc;
use std::time::Duration;

use machines::client::Executed;
use protocol::error::{ActorError, Code, ErrorBody};
use protocol::id::ActorId;

use super::ClientError;

/// Why a call has no answer, or an error as its answer. [`Self::executed`] tells whether it may have had its effect, all
/// attempts together.
#[derive(Debug, thiserror::Error)]
pub enum CallError {
    /// The actor's side answered an error: an action's own, with its group, code, message and metadata, or one of what
    /// surrounds it (`actor.action_not_found`, `kv.indeterminate`, …).
    #[error("the actor answered {status}: {}.{}: {}", body.group, body.code, body.message)]
    Answered {
        /// Status of the answer.
        status: u16,
        /// What it said.
        body: ErrorBody,
        /// Whether the call had its effect.
        executed: Executed,
    },
    /// The platform refused the call, or lost it.
    #[error("the platform answered {code}: {}", body.message)]
    Platform {
        /// Which of its codes.
        code: Code,
        /// What it said.
        body: ErrorBody,
        /// Whether the call had its effect.
        executed: Executed,
    },
    /// The actor does not run, so that nobody could take the call.
    #[error("{actor} does not run ({code}): {}", reason.as_ref().map_or_else(|| "not known why".to_owned(), ToString::to_string))]
    Unscheduled {
        /// How the platform said that.
        code: Code,
        /// Which actor.
        actor: ActorId,
        /// Why, as the engine shows it; none if it shows nothing, or could not be asked.
        reason: Option<ActorError>,
        /// Whether the call had its effect.
        executed: Executed,
    },
    /// Neither an actor nor an engine answered as one; or the actor could not be found.
    #[error("{source}")]
    Client {
        /// What failed.
        #[source]
        source: Arc<ClientError>,
        /// Whether the call had its effect.
        executed: Executed,
    },
    /// It took too long.
    #[error("the call was not answered within {within:?}")]
    Deadline {
        /// The bound.
        within: Duration,
        /// Whether the call had its effect.
        executed: Executed,
        /// What its last attempt failed with that has ended; none if the first one lasts.
        last: Option<Box<Self>>,
    },
    /// What it is called with cannot be written as JSON. Nothing was sent.
    #[error("what the action is called with is no JSON: {reason}")]
    Input {
        /// What is wrong with it.
        reason: String,
    },
    /// It was carried out; what it answered is not what the action gives.
    #[error("what the action answered is not understood: {reason}")]
    Output {
        /// What is wrong with it.
        reason: String,
    },
}

impl CallError {
    /// Whether the call had its effect, as far as the client can tell.
    #[must_use]
    pub const fn executed(&self) -> Executed {
        match self {
            Self::Answered { executed, .. }
            | Self::Platform { executed, .. }
            | Self::Unscheduled { executed, .. }
            | Self::Client { executed, .. }
            | Self::Deadline { executed, .. } => *executed,
            Self::Input { .. } => Executed::No,
            Self::Output { .. } => Executed::Yes,
        }
    }

    /// Its code, `group` and `code`, where somebody answered one.
    #[must_use]
    pub fn code(&self) -> Option<(&str, &str)> {
        match self {
            Self::Answered { body, .. } | Self::Platform { body, .. } => Some((&body.group, &body.code)),
            Self::Unscheduled { code, .. } => Some((code.group(), code.code())),
            Self::Client { source, .. } => match source.as_ref() {
                ClientError::Engine { body, .. } => Some((&body.group, &body.code)),
                ClientError::Unreachable { .. }
                | ClientError::Broken { .. }
                | ClientError::Undecodable { .. }
                | ClientError::TooLarge { .. }
                | ClientError::Invalid { .. } => None,
            },
            Self::Deadline { .. } | Self::Input { .. } | Self::Output { .. } => None,
        }
    }

    /// The same, where this is what all attempts together did.
    pub(super) fn having(mut self, did: Executed) -> Self {
        match &mut self {
            Self::Answered { executed, .. }
            | Self::Platform { executed, .. }
            | Self::Unscheduled { executed, .. }
            | Self::Client { executed, .. }
            | Self::Deadline { executed, .. } => *executed = did,
            Self::Input { .. } | Self::Output { .. } => {}
        }
        self
    }
}

impl From<Arc<ClientError>> for CallError {
    fn from(source: Arc<ClientError>) -> Self {
        let executed = source.executed();
        match source.as_ref() {
            ClientError::Engine { body, .. } if body.kind().is_ok() => {
                let code = body.kind().expect("looked at just now");
                Self::Platform { code, body: body.clone(), executed }
            }
            ClientError::Engine { .. }
            | ClientError::Unreachable { .. }
            | ClientError::Broken { .. }
            | ClientError::Undecodable { .. }
            | ClientError::TooLarge { .. }
            | ClientError::Invalid { .. } => Self::Client { source, executed },
        }
    }
}
