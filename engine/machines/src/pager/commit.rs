//! Planning commits, and what the outcome of their puts means.

use std::collections::BTreeSet;

use protocol::mark;

use super::{Commit, Effect, End, Head, Pager, Phase};
use crate::runner::effect::StoreFailure;

impl Pager {
    pub(super) fn commit(&mut self, pages: u32, dirty: &BTreeSet<u32>, out: &mut Vec<Effect>) {
        assert!(self.is_ready(), "only what is loaded and at rest commits: {:?}", self.phase);
        assert!(pages <= self.options.pages_max, "the database keeps to its bound");
        assert!(dirty.last().is_none_or(|last| *last < pages), "only pages that are there changed");
        assert!(
            (self.head.pages..pages).all(|page| dirty.contains(&page)),
            "every new page is written: what an earlier one of its number left does not come back"
        );
        if dirty.is_empty() && pages == self.head.pages {
            return out.push(Effect::Ended(End::Committed));
        }
        let head = Head { commit: self.head.commit + 1, pages };
        let turns = dirty.len() + 1 > self.options.keys_max;
        let place = |page: &u32| if turns { self.sides.shadow(*page) } else { self.sides.live(*page) };
        let slots: Vec<_> = dirty.iter().map(place).collect();
        self.put(Commit { head, left: slots.iter().copied().collect(), slots, turns }, out);
    }

    /// The next put of a commit.
    pub(super) fn put(&mut self, mut commit: Commit, out: &mut Vec<Effect>) {
        let keys_max = self.options.keys_max;
        // The last put holds the head, and the sides where they change.
        let last = commit.left.len() <= keys_max - if commit.turns { 2 } else { 1 };
        let count = commit.left.len().min(keys_max);
        let slots = commit.left.drain(..count).collect();
        if !last {
            out.push(Effect::Put { slots, head: None, sides: None });
            self.phase = Phase::Copying(commit);
            return;
        }
        let sides = commit.turns.then(|| {
            mark!("pager_turned");
            let mut sides = self.sides.clone();
            commit.slots.iter().for_each(|slot| sides.turn(slot.page));
            sides
        });
        out.push(Effect::Put { slots, head: Some(commit.head), sides });
        self.phase = Phase::Committing(commit);
    }

    pub(super) fn committed(&mut self, commit: &Commit, out: &mut Vec<Effect>) {
        let before = self.head;
        for slot in &commit.slots {
            if commit.turns {
                if slot.page < before.pages {
                    self.dead.insert(self.sides.live(slot.page));
                }
                self.sides.turn(slot.page);
            }
            self.dead.remove(slot);
        }
        self.dead.extend((commit.head.pages..before.pages).map(|page| self.sides.live(page)));
        self.head = commit.head;
        out.push(Effect::Ended(End::Committed));
        self.sweep(out);
    }

    pub(super) fn failed(&mut self, failure: StoreFailure, out: &mut Vec<Effect>) {
        match (&self.phase, failure) {
            (Phase::Reading | Phase::Listing { .. }, _) => {
                mark!("pager_unread");
                self.spoil(End::Unread, out);
            }
            // Whatever the put did: what it wrote counts for nothing.
            (Phase::Copying(_), _) => {
                mark!("pager_copy_failed");
                self.spoil(End::NotCommitted, out);
            }
            (Phase::Committing(_), StoreFailure::NotDone) => {
                mark!("pager_not_committed");
                self.spoil(End::NotCommitted, out);
            }
            (Phase::Committing(_), StoreFailure::Indeterminate) => {
                mark!("pager_indeterminate");
                self.spoil(End::Indeterminate, out);
            }
            // They stay dead, and are tried again after the next commit.
            (Phase::Sweeping(_), _) => {
                mark!("pager_sweep_failed");
                self.phase = Phase::Ready;
            }
            (Phase::Spoiled | Phase::Ready, _) => {
                panic!("nothing that could fail was asked for: {:?}", self.phase)
            }
        }
    }
}
