//! Faults, as far as laws know them: which family was on, from when until when.
//!
//! How a fault is made lies in `sim` and in the plays. A family is what its sufferers feel, so that [`crate::code`]
//! can say which failures it explains.

use protocol::time::Mono;
use serde::Serialize;

/// What kind of trouble.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Family {
    /// The engine's process was killed; its kernel said goodbye for it.
    EngineKilled,
    /// The engine's machine lost power: silence, and unsynced sectors are gone.
    EnginePowerLost,
    /// The engine fell inside a disk operation, killed or without power.
    EngineFellInCommit,
    /// No engine runs, in order: it was asked to stop and did, or it has not been started yet.
    EngineStopped,
    /// The engine was paused and went on.
    EnginePaused,
    /// An application instance was killed by its platform.
    InstanceKilled,
    /// An application instance was paused by its platform and went on.
    InstancePaused,
    /// An actor's own code takes far longer than usual, to start or to answer.
    ActorDawdles,
    /// A serverless event stream was cut, by either side.
    StreamCut,
    /// A runner's WebSocket was cut, by either side.
    SocketCut,
    /// A serverless event stream carries nothing any more, and nobody was told.
    StreamSilent,
    /// A runner's WebSocket carries nothing any more, and nobody was told.
    SocketSilent,
    /// A client's connection was cut.
    ClientCut,
    /// Two nodes cannot reach each other.
    Partition,
    /// Packets take far longer than usual.
    Slow,
    /// The application's serverless endpoint refuses, fails or hangs.
    EndpointFails,
    /// Whatever stands in the engine's place answers with errors.
    ApiFails,
    /// Whatever stands in the engine's place accepts, and never answers.
    ApiHangs,
    /// The connection of an API call was cut before its answer came.
    ApiCut,
    /// The engine's disk refuses or loses.
    DiskFails,
    /// The engine's disk takes far longer than usual.
    DiskSlow,
    /// Another client destroyed the actor that one asks.
    ActorDestroyed,
}

impl Active {
    /// Whether whoever asks for this key suffers from it.
    pub fn concerns(&self, key: &str) -> bool {
        self.within.is_none_or(|begin| key.starts_with(begin))
    }
}

impl Family {
    /// Every family.
    pub const ALL: [Self; 22] = [
        Self::EngineKilled,
        Self::EnginePowerLost,
        Self::EngineFellInCommit,
        Self::EngineStopped,
        Self::EnginePaused,
        Self::InstanceKilled,
        Self::InstancePaused,
        Self::ActorDawdles,
        Self::StreamCut,
        Self::SocketCut,
        Self::StreamSilent,
        Self::SocketSilent,
        Self::ClientCut,
        Self::Partition,
        Self::Slow,
        Self::EndpointFails,
        Self::ApiFails,
        Self::ApiHangs,
        Self::ApiCut,
        Self::DiskFails,
        Self::DiskSlow,
        Self::ActorDestroyed,
    ];

    /// Stable name.
    pub const fn name(self) -> &'static str {
        match self {
            Self::EngineKilled => "engine_killed",
            Self::EnginePowerLost => "engine_power_lost",
            Self::EngineFellInCommit => "engine_fell_in_commit",
            Self::EngineStopped => "engine_stopped",
            Self::EnginePaused => "engine_paused",
            Self::InstanceKilled => "instance_killed",
            Self::InstancePaused => "instance_paused",
            Self::ActorDawdles => "actor_dawdles",
            Self::StreamCut => "stream_cut",
            Self::SocketCut => "socket_cut",
            Self::StreamSilent => "stream_silent",
            Self::SocketSilent => "socket_silent",
            Self::ClientCut => "client_cut",
            Self::Partition => "partition",
            Self::Slow => "slow",
            Self::EndpointFails => "endpoint_fails",
            Self::ApiFails => "api_fails",
            Self::ApiHangs => "api_hangs",
            Self::ApiCut => "api_cut",
            Self::DiskFails => "disk_fails",
            Self::DiskSlow => "disk_slow",
            Self::ActorDestroyed => "actor_destroyed",
        }
    }
}

/// A stretch of time in which a fault was on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize)]
pub struct Active {
    /// Its family.
    pub family: Family,
    /// Only keys that begin so suffer from it; none: whoever there is.
    pub within: Option<&'static str>,
    /// When it struck.
    pub from: Mono,
    /// When it was repaired; a stroke without duration ends as it begins; `None` if it never was.
    pub until: Option<Mono>,
}
