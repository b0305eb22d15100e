//! Which families explain what: the lists that the codes share.

use crate::fault::Family;

/// Everything after which the engine's process is gone or not served.
pub(super) const ENGINE_GONE: &[Family] = &[
    Family::EngineKilled,
    Family::EnginePowerLost,
    Family::EngineFellInCommit,
    Family::EngineStopped,
    Family::DiskFails,
];

/// The same, or something else stood in the engine's place, and went.
pub(super) const ENGINE_GONE_OR_REPLACED: &[Family] = &[
    Family::EngineKilled,
    Family::EnginePowerLost,
    Family::EngineFellInCommit,
    Family::EngineStopped,
    Family::DiskFails,
    Family::ApiFails,
    Family::ApiHangs,
];

/// Everything after which a request's path to its actor breaks while it is with the actor.
pub(super) const PATH_BROKEN: &[Family] = &[
    Family::EngineKilled,
    Family::EnginePowerLost,
    Family::EngineFellInCommit,
    Family::EngineStopped,
    Family::EnginePaused,
    Family::InstanceKilled,
    Family::InstancePaused,
    Family::ActorDawdles,
    Family::StreamCut,
    Family::SocketCut,
    Family::StreamSilent,
    Family::SocketSilent,
    Family::Partition,
    Family::Slow,
    Family::DiskFails,
];

/// Everything after which an actor has no place to run for a while.
pub(super) const NO_PLACE: &[Family] = &[
    Family::EngineKilled,
    Family::EnginePowerLost,
    Family::EngineFellInCommit,
    Family::EngineStopped,
    Family::EnginePaused,
    Family::InstanceKilled,
    Family::InstancePaused,
    Family::ActorDawdles,
    Family::StreamCut,
    Family::SocketCut,
    Family::StreamSilent,
    Family::SocketSilent,
    Family::Partition,
    Family::Slow,
    Family::EndpointFails,
    Family::DiskFails,
];

/// Everything after which a request to start a runner fails, as the engine sees it.
pub(super) const POOL_FAILS: &[Family] = &[
    Family::EndpointFails,
    Family::InstanceKilled,
    Family::InstancePaused,
    Family::StreamCut,
    Family::StreamSilent,
    Family::Partition,
    Family::Slow,
];

/// Everything after which nothing comes from the engine although it may run.
pub(super) const ENGINE_SILENT: &[Family] = &[
    Family::EnginePowerLost,
    Family::EngineFellInCommit,
    Family::EnginePaused,
    Family::ApiHangs,
    Family::ClientCut,
    Family::Partition,
    Family::Slow,
    Family::DiskFails,
    Family::DiskSlow,
];

/// Everything that ends a client's connection.
pub(super) const CLIENT_CLOSED: &[Family] = &[
    Family::EngineKilled,
    Family::EnginePowerLost,
    Family::EngineFellInCommit,
    Family::EngineStopped,
    Family::ApiFails,
    Family::ApiHangs,
    Family::ClientCut,
    Family::Partition,
    Family::DiskFails,
];

/// A pool that could not be configured in time, or not as it was configured last.
pub(super) const UNCONFIGURED: &[Family] = &[
    Family::ApiFails,
    Family::ApiHangs,
    Family::ApiCut,
    Family::EngineKilled,
    Family::EnginePowerLost,
    Family::EngineFellInCommit,
    Family::EngineStopped,
    Family::EnginePaused,
    Family::InstanceKilled,
    Family::Partition,
    Family::Slow,
    Family::DiskFails,
];
