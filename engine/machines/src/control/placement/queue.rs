//! Actors that wait for a slot, first in, first out.
//!
//! An actor is not placed on a runner where an earlier generation of it lingers. Where all room there is is on such
//! runners it is passed over, and so must be, without a look at each, everybody in the same position: so those that wait
//! stand in groups, by where they linger; most linger nowhere. There are few groups, and of each only the first is
//! looked at.

use std::collections::{BTreeMap, BTreeSet};

use protocol::id::{ActorId, RunnerId};
use protocol::time::Wall;

/// Since when an actor waits, and which.
pub(in crate::control) type Position = (Wall, ActorId);

/// The runners on which earlier generations of an actor linger.
pub(in crate::control) type Haunts = BTreeSet<RunnerId>;

/// The queue of a pool.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub(in crate::control) struct Queue {
    all: BTreeSet<Position>,
    /// By where they linger.
    groups: BTreeMap<Haunts, BTreeSet<Position>>,
    /// The first of each group.
    heads: BTreeMap<Position, Haunts>,
}

impl Queue {
    pub(in crate::control) fn len(&self) -> usize {
        self.all.len()
    }

    pub(in crate::control) fn is_empty(&self) -> bool {
        self.all.is_empty()
    }

    pub(in crate::control) fn contains(&self, position: &Position) -> bool {
        self.all.contains(position)
    }

    pub(in crate::control) fn iter(&self) -> impl Iterator<Item = &Position> {
        self.all.iter()
    }

    pub(in crate::control) fn last(&self) -> Option<&Position> {
        self.all.last()
    }

    /// Adds an actor that lingers there.
    pub(in crate::control) fn insert(&mut self, position: Position, haunts: &Haunts) {
        self.all.insert(position);
        let group = self.groups.entry(haunts.clone()).or_default();
        let before = group.first().copied();
        group.insert(position);
        let after = group.first().copied();
        self.lead(haunts, before, after);
    }

    /// Takes an actor out that was added with these; whether it was there.
    pub(in crate::control) fn remove(&mut self, position: Position, haunts: &Haunts) -> bool {
        let Some(group) = self.groups.get_mut(haunts) else { return false };
        let before = group.first().copied();
        let was = self.all.remove(&position) && group.remove(&position);
        let after = group.first().copied();
        if after.is_none() {
            self.groups.remove(haunts);
        }
        self.lead(haunts, before, after);
        was
    }

    fn lead(&mut self, haunts: &Haunts, before: Option<Position>, after: Option<Position>) {
        if before == after {
            return;
        }
        if let Some(before) = before {
            self.heads.remove(&before);
        }
        if let Some(after) = after {
            self.heads.insert(after, haunts.clone());
        }
    }

    /// The first that is not kept from all room there is by where it lingers.
    pub(in crate::control) fn first(&self, kept: impl Fn(&Haunts) -> bool) -> Option<Position> {
        self.heads.iter().find(|(_, haunts)| !kept(haunts)).map(|(position, _)| *position)
    }

    /// Panics where the queue differs from one that was made anew of its actors.
    pub(in crate::control) fn check(&self, haunts: impl Fn(ActorId) -> Haunts) {
        let mut again = Self::default();
        for position in &self.all {
            again.insert(*position, &haunts(position.1));
        }
        assert!(again == *self, "whoever waits stands where it lingers");
    }
}
