//! How long segments of one direction are under way: its latency in whole numbers, worked out when it is opened, since
//! each segment draws.

use std::time::Duration;

use crate::core::Core;
use crate::net::way::Way;
use crate::options::{Latency, Ratio};
use crate::trace::nanos;

/// Bounds in nanoseconds, drawn in steps of a microsecond.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Span {
    least: u64,
    /// How many values there are, the least among them.
    steps: u64,
}

impl Span {
    fn new((least, most): (Duration, Duration)) -> Self {
        assert!(least <= most, "a latency's bounds are in order");
        let (least, most) = (nanos(least), nanos(most));
        Self { least, steps: (most - least) / 1_000 + 1 }
    }

    const fn greatest(self) -> u64 {
        self.least + (self.steps - 1) * 1_000
    }
}

/// A latency, as [`Latency`] tells it.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Travel {
    Constant(u64),
    Uniform(Span),
    Bimodal { usual: Span, rare: Span, odds: Ratio },
}

impl Travel {
    pub(crate) fn new(latency: Latency) -> Self {
        match latency {
            Latency::Constant(span) => Self::Constant(nanos(span)),
            Latency::Uniform(least, most) => Self::Uniform(Span::new((least, most))),
            Latency::Bimodal { usual, rare, odds } => {
                Self::Bimodal { usual: Span::new(usual), rare: Span::new(rare), odds }
            }
        }
    }

    /// The longest that a segment may take, in nanoseconds.
    pub(crate) fn greatest(self) -> u64 {
        match self {
            Self::Constant(span) => span,
            Self::Uniform(span) => span.greatest(),
            Self::Bimodal { usual, rare, .. } => usual.greatest().max(rare.greatest()),
        }
    }
}

/// How long the next segment of a direction is under way, in nanoseconds.
#[inline]
pub(crate) fn travel(core: &Core, way: &Way) -> u64 {
    let between = |span: Span| span.least + core.draw(way.latency_stream, span.steps) * 1_000;
    match way.travel {
        Travel::Constant(span) => span,
        Travel::Uniform(span) => between(span),
        Travel::Bimodal { usual, rare, odds } => {
            between(if core.chance(way.latency_stream, odds) { rare } else { usual })
        }
    }
}
