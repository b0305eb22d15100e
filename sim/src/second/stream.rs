//! A decision stream of a script: named, and equal to the stream of that name and seed in the simulator's own world.
//!
//! Only what the script decides goes through streams. What madsim leaves open it decides by its one generator.

use std::ops::RangeInclusive;
use std::rc::Rc;
use std::time::Duration;

use super::shared::Shared;
use crate::decide::decision;
use crate::options::Ratio;
use crate::ranges;

/// A stream of decisions. Those of one name are one stream.
#[derive(Clone)]
pub struct Stream {
    pub(super) shared: Rc<Shared>,
    pub(super) name: Rc<str>,
}

impl std::fmt::Debug for Stream {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(out, "Stream({})", self.name)
    }
}

impl Stream {
    /// A value below `bound`.
    ///
    /// # Panics
    /// If `bound` is zero.
    pub fn below(&self, bound: u64) -> u64 {
        decision(self.shared.seed, &self.name, self.shared.ordinal(&self.name), bound)
    }

    /// A value within the range, both ends included.
    ///
    /// # Panics
    /// If the range is empty, or holds every 64-bit value.
    pub fn within(&self, range: RangeInclusive<u64>) -> u64 {
        ranges::within(&range, |bound| self.below(bound))
    }

    /// A span within the range, in whole microseconds.
    ///
    /// # Panics
    /// If the range is empty.
    pub fn span(&self, range: RangeInclusive<Duration>) -> Duration {
        ranges::span(&range, |bound| self.below(bound))
    }

    /// Yes, so many times out of so many.
    ///
    /// # Panics
    /// If they are so many out of none.
    pub fn chance(&self, odds: Ratio) -> bool {
        odds.check("a chance's odds");
        odds.num > 0 && self.below(odds.den.into()) < odds.num.into()
    }

    /// One of them.
    ///
    /// # Panics
    /// If there is none.
    pub fn one_of<'a, T>(&self, among: &'a [T]) -> &'a T {
        &among[usize::try_from(self.below(among.len() as u64)).expect("a place in a list")]
    }
}
