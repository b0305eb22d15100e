//! Where pages stand, and what says which of them count.

use std::fmt;

/// One of the two places of each page.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Side {
    /// The one that counts first.
    A,
    /// The other.
    B,
}

impl Side {
    /// The other one.
    #[must_use]
    pub const fn other(self) -> Self {
        match self {
            Self::A => Self::B,
            Self::B => Self::A,
        }
    }
}

/// A place of a page. The order is that of the keys in storage.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Slot {
    /// On which side.
    pub side: Side,
    /// Of which page, from zero.
    pub page: u32,
}

impl Slot {
    /// The first of all.
    pub const FIRST: Self = Self { side: Side::A, page: 0 };

    /// The next in order; none after the last.
    #[must_use]
    pub const fn next(self) -> Option<Self> {
        match (self.side, self.page.checked_add(1)) {
            (side, Some(page)) => Some(Self { side, page }),
            (Side::A, None) => Some(Self { side: Side::B, page: 0 }),
            (Side::B, None) => None,
        }
    }
}

impl fmt::Debug for Slot {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?}{}", self.side, self.page)
    }
}

/// What stands in storage as a whole.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Head {
    /// Counts commits.
    pub commit: u64,
    /// Pages of the database.
    pub pages: u32,
}

/// Which place of each page counts: one bit a page, set for [`Side::B`], lowest bit first. Pages that were never turned
/// have none, so this is empty for a database that never had a large commit. A page that was cut off keeps its bit.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct Sides(Vec<u8>);

impl Sides {
    /// Every page on its first side.
    #[must_use]
    pub const fn new() -> Self {
        Self(Vec::new())
    }

    /// As stored.
    #[must_use]
    pub const fn from_bytes(bytes: Vec<u8>) -> Self {
        Self(bytes)
    }

    /// To be stored.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8] {
        &self.0
    }

    /// The place of a page that counts.
    #[must_use]
    pub fn live(&self, page: u32) -> Slot {
        let (byte, bit) = Self::bit(page);
        let turned = self.0.get(byte).is_some_and(|byte| byte & bit != 0);
        Slot { side: if turned { Side::B } else { Side::A }, page }
    }

    /// The place of a page that does not.
    #[must_use]
    pub fn shadow(&self, page: u32) -> Slot {
        Slot { side: self.live(page).side.other(), page }
    }

    /// Lets the other place of a page count.
    pub(super) fn turn(&mut self, page: u32) {
        let (byte, bit) = Self::bit(page);
        if self.0.len() <= byte {
            self.0.resize(byte + 1, 0);
        }
        self.0[byte] ^= bit;
    }

    fn bit(page: u32) -> (usize, u8) {
        (usize::try_from(page / 8).expect("a page's number fits an address"), 1 << (page % 8))
    }
}
