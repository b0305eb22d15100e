//! What can go wrong with a start, and whether trying again can help.
//!
//! Texts carry ports and remedies, never paths or addresses of others: they leave the process through `/health`.

/// Why a start failed, or what stood has gone.
#[derive(Clone, Debug, PartialEq, Eq, Hash, thiserror::Error)]
pub enum Cause {
    /// Something that is no engine listens where the engine shall, or something where the application shall.
    #[error("engine.port_occupied: port {port} is taken: stop what listens there, or choose another port")]
    PortOccupied {
        /// The port.
        port: u16,
    },
    /// There is no engine to spawn.
    #[error(
        "engine.binary_not_found: no rehearsal-engine was found: set REHEARSAL_ENGINE_BINARY, or put it on the PATH"
    )]
    BinaryNotFound,
    /// The engine's endpoint is none that an engine could be spawned for.
    #[error("engine.invalid_endpoint: an engine is spawned on a loopback address with a port only")]
    InvalidEndpoint,
    /// A spawned engine was not healthy in time.
    #[error("engine.health_check_failed: the engine on port {port} was not healthy in time: see its log")]
    HealthCheckFailed {
        /// The port.
        port: u16,
    },
    /// The engine ended by itself.
    #[error("engine.exited: the engine ended by itself: see its log")]
    EngineExited,
    /// The engine in this process could not be opened, or not be spawned.
    #[error("engine.start_failed: the engine cannot be started: see the log")]
    StartFailed,
    /// There are no processes here: a simulated world.
    #[error("engine.unsupported: no engine can be spawned here: embed one, or connect to one")]
    Unsupported,
    /// The engine will never take this runner.
    #[error(
        "engine.rejected: the engine refuses this application for good ({code}): check token and namespace"
    )]
    Rejected {
        /// What it said: a close reason.
        code: &'static str,
    },
    /// Another runner with the same key took over.
    #[error("runner.evicted: another runner with the same key took over")]
    Evicted,
    /// The engine left too much unacknowledged.
    #[error("runner.overflow: the engine left too much unacknowledged")]
    Overflow,
    /// The application's own address cannot be listened on.
    #[error("runtime.listen_failed: cannot listen on port {port}: choose another port or address")]
    ListenFailed {
        /// The port.
        port: u16,
    },
    /// The engine refuses the pool's configuration for good.
    #[error("pool.failed: {message}")]
    Pool {
        /// For people.
        message: String,
    },
    /// A name or token cannot be sent.
    #[error("config.invalid: {message}")]
    Config {
        /// For people.
        message: String,
    },
    /// The service ended without being asked to.
    #[error("runtime.ended_early: the service ended without being asked to")]
    EndedEarly,
    /// A task of it panicked.
    #[error("runtime.panicked: a task of the application panicked: see the log")]
    Panicked,
}

impl Cause {
    /// Whether trying again with the same configuration cannot help.
    #[must_use]
    pub const fn is_permanent(&self) -> bool {
        match self {
            Self::PortOccupied { .. }
            | Self::BinaryNotFound
            | Self::InvalidEndpoint
            | Self::Unsupported
            | Self::Rejected { .. }
            | Self::ListenFailed { .. }
            | Self::Pool { .. }
            | Self::Config { .. } => true,
            Self::HealthCheckFailed { .. }
            | Self::EngineExited
            | Self::StartFailed
            | Self::Evicted
            | Self::Overflow
            | Self::EndedEarly
            | Self::Panicked => false,
        }
    }

    /// Its stable name: `group.code`.
    #[must_use]
    pub const fn code(&self) -> &'static str {
        match self {
            Self::PortOccupied { .. } => "engine.port_occupied",
            Self::BinaryNotFound => "engine.binary_not_found",
            Self::InvalidEndpoint => "engine.invalid_endpoint",
            Self::HealthCheckFailed { .. } => "engine.health_check_failed",
            Self::EngineExited => "engine.exited",
            Self::StartFailed => "engine.start_failed",
            Self::Unsupported => "engine.unsupported",
            Self::Rejected { .. } => "engine.rejected",
            Self::Evicted => "runner.evicted",
            Self::Overflow => "runner.overflow",
            Self::ListenFailed { .. } => "runtime.listen_failed",
            Self::Pool { .. } => "pool.failed",
            Self::Config { .. } => "config.invalid",
            Self::EndedEarly => "runtime.ended_early",
            Self::Panicked => "runtime.panicked",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Cause;

    #[test]
    fn every_text_begins_with_its_code() {
        let message = || "m".to_owned();
        for cause in [
            Cause::PortOccupied { port: 1 },
            Cause::BinaryNotFound,
            Cause::InvalidEndpoint,
            Cause::HealthCheckFailed { port: 1 },
            Cause::EngineExited,
            Cause::StartFailed,
            Cause::Unsupported,
            Cause::Rejected { code: "ws.unauthorized" },
            Cause::Evicted,
            Cause::Overflow,
            Cause::ListenFailed { port: 1 },
            Cause::Pool { message: message() },
            Cause::Config { message: message() },
            Cause::EndedEarly,
            Cause::Panicked,
        ] {
            assert!(cause.to_string().starts_with(&format!("{}: ", cause.code())), "{cause}");
        }
    }
}
