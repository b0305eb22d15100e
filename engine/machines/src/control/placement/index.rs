//! Runners that may be given actors, by version and free share: one is chosen, and each change made, in a time that
//! does not grow with how many there are.
//!
//! Of each version there are as many levels as a share is told in, and each runner stands at one. Which one is chosen is
//! drawn with the free share as its weight, so that a crowd of creations spreads over all that have room, as upstream
//! draws among the hundred best. The draw itself is the caller's: this index is a pure table.

use std::cmp::Reverse;
use std::collections::BTreeMap;

use super::stand::{Level, Seat, Stand, Stands};
use super::tier::Tier;

/// All of a pool that may be given actors, full ones included.
///
/// A slot is taken and given back by [`Index::update`]; a runner that is not to be given actors for a while (it drains, has
/// not answered for too long, is gone) is taken out, and entered anew when it is. Memory: 4 bytes a runner and 8 more
/// with its caller, and 1.6 KiB a version.
///
/// ```
/// use machines::control::{Index, Seat, Stand, Stands};
///
/// struct Runners(Vec<Stand>);
///
/// impl Stands for Runners {
///     fn stand_mut(&mut self, seat: Seat) -> &mut Stand {
///         &mut self.0[seat.number()]
///     }
/// }
///
/// let mut index = Index::default();
/// let seat = Seat::new(0);
/// let mut runners = Runners(vec![index.insert(seat, 1, 1, 1)]);
/// assert_eq!(index.choose(12_345), Some(seat));
/// index.update(&mut runners, seat, 0, 1);
/// assert_eq!(index.choose(12_345), None);
/// index.remove(&mut runners, seat);
/// assert!(index.is_empty());
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct Index {
    /// The newest version first.
    tiers: BTreeMap<Reverse<u32>, Tier>,
}

impl Index {
    /// Enters the runner in this seat, which is of this version and has slots: so many free ones of so many, of which
    /// there is at least one. The caller keeps what it gets with the runner.
    ///
    /// # Panics
    /// When it has no slots at all.
    #[must_use]
    pub fn insert(&mut self, seat: Seat, version: u32, free: u32, total: u32) -> Stand {
        let tier = self.tiers.entry(Reverse(version)).or_insert_with(Tier::new);
        tier.step_in(seat, version, Level::of(free, total))
    }

    /// A slot of it was taken or given back: so many are free now, of so many.
    ///
    /// # Panics
    /// When it was taken out, or has no slots at all.
    pub fn update(&mut self, stands: &mut impl Stands, seat: Seat, free: u32, total: u32) {
        let stand = *stands.stand_mut(seat);
        let level = Level::of(free, total);
        if level != stand.level() {
            let tier = self.tiers.get_mut(&Reverse(stand.version)).expect("a stand has its tier");
            tier.step_out(stands, seat, stand);
            *stands.stand_mut(seat) = tier.step_in(seat, stand.version, level);
        }
    }

    /// It may be given no more. Its stand means nothing from here on.
    ///
    /// # Panics
    /// When it was taken out before.
    pub fn remove(&mut self, stands: &mut impl Stands, seat: Seat) {
        let stand = *stands.stand_mut(seat);
        let tier = self.tiers.get_mut(&Reverse(stand.version)).expect("a stand has its tier");
        tier.step_out(stands, seat, stand);
        if tier.members == 0 {
            self.tiers.remove(&Reverse(stand.version));
        }
    }

    /// The newest version, whether or not it has room.
    pub fn newest(&self) -> Option<u32> {
        self.tiers.first_key_value().map(|(version, _)| version.0)
    }

    /// Whether the newest version has room.
    pub fn has_room(&self) -> bool {
        self.tiers.first_key_value().is_some_and(|(_, tier)| tier.weight > 0)
    }

    /// The runner of the newest version on which this word, any of 64 bits, falls; none if that version has no room.
    pub fn choose(&self, word: u64) -> Option<Seat> {
        let (_, tier) = self.tiers.first_key_value().filter(|(_, tier)| tier.weight > 0)?;
        // The high bits of a product, and not a remainder: no division, and as even.
        let number = (u128::from(word) * u128::from(tier.weight)) >> 64;
        Some(tier.draw(u64::try_from(number).expect("below the weight of all")))
    }

    /// Those of the newest version that have room, the emptiest first.
    pub fn with_room(&self) -> impl Iterator<Item = Seat> {
        let newest = self.tiers.first_key_value();
        let levels = newest.into_iter().flat_map(|(_, tier)| tier.levels[1..].iter().rev());
        levels.flatten().copied()
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.tiers.values().map(|tier| tier.members).sum()
    }

    /// Whether there is nobody.
    pub fn is_empty(&self) -> bool {
        self.tiers.is_empty()
    }

