//! Which worlds there are, and what each of them can do.

use std::fmt;
use std::str::FromStr;
use std::time::Duration;

use model::fault::Family;
use serde::{Deserialize, Serialize};

/// Which world a play is played in.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum WorldKind {
    /// The simulator's own: every fault, every decision named.
    #[default]
    Sim,
    /// madsim's executor, clock and network: a second opinion that shares no code with the first, and does less.
    Madsim,
}

/// What madsim's TCP does not have.
const NO_CUT: &str = "its streams cannot be cut: they end with a process, or not at all";

/// What its nodes do not have.
const NO_POWER: &str = "its nodes are killed and restarted, and have no power to lose";

/// What its disk does not have.
const NO_DISK: &str = "its disk is memory that neither fails nor is slow, nor is fallen in";

impl WorldKind {
    /// Both.
    pub const ALL: [Self; 2] = [Self::Sim, Self::Madsim];

    /// Stable name.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Sim => "sim",
            Self::Madsim => "madsim",
        }
    }

    /// Whether this build has it.
    #[must_use]
    pub const fn is_built(self) -> bool {
        match self {
            Self::Sim => true,
            Self::Madsim => cfg!(madsim),
        }
    }

    /// Whether a fault of that family can be made there.
    ///
    /// # Errors
    /// Why not, for people.
    pub const fn offers(self, family: Family) -> Result<(), &'static str> {
        match self {
            Self::Sim => Ok(()),
            Self::Madsim => match family {
                Family::EngineKilled
                | Family::EngineStopped
                | Family::EnginePaused
                | Family::InstanceKilled
                | Family::InstancePaused
                | Family::ActorDawdles
                | Family::Partition
                | Family::EndpointFails
                | Family::ApiFails
                | Family::ApiHangs
                | Family::ActorDestroyed => Ok(()),
                Family::EnginePowerLost => Err(NO_POWER),
                Family::EngineFellInCommit | Family::DiskFails | Family::DiskSlow => Err(NO_DISK),
                Family::StreamCut
                | Family::SocketCut
                | Family::StreamSilent
                | Family::SocketSilent
                | Family::ClientCut
                | Family::ApiCut => Err(NO_CUT),
                Family::Slow => Err("its latency is one for all paths"),
            },
        }
    }

    /// Whether faults of all of these families can be made there.
    #[must_use]
    pub fn offers_all(self, families: &[Family]) -> bool {
        families.iter().all(|family| self.offers(*family).is_ok())
    }

    /// How long after a path was healed what waited may still be on its way: madsim tries again after a back-off of up
    /// to 10 s (`channel` of its `net`).
    #[must_use]
    pub const fn heals_within(self) -> Duration {
        match self {
            Self::Sim => Duration::ZERO,
            Self::Madsim => Duration::from_secs(10),
        }
    }
}

impl fmt::Display for WorldKind {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(self.name())
    }
}

/// A text is no world.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a world is sim or madsim, not {text:?}")]
pub struct WorldError {
    /// The text.
    pub text: String,
}

impl FromStr for WorldKind {
    type Err = WorldError;

    fn from_str(text: &str) -> Result<Self, WorldError> {
        let named = Self::ALL.into_iter().find(|kind| kind.name() == text);
        named.ok_or_else(|| WorldError { text: text.to_owned() })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_world_comes_back_from_its_name() {
        for kind in WorldKind::ALL {
            assert_eq!(kind.to_string().parse(), Ok(kind));
        }
        assert!("tokio".parse::<WorldKind>().is_err());
    }

    #[test]
    fn the_own_world_leaves_nothing_out() {
        assert!(Family::ALL.into_iter().all(|family| WorldKind::Sim.offers(family).is_ok()));
    }
}
