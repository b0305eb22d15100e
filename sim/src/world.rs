//! The world, as a script holds it: nodes, faults, time, decisions, the story.

use std::collections::BTreeMap;
use std::future::Future;
use std::num::NonZeroU64;
use std::rc::Rc;
use std::time::Duration;

use crate::census::Census;
use crate::core::{self, Core};
use crate::digest::Kind;
use crate::effects::Effect;
use crate::net::conn::Side;
use crate::net::cut::{Connection, Cut};
use crate::node::NodeId;
use crate::node::handle::Node;
use crate::options::{Latency, Options};
use crate::points::Struck;
use crate::points::meet::NextStruck;
use crate::report::Note;
use crate::stream::Stream;
use crate::task::{self, Task, Until};

/// A simulated world. Clones are the same one; it stays on its thread.
///
/// The script itself runs on a node of its own, `script`, and may use everything of `runtime` there.
#[derive(Clone)]
pub struct World {
    pub(crate) core: Rc<Core>,
}

impl std::fmt::Debug for World {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(out, "World({}, at {:?})", self.core.name, self.core.elapsed())
    }
}

/// Virtual time since the run began, of the world that has entered this thread; `None` where none has. For those who
/// witness a run from inside, whose own clock drifts and stands still: an inhabitant that decides by it cheats.
#[must_use]
pub fn elapsed() -> Option<Duration> {
    core::try_with(Core::elapsed)
}

impl World {
    /// The seed.
    #[must_use]
    pub fn seed(&self) -> u64 {
        self.core.options.seed
    }

    /// The options of this run.
    #[must_use]
    pub fn options(&self) -> &Options {
        &self.core.options
    }

    /// The node of that name; a new one gets the next address and its host is up, without a process.
    ///
    /// # Panics
    /// If there are 64,000 nodes already, the script's among them: there are no more addresses. If a new one's name has
    /// an asterisk, which overrides could not name.
    #[must_use]
    pub fn node(&self, name: &str) -> Node {
        let id = self.core.find_node(name).unwrap_or_else(|| self.core.add_node(name));
        Node { core: Rc::clone(&self.core), id }
    }

    /// Gives a further name to nodes; it resolves to all of their addresses.
    pub fn alias(&self, name: &str, nodes: &[&Node]) {
        self.core.fault(|| {
            let names: Vec<_> = nodes.iter().map(|node| node.name()).collect();
            format!("{name} is {}", names.join(" and "))
        });
        let nodes = nodes.iter().map(|node| node.id).collect();
        self.core.net(|net| net.paths.alias(name, nodes));
    }

    /// Virtual time since the run began.
    #[must_use]
    pub fn elapsed(&self) -> Duration {
        self.core.elapsed()
    }

    /// Waits.
    pub async fn sleep(&self, span: Duration) {
        Until::after(&self.core, span).await;
    }

    /// Waits for `future`, at most so long. `None`: it took longer, and was dropped.
    pub async fn within<F: Future>(&self, span: Duration, future: F) -> Option<F::Output> {
        task::within(&self.core, span, future).await
    }

