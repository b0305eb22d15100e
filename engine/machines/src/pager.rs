//! Where the pages of an actor's database stand in its storage, and when a commit of it is one.
//!
//! Storage takes a bounded number of keys at once, all or nothing; a commit of a database may touch more pages than
//! that, and still must be there whole or not at all after a crash at any moment. Each page has two places of its own,
//! [`Slot`]s on two [`Side`]s, and the [`Sides`] say which of them counts. A commit whose pages fit one put overwrites
//! the places that count, together with the [`Head`]. A larger one writes the places that do not count, in as many puts
//! as it takes, and its last put turns them: head, sides and the last pages in one.
//!
//! What counts no more is deleted after a commit, and what an aborted one left behind after the next load; until then
//! it takes room and means nothing. After a commit that failed, or whose outcome nobody knows, the copy that the driver
//! holds is no more what is stored: the pager demands to be loaded again before it takes another commit.
//!
//! It holds no page and sees no SQL: the driver does, and knows pages by number, from zero. It has one request under
//! way at a time, so that each finds what the one before it did. Nothing here waits or is random: a step takes no time
//! as its argument, and there is no deadline.
//!
//! [`commit`] plans and ends commits, [`load`] finds what stands, [`sweep`] deletes what does not count, [`check`] says
//! what always holds.

mod check;
mod commit;
pub mod effect;
pub mod input;
mod load;
pub mod place;
mod sweep;
#[cfg(test)]
mod tests;

use std::collections::{BTreeSet, VecDeque};

pub use effect::{Effect, End};
pub use input::Input;
pub use place::{Head, Side, Sides, Slot};

/// Bounds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Options {
    /// Keys in one put or delete; at least three, for head, sides and a page.
    pub keys_max: usize,
    /// Keys in one list.
    pub list_max: usize,
    /// Pages of a database. One that is stored and has more is not loaded.
    pub pages_max: u32,
}

/// The machine.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Pager {
    options: Options,
    /// As stored.
    head: Head,
    /// As stored, or as they will be with the first commit that turns one.
    sides: Sides,
    /// Places that may hold something and do not count.
    dead: BTreeSet<Slot>,
    phase: Phase,
}

/// What is under way.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
enum Phase {
    /// Nothing. The driver's copy is not what is stored.
    Spoiled,
    /// Head and sides are being read.
    Reading,
    /// Places are being listed.
    Listing {
        /// Those seen that count.
        found: u32,
    },
    /// Nothing. The driver's copy is what is stored.
    Ready,
    /// Places that do not count are being written; the next commit begins to count with the last put.
    Copying(Commit),
    /// The put that makes the commit one.
    Committing(Commit),
    /// These are being deleted.
    Sweeping(Vec<Slot>),
}

/// A commit under way.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
struct Commit {
    /// Its head.
    head: Head,
    /// Every page that it writes, at the place where it writes it.
    slots: Vec<Slot>,
    /// Of these, what no put has taken yet.
    left: VecDeque<Slot>,
    /// Whether the places that it writes begin to count with it.
    turns: bool,
}

impl Pager {
    /// One that has nothing loaded.
    ///
    /// # Panics
    /// If no page fits beside head and sides.
    #[must_use]
    pub const fn new(options: Options) -> Self {
        assert!(options.keys_max >= 3, "a put holds head, sides and a page");
        assert!(options.list_max >= 1, "a list holds something");
        let head = Head { commit: 0, pages: 0 };
        Self { options, head, sides: Sides::new(), dead: BTreeSet::new(), phase: Phase::Spoiled }
    }

    /// One step.
    ///
    /// # Panics
    /// When the driver answers what it was not asked, commits what is not loaded, or grows a database without writing
    /// its new pages.
    pub fn handle(&mut self, input: Input, out: &mut Vec<Effect>) {
        match input {
            Input::Load => self.load(out),
            Input::Stored(stored) => self.stored(stored, out),
            Input::Listed(slots) => self.listed(slots, out),
            Input::Malformed => self.malformed(out),
            Input::Commit { pages, dirty } => self.commit(pages, &dirty, out),
            Input::Done => self.done(out),
            Input::Failed(failure) => self.failed(failure, out),
        }
    }

    /// Whether a commit can begin.
    #[must_use]
    pub const fn is_ready(&self) -> bool {
        matches!(self.phase, Phase::Ready)
    }

    /// A put or delete was done.
    fn done(&mut self, out: &mut Vec<Effect>) {
        match std::mem::replace(&mut self.phase, Phase::Ready) {
            Phase::Copying(commit) => self.put(commit, out),
            Phase::Committing(commit) => self.committed(&commit, out),
            Phase::Sweeping(slots) => self.swept(&slots, out),
            phase @ (Phase::Spoiled | Phase::Reading | Phase::Listing { .. } | Phase::Ready) => {
                panic!("nothing to be done was asked for: {phase:?}")
            }
        }
    }
}
