//! What a failure tells: whether the operation can have had an effect, and which faults explain it.
//!
//! Written from what each code promises, not from the machines that give it out: a code that is given out on another
//! occasion than it names breaks `explained_failures`, or makes an increment appear that cannot have happened.

mod families;
mod lingers;

use std::fmt;
use std::str::FromStr;

use protocol::error::Code;

use crate::fault::Family;
use crate::history::Executed;
use families::{
    CLIENT_CLOSED, DESTROYED, ENGINE_GONE, ENGINE_GONE_OR_REPLACED, ENGINE_SILENT, NO_PLACE, PATH_BROKEN,
    PATH_BROKEN_OR_DESTROYED, POOL_FAILS, UNCONFIGURED,
};

/// How a request fails on the client's own side.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum ClientCode {
    /// Nobody listens.
    Refused,
    /// The connection was not made in time.
    ConnectTimedOut,
    /// The connection ended before the whole response was read.
    Closed,
    /// The response did not come within the client's own bound.
    TimedOut,
    /// The response is none: bad framing, bad JSON, an error without a code.
    Malformed,
    /// The answer shows a state that was replaced before it was asked for.
    Outdated,
}

impl ClientCode {
    /// Every one.
    pub const ALL: [Self; 6] =
        [Self::Refused, Self::ConnectTimedOut, Self::Closed, Self::TimedOut, Self::Malformed, Self::Outdated];

    /// `client.code`.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Refused => "client.refused",
            Self::ConnectTimedOut => "client.connect_timed_out",
            Self::Closed => "client.closed",
            Self::TimedOut => "client.timed_out",
            Self::Malformed => "client.malformed",
            Self::Outdated => "client.outdated",
        }
    }

    /// Whether a failure with this code, be it the client's or the platform's, came before anybody took the request.
    pub fn is_unheard(code: &str) -> bool {
        [Self::Refused, Self::ConnectTimedOut].iter().any(|unheard| unheard.as_str() == code)
    }
}

/// What an actor answers when its own storage does not do as it is asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum ActorCode {
    /// Its state was not written, or nobody knows; it will be if it can.
    StateIndeterminate,
}

impl ActorCode {
    /// Every one.
    pub const ALL: [Self; 1] = [Self::StateIndeterminate];

    /// `group.code`.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::StateIndeterminate => "state.indeterminate",
        }
    }
}

/// A failure, as an operation carries it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Failure {
    /// The platform answered with a code.
    Platform(Code),
    /// The client got no answer.
    Client(ClientCode),
    /// The actor answered with a code.
    Actor(ActorCode),
}

/// A text is no code of the platform and none of a client.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("no known failure: {text:?}")]
pub struct UnknownFailure {
    /// The text.
    pub text: String,
}

impl FromStr for Failure {
    type Err = UnknownFailure;

    fn from_str(text: &str) -> Result<Self, UnknownFailure> {
        if let Some(client) = ClientCode::ALL.into_iter().find(|code| code.as_str() == text) {
            return Ok(Self::Client(client));
        }
        if let Some(actor) = ActorCode::ALL.into_iter().find(|code| code.as_str() == text) {
            return Ok(Self::Actor(actor));
        }
        text.parse().map(Self::Platform).map_err(|_| UnknownFailure { text: text.to_owned() })
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Platform(code) => code.as_str(),
            Self::Client(code) => code.as_str(),
            Self::Actor(code) => code.as_str(),
        })
    }
}

impl Failure {
    /// Whether an operation that failed so can have had an effect.
    pub const fn executed(self) -> Executed {
        match self {
            Self::Client(code) => match code {
                ClientCode::Refused | ClientCode::ConnectTimedOut | ClientCode::Outdated => Executed::No,
                ClientCode::Closed | ClientCode::TimedOut | ClientCode::Malformed => Executed::Maybe,
            },
            Self::Actor(ActorCode::StateIndeterminate) => Executed::Maybe,
            Self::Platform(code) => platform_executed(code),
        }
    }

    /// The families that explain it: at least one of them must have been on. Empty: nothing does, it is a mistake of
    /// the client or of the platform.
    pub const fn causes(self) -> &'static [Family] {
        match self {
            Self::Client(code) => match code {
                ClientCode::Refused => ENGINE_GONE_OR_REPLACED,
                ClientCode::ConnectTimedOut | ClientCode::TimedOut => ENGINE_SILENT,
                ClientCode::Closed => CLIENT_CLOSED,
                ClientCode::Outdated => UNCONFIGURED,
                ClientCode::Malformed => &[],
            },
            Self::Actor(ActorCode::StateIndeterminate) => &[Family::DiskFails],
            Self::Platform(code) => platform_causes(code),
        }
    }
}

