//! Everything a run leaves for its judges.

use std::collections::BTreeMap;
use std::fmt;
use std::time::Duration;

use protocol::time::Mono;
use protocol::view::{ControlView, Fact};
use serde::Serialize;

use crate::fault::Active;
use crate::history::History;

/// One life of one node: from a boot to its fall. Handles such as `ConnId` mean something only within it.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
pub struct Place {
    /// The node's name.
    pub node: String,
    /// Which of its lives, counted up from 0: its boots, and an engine's beginnings anew from its store.
    pub boot: u32,
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.node, self.boot)
    }
}

/// A fact, when it was told and where it became true.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Told {
    /// On the world's clock.
    pub at: Mono,
    /// Who told it.
    pub place: Place,
    /// What became true.
    pub fact: Fact,
}

/// What was left once the load was over and everything had rested, beside the same count in a world that never had
/// the load.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Rest {
    /// When it was counted.
    pub at: Mono,
    /// Name of a resource to how many of it live: tasks, sockets, waiting requests, …
    pub loaded: BTreeMap<String, u64>,
    /// The same in the world without load.
    pub unloaded: BTreeMap<String, u64>,
}

/// Everything a run leaves for its judges.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Evidence {
    /// What clients said and heard.
    pub history: History,
    /// Facts in the order in which they were told.
    pub told: Vec<Told>,
    /// Which faults were on.
    pub faults: Vec<Active>,
    /// When the core was healed for good; `None` if nothing was ever broken.
    pub healed: Option<Mono>,
    /// How long recovery from any fault may take: after healing everything is routable again within it, and a fault
    /// explains what has no place to run until so long after its end.
    pub recovery: Duration,
    /// How the control plane stood, now and then.
    pub views: Vec<(Mono, ControlView)>,
    /// What was left at rest, if it was counted.
    pub rest: Option<Rest>,
    /// When the run ended.
    pub end: Mono,
}
