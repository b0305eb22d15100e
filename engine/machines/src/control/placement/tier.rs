//! The runners of one version, by how free they are.

use super::stand::{LEVELS, Level, Seat, Stand, Stands};

/// The runners of one version.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) struct Tier {
    /// By level, each in the order of entries that have come and gone.
    pub(super) levels: Vec<Vec<Seat>>,
    /// Levels above zero at which somebody stands: bit 0 is level 1.
    open: u64,
    /// The weights of all.
    pub(super) weight: u64,
    pub(super) members: usize,
}

impl Tier {
    pub(super) fn new() -> Self {
        Self { levels: vec![Vec::new(); LEVELS as usize + 1], open: 0, weight: 0, members: 0 }
    }

    fn at(&mut self, level: Level) -> &mut Vec<Seat> {
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

    /// The runner in this seat comes last of its level.
    pub(super) fn step_in(&mut self, seat: Seat, version: u32, level: Level) -> Stand {
        let here = self.at(level);
        let stand = Stand::new(version, level, here.len());
        here.push(seat);
        self.weight += level.weight();
        self.members += 1;
        self.count(level);
        stand
    }

    /// The last of its level takes its position. What stood there, and the stand of who moves, are written and hardly
    /// read: of many runners neither is in a cache.
    pub(super) fn step_out(&mut self, stands: &mut impl Stands, seat: Seat, stand: Stand) {
        let level = stand.level();
        let here = self.at(level);
        let last = here.pop().expect("a stand is at its level");
        if let Some(position) = here.get_mut(stand.position()) {
            *position = last;
            *stands.stand_mut(last) = stand;
        } else {
            assert_eq!(last, seat, "a stand knows its position");
        }
        self.weight -= level.weight();
        self.members -= 1;
        self.count(level);
    }

    /// The runner on which a number below the weight of all falls.
    pub(super) fn draw(&self, mut number: u64) -> Seat {
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

    /// Panics where a sum is not that of the levels.
    pub(super) fn check(&self) {
        let levels = || self.levels.iter().enumerate();
        let members: usize = levels().map(|(_, here)| here.len()).sum();
        let weight: usize = levels().map(|(level, here)| level * here.len()).sum();
        let open = levels().skip(1).filter(|(_, here)| !here.is_empty());
        let open = open.fold(0, |open, (level, _)| open | 1 << (level - 1));
        assert!(members > 0, "an empty version is forgotten");
        assert_eq!((self.members, self.weight, self.open), (members, weight as u64, open), "sums are kept");
    }
}
