//! How an attempt fails, what that says about its effect, and whether another one can go better.
//!
//! A platform's code is taken at its word: see `docs/client.md` for the table. What an actor's own side answers is told
//! apart by group and code; whoever forges those in an actor of theirs decides about repetitions of their own calls only.

use protocol::error::Code;

use super::Executed;

/// How an attempt failed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Failure {
    /// Nobody took the connection: nothing was sent.
    Unreachable,
    /// The connection broke before the whole answer was there.
    Broken,
    /// The request could not be made.
    Unsendable,
    /// What answered is neither an engine nor an actor: a proxy on the way, most likely.
    Foreign {
        /// Its status.
        status: u16,
    },
    /// The platform answered with one of its codes.
    Platform(Code),
    /// The platform answered with a code of another version.
    Unknown {
        /// Its status.
        status: u16,
    },
    /// The actor's side answered.
    Actor(Answer),
}

/// How the actor's side failed a call: its runner, what surrounds its code, or its code.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Answer {
    /// It is not ready for it, or has no room.
    Unready,
    /// It is being destroyed, or is not there any more.
    Gone,
    /// It had begun, or had not, when it was restarted.
    BrokenOff,
    /// It will never take this: no such action, no such encoding.
    Refused,
    /// It was carried out, and failed by the caller's fault.
    Failed,
    /// It was carried out in part, or wholly, or its end is not known.
    Uncertain,
}

/// What follows of a failure.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Class {
    /// Another attempt would go no better.
    Final,
    /// The actor has no runner: the engine knows why, and may be asked.
    Unscheduled,
    /// Something of the path is changing at this moment.
    Boundary,
    /// The actor of this id is gone; another may be at its address.
    Stale,
}

impl Answer {
    /// What the actor's side means by a code. Those of the groups `actor` and `runner` are RivetKit's and ours.
    #[must_use]
    pub fn of(group: &str, code: &str, status: u16) -> Self {
        match (group, code) {
            ("actor" | "runner", "starting" | "stopping" | "overloaded") => Self::Unready,
            ("actor", "not_found" | "not_configured" | "destroying") => Self::Gone,
            ("actor", code) if code.starts_with("destroyed_") => Self::Gone,
            ("actor", "restarting" | "dropped_reply") => Self::BrokenOff,
            ("actor", "action_not_found" | "method_not_allowed" | "invalid_encoding") | ("request", _) => {
                Self::Refused
            }
            // A time-out is the actor's own: the action goes on.
            ("actor", "action_timed_out") => Self::Uncertain,
            _ if (400..500).contains(&status) => Self::Failed,
            _ => Self::Uncertain,
        }
    }
}

impl Failure {
    /// Whether the attempt had its effect.
    #[must_use]
    pub const fn executed(self) -> Executed {
        match self {
            Self::Unreachable | Self::Unsendable => Executed::No,
            Self::Broken | Self::Foreign { .. } => Executed::Maybe,
            Self::Unknown { status } if status < 500 => Executed::No,
            Self::Unknown { .. } => Executed::Maybe,
            Self::Platform(code) => of_code(code).0,
            Self::Actor(answer) => match answer {
                Answer::Unready | Answer::Gone | Answer::Refused => Executed::No,
                Answer::BrokenOff | Answer::Uncertain => Executed::Maybe,
                Answer::Failed => Executed::Yes,
            },
        }
    }

    /// What follows of it.
    #[must_use]
    pub const fn class(self) -> Class {
        match self {
            Self::Unreachable | Self::Broken => Class::Boundary,
            Self::Unsendable => Class::Final,
            Self::Foreign { status } | Self::Unknown { status } if status < 500 => Class::Final,
            Self::Foreign { .. } | Self::Unknown { .. } => Class::Boundary,
            Self::Platform(code) => of_code(code).1,
            Self::Actor(answer) => match answer {
                Answer::Unready | Answer::BrokenOff => Class::Boundary,
                Answer::Gone => Class::Stale,
                Answer::Refused | Answer::Failed | Answer::Uncertain => Class::Final,
            },
        }
    }
}

