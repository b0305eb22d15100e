//! The world that a play is played in: `sim`'s own, or madsim.
//!
//! One face for both, with what plays, stack and ledger ask for and no more. What madsim does not have is told by
//! [`WorldKind::offers`], and nobody may ask it for a fault of such a family ([`crate::ledger::Ledger::allows`]): where one
//! does, that is a mistake of the play, and its run panics with the reason. What only looks (connections, taps, effects)
//! sees nothing there. Next: [`node`], and [`kind`], which says what is offered where.

pub mod kind;
pub mod node;
mod stream;

use std::collections::BTreeMap;
use std::future::Future;
use std::time::Duration;

use sim::tap::{Place, Planned, Tap, Wire};
use sim::{Census, Connection, Cut, Effect, Latency, Side, Struck};

pub use kind::WorldKind;
pub use node::{Node, Task};
pub use stream::Stream;

/// A world. Clones are the same one.
#[derive(Clone, Debug)]
pub enum World {
    /// The simulator's own.
    Sim(sim::World),
    /// madsim's executor, clock and network.
    #[cfg(madsim)]
    Madsim(sim::second::World),
}

impl From<&Self> for World {
    fn from(world: &Self) -> Self {
        world.clone()
    }
}

impl From<&sim::World> for World {
    fn from(world: &sim::World) -> Self {
        Self::Sim(world.clone())
    }
}

#[cfg(madsim)]
impl From<&sim::second::World> for World {
    fn from(world: &sim::second::World) -> Self {
        Self::Madsim(world.clone())
    }
}

/// Somebody asked madsim for what it does not have.
#[cfg(madsim)]
#[cold]
fn missing(what: &str) -> ! {
    panic!("madsim has no {what}: a play asks whether its family is allowed before it strikes")
}

impl World {
    /// Which it is.
    #[must_use]
    pub fn kind(&self) -> WorldKind {
        match self {
            Self::Sim(_) => WorldKind::Sim,
            #[cfg(madsim)]
            Self::Madsim(_) => WorldKind::Madsim,
        }
    }

    /// The node of that name; a new one has no process.
    #[must_use]
    pub fn node(&self, name: &str) -> Node {
        match self {
            Self::Sim(world) => Node::Sim(world.node(name)),
            #[cfg(madsim)]
            Self::Madsim(world) => Node::Madsim(world.node(name)),
        }
    }

    /// Gives a further name to nodes; it resolves to all of their addresses.
    pub fn alias(&self, name: &str, nodes: &[&Node]) {
        match self {
            Self::Sim(world) => world.alias(name, &nodes.iter().map(|node| node.sim()).collect::<Vec<_>>()),
            #[cfg(madsim)]
            Self::Madsim(world) => {
                world.alias(name, &nodes.iter().map(|node| node.madsim()).collect::<Vec<_>>());
            }
        }
    }

    /// Virtual time since the run began.
    #[must_use]
    pub fn elapsed(&self) -> Duration {
        match self {
            Self::Sim(world) => world.elapsed(),
            #[cfg(madsim)]
            Self::Madsim(world) => world.elapsed(),
        }
    }

    /// Waits.
    pub async fn sleep(&self, span: Duration) {
        match self {
            Self::Sim(world) => world.sleep(span).await,
            #[cfg(madsim)]
            Self::Madsim(world) => world.sleep(span).await,
        }
    }

    /// Waits for `future`, at most so long. `None`: it took longer, and was dropped.
    pub async fn within<F: Future>(&self, span: Duration, future: F) -> Option<F::Output> {
        match self {
            Self::Sim(world) => world.within(span, future).await,
            #[cfg(madsim)]
            Self::Madsim(world) => world.within(span, future).await,
        }
    }

