//! How a client loads the stack: how much, at which pace, and what it decides.

use std::time::Duration;

use model::history::Kind;
use sim::Ratio;

use crate::world::{Stream, World};

/// How a client loads the stack.
#[derive(Clone, Copy, Debug)]
pub struct Load {
    /// Operations on actors; one that finds nobody listening does not count. It ends earlier when it is told to.
    pub operations: u32,
    /// Shortest pause between two of them.
    pub pause_min: Duration,
    /// Longest pause between two of them.
    pub pause_max: Duration,
    /// How often an operation is an increment.
    pub increments: Ratio,
}

/// What a client is told while it works.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Order {
    /// To go on at its own pace.
    Load,
    /// To make longer pauses once it has done so many operations.
    Ease {
        /// So many.
        after: u32,
    },
    /// To end after the operation it is at.
    End,
}

/// How much longer its pauses are once it was told to take it easy. Ours: an operation of each client every 4 s.
pub(super) const EASY: u32 = 4;

/// A connection that was not used for so long is not used again, as the pools of HTTP clients do it. Ours: below what a
/// failure of such a connection may be explained by.
pub(super) const IDLE: Duration = Duration::from_millis(1500);

/// What a client decides, each in a stream of its own.
pub(super) struct Draws {
    pub(super) pause: Stream,
    pub(super) key: Stream,
    kind: Stream,
    by: Stream,
}

impl Draws {
    pub(super) fn new(world: &World, client: &str) -> Self {
        let stream = |what| world.stream(&format!("operation/{client}/{what}"));
        Self { pause: stream("pause"), key: stream("key"), kind: stream("kind"), by: stream("by") }
    }

    pub(super) fn kind(&self, increments: Ratio) -> Kind {
        let by = self.by.within(1..=3);
        if self.kind.chance(increments) { Kind::Increment { by } } else { Kind::Read }
    }
}
