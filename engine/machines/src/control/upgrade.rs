//! Newer versions of an application: older runners are drained once one of the newest is there and well.
//!
//! A runner counts as well when it may be given actors: it is connected, its barrier has passed, it has slots. So the last
//! version that is well is never drained for one that is not, and an older one that comes later drains nobody. Runners
//! that are not connected right now are drained too: they would come back to actors that nobody moved.
//!
//! A serverless pool learns of a newer version from its application's metadata ([`super::metadata`]). Nobody needs a
//! runner for that, so one more stream is opened than the pool shall have, even beyond `max_runners`: a scout. If it brings a
//! newer runner, the others are replaced; if not, it is surplus, and the next look at the metadata sends another.

use protocol::id::RunnerId;
use protocol::mark;
use protocol::view::Fact;

use super::Control;
use super::pool::{Pool, PoolKey};
use super::step::Step;
use super::timers::Due;

impl Control {
    /// Drains whoever is older than the newest version that is well.
    pub(super) fn upgrade(&mut self, step: &mut Step, key: &PoolKey) {
        let Some(upgrade) = self.pools.get(key).and_then(|pool| Some(*pool.config.as_ref()?.upgrade()))
        else {
            return;
        };
        while let Some((old, newest)) = self.pools.get(key).and_then(overtaken) {
            mark!("control.version_drained");
            step.fact(Fact::RunnerOvertaken { runner: old, newest });
            self.overtake(step, old, &upgrade);
        }
    }

    /// The application has told its version: if none of its runners is as new, one is sent for.
    pub(super) fn scout(&mut self, step: &mut Step, key: &PoolKey) {
        let pool = &self.pools[key];
        let newest = pool.undrained.last().map(|(version, _)| *version);
        let newer = newest.is_some_and(|newest| pool.metadata.version.is_some_and(|told| told > newest));
        let waits = self.thresholds.get(&Due::Retry(key.clone())).is_some();
        // Those on their way go where a scout would.
        if newer && upgrades(pool) && !waits && pool.coming.is_empty() {
            mark!("control.scout_sent");
            let stream = self.open_stream(step, key);
            self.pool_mut(key).scout = Some(stream);
        }
    }

    /// Panics where the index of versions differs from the runners, or somebody was left behind.
    pub(super) fn check_versions(&self, key: &PoolKey, pool: &Pool) {
        let runners = pool.runners.iter().map(|(_, id)| &self.runners[id].record);
        let undrained = runners.filter(|runner| runner.draining.is_none());
        let again: std::collections::BTreeSet<_> = undrained.map(|it| (it.version, it.id)).collect();
        assert_eq!(pool.undrained, again, "versions of {key:?} are known");
        assert!(overtaken(pool).is_none(), "older versions of {key:?} are drained");
        assert!(
            pool.scout.is_none_or(|scout| pool.coming.contains(&scout)),
            "a scout of {key:?} is on its way"
        );
    }
}

fn upgrades(pool: &Pool) -> bool {
    pool.config.as_ref().is_some_and(|config| config.upgrade().drain_on_version_upgrade)
}

/// A runner that is older than the newest that is well, and the version of that one.
fn overtaken(pool: &Pool) -> Option<(RunnerId, u32)> {
    let newest = pool.index.newest().filter(|_| upgrades(pool))?;
    let (version, old) = *pool.undrained.first()?;
    (version < newest).then_some((old, newest))
}
