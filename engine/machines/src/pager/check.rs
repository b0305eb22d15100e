//! What always holds.

use super::{Commit, Pager, Phase};

impl Pager {
    /// Panics where an invariant does not hold.
    pub fn check(&self) {
        assert!(self.head.pages <= self.options.pages_max, "the database keeps to its bound");
        for slot in &self.dead {
            assert!(!self.counts(*slot), "what counts is not dead: {slot:?}");
        }
        match &self.phase {
            Phase::Spoiled | Phase::Reading | Phase::Listing { .. } | Phase::Ready => {}
            Phase::Copying(commit) => {
                assert!(commit.turns, "only what turns takes more than one put");
                self.check_commit(commit);
            }
            Phase::Committing(commit) => {
                assert!(commit.left.is_empty(), "the last put takes what is left");
                self.check_commit(commit);
            }
            Phase::Sweeping(slots) => {
                assert!(!slots.is_empty(), "something is swept");
                for slot in slots {
                    assert!(self.dead.contains(slot), "what is swept is dead: {slot:?}");
                }
            }
        }
    }

    fn check_commit(&self, commit: &Commit) {
        assert!(commit.head.commit == self.head.commit + 1, "commits are counted");
        for slot in &commit.slots {
            let live = self.sides.live(slot.page) == *slot;
            assert!(live != commit.turns, "a page is overwritten only in the put that commits: {slot:?}");
        }
    }
}
