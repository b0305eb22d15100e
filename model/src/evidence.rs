//! Everything a run leaves for its judges.

use std::collections::BTreeMap;
use std::fmt;
use std::time::Duration;

use protocol::id::{ActorId, RunnerId};
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

/// A key that was waited for from a moment on: until when it had to answer, and when it did.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Recovery {
    /// The key.
    pub key: String,
    /// From what it recovered, by a stable name.
    pub of: &'static str,
    /// From when on it could.
    pub from: Mono,
    /// How long it may take.
    pub bound: Duration,
    /// When it answered; none if nobody was answered before something else struck, or the run ended.
    pub answered: Option<Mono>,
    /// Until when it was asked.
    pub until: Mono,
}

/// An alarm as a client had it set, in the order in which it asked.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct AlarmSet {
    /// The actor.
    pub actor: ActorId,
    /// When the client asked.
    pub invoked: Mono,
    /// When the actor said that it is set; none if it never did.
    pub acknowledged: Option<Mono>,
    /// When it is due, counted from the moment at which the actor set it, and negative for one that has passed; none
    /// clears it.
    pub after: Option<i64>,
}

/// What a client did with one actor of a key that is used again.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Touch {
    /// The actor.
    pub actor: ActorId,
    /// What was asked.
    pub what: TouchKind,
    /// When.
    pub invoked: Mono,
    /// When it succeeded; none if it failed or is open.
    pub done: Option<Mono>,
    /// When it failed because there is no such actor; none if it did not.
    pub unknown: Option<Mono>,
}

/// See [`Touch`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub enum TouchKind {
    /// It was made, or found by its key.
    Made,
    /// It was asked something.
    Asked,
    /// It was destroyed.
    Destroyed,
}

/// A process that says it speaks for a runner.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct Sight {
    /// Its node.
    pub node: String,
    /// The runner that the engine has told it that it is: whoever takes an identity over, or back, is another one.
    pub runner: Option<RunnerId>,
    /// The identity with which it was started.
    pub identity: String,
    /// Whether its process lives: one that was evicted ends.
    pub alive: bool,
    /// Whether its session is open, as it sees it.
    pub connected: bool,
}

/// What was seen of a pool's error.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct PoolSight {
    /// The pool.
    pub pool: &'static str,
    /// When, on the world's clock.
    pub at: Mono,
    /// What.
    pub what: PoolNews,
}

/// See [`PoolSight`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub enum PoolNews {
    /// A start was asked of its application.
    Tried,
    /// Its application has spoilt a start, as the engine can know from now on.
    Spoilt,
    /// A start was given up after as long a silence as the engine bears, give or take the way there and back: spoilt, if the
    /// engine says that this was why.
    Silent,
    /// The stream of a start that went well was broken off before it counts as stable: an error, unless the runner said
    /// first that it goes.
    BrokenOff,
    /// Whoever asked the engine was shown an error of the pool, or none.
    Shown(bool),
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
    /// Keys that were waited for.
    pub recoveries: Vec<Recovery>,
    /// Alarms that were set.
    pub alarms: Vec<AlarmSet>,
    /// What was done with actors of keys that are used again.
    pub touches: Vec<Touch>,
    /// Processes that were started with an identity of their own, now and then.
    pub sights: Vec<(Mono, Vec<Sight>)>,
    /// What was seen of pools' errors, in order.
    pub pools: Vec<PoolSight>,
    /// What was left at rest, if it was counted.
    pub rest: Option<Rest>,
    /// When the run ended.
    pub end: Mono,
}
