//! Which pending actor gets which free slot.
//!
//! Actors are served first-in, first-out. Runners are ranked: the highest version first, then the largest free share
//! of slots, then the smallest id. Once a runner of a new version may be given actors, older versions get none, even
//! while all runners of the new one are full: an upgrade never goes back.

use std::cmp::Reverse;

use protocol::id::{ActorId, RunnerId};
use protocol::mark;

use super::Control;
use super::pool::{Pool, PoolKey};
use super::step::Step;

/// The place of a runner among those of its pool that may be given actors; the smallest is the best.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) struct Rank {
    version: Reverse<u32>,
    share: Reverse<u64>,
    pub(super) runner: RunnerId,
}

impl Rank {
    /// None for a runner that can host nothing at all: it must not hold back older versions.
    pub(super) fn new(runner: RunnerId, version: u32, free: u32, total: u32) -> Option<Self> {
        // A share in units of 2^-32: above zero as soon as one slot is free.
        let share = (u64::from(free) << 32).checked_div(u64::from(total))?;
        Some(Self { version: Reverse(version), share: Reverse(share), runner })
    }

    /// Whether the other one's version is newer.
    pub(super) fn is_older_than(&self, other: &Self) -> bool {
        self.version > other.version
    }

    const fn has_room(&self) -> bool {
        self.share.0 > 0
    }
}

impl Control {
    /// Gives free slots to pending actors until one of both is used up.
    pub(super) fn place(&mut self, step: &mut Step, key: &PoolKey) {
        while let Some((actor, runner)) = self.pools.get(key).and_then(|pool| self.next_placement(pool)) {
            self.allocate(step, actor, runner);
        }
    }

    /// The first waiting actor for which there is room, and where.
    pub(super) fn next_placement(&self, pool: &Pool) -> Option<(ActorId, RunnerId)> {
        let best = pool.ranked.first().filter(|best| best.has_room())?;
        let newest = || pool.ranked.iter().take_while(|rank| rank.version == best.version && rank.has_room());
        pool.pending.iter().find_map(|&(_, actor)| {
            let chosen = newest().find(|rank| !self.lingers(rank.runner, actor));
            if chosen.is_none() {
                mark!("control.placement_held_by_lingering");
            }
            chosen.map(|rank| (actor, rank.runner))
        })
    }

    /// Whether an earlier generation of the actor may still live there.
    fn lingers(&self, runner: RunnerId, actor: ActorId) -> bool {
        self.runners[&runner].record.lingering.contains_key(&actor)
    }
}
