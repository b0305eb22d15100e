//! How many bytes a path takes per second: what is sent beyond it queues, behind all that goes the same way.
//!
//! The queue drops nothing (a deep buffer, "bufferbloat"): receive windows bound what it can hold. Segments count, with
//! their headers: those without bytes (FIN, probes, the last step of a handshake) for 66 bytes. Acknowledgements of bytes,
//! words about room, SYN, its answer and RST do not count.

use std::collections::BTreeMap;
use std::num::NonZeroU64;

use crate::core::Core;
use crate::effects::Effect;
use crate::node::NodeId;

/// A path's queue.
struct Queue {
    /// Bytes per second; `None`: unlimited.
    rate: Option<NonZeroU64>,
    /// When its last byte has left, in nanoseconds.
    empty_at: u64,
}

/// All paths'.
pub(crate) struct Bandwidths {
    /// Of paths between two nodes that have none of their own.
    default: Option<NonZeroU64>,
    queues: BTreeMap<(NodeId, NodeId), Queue>,
}

impl Bandwidths {
    pub(crate) const fn new(default: Option<NonZeroU64>) -> Self {
        Self { default, queues: BTreeMap::new() }
    }

    pub(crate) fn set(&mut self, from: NodeId, to: NodeId, rate: Option<NonZeroU64>) {
        let queue = self.queues.entry((from, to)).or_insert(Queue { rate, empty_at: 0 });
        queue.rate = rate;
    }

    /// When the last of so many bytes has left `from` for `to`.
    #[inline]
    pub(crate) fn leaves(&mut self, core: &Core, from: NodeId, to: NodeId, bytes: u64) -> u64 {
        if self.default.is_none() && self.queues.is_empty() || from == to {
            return core.now.get();
        }
        self.queued(core, from, to, bytes)
    }

    #[cold]
    fn queued(&mut self, core: &Core, from: NodeId, to: NodeId, bytes: u64) -> u64 {
        let now = core.now.get();
        let queue = self.queues.entry((from, to)).or_insert(Queue { rate: self.default, empty_at: 0 });
        let Some(rate) = queue.rate else { return now };
        if queue.empty_at > now {
            core.felt(Effect::Queued);
        }
        let takes = u128::from(bytes) * 1_000_000_000 / u128::from(rate.get());
        let takes = u64::try_from(takes).unwrap_or(u64::MAX);
        queue.empty_at = queue.empty_at.max(now).saturating_add(takes);
        queue.empty_at
    }
}