    /// Compares the index with what these runners say: each with its seat, stand, version, free slots and all slots.
    ///
    /// # Panics
    /// Where they differ.
    pub fn check(&self, runners: impl Iterator<Item = (Seat, Stand, u32, u32, u32)>) {
        let mut count = 0;
        for (seat, stand, version, free, total) in runners {
            let level = Level::of(free, total);
            assert_eq!((stand.version, stand.level()), (version, level), "{seat:?} stands");
            let tier = &self.tiers[&Reverse(version)];
            assert_eq!(tier.levels[level.0 as usize][stand.position()], seat, "{seat:?} is found");
            count += 1;
        }
        assert_eq!(count, self.len(), "nobody else stands in the index");
        self.tiers.values().for_each(Tier::check);
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// Runners by seat, each with its stand, version, free slots and all slots.
    #[derive(Default)]
    struct Runners(BTreeMap<Seat, (Stand, u32, u32, u32)>);

    impl Stands for Runners {
        fn stand_mut(&mut self, seat: Seat) -> &mut Stand {
            &mut self.0.get_mut(&seat).expect("it is in the index").0
        }
    }

    impl Runners {
        fn insert(&mut self, index: &mut Index, number: usize, version: u32, free: u32, total: u32) -> Seat {
            let seat = Seat::new(number);
            self.0.insert(seat, (index.insert(seat, version, free, total), version, free, total));
            seat
        }

        fn update(&mut self, index: &mut Index, seat: Seat, free: u32, total: u32) {
            index.update(self, seat, free, total);
            let runner = self.0.get_mut(&seat).unwrap();
            (runner.2, runner.3) = (free, total);
        }

        fn remove(&mut self, index: &mut Index, seat: Seat) {
            index.remove(self, seat);
            self.0.remove(&seat);
        }

        fn check(&self, index: &Index) {
            let each = self.0.iter();
            index.check(
                each.map(|(seat, (stand, version, free, total))| (*seat, *stand, *version, *free, *total)),
            );
        }
    }

    #[test]
    fn draws_follow_the_free_shares() {
        let (mut index, mut runners) = (Index::default(), Runners::default());
        for (number, free) in [(0, 0), (1, 16), (2, 48), (3, 64)] {
            runners.insert(&mut index, number, 1, free, 64);
        }
        let mut drawn = [0_u32; 4];
        for round in 0..128_u64 {
            let word = round << 57;
            drawn[index.choose(word).unwrap().number()] += 1;
        }
        assert_eq!(drawn, [0, 16, 48, 64]);
    }

    #[test]
    fn one_free_slot_of_many_is_room() {
        let (mut index, mut runners) = (Index::default(), Runners::default());
        let seat = runners.insert(&mut index, 1, 1, 1, 1_000_000);
        assert_eq!(index.choose(u64::MAX), Some(seat));
        runners.update(&mut index, seat, 0, 1_000_000);
        assert_eq!((index.has_room(), index.choose(0), index.newest()), (false, None, Some(1)));
        let older = runners.insert(&mut index, 2, 0, 5, 5);
        assert_eq!(index.choose(0), None, "an older version is no way out");
        runners.remove(&mut index, seat);
        assert_eq!(index.choose(0), Some(older));
    }

    proptest! {
        #[test]
        fn the_index_follows_every_change(
            ops in prop::collection::vec((0u8..3, 0usize..8, 0u32..3, 0u32..5, 1u32..5, any::<u64>()), 1..120)
        ) {
            let (mut index, mut runners) = (Index::default(), Runners::default());
            for (op, number, version, free, total, word) in ops {
                let (seat, free) = (Seat::new(number), free.min(total));
                match (op, runners.0.contains_key(&seat)) {
                    (0, false) => {
                        runners.insert(&mut index, number, version, free, total);
                    }
                    (1, true) => runners.update(&mut index, seat, free, total),
                    (2, true) => runners.remove(&mut index, seat),
                    _ => {}
                }
                runners.check(&index);
                prop_assert_eq!(index.len(), runners.0.len());
                let newest = runners.0.values().map(|(_, version, ..)| *version).max();
                prop_assert_eq!(index.newest(), newest);
                let mut room: Vec<Seat> = runners
                    .0
                    .iter()
                    .filter(|(_, (_, version, free, _))| Some(*version) == newest && *free > 0)
                    .map(|(seat, _)| *seat)
                    .collect();
                let drawn = index.choose(word).map(|drawn| room.contains(&drawn));
                prop_assert_eq!(drawn, (!room.is_empty()).then_some(true));
                let mut found: Vec<Seat> = index.with_room().collect();
                found.sort_unstable();
                room.sort_unstable();
                prop_assert_eq!(found, room);
            }
        }
    }
}
