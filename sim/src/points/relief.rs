//! Strikes that end by themselves: black holes and pauses.
//!
//! Several may cover the same path or process, and the script may have blocked or paused it besides: what one of them
//! holds, the end of another does not free. Next: `meet` is where they begin.

use crate::core::{Core, Due};
use crate::node::NodeId;
use crate::points::fault::AWAY;
use crate::trace::nanos;

/// What a strike holds until it ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Relief {
    /// The path between two nodes.
    Path(NodeId, NodeId),
    /// The paths between a node and the first so many, it among them, which are all there were.
    Host(NodeId, u16),
    /// A process.
    Process(NodeId),
}

impl Relief {
    /// The paths that it blocks, one way each.
    fn paths(self) -> impl Iterator<Item = (NodeId, NodeId)> {
        let (node, others) = match self {
            // An address that nobody has is the highest number.
            Self::Path(node, other) => (node, u32::from(other.0)..u32::from(other.0) + 1),
            Self::Host(node, count) => (node, 0..u32::from(count)),
            Self::Process(node) => (node, 0..0),
        };
        let others = others.map(|other| NodeId(other as u16)).filter(move |other| *other != node);
        others.flat_map(move |other| [(node, other), (other, node)])
    }

    /// Whether both hold the same process, or a path in common.
    fn meets(self, other: Self) -> bool {
        match self {
            Self::Process(_) => self == other,
            Self::Path(..) | Self::Host(..) => {
                self.paths().any(|path| other.paths().any(|held| held == path))
            }
        }
    }
}

impl Core {
    /// A strike begins that ends by itself; answers with when.
    pub(super) fn begin_relief(&self, relief: Relief) -> std::time::Duration {
        let until = self.now.get().saturating_add(nanos(AWAY));
        self.schedule_at(until, Due::Relief(relief));
        self.points.state.borrow_mut().active.push((until, relief));
        self.hold(relief);
        std::time::Duration::from_nanos(until)
    }

    /// A strike ends.
    pub(crate) fn relieve(&self, relief: Relief) {
        let ended = (self.now.get(), relief);
        let (was_active, is_covered) = {
            let active = &mut self.points.state.borrow_mut().active;
            let place = active.iter().position(|each| *each == ended);
            let was_active = place.map(|place| active.remove(place)).is_some();
            (was_active, active.iter().any(|(_, other)| other.meets(relief)))
        };
        self.fault(|| {
            if is_covered {
                return "a strike ends, and another goes on".to_owned();
            }
            let net = self.net.borrow(); // it has a name for an address that nobody has, too
            let name = |node| net.paths.name(node);
            match relief {
                Relief::Path(one, other) => format!("{} and {} reach each other", name(one), name(other)),
                Relief::Host(node, _) => format!("{} is reached", name(node)),
                Relief::Process(node) => format!("{} goes on", name(node)),
            }
        });
        if was_active {
            self.hold(relief);
            self.net(|net| net.mend(self));
        }
    }

    /// Holds what active strikes hold, of what this one is about, and nothing more.
    fn hold(&self, relief: Relief) {
        match relief {
            Relief::Process(node) => self.update_pause(node),
            Relief::Path(..) | Relief::Host(..) => {
                let struck = {
                    let state = self.points.state.borrow();
                    state.active.iter().flat_map(|(_, relief)| relief.paths()).collect()
                };
                self.net(|net| net.paths.set_struck(struck));
            }
        }
    }

    /// Whether a strike holds that process.
    pub(crate) fn is_held(&self, node: NodeId) -> bool {
        let state = self.points.state.borrow();
        state.active.iter().any(|(_, relief)| *relief == Relief::Process(node))
    }

    /// A process has fallen: the next one is another.
    pub(crate) fn forget_pauses(&self, node: NodeId) {
        self.points.state.borrow_mut().active.retain(|(_, relief)| *relief != Relief::Process(node));
    }

    /// All paths open, those that strikes hold among them.
    pub(crate) fn forget_black_holes(&self) {
        let active = &mut self.points.state.borrow_mut().active;
        active.retain(|(_, relief)| matches!(relief, Relief::Process(_)));
    }
}
