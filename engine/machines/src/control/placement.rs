//! Which pending actor gets which free slot.
//!
//! Actors are served first-in, first-out. Of runners only those of the newest version are considered that may be given
//! actors: once there is one, older versions get nothing, even while all of the new one are full; an upgrade never goes
//! back. Among them one is drawn by its free share ([`index`]). The draw is a hash of who is placed for which time: it
//! needs no randomness, and no two actors follow each other to one runner.

mod index;
mod queue;
mod stand;
mod tier;

use protocol::id::{ActorId, Generation};
use protocol::mark;

pub use index::Index;
pub(super) use queue::{Haunts, Queue};
pub use stand::{Seat, Stand, Stands};

use super::Control;
use super::hash::fnv;
use super::pool::{Pool, PoolKey};
use super::step::Step;

/// Draws for one actor before every runner with room is looked at. Ours: an actor lingers on one runner or two, so the
/// first draw nearly always serves.
const DRAWS: u64 = 8;

impl Control {
    /// Gives free slots to pending actors until one of both is used up.
    pub(super) fn place(&mut self, step: &mut Step, key: &PoolKey) {
        while let Some((actor, seat)) = self.pools.get(key).and_then(|pool| self.next_placement(pool)) {
            self.allocate(step, actor, seat);
        }
    }

    /// The first waiting actor for which there is room, and where.
    pub(super) fn next_placement(&self, pool: &Pool) -> Option<(ActorId, Seat)> {
        if !pool.index.has_room() || pool.pending.is_empty() {
            return None;
        }
        if pool.headroom() == 0 {
            mark!("control.max_concurrent_actors");
            return None;
        }
        let kept = |haunts: &Haunts| {
            let kept = pool.index.with_room().all(|seat| haunts.contains(&self.runners.at(seat).record.id));
            if kept {
                mark!("control.placement_held_by_lingering");
            }
            kept
        };
        let (_, actor) = pool.pending.first(kept)?;
        Some((actor, self.choose(pool, actor).expect("there is room where it does not linger")))
    }

    fn choose(&self, pool: &Pool, actor: ActorId) -> Option<Seat> {
        let known = self.actors.known(actor);
        let generation = known.generation.map_or(Generation::FIRST, Generation::next);
        let mut draws = (0..DRAWS).filter_map(|draw| pool.index.choose(word(actor, generation, draw)));
        draws
            .find(|seat| !self.lingers(*seat, actor))
            .or_else(|| pool.index.with_room().find(|seat| !self.lingers(*seat, actor)))
    }

    /// Whether an earlier generation of the actor may still live there.
    fn lingers(&self, seat: Seat, actor: ActorId) -> bool {
        self.runners.at(seat).record.lingering.contains_key(&actor)
    }
}

/// A word for this draw: a hash of whom it is for, its bits mixed as in `SplitMix64`.
fn word(actor: ActorId, generation: Generation, draw: u64) -> u64 {
    let hash = fnv(actor.as_str().bytes().chain(generation.0.to_le_bytes()).chain(draw.to_le_bytes()));
    let mixed = (hash ^ (hash >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    mixed ^ (mixed >> 31)
}
