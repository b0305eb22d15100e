//! Runners that may be given actors, by version and free share: one is chosen, and each change made, in a time that
//! does not grow with how many there are.
//!
//! Of each version there are as many levels as a share is told in, and each runner stands at one. Which one is chosen is
//! drawn with the free share as its weight, so that a crowd of creations spreads over all that have room, as upstream
//! draws among the hundred best. The draw itself is the caller's: this index is a pure table.

use std::cmp::Reverse;
use std::collections::BTreeMap;

use protocol::id::RunnerId;

/// Into how many levels a free share is told. Ours: a runner with one free slot of 64 is told from a full one, and the
/// levels of a version fit a word.
const LEVELS: u32 = 64;

/// How free a runner is: zero is full, [`LEVELS`] is empty.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
struct Level(u8);

impl Level {
    /// That of an entry which nobody has.
    const NOBODY: Self = Self(u8::MAX);

    /// Above zero as soon as one slot is free.
    fn of(free: u32, total: u32) -> Self {
        let share = (u64::from(free) * u64::from(LEVELS)).div_ceil(u64::from(total)).min(u64::from(LEVELS));
        Self(u8::try_from(share).expect("levels are few"))
    }

    /// How often one of this level is drawn, against the others.
    const fn weight(self) -> u64 {
        self.0 as u64
    }
}

/// Where a runner stands in the index, until it is taken out.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Place(u32);

impl Place {
    /// Its number: below the most runners that there were at one time, so that a caller can keep what belongs to it in a
    /// vector.
    #[must_use]
    pub const fn number(self) -> usize {
        self.0 as usize
    }
}

/// Kept apart from whose it is: this is what moves with every slot, and more of it fits a cache. One that nobody has is at
/// [`Level::NOBODY`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
struct Entry {
    version: u32,
    /// Its position among those of its level.
    position: u32,
    level: Level,
}

impl Entry {
    const NOBODY: Self = Self { version: 0, position: 0, level: Level::NOBODY };
}

/// Whose an entry is. Aligned, so that none lies on two cache lines: who is drawn among many is in none of them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[repr(align(32))]
struct Owner(Option<RunnerId>);

/// The runners of one version.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
struct Tier {
    /// By level, each in the order of entries that have come and gone.
    levels: Vec<Vec<Place>>,
    /// Levels above zero at which somebody stands: bit 0 is level 1.
    open: u64,
    /// The weights of all.
    weight: u64,
    members: usize,
}

impl Tier {
    fn new() -> Self {
        Self { levels: vec![Vec::new(); LEVELS as usize + 1], open: 0, weight: 0, members: 0 }
    }

    fn at(&mut self, level: Level) -> &mut Vec<Place> {
        &mut self.levels[level.0 as usize]
    }

    /// Keeps what follows from how many stand at a level.
    fn count(&mut self, level: Level) {
        if level.0 == 0 {
            return;
        }
        let bit = 1 << (level.0 - 1);
        let stands = !self.at(level).is_empty();
        self.open = if stands { self.open | bit } else { self.open & !bit };
    }

    /// The runner on which a number below the weight of all falls.
    fn draw(&self, mut number: u64) -> Place {
        let mut open = self.open;
        while open != 0 {
            let level = Level(u8::try_from(open.trailing_zeros() + 1).expect("levels are few"));
            open &= open - 1;
            let here = &self.levels[level.0 as usize];
            let weight = level.weight() * here.len() as u64;
            if number < weight {
                let position = usize::try_from(number / level.weight()).expect("a position fits");
                return here[position];
            }
            number -= weight;
        }
        unreachable!("the number is below the weight of all");
    }
}

/// All of a pool that may be given actors, full ones included.
///
/// A slot is taken and given back by [`Index::update`]; a runner that is not to be given actors for a while (it drains, has
/// not answered for too long, is gone) is taken out, and entered anew when it is. Memory: some 60 bytes a runner, and 1.6 KiB
/// a version.
///
/// ```
/// use machines::control::Index;
/// use protocol::id::RunnerId;
///
/// let mut index = Index::default();
/// let runner = RunnerId::from_entropy([1; 16]);
/// index.insert(runner, 1, 1, 1);
/// let (place, chosen) = index.choose(12_345).expect("it has a slot");
/// assert_eq!(chosen, runner);
/// index.update(place, 0, 1);
/// assert_eq!(index.choose(12_345), None);
/// index.remove(place);
/// assert!(index.is_empty());
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct Index {
    /// The newest version first.
    tiers: BTreeMap<Reverse<u32>, Tier>,
    entries: Vec<Entry>,
    /// Whose the entries are.
    owners: Vec<Owner>,
    free: Vec<u32>,
}

