//! The world, as a script holds it: nodes, partitions, time, decisions, the story.

use std::collections::BTreeMap;
use std::future::Future;
use std::rc::Rc;
use std::time::Duration;

use super::node::{Node, Task};
use super::shared::Shared;
use super::stream::Stream;
use crate::census::Census;
use crate::report::Note;

/// A world on madsim, as a script holds it. Clones are the same one; it stays on its thread.
///
/// The script runs on a node of its own, `script`, and may use everything of `runtime` there.
#[derive(Clone)]
pub struct World {
    pub(super) shared: Rc<Shared>,
}

impl std::fmt::Debug for World {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(out, "World(madsim, seed {:#x}, at {:?})", self.seed(), self.elapsed())
    }
}

impl World {
    /// The seed.
    #[must_use]
    pub fn seed(&self) -> u64 {
        self.shared.seed
    }

    /// The node of that name; a new one gets the next address, and no process.
    ///
    /// # Panics
    /// For the name `script`, whose node is the script's own, and neither boots nor falls.
    #[must_use]
    pub fn node(&self, name: &str) -> Node {
        assert!(name != "script", "the node \"script\" is the script's own: it neither boots nor falls");
        Node { id: self.shared.node(name), shared: Rc::clone(&self.shared) }
    }

    /// Gives a further name to nodes; it resolves to all of their addresses, in that order.
    pub fn alias(&self, name: &str, nodes: &[&Node]) {
        self.shared.alias(name, nodes.iter().map(|node| node.id).collect());
    }

    /// Virtual time since the run began.
    #[must_use]
    pub fn elapsed(&self) -> Duration {
        self.shared.time.elapsed()
    }

    /// Waits: not at all for no time, else a millisecond at least.
    pub async fn sleep(&self, span: Duration) {
        runtime::sleep(span).await;
    }

    /// Waits for `future`, at most so long. `None`: it took longer, and was dropped.
    pub async fn within<F: Future>(&self, span: Duration, future: F) -> Option<F::Output> {
        runtime::timeout(span, future).await.ok()
    }

    /// Starts a task on the script's node.
    ///
    /// # Panics
    /// On another node: what is there is started by [`Node::spawn`].
    pub fn spawn<T: 'static>(
        &self,
        name: &'static str,
        future: impl Future<Output = T> + 'static,
    ) -> Task<T> {
        Task::here(&self.shared, name, future)
    }

    /// The decision stream of that name, as [`crate::World::stream`] has it: the same seed decides the same there.
    #[must_use]
    pub fn stream(&self, name: &str) -> Stream {
        Stream { shared: Rc::clone(&self.shared), name: name.into() }
    }

    /// Tells a line of the story.
    pub fn note(&self, text: impl Into<String>) {
        self.shared.note(Note { at: self.elapsed(), text: text.into() });
    }

    /// What there is, node by node: to compare a world at rest with one that never had the load. Whether a socket's peer
    /// is there madsim does not tell, so all that are held count as sockets.
    #[must_use]
    pub fn census(&self) -> BTreeMap<String, Census> {
        self.shared.census()
    }

    /// How many timers run.
    #[must_use]
    pub fn timers(&self) -> usize {
        self.shared.alarms.len()
    }

    /// Blocks what `from` sends to `to` (madsim's clog): streams wait, and whoever connects that way is refused.
    pub fn block(&self, from: &Node, to: &Node) {
        madsim::net::NetSim::current().clog_link(from.id, to.id);
    }

    /// Blocks both ways between two nodes.
    pub fn partition(&self, one: &Node, other: &Node) {
        self.block(one, other);
        self.block(other, one);
    }

    /// Opens both ways. What waits is tried again after madsim's back-off, which is up to 10 s.
    pub fn heal(&self, one: &Node, other: &Node) {
        let net = madsim::net::NetSim::current();
        net.unclog_link(one.id, other.id);
        net.unclog_link(other.id, one.id);
    }
}
