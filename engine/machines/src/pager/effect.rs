//! What a pager wants.

use super::{Head, Sides, Slot};

/// What it wants. At most one request to storage is under way; the next step answers it.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Effect {
    /// Read head and sides, as of one moment.
    Read,
    /// List places that hold something, from this one on, as many as the bound on lists allows.
    List {
        /// The first.
        from: Slot,
    },
    /// Of what was listed last, these are the database's pages; the others mean nothing.
    Take {
        /// In order.
        slots: Vec<Slot>,
    },
    /// Write, all or nothing.
    Put {
        /// Pages, where to.
        slots: Vec<Slot>,
        /// The head, if it is part of it.
        head: Option<Head>,
        /// The sides, if they are.
        sides: Option<Sides>,
    },
    /// Delete; what is not there is no failure.
    Delete {
        /// What.
        slots: Vec<Slot>,
    },
    /// How it went; requests that follow are of no concern to whoever waits.
    Ended(End),
}

/// How a load or a commit ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum End {
    /// What was taken is the database, of so many pages.
    Loaded {
        /// How many.
        pages: u32,
    },
    /// It could not be read; nothing is loaded.
    Unread,
    /// What stands there is no database of ours; nothing is loaded.
    Damaged,
    /// It has more pages than may be loaded.
    TooLarge {
        /// How many.
        pages: u32,
    },
    /// The commit is durable.
    Committed,
    /// It never was, and never will be. What is loaded is void.
    NotCommitted,
    /// It may or may not be. What is loaded is void.
    Indeterminate,
}
