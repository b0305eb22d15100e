//! Where a runner is kept, and where it stands in the index: at a level, which is how free it is, and there in a position.

/// Into how many levels a free share is told. Ours: a runner with one free slot of 64 is told from a full one, and the
/// levels of a version fit a word.
pub(super) const LEVELS: u32 = 64;

/// How free a runner is: zero is full, [`LEVELS`] is empty.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) struct Level(pub(super) u8);

impl Level {
    /// Above zero as soon as one slot is free.
    pub(super) fn of(free: u32, total: u32) -> Self {
        let share = (u64::from(free) * u64::from(LEVELS)).div_ceil(u64::from(total)).min(u64::from(LEVELS));
        Self(u8::try_from(share).expect("levels are few"))
    }

    /// How often one of this level is drawn, against the others.
    pub(super) const fn weight(self) -> u64 {
        self.0 as u64
    }
}

/// Where the caller keeps a runner: a number of its choice, as long as the runner is in an index.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Seat(u32);

impl Seat {
    /// The seat of this number.
    ///
    /// # Panics
    /// Above `u32::MAX`: no engine has so many runners.
    #[must_use]
    pub fn new(number: usize) -> Self {
        Self(u32::try_from(number).expect("fewer than 2^32 runners"))
    }

    /// Its number.
    #[must_use]
    pub const fn number(self) -> usize {
        self.0 as usize
    }
}

/// Where a runner stands in the index. Its caller keeps it with the runner, and need not understand it: a slot that is
/// taken or given back then touches what is known of the runner, and nothing else that grows with how many there are.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Stand {
    pub(super) version: u32,
    /// The level in the low bits, above it the position among those of the level: eight bytes in all.
    spot: u32,
}

/// Bits of a level in [`Stand::spot`], which leaves 24 for the position: 16 million runners at one level.
const LEVEL_BITS: u32 = 8;

impl Stand {
    pub(super) fn new(version: u32, level: Level, position: usize) -> Self {
        let mut stand = Self { version, spot: u32::from(level.0) };
        stand.move_to(position);
        stand
    }

    pub(super) const fn level(self) -> Level {
        Level(self.spot.to_le_bytes()[0])
    }

    pub(super) const fn position(self) -> usize {
        (self.spot >> LEVEL_BITS) as usize
    }

    /// To another position of its level.
    fn move_to(&mut self, position: usize) {
        assert!(position < 1 << (u32::BITS - LEVEL_BITS), "fewer than 2^24 runners at one level");
        let position = u32::try_from(position).expect("below 2^24");
        self.spot = u32::from(self.level().0) | position << LEVEL_BITS;
    }
}

/// Where an index finds the stands that it has given out.
pub trait Stands {
    /// That of the runner in this seat, which is in the index.
    fn stand_mut(&mut self, seat: Seat) -> &mut Stand;
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_stand_is_eight_bytes() {
        assert_eq!(size_of::<Stand>(), 8);
        let mut stand = Stand::new(u32::MAX, Level(64), (1 << 24) - 1);
        assert_eq!((stand.level(), stand.position()), (Level(64), (1 << 24) - 1));
        stand.move_to(5);
        assert_eq!((stand.level(), stand.position()), (Level(64), 5));
    }
}