const fn of_code(code: Code) -> (Executed, Class) {
    match code {
        Code::ActorNotFound => (Executed::No, Class::Stale),
        Code::GuardActorStoppedWhileWaiting | Code::GuardRetryAttemptsExceeded => {
            (Executed::No, Class::Boundary)
        }
        Code::GuardActorReadyTimeout | Code::GuardActorRunnerFailed => (Executed::No, Class::Unscheduled),
        // An engine that is going down says the first of these of what it has forwarded, too.
        Code::GuardServiceUnavailable
        | Code::GuardTunnelRequestAborted
        | Code::GuardTunnelResponseClosed
        | Code::GuardWebsocketOpenTimeout
        | Code::GuardGatewayResponseStartTimeout => (Executed::Maybe, Class::Boundary),
        Code::GuardRequestTimeout
        | Code::GuardResponseBodyTooLarge
        | Code::GuardInvalidResponse
        | Code::GuardWebsocketClosedBeforeOpen
        | Code::CoreInternalError
        | Code::RegistryShutDown => (Executed::Maybe, Class::Final),
        Code::ActorDuplicateKey
        | Code::ActorNoRunnerConfig
        | Code::ActorKvKeyNotFound
        | Code::ActorInputTooLarge
        | Code::ActorEmptyKey
        | Code::ActorKeyTooLarge
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
        | Code::GuardRequestBodyTooLarge
        | Code::GuardInvalidRequest
        | Code::GuardNoRoute
        | Code::CoreReadOnly
        | Code::RequestInvalid
        | Code::ConfigEndpointMismatch
        | Code::ConfigNamespaceMismatch => (Executed::No, Class::Final),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_an_actors_side_answers_is_told_apart_by_its_code() {
        for (group, code, status, expected) in [
            ("actor", "starting", 500, Answer::Unready),
            ("actor", "overloaded", 503, Answer::Unready),
            ("runner", "overloaded", 503, Answer::Unready),
            ("actor", "destroyed_during_creation", 500, Answer::Gone),
            ("actor", "not_found", 404, Answer::Gone),
            ("actor", "dropped_reply", 500, Answer::BrokenOff),
            ("actor", "action_not_found", 404, Answer::Refused),
            ("actor", "action_timed_out", 408, Answer::Uncertain),
            ("actor", "internal_error", 500, Answer::Uncertain),
            ("state", "indeterminate", 503, Answer::Uncertain),
            ("kv", "not_done", 503, Answer::Uncertain),
            ("user", "not_found", 404, Answer::Failed),
            ("user", "starting", 400, Answer::Failed),
            ("shop", "destroying", 409, Answer::Failed),
        ] {
            assert_eq!(Answer::of(group, code, status), expected, "{group}.{code}");
        }
    }

    #[test]
    fn what_was_answered_by_the_callers_fault_is_carried_out_and_never_repeated() {
        let failed = Failure::Actor(Answer::Failed);
        assert_eq!((failed.executed(), failed.class()), (Executed::Yes, Class::Final));
    }

    #[test]
    fn what_no_engine_says_leaves_its_effect_open() {
        for status in [200, 404, 502] {
            assert_eq!(Failure::Foreign { status }.executed(), Executed::Maybe);
        }
        assert_eq!(Failure::Foreign { status: 404 }.class(), Class::Final);
        assert_eq!(Failure::Foreign { status: 502 }.class(), Class::Boundary);
    }

    #[test]
    fn a_code_of_another_version_is_known_by_its_status() {
        let told = |status| (Failure::Unknown { status }.executed(), Failure::Unknown { status }.class());
        assert_eq!(told(409), (Executed::No, Class::Final));
        assert_eq!(told(503), (Executed::Maybe, Class::Boundary));
    }
}