impl Index {
    fn runner(&self, place: Place) -> RunnerId {
        self.owners[place.number()].0.expect("a place that was given out is taken")
    }

    fn entry(&self, place: Place) -> Entry {
        let entry = self.entries[place.number()];
        assert_ne!(entry.level, Level::NOBODY, "a place that was given out is taken");
        entry
    }

    /// Enters a runner of this version that has slots: so many free ones of so many, of which there is at least one.
    ///
    /// # Panics
    /// When it has no slots at all.
    pub fn insert(&mut self, runner: RunnerId, version: u32, free: u32, total: u32) -> Place {
        let slot = self.free.pop().unwrap_or_else(|| {
            self.entries.push(Entry::NOBODY);
            self.owners.push(Owner::default());
            u32::try_from(self.entries.len() - 1).expect("fewer than 2^32 runners")
        });
        let place = Place(slot);
        self.owners[place.number()] = Owner(Some(runner));
        self.stand(place, version, Level::of(free, total));
        place
    }

    /// A slot of it was taken or given back: so many are free now, of so many.
    ///
    /// # Panics
    /// When it was taken out, or has no slots at all.
    pub fn update(&mut self, place: Place, free: u32, total: u32) {
        let entry = self.entry(place);
        let level = Level::of(free, total);
        if level != entry.level {
            self.step_out(place, entry);
            self.stand(place, entry.version, level);
        }
    }

    /// It may be given no more.
    ///
    /// # Panics
    /// When it was taken out before.
    pub fn remove(&mut self, place: Place) {
        let entry = self.entry(place);
        self.step_out(place, entry);
        self.entries[place.number()] = Entry::NOBODY;
        self.owners[place.number()] = Owner::default();
        self.free.push(place.0);
    }

    fn stand(&mut self, place: Place, version: u32, level: Level) {
        let tier = self.tiers.entry(Reverse(version)).or_insert_with(Tier::new);
        let here = tier.at(level);
        let position = u32::try_from(here.len()).expect("fewer than 2^32 runners");
        here.push(place);
        tier.weight += level.weight();
        tier.members += 1;
        tier.count(level);
        self.entries[place.number()] = Entry { version, position, level };
    }

