//! Everything that can happen to a pager.

use std::collections::BTreeSet;

use super::{Head, Sides, Slot};
use crate::runner::effect::StoreFailure;

/// Everything that can happen.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Input {
    /// The database is wanted, and not loaded.
    Load,
    /// Answers [`super::Effect::Read`]: what stands there, if anything was ever committed.
    Stored(Option<(Head, Sides)>),
    /// Answers [`super::Effect::List`]: the places that hold something, in order.
    Listed(Vec<Slot>),
    /// Answers either: it makes no sense.
    Malformed,
    /// The database changed.
    Commit {
        /// Its pages from now on.
        pages: u32,
        /// Those that changed, each new one among them; all below `pages`.
        dirty: BTreeSet<u32>,
    },
    /// Answers [`super::Effect::Put`] and [`super::Effect::Delete`]: it is durable.
    Done,
    /// Answers any request.
    Failed(StoreFailure),
}
