//! The table of actors and its indices: who holds a key, who is listed under a name, who may be forgotten.
//!
//! Where an actor stands changes in [`super::phase`] only; this table keeps what depends on the actor alone.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet};

use protocol::id::{ActorId, NamespaceId};
use protocol::time::Wall;

use super::record::{Actor, Phase, Stage, StopCause};

/// Destroyed actors that are still listed; the oldest are forgotten first. Ours: upstream keeps all, for ever.
pub(super) const DESTROYED_MAX: usize = 10_000;

/// Newest first; actors of one millisecond by their ids.
pub(super) type ListPosition = (Reverse<Wall>, ActorId);

/// Actors of one name, in list order.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub(super) struct Listing {
    /// Those that are not destroyed.
    pub(super) living: BTreeSet<ListPosition>,
    /// All.
    pub(super) all: BTreeSet<ListPosition>,
}

/// All actors.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub(super) struct Actors {
    records: BTreeMap<ActorId, Actor>,
    keys: BTreeMap<(NamespaceId, String, String), ActorId>,
    names: BTreeMap<(NamespaceId, String), Listing>,
    destroyed: BTreeSet<(Wall, ActorId)>,
}

/// Whether destroying the actor was decided: then its key is free, even while its last generation stops.
pub(super) const fn doomed(phase: &Phase) -> bool {
    matches!(
        phase,
        Phase::Destroyed | Phase::Allocated { stage: Stage::Stopping { cause: StopCause::Destroy, .. }, .. }
    )
}

impl Actors {
    pub(super) fn get(&self, id: ActorId) -> Option<&Actor> {
        self.records.get(&id)
    }

    /// An actor that an index names.
    pub(super) fn known(&self, id: ActorId) -> &Actor {
        self.records.get(&id).expect("an indexed actor has a record")
    }

    /// For changes that no index depends on: not the phase, not the alarm, nothing that names or dates the actor.
    pub(super) fn known_mut(&mut self, id: ActorId) -> &mut Actor {
        self.records.get_mut(&id).expect("an indexed actor has a record")
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = &Actor> {
        self.records.values()
    }

    /// Actors whose destruction is not completed.
    pub(super) fn living(&self) -> usize {
        self.records.len() - self.destroyed.len()
    }

    /// Who holds the key.
    pub(super) fn by_key(&self, namespace: NamespaceId, name: &str, key: &str) -> Option<ActorId> {
        self.keys.get(&(namespace, name.to_owned(), key.to_owned())).copied()
    }

    /// Actors of this name.
    pub(super) fn listing(&self, namespace: NamespaceId, name: &str) -> Option<&Listing> {
        self.names.get(&(namespace, name.to_owned()))
    }

    /// Adds an actor; false, and nothing added, if its id or its key is taken.
    pub(super) fn insert(&mut self, actor: Actor) -> bool {
        if self.records.contains_key(&actor.id) {
            return false;
        }
        let living = !doomed(&actor.phase);
        if let (true, Some(key)) = (living, &actor.key) {
            let name = (actor.namespace, actor.name.clone(), key.clone());
            if self.keys.contains_key(&name) {
                return false;
            }
            self.keys.insert(name, actor.id);
        }
        let listing = self.names.entry((actor.namespace, actor.name.clone())).or_default();
        let position = (Reverse(actor.created), actor.id);
        listing.all.insert(position);
        if living {
            listing.living.insert(position);
        }
        if actor.phase == Phase::Destroyed {
            self.destroyed.insert((actor.destroyed.unwrap_or(Wall::ZERO), actor.id));
        }
        self.records.insert(actor.id, actor);
        true
    }

    /// Stores the phase with the time stamps that follow from it, and frees the key of a doomed actor.
    pub(super) fn set_phase(&mut self, id: ActorId, phase: Phase, now: Wall) {
        let actor = self.records.get_mut(&id).expect("an actor whose phase changes exists");
        assert!(actor.phase != Phase::Destroyed, "nothing follows Destroyed");
        assert!(!doomed(&actor.phase) || doomed(&phase), "destroying is never taken back");
        let running = matches!(phase, Phase::Allocated { stage: Stage::Running, .. });
        actor.connectable = running.then(|| actor.connectable.unwrap_or(now));
        actor.slept = (phase == Phase::Sleeping).then(|| actor.slept.unwrap_or(now));
        let dies = doomed(&phase) && !doomed(&actor.phase);
        let gone = phase == Phase::Destroyed;
        actor.phase = phase;
        if dies {
            actor.destroyed = Some(now);
            if let Some(key) = &actor.key {
                let holder = self.keys.remove(&(actor.namespace, actor.name.clone(), key.clone()));
                assert_eq!(holder, Some(id), "a living actor holds its key");
            }
            let name = (actor.namespace, actor.name.clone());
            let listing = self.names.get_mut(&name).expect("an actor is listed under its name");
            listing.living.remove(&(Reverse(actor.created), id));
        }
        if gone {
            let since = actor.destroyed.expect("destroying has a date");
            self.destroyed.insert((since, id));
        }
    }

    /// Takes the longest-destroyed actor out if there are more than [`DESTROYED_MAX`].
    pub(super) fn forget(&mut self) -> Option<ActorId> {
        if self.destroyed.len() <= DESTROYED_MAX {
            return None;
        }
        let (_, id) = self.destroyed.pop_first()?;
        let actor = self.records.remove(&id).expect("a destroyed actor has a record");
        let name = (actor.namespace, actor.name);
        let listing = self.names.get_mut(&name).expect("an actor is listed under its name");
        listing.all.remove(&(Reverse(actor.created), id));
        if listing.all.is_empty() {
            self.names.remove(&name);
        }
        Some(id)
    }

    /// Panics where an index differs from the records.
    pub(super) fn check(&self) {
        let mut again = Self::default();
        for actor in self.records.values() {
            assert!(again.insert(actor.clone()), "no two living actors hold one key: {:?}", actor.id);
            assert_eq!(doomed(&actor.phase), actor.destroyed.is_some(), "{:?} is dated", actor.id);
        }
        assert!(again == *self, "the indices of actors follow from their records");
    }
}
