//! Clocks of nodes: monotonic and wall, each a fixed distance from virtual time until somebody steps it.

use std::time::Duration;

use runtime::{Instant, Wall};

use crate::core::Core;
use crate::effects::Effect;
use crate::node::NodeId;

/// The wall clock when a run begins: 2026-01-01T00:00:00Z.
pub const WALL_BASE: Duration = Duration::from_secs(1_767_225_600);

/// How far a node's clocks are from virtual time.
#[derive(Clone, Copy, Debug)]
pub(crate) struct NodeClock {
    /// Added to virtual time, in nanoseconds: uptime differs between hosts.
    pub(crate) mono_offset: u64,
    /// Added to the true wall time, in milliseconds.
    pub(crate) wall_offset: i64,
    /// The wall clock was stepped, and nobody has looked at it since.
    pub(crate) stepped: bool,
}

impl Core {
    /// A node's monotonic clock.
    #[inline]
    pub(crate) fn mono(&self, node: NodeId) -> Instant {
        let offset = self.nodes.borrow()[node.index()].clock.mono_offset;
        Instant::from_nanos(self.now.get() + offset)
    }

    /// The virtual time at which a node's monotonic clock shows `instant`.
    pub(crate) fn when(&self, node: NodeId, instant: Instant) -> u64 {
        let offset = self.nodes.borrow()[node.index()].clock.mono_offset;
        instant.as_nanos().saturating_sub(offset)
    }

    /// A node's wall clock.
    pub(crate) fn wall(&self, node: NodeId) -> Wall {
        let (offset, stepped) = self.with_node(node, |state| {
            let clock = &mut state.clock;
            (clock.wall_offset, std::mem::take(&mut clock.stepped))
        });
        if stepped {
            self.felt(Effect::ClockStep);
        }
        let true_millis = (WALL_BASE + self.elapsed()).as_millis() as u64;
        Wall(true_millis.saturating_add_signed(offset))
    }

    /// Clocks for a new node: its uptime up to 1,000 s, its wall clock within the spread.
    pub(crate) fn set_clock(&self, name: &str) -> NodeClock {
        let stream = self.stream(&format!("clock/{name}"));
        let mono_offset = self.draw(stream, 1_000_000) * 1_000_000;
        let spread = self.options.clock_spread.as_millis() as i64;
        let wall_offset = self.draw(stream, 2 * spread as u64 + 1) as i64 - spread;
        NodeClock { mono_offset, wall_offset, stepped: false }
    }
}