const fn platform_executed(code: Code) -> Executed {
    match code {
        Code::GuardRequestTimeout
        | Code::GuardGatewayResponseStartTimeout
        | Code::GuardTunnelRequestAborted
        | Code::GuardTunnelResponseClosed
        | Code::GuardResponseBodyTooLarge
        | Code::GuardInvalidResponse
        | Code::GuardWebsocketOpenTimeout
        | Code::GuardWebsocketClosedBeforeOpen
        | Code::CoreInternalError
        | Code::RegistryShutDown => Executed::Maybe,
        Code::ActorNotFound
        | Code::ActorDuplicateKey
        | Code::ActorNoRunnerConfig
        | Code::ActorInputTooLarge
        | Code::ActorEmptyKey
        | Code::ActorKeyTooLarge
        | Code::ActorKvKeyNotFound
        | Code::NamespaceNotFound
        | Code::NamespaceNameNotUnique
        | Code::DatacenterNotFound
        | Code::RunnerConfigInvalid
        | Code::RunnerConfigNotFound
        | Code::ServerlessRunnerPoolNotFound
        | Code::ServerlessRunnerPoolFailedToFetchMetadata
        | Code::ApiNotFound
        | Code::ApiBadRequest
        | Code::ApiUnauthorized
        | Code::ApiForbidden
        | Code::ValidationInvalidInput
        | Code::GuardActorReadyTimeout
        | Code::GuardActorRunnerFailed
        | Code::GuardActorStoppedWhileWaiting
        | Code::GuardServiceUnavailable
        | Code::GuardRetryAttemptsExceeded
        | Code::GuardRequestBodyTooLarge
        | Code::GuardInvalidRequest
        | Code::GuardNoRoute
        | Code::RequestInvalid
        | Code::ConfigEndpointMismatch
        | Code::CoreReadOnly
        | Code::ConfigNamespaceMismatch => Executed::No,
    }
}

const fn platform_causes(code: Code) -> &'static [Family] {
    match code {
        Code::GuardActorReadyTimeout
        | Code::GuardActorStoppedWhileWaiting
        | Code::GuardRetryAttemptsExceeded => NO_PLACE,
        Code::GuardActorRunnerFailed | Code::ServerlessRunnerPoolFailedToFetchMetadata => POOL_FAILS,
        Code::GuardRequestTimeout
        | Code::GuardGatewayResponseStartTimeout
        | Code::GuardWebsocketOpenTimeout
        | Code::RegistryShutDown => PATH_BROKEN,
        Code::GuardTunnelRequestAborted
        | Code::GuardTunnelResponseClosed
        | Code::GuardWebsocketClosedBeforeOpen => PATH_BROKEN_OR_DESTROYED,
        Code::GuardServiceUnavailable => ENGINE_GONE_OR_REPLACED,
        Code::CoreInternalError => ENGINE_GONE,
        Code::CoreReadOnly => &[Family::DiskFails],
        Code::ActorNoRunnerConfig => UNCONFIGURED,
        Code::ActorNotFound => DESTROYED,
        Code::ActorDuplicateKey
        | Code::ActorInputTooLarge
        | Code::ActorEmptyKey
        | Code::ActorKeyTooLarge
        | Code::ActorKvKeyNotFound
        | Code::NamespaceNotFound
        | Code::NamespaceNameNotUnique
        | Code::DatacenterNotFound
        | Code::RunnerConfigInvalid
        | Code::RunnerConfigNotFound
        | Code::ServerlessRunnerPoolNotFound
        | Code::ApiNotFound
        | Code::ApiBadRequest
        | Code::ApiUnauthorized
        | Code::ApiForbidden
        | Code::ValidationInvalidInput
        | Code::GuardRequestBodyTooLarge
        | Code::GuardResponseBodyTooLarge
        | Code::GuardInvalidResponse
        | Code::GuardInvalidRequest
        | Code::GuardNoRoute
        | Code::RequestInvalid
        | Code::ConfigEndpointMismatch
        | Code::ConfigNamespaceMismatch => &[],
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_code_comes_back_from_its_text() {
        for code in Code::ALL {
            assert_eq!(code.as_str().parse(), Ok(Failure::Platform(*code)));
        }
        for code in ClientCode::ALL {
            assert_eq!(code.as_str().parse(), Ok(Failure::Client(code)));
        }
        assert!("client.shrugged".parse::<Failure>().is_err());
    }

    #[test]
    fn every_family_explains_something() {
        for family in Family::ALL {
            let platform = Code::ALL.iter().map(|code| Failure::Platform(*code));
            let client = ClientCode::ALL.into_iter().map(Failure::Client);
            assert!(platform.chain(client).any(|failure| failure.causes().contains(&family)), "{family:?}");
        }
    }
}
