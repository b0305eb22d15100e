//! Which families explain what: the lists that the codes share.

use crate::fault::Family;

/// Both lists in one, of `N` families.
const fn with<const N: usize>(some: &[Family], more: &[Family]) -> [Family; N] {
    assert!(some.len() + more.len() == N, "a list has room for both, and no more");
    let mut all = [Family::EngineKilled; N];
    let mut next = 0;
    while next < N {
        all[next] = if next < some.len() { some[next] } else { more[next - some.len()] };
        next += 1;
    }
    all
}

/// Everything after which the engine's process is gone or not served.
pub(super) const ENGINE_GONE: &[Family] = &[
    Family::EngineKilled,
    Family::EnginePowerLost,
    Family::EngineFellInCommit,
    Family::EngineStopped,
    Family::DiskFails,
];

/// The same, or something else stood in the engine's place, and went.
pub(super) const ENGINE_GONE_OR_REPLACED: &[Family] =
    &with::<7>(ENGINE_GONE, &[Family::ApiFails, Family::ApiHangs]);

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

/// The same, and what ends a request that is with its actor at once.
pub(super) const PATH_BROKEN_OR_DESTROYED: &[Family] = &with::<16>(PATH_BROKEN, &[Family::ActorDestroyed]);

/// The same, and what leaves an actor without a place to run for a while.
pub(super) const NO_PLACE: &[Family] = &with::<16>(PATH_BROKEN, &[Family::EndpointFails]);

/// Everything after which a request to start a runner fails, as the engine sees it: one that was paused finds its streams
/// silent.
pub(super) const POOL_FAILS: &[Family] = &[
    Family::EnginePaused,
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

/// Everything that ends a client's connection: an engine that was paused for longer than it keeps an idle one ends it when
/// it goes on, even if something was asked on it meanwhile.
pub(super) const CLIENT_CLOSED: &[Family] = &[
    Family::EngineKilled,
    Family::EnginePowerLost,
    Family::EngineFellInCommit,
    Family::EngineStopped,
    Family::EnginePaused,
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

/// An actor that was there, and is no more.
pub(super) const DESTROYED: &[Family] = &[Family::ActorDestroyed];
