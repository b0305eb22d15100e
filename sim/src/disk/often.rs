//! How often something goes wrong.

use crate::options::Ratio;

use super::Draw;

/// How often something goes wrong, from the moment this is said. A number of times and a [`Ratio`] convert into it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Often {
    /// Not at all.
    #[default]
    Never,
    /// The next so many times, then never.
    Times(u32),
    /// Each time: for ever.
    Always,
    /// So many times out of so many, each decided by itself.
    Odds(Ratio),
}

impl Often {
    /// Whether it goes wrong this time. Only odds are decided (`what`).
    pub(super) fn strikes(&mut self, what: &'static str, draw: Draw<'_>) -> bool {
        match self {
            Self::Never | Self::Times(0) => false,
            Self::Times(left) => {
                *left -= 1;
                true
            }
            Self::Always => true,
            Self::Odds(Ratio { num, den }) => *num > 0 && draw(what, u64::from(*den)) < u64::from(*num),
        }
    }

    /// Whether it can be drawn from.
    ///
    /// # Panics
    /// If not.
    pub(crate) fn check(self, what: &str) {
        match self {
            Self::Never | Self::Times(_) | Self::Always => {}
            Self::Odds(odds) => odds.check(what),
        }
    }
}

impl From<u32> for Often {
    fn from(times: u32) -> Self {
        Self::Times(times)
    }
}

impl From<Ratio> for Often {
    fn from(odds: Ratio) -> Self {
        Self::Odds(odds)
    }
}