    /// Starts a task on the script's node.
    pub fn spawn<T: 'static>(
        &self,
        name: &'static str,
        future: impl Future<Output = T> + 'static,
    ) -> Task<T> {
        Task::spawn(&self.core, NodeId::SCRIPT, name, future)
    }

    /// The decision stream of that name.
    ///
    /// # Panics
    /// If the name has an asterisk: overrides could not name it.
    #[must_use]
    pub fn stream(&self, name: &str) -> Stream {
        Stream { core: Rc::clone(&self.core), id: self.core.stream(name) }
    }

    /// A decision that is given: `default`, unless an override pins the next ordinal of that stream; below `bound`. It
    /// costs the run nothing: no draw, no event, and drawn streams of the same name know nothing of it.
    ///
    /// # Panics
    /// If the default is not below the bound, or the stream's name has an asterisk.
    #[must_use]
    pub fn given(&self, stream: &str, default: u64, bound: u64) -> u64 {
        self.core.decisions.borrow_mut().give(stream, default, bound)
    }

    /// Whether overrides waive the next thing that this stream speaks of, a fault, an operation or a node: no, unless it
    /// is pinned to 1 or calm. A given decision, so asking changes nothing.
    ///
    /// # Panics
    /// If the stream's name has an asterisk.
    #[must_use]
    pub fn waives(&self, stream: &str) -> bool {
        self.core.decisions.borrow_mut().waives(stream)
    }

    /// How much overrides waived so far.
    #[must_use]
    pub fn waived(&self) -> u64 {
        self.core.decisions.borrow().waived()
    }

    /// Tells a line of the story: what a client did and heard, a fault, a law. Part of the digest.
    pub fn note(&self, text: impl Into<String>) {
        let text = text.into();
        self.core.event(Kind::Note, 0, self.core.hash_of(&text));
        self.core.tell(tracing::Level::INFO, || format!("note: {text}"));
        self.core.notes.borrow_mut().push(Note { at: self.elapsed(), text });
    }

    /// What the script told so far.
    #[must_use]
    pub fn notes(&self) -> Vec<Note> {
        self.core.notes.borrow().clone()
    }

    /// Blocks what `from` sends to `to`: lost, without a word, until healed. TCP then delays, and later times out.
    pub fn block(&self, from: &Node, to: &Node) {
        self.set_blocked(from, to, true);
    }

    /// Opens what [`block`](Self::block) blocked, not what strikes at points do; held bytes are sent again soon
    /// ([`Network::retransmit`](crate::Network::retransmit)).
    pub fn unblock(&self, from: &Node, to: &Node) {
        self.set_blocked(from, to, false);
        self.core.net(|net| net.mend(&self.core));
    }

    /// Blocks both ways.
    pub fn partition(&self, one: &Node, other: &Node) {
        self.set_blocked(one, other, true);
        self.set_blocked(other, one, true);
    }

    /// Opens both ways.
    pub fn heal(&self, one: &Node, other: &Node) {
        self.set_blocked(one, other, false);
        self.unblock(other, one);
    }

    /// Blocks a node from all others that there are now, both ways.
    pub fn isolate(&self, node: &Node) {
        let count = self.core.nodes.borrow().len();
        for other in (0..count).map(|place| NodeId(place as u16)).filter(|other| *other != node.id) {
            let other = Node { core: Rc::clone(&self.core), id: other };
            self.partition(node, &other);
        }
    }

    /// Opens all paths, those that strikes at points block among them.
    pub fn heal_all(&self) {
        self.core.fault(|| "all paths open".to_owned());
        self.core.forget_black_holes();
        self.core.net(|net| {
            net.paths.unblock_all();
            net.mend(&self.core);
        });
    }

    fn set_blocked(&self, from: &Node, to: &Node, blocked: bool) {
        self.core.fault(|| {
            format!("{} → {} {}", from.name(), to.name(), if blocked { "blocked" } else { "open" })
        });
        self.core.net(|net| net.paths.set_blocked(from.id, to.id, blocked));
    }

    /// Sets how long segments are under way from one node to another, for connections opened from here on.
    ///
    /// # Panics
    /// If its bounds are the wrong way round, or its odds out of nothing.
    pub fn set_latency(&self, from: &Node, to: &Node, latency: Latency) {
        latency.check();
        self.core.fault(|| format!("{} → {} takes {latency:?}", from.name(), to.name()));
        self.core.net(|net| net.paths.set_latency(from.id, to.id, latency));
    }

    /// Sets how many bytes per second a path takes from here on; `None`: unlimited. What waits already leaves as
    /// it would have.
    pub fn set_bandwidth(&self, from: &Node, to: &Node, rate: Option<NonZeroU64>) {
        self.core.fault(|| match rate {
            Some(rate) => format!("{} → {} takes {rate} bytes per second", from.name(), to.name()),
            None => format!("{} → {} takes any number of bytes", from.name(), to.name()),
        });
        self.core.net(|net| net.paths.bandwidths.set(from.id, to.id, rate));
    }

    /// All connections that somebody may still notice.
    #[must_use]
    pub fn connections(&self) -> Vec<Connection> {
        self.core.net.borrow().connections()
    }

    /// The connection that this names, if it still is there.
    #[must_use]
    pub fn connection(&self, from: &str, to: &str, port: u16, ordinal: u32) -> Option<Connection> {
        self.connections()
            .into_iter()
            .find(|each| each.from == from && each.to == to && each.port == port && each.ordinal == ordinal)
    }

    /// Cuts a connection; `near` is the end that feels it first. `false`: nothing happened, since one of both kernels
    /// knows it no more (or not yet), or it was cut before.
    pub fn cut(&self, connection: &Connection, cut: Cut, near: Side) -> bool {
        self.core.net(|net| net.cut(&self.core, connection.key, cut, near))
    }

    /// Cuts a connection before `side` gets byte number `bytes`, counted from zero at its beginning: when that one is
    /// about to arrive, those before it do, and the cut falls. A stream of exactly `bytes` bytes is never cut. `false`: it
    /// has got more already, or will get none. Asked again for the same direction, the last one counts. One whose byte
    /// never comes is reported ([`Report::unmet`](crate::Report::unmet)).
    pub fn cut_at(&self, connection: &Connection, side: Side, bytes: u64, cut: Cut) -> bool {
        let is_set = self.core.net(|net| net.cut_at(connection.key, side, bytes, cut));
        if is_set {
            let Connection { from, to, port, ordinal, .. } = connection;
            self.core.fault(|| {
                format!("{cut:?} of {from}→{to}:{port}#{ordinal} when {side:?} has got {bytes} bytes")
            });
        }
        is_set
    }

    /// From here on nothing is a point: neither recorded nor struck.
    pub fn close_points(&self) {
        self.core.points.close();
    }

    /// What struck at a point, once more than `heard` strikes have: the first that was not heard of. At the moment at
    /// which it strikes; who has to react to it can.
    pub async fn struck(&self, heard: usize) -> Struck {
        NextStruck { core: &self.core, heard, waits: None }.await
    }

    /// What there is, node by node: to compare a world at rest with one that never had the load.
    #[must_use]
    pub fn census(&self) -> BTreeMap<String, Census> {
        self.core.census()
    }

    /// Faults so far, as felt.
    #[must_use]
    pub fn effects(&self) -> BTreeMap<Effect, u64> {
        self.core.effects.borrow().counts().clone()
    }
}
