//! How long a failure may still show a fault that is over.

use std::time::Duration;

use protocol::error::Code;

use crate::fault::Family;

use super::{ActorCode, ClientCode, Failure};

/// Nobody is told of these; the path breaks when somebody notices.
const SILENCES: &[Family] = &[
    Family::EnginePowerLost,
    Family::EngineFellInCommit,
    Family::EnginePaused,
    Family::InstancePaused,
    Family::StreamSilent,
    Family::SocketSilent,
    Family::Partition,
];

/// After so long a silence a runner is lost, and nothing is forwarded to it: the control plane's default.
const UNNOTICED: Duration = Duration::from_secs(15);

/// From the boot of an engine to its first answer, and until a client that pauses for up to 1.5 s has noticed that its
/// connection ended with the last one. Measured: 1.3 s.
const RETURN: Duration = Duration::from_secs(2);

impl Failure {
    /// How long after its end a fault of this family still explains it; `recovery` is what the play states.
    pub fn lingers(self, family: Family, recovery: Duration) -> Duration {
        match self {
            Self::Client(ClientCode::TimedOut | ClientCode::Malformed) => Duration::ZERO,
            Self::Client(ClientCode::Refused | ClientCode::ConnectTimedOut | ClientCode::Closed) => RETURN,
            Self::Client(ClientCode::Outdated) => recovery,
            Self::Actor(ActorCode::StateIndeterminate) => RETURN,
            Self::Platform(code) => platform_lingers(code, family, recovery),
        }
    }
}

fn platform_lingers(code: Code, family: Family, recovery: Duration) -> Duration {
    match code {
        Code::GuardActorReadyTimeout
        | Code::GuardActorStoppedWhileWaiting
        | Code::GuardRetryAttemptsExceeded
        | Code::GuardActorRunnerFailed
        | Code::ActorNoRunnerConfig => recovery,
        Code::GuardRequestTimeout
        | Code::GuardGatewayResponseStartTimeout
        | Code::GuardTunnelRequestAborted
        | Code::GuardTunnelResponseClosed
        | Code::GuardWebsocketOpenTimeout
        | Code::GuardWebsocketClosedBeforeOpen
        | Code::RegistryShutDown => {
            if SILENCES.contains(&family) {
                UNNOTICED
            } else {
                RETURN
            }
        }
        Code::GuardServiceUnavailable | Code::CoreReadOnly => RETURN,
        // An error inside the engine has its cause while it happens.
        _ => Duration::ZERO,
    }
}
