//! How a search chooses its runs.

use std::fmt;
use std::str::FromStr;

use sim::PCT_DEPTH_MAX;

/// How a search chooses its runs.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Strategy {
    /// Every seed once, with all of the play's faults.
    #[default]
    Random,
    /// Every seed once, each fault family left out of about half of them.
    Swarm,
    /// Every seed once, scheduled by priorities: finds races that need `depth` orderings.
    Pct {
        /// Orderings, at most [`PCT_DEPTH_MAX`].
        depth: u32,
    },
    /// Every seed, and from moments of its run on other seeds.
    Branch,
    /// Every seed, and once more for each fault at each of its points.
    Points {
        /// Runs with two such faults, sampled.
        pairs: u64,
    },
}

/// Orderings if nothing is said: most races that were ever explained need two or three, says the paper.
pub const DEPTH: u32 = 3;

impl Strategy {
    /// The name, without its number.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Random => "random",
            Self::Swarm => "swarm",
            Self::Pct { .. } => "pct",
            Self::Branch => "branch",
            Self::Points { .. } => "points",
        }
    }
}

impl fmt::Display for Strategy {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(self.name())?;
        match self {
            Self::Random | Self::Swarm | Self::Branch | Self::Points { pairs: 0 } => Ok(()),
            Self::Pct { depth } => write!(out, ":{depth}"),
            Self::Points { pairs } => write!(out, ":{pairs}"),
        }
    }
}

/// A text is no strategy.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "a strategy is random, swarm, pct[:DEPTH] (1 to {}), branch or points[:PAIRS], not {text:?}",
    PCT_DEPTH_MAX
)]
pub struct StrategyError {
    /// The text.
    pub text: String,
}

impl FromStr for Strategy {
    type Err = StrategyError;

    fn from_str(text: &str) -> Result<Self, StrategyError> {
        let error = || StrategyError { text: text.to_owned() };
        let (name, number) = match text.split_once(':') {
            Some((name, number)) => (name, Some(number.parse::<u32>().map_err(|_| error())?)),
            None => (text, None),
        };
        match (name, number) {
            ("random", None) => Ok(Self::Random),
            ("swarm", None) => Ok(Self::Swarm),
            ("pct", depth @ (None | Some(1..=PCT_DEPTH_MAX))) => {
                Ok(Self::Pct { depth: depth.unwrap_or(DEPTH) })
            }
            ("branch", None) => Ok(Self::Branch),
            ("points", pairs) => Ok(Self::Points { pairs: pairs.unwrap_or(0).into() }),
            _ => Err(error()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_strategy_comes_back_from_its_text() {
        let all = [
            Strategy::Random,
            Strategy::Swarm,
            Strategy::Pct { depth: 2 },
            Strategy::Branch,
            Strategy::Points { pairs: 0 },
            Strategy::Points { pairs: 500 },
        ];
        for strategy in all {
            assert_eq!(strategy.to_string().parse(), Ok(strategy));
        }
        assert_eq!("pct".parse(), Ok(Strategy::Pct { depth: DEPTH }));
        for bad in ["", "pct:0", "pct:1001", "pct:x", "random:1", "points:-1", "chance"] {
            assert!(bad.parse::<Strategy>().is_err(), "{bad}");
        }
    }
}