    /// Starts a task of the script's.
    pub fn spawn<T: 'static>(
        &self,
        name: &'static str,
        future: impl Future<Output = T> + 'static,
    ) -> Task<T> {
        match self {
            Self::Sim(world) => Task::Sim(world.spawn(name, future)),
            #[cfg(madsim)]
            Self::Madsim(world) => Task::Madsim(world.spawn(name, future)),
        }
    }

    /// The decision stream of that name: one seed decides the same in both worlds.
    #[must_use]
    pub fn stream(&self, name: &str) -> Stream {
        match self {
            Self::Sim(world) => Stream::Sim(world.stream(name)),
            #[cfg(madsim)]
            Self::Madsim(world) => Stream::Madsim(world.stream(name)),
        }
    }

    /// Whether overrides take away the next thing that this stream speaks of. madsim takes no overrides.
    #[must_use]
    pub fn waives(&self, stream: &str) -> bool {
        match self {
            Self::Sim(world) => world.waives(stream),
            #[cfg(madsim)]
            Self::Madsim(_) => false,
        }
    }

    /// How much overrides took away so far.
    #[must_use]
    pub fn waived(&self) -> u64 {
        match self {
            Self::Sim(world) => world.waived(),
            #[cfg(madsim)]
            Self::Madsim(_) => 0,
        }
    }

    /// Tells a line of the story.
    pub fn note(&self, text: impl Into<String>) {
        match self {
            Self::Sim(world) => world.note(text),
            #[cfg(madsim)]
            Self::Madsim(world) => world.note(text),
        }
    }

    /// Blocks what `from` sends to `to`.
    pub fn block(&self, from: &Node, to: &Node) {
        match self {
            Self::Sim(world) => world.block(from.sim(), to.sim()),
            #[cfg(madsim)]
            Self::Madsim(world) => world.block(from.madsim(), to.madsim()),
        }
    }
    /// Blocks both ways.
    pub fn partition(&self, one: &Node, other: &Node) {
        match self {
            Self::Sim(world) => world.partition(one.sim(), other.sim()),
            #[cfg(madsim)]
            Self::Madsim(world) => world.partition(one.madsim(), other.madsim()),
        }
    }
    /// Opens both ways.
    pub fn heal(&self, one: &Node, other: &Node) {
        match self {
            Self::Sim(world) => world.heal(one.sim(), other.sim()),
            #[cfg(madsim)]
            Self::Madsim(world) => world.heal(one.madsim(), other.madsim()),
        }
    }

    /// Sets how long segments are under way, for connections opened from here on. Not on madsim.
    pub fn set_latency(&self, from: &Node, to: &Node, latency: Latency) {
        match self {
            Self::Sim(world) => world.set_latency(from.sim(), to.sim(), latency),
            #[cfg(madsim)]
            Self::Madsim(_) => missing("latency per path"),
        }
    }

    /// How long segments are under way where nothing else was set. Not on madsim.
    #[must_use]
    pub fn usual_latency(&self) -> Latency {
        match self {
            Self::Sim(world) => world.options().net.latency,
            #[cfg(madsim)]
            Self::Madsim(_) => missing("latency per path"),
        }
    }

    /// All connections that somebody may still notice. None on madsim.
    #[must_use]
    pub fn connections(&self) -> Vec<Connection> {
        match self {
            Self::Sim(world) => world.connections(),
            #[cfg(madsim)]
            Self::Madsim(_) => Vec::new(),
        }
    }

    /// Cuts a connection. Not on madsim.
    pub fn cut(&self, connection: &Connection, cut: Cut, near: Side) -> bool {
        match self {
            Self::Sim(world) => world.cut(connection, cut, near),
            #[cfg(madsim)]
            Self::Madsim(_) => missing("cut of a connection"),
        }
    }

    /// Cuts a connection as soon as `side` has got so many bytes. Not on madsim.
    pub fn cut_at(&self, connection: &Connection, side: Side, bytes: u64, cut: Cut) -> bool {
        match self {
            Self::Sim(world) => world.cut_at(connection, side, bytes, cut),
            #[cfg(madsim)]
            Self::Madsim(_) => missing("cut of a connection"),
        }
    }

    /// Cuts a connection at a place of what flows on it. Not on madsim.
    pub fn cut_in(&self, connection: &Connection, speaker: Side, place: Place, cut: Cut) -> Option<Planned> {
        match self {
            Self::Sim(world) => world.cut_in(connection, speaker, place, cut),
            #[cfg(madsim)]
            Self::Madsim(_) => missing("cut of a connection"),
        }
    }

    /// Cuts the next connection that has such a place. Not on madsim.
    pub fn plan_cut(&self, wire: Wire, speaker: Side, place: Place, cut: Cut) -> Planned {
        match self {
            Self::Sim(world) => world.plan_cut(wire, speaker, place, cut),
            #[cfg(madsim)]
            Self::Madsim(_) => missing("cut of a connection"),
        }
    }

    /// Reads what flows, so that cuts have places. On madsim there are none.
    pub fn tap(&self, wire: Wire, tap: Tap) {
        match self {
            Self::Sim(world) => world.tap(wire, tap),
            #[cfg(madsim)]
            Self::Madsim(_) => {}
        }
    }

    /// Faults so far, as felt by the simulator. None on madsim.
    #[must_use]
    pub fn effects(&self) -> BTreeMap<Effect, u64> {
        match self {
            Self::Sim(world) => world.effects(),
            #[cfg(madsim)]
            Self::Madsim(_) => BTreeMap::new(),
        }
    }

    /// What there is, node by node.
    #[must_use]
    pub fn census(&self) -> BTreeMap<String, Census> {
        match self {
            Self::Sim(world) => world.census(),
            #[cfg(madsim)]
            Self::Madsim(world) => world.census(),
        }
    }

    /// From here on nothing is a point. madsim has none.
    pub fn close_points(&self) {
        match self {
            Self::Sim(world) => world.close_points(),
            #[cfg(madsim)]
            Self::Madsim(_) => {}
        }
    }

    /// What struck at a point, once more than `heard` strikes have. Never on madsim.
    pub async fn struck(&self, heard: usize) -> Struck {
        match self {
            Self::Sim(world) => world.struck(heard).await,
            #[cfg(madsim)]
            Self::Madsim(_) => std::future::pending().await,
        }
    }
}
