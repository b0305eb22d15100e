//! A decision stream in a script's hands: named, independent of all others, and a generator for `rand`.

use std::convert::Infallible;
use std::ops::RangeInclusive;
use std::rc::Rc;
use std::time::Duration;

use rand::TryRng;

use crate::core::Core;
use crate::decide::StreamId;
use crate::options::Ratio;
use crate::ranges;

/// A stream of decisions. It implements rand's generator trait, so rand's distributions draw from it; the methods here
/// draw decisions with a bound of their own, which overrides can pin sensibly.
#[derive(Clone)]
pub struct Stream {
    pub(crate) core: Rc<Core>,
    pub(crate) id: StreamId,
}

impl Stream {
    /// A value below `bound`.
    ///
    /// # Panics
    /// If `bound` is zero.
    pub fn below(&self, bound: u64) -> u64 {
        self.core.draw(self.id, bound)
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
        odds.num > 0 && self.core.chance(self.id, odds)
    }

    /// One of them.
    ///
    /// # Panics
    /// If there is none.
    pub fn one_of<'a, T>(&self, among: &'a [T]) -> &'a T {
        &among[self.below(among.len() as u64) as usize]
    }
}

impl std::fmt::Debug for Stream {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(out, "Stream({})", self.core.decisions.borrow().name(self.id))
    }
}

impl TryRng for Stream {
    type Error = Infallible;
    fn try_next_u32(&mut self) -> Result<u32, Infallible> {
        Ok((self.core.draw_word(self.id) >> 32) as u32)
    }
    fn try_next_u64(&mut self) -> Result<u64, Infallible> {
        Ok(self.core.draw_word(self.id))
    }
    fn try_fill_bytes(&mut self, out: &mut [u8]) -> Result<(), Infallible> {
        self.core.fill(self.id, out);
        Ok(())
    }
}

impl Core {
    /// Decides on yes, so many times out of so many, or no, which is milder.
    #[inline]
    pub(crate) fn chance(&self, stream: StreamId, odds: Ratio) -> bool {
        let den = u64::from(odds.den);
        self.draw_or(stream, den, den - 1) < u64::from(odds.num)
    }

    /// The same without an event of its own.
    #[inline]
    pub(crate) fn chance_quietly(&self, stream: StreamId, odds: Ratio) -> bool {
        let den = u64::from(odds.den);
        self.draw_quietly(stream, den, den - 1) < u64::from(odds.num)
    }

    /// Fills `out` from a stream, eight bytes a decision.
    pub(crate) fn fill(&self, stream: StreamId, out: &mut [u8]) {
        for piece in out.chunks_mut(8) {
            let word = self.draw_word(stream).to_le_bytes();
            piece.copy_from_slice(&word[..piece.len()]);
        }
    }
}
