//! A decision stream of a world.

use std::ops::RangeInclusive;
use std::time::Duration;

use sim::Ratio;

/// A stream of decisions, named by what it decides.
#[derive(Clone, Debug)]
pub enum Stream {
    /// Of the simulator's own world.
    Sim(sim::Stream),
    /// Of a script on madsim.
    #[cfg(madsim)]
    Madsim(sim::second::Stream),
}

impl Stream {
    /// A value below `bound`, which is above zero.
    pub fn below(&self, bound: u64) -> u64 {
        match self {
            Self::Sim(stream) => stream.below(bound),
            #[cfg(madsim)]
            Self::Madsim(stream) => stream.below(bound),
        }
    }

    /// A value within the range, both ends included.
    pub fn within(&self, range: RangeInclusive<u64>) -> u64 {
        match self {
            Self::Sim(stream) => stream.within(range),
            #[cfg(madsim)]
            Self::Madsim(stream) => stream.within(range),
        }
    }

    /// A span within the range, in whole microseconds.
    pub fn span(&self, range: RangeInclusive<Duration>) -> Duration {
        match self {
            Self::Sim(stream) => stream.span(range),
            #[cfg(madsim)]
            Self::Madsim(stream) => stream.span(range),
        }
    }

    /// Yes, so many times out of so many.
    pub fn chance(&self, odds: Ratio) -> bool {
        match self {
            Self::Sim(stream) => stream.chance(odds),
            #[cfg(madsim)]
            Self::Madsim(stream) => stream.chance(odds),
        }
    }

    /// One of them.
    ///
    /// # Panics
    /// If there is none.
    pub fn one_of<'a, T>(&self, among: &'a [T]) -> &'a T {
        match self {
            Self::Sim(stream) => stream.one_of(among),
            #[cfg(madsim)]
            Self::Madsim(stream) => stream.one_of(among),
        }
    }
}