    /// The last of its level takes its position. What stood there, and the entry of who moves, are written and not read:
    /// of many runners neither is in a cache, and nobody waits for a write.
    fn step_out(&mut self, place: Place, entry: Entry) {
        let tier = self.tiers.get_mut(&Reverse(entry.version)).expect("an entry stands in its tier");
        let here = tier.at(entry.level);
        let last = here.pop().expect("an entry stands at its level");
        if let Some(position) = here.get_mut(entry.position as usize) {
            *position = last;
            self.entries[last.number()].position = entry.position;
        } else {
            assert_eq!(last, place, "an entry knows its position");
        }
        tier.weight -= entry.level.weight();
        tier.members -= 1;
        tier.count(entry.level);
        if tier.members == 0 {
            self.tiers.remove(&Reverse(entry.version));
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
    pub fn choose(&self, word: u64) -> Option<(Place, RunnerId)> {
        let (_, tier) = self.tiers.first_key_value().filter(|(_, tier)| tier.weight > 0)?;
        // The high bits of a product, and not a remainder: no division, and as even.
        let number = (u128::from(word) * u128::from(tier.weight)) >> 64;
        let place = tier.draw(u64::try_from(number).expect("below the weight of all"));
        Some((place, self.runner(place)))
    }

    /// Those of the newest version that have room, the emptiest first.
    pub fn with_room(&self) -> impl Iterator<Item = RunnerId> {
        let newest = self.tiers.first_key_value();
        let levels = newest.into_iter().flat_map(|(_, tier)| tier.levels[1..].iter().rev());
        levels.flatten().map(|place| self.runner(*place))
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.entries.len() - self.free.len()
    }

    /// Whether there is nobody.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Compares the index with what these runners say: each with its place, version, free slots and all slots.
    ///
    /// # Panics
    /// Where they differ.
    pub fn check(&self, runners: impl Iterator<Item = (RunnerId, Place, u32, u32, u32)>) {
        let mut count = 0;
        for (runner, place, version, free, total) in runners {
            let entry = self.entry(place);
            let level = Level::of(free, total);
            assert_eq!(
                (self.runner(place), entry.version, entry.level),
                (runner, version, level),
                "{runner:?} stands"
            );
            let tier = &self.tiers[&Reverse(version)];
            assert_eq!(tier.levels[level.0 as usize][entry.position as usize], place, "{runner:?} is found");
            count += 1;
        }
        assert_eq!(count, self.len(), "nobody else stands in the index");
        for tier in self.tiers.values() {
            let levels = || tier.levels.iter().enumerate();
            let members: usize = levels().map(|(_, here)| here.len()).sum();
            let weight: usize = levels().map(|(level, here)| level * here.len()).sum();
            let open = levels().skip(1).filter(|(_, here)| !here.is_empty());
            let open = open.fold(0, |open, (level, _)| open | 1 << (level - 1));
            assert!(members > 0, "an empty version is forgotten");
            assert_eq!(
                (tier.members, tier.weight, tier.open),
                (members, weight as u64, open),
                "sums are kept"
            );
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn runner(number: u32) -> RunnerId {
        let mut entropy = [0; 16];
        entropy[..4].copy_from_slice(&number.to_le_bytes());
        RunnerId::from_entropy(entropy)
    }

    #[test]
    fn draws_follow_the_free_shares() {
        let mut index = Index::default();
        for (number, free) in [(0, 0), (1, 16), (2, 48), (3, 64)] {
            index.insert(runner(number), 1, free, 64);
        }
        let mut drawn = [0_u32; 4];
        for round in 0..128_u64 {
            let word = round << 57;
            let chosen = index.choose(word).unwrap().1;
            drawn[(0..4).find(|number| runner(*number) == chosen).unwrap() as usize] += 1;
        }
        assert_eq!(drawn, [0, 16, 48, 64]);
    }

    #[test]
    fn one_free_slot_of_many_is_room() {
        let mut index = Index::default();
        let place = index.insert(runner(1), 1, 1, 1_000_000);
        assert_eq!(index.choose(u64::MAX), Some((place, runner(1))));
        index.update(place, 0, 1_000_000);
        assert_eq!((index.has_room(), index.choose(0), index.newest()), (false, None, Some(1)));
        let older = index.insert(runner(2), 0, 5, 5);
        assert_eq!(index.choose(0), None, "an older version is no way out");
        index.remove(place);
        assert_eq!(index.choose(0), Some((older, runner(2))));
    }

    proptest! {
        #[test]
        fn the_index_follows_every_change(
            ops in prop::collection::vec((0u8..3, 0u32..8, 0u32..3, 0u32..5, 1u32..5, any::<u64>()), 1..120)
        ) {
            let mut index = Index::default();
            let mut known: BTreeMap<u32, (Place, u32, u32, u32)> = BTreeMap::new();
            for (op, number, version, free, total, word) in ops {
                let free = free.min(total);
                match (op, known.get(&number).copied()) {
                    (0, None) => {
                        let place = index.insert(runner(number), version, free, total);
                        known.insert(number, (place, version, free, total));
                    }
                    (1, Some((place, version, ..))) => {
                        index.update(place, free, total);
                        known.insert(number, (place, version, free, total));
                    }
                    (2, Some((place, ..))) => {
                        index.remove(place);
                        known.remove(&number);
                    }
                    _ => {}
                }
                index.check(known.iter().map(|(number, (place, version, free, total))| {
                    (runner(*number), *place, *version, *free, *total)
                }));
                prop_assert_eq!(index.len(), known.len());
                let newest = known.values().map(|(_, version, ..)| *version).max();
                prop_assert_eq!(index.newest(), newest);
                let room: Vec<u32> = known
                    .iter()
                    .filter(|(_, (_, version, free, _))| Some(*version) == newest && *free > 0)
                    .map(|(number, _)| *number)
                    .collect();
                let drawn = index.choose(word).map(|(_, drawn)| room.iter().any(|number| runner(*number) == drawn));
                prop_assert_eq!(drawn, (!room.is_empty()).then_some(true));
                prop_assert_eq!(index.with_room().count(), room.len());
            }
        }
    }
}
