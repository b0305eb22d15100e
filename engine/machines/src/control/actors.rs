//! The table of actors and its indices: who holds a key, who is listed under a name, who may be forgotten.
//!
//! Where an actor stands changes in [`super::phase`] only; this table keeps what depends on the actor alone. Most actors
//! sleep, so what one of them takes counts: texts are shared, and an actor is in the lists of the living or of the dead.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet};
use std::ops::Bound;

use protocol::id::{ActorId, NamespaceId};
use protocol::time::Wall;

use super::record::{Actor, Phase, Stage, StopCause, Text};

/// Newest first; actors of one millisecond by their ids.
pub(super) type ListPosition = (Reverse<Wall>, ActorId);

/// Actors of one name.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) struct Kind {
    /// The pool of the one that came first: those that follow mostly share it, and so its name.
    pool: Text,
    /// Those that are not destroyed, in list order.
    living: BTreeSet<ListPosition>,
    /// The others.
    dead: BTreeSet<ListPosition>,
    /// Who of the living holds a key.
    keys: BTreeMap<Text, ActorId>,
    /// Who of the dead held it.
    dead_keys: BTreeSet<(Text, ListPosition)>,
}

impl Kind {
    const fn new(pool: Text) -> Self {
        Self {
            pool,
            living: BTreeSet::new(),
            dead: BTreeSet::new(),
            keys: BTreeMap::new(),
            dead_keys: BTreeSet::new(),
        }
    }

    /// At most so many of the living behind this position, in list order, and of the dead if asked for.
    pub(super) fn page(
        &self,
        after: Bound<ListPosition>,
        include_destroyed: bool,
        most: usize,
    ) -> Vec<ListPosition> {
        let living = self.living.range((after, Bound::Unbounded)).take(most);
        let dead = self.dead.range((after, Bound::Unbounded)).take(if include_destroyed { most } else { 0 });
        let mut page: Vec<ListPosition> = living.chain(dead).copied().collect();
        page.sort_unstable();
        page.truncate(most);
        page
    }

    /// The same of those dead that held this key.
    pub(super) fn page_of_dead(
        &self,
        key: &str,
        after: Bound<ListPosition>,
        most: usize,
    ) -> impl Iterator<Item = ListPosition> {
        let key = Text::from(key);
        let first = (Reverse(Wall(u64::MAX)), ActorId::from_entropy([0; 16]));
        let start = match after {
            Bound::Unbounded => Bound::Included((key.clone(), first)),
            Bound::Included(after) => Bound::Included((key.clone(), after)),
            Bound::Excluded(after) => Bound::Excluded((key.clone(), after)),
        };
        let held = self.dead_keys.range((start, Bound::Unbounded)).take_while(move |(its, _)| *its == key);
        held.map(|(_, position)| *position).take(most)
    }

    fn is_empty(&self) -> bool {
        self.living.is_empty() && self.dead.is_empty()
    }
}

/// Where an actor stands, as far as it is counted and shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Standing {
    Pending,
    Starting,
    Running,
    Stopping,
    Sleeping,
    Backoff,
    Destroyed,
}

impl Standing {
    pub(super) const ALL: [Self; 7] = [
        Self::Pending,
        Self::Starting,
        Self::Running,
        Self::Stopping,
        Self::Sleeping,
        Self::Backoff,
        Self::Destroyed,
    ];

    pub(super) const fn of(phase: &Phase) -> Self {
        match phase {
            Phase::Pending { .. } => Self::Pending,
            Phase::Allocated { stage: Stage::Starting { .. }, .. } => Self::Starting,
            Phase::Allocated { stage: Stage::Running, .. } => Self::Running,
            Phase::Allocated { stage: Stage::Stopping { .. }, .. } => Self::Stopping,
            Phase::Sleeping => Self::Sleeping,
            Phase::Backoff { .. } => Self::Backoff,
            Phase::Destroyed => Self::Destroyed,
        }
    }

    /// Its stable name.
    pub(super) const fn name(self) -> &'static str {
        match self {
            Self::Pending => "pending",
            Self::Starting => "starting",
            Self::Running => "running",
            Self::Stopping => "stopping",
            Self::Sleeping => "sleeping",
            Self::Backoff => "backoff",
            Self::Destroyed => "destroyed",
        }
    }
}

/// All actors.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub(super) struct Actors {
    records: BTreeMap<ActorId, Actor>,
    kinds: BTreeMap<NamespaceId, BTreeMap<Text, Kind>>,
    destroyed: BTreeSet<(Wall, ActorId)>,
    /// How many there are of each [`Standing`].
    counts: [usize; Standing::ALL.len()],
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

    /// How many there are of each standing.
    pub(super) fn counts(&self) -> impl Iterator<Item = (Standing, usize)> {
        Standing::ALL.into_iter().zip(self.counts)
    }

    /// Who holds the key.
    pub(super) fn by_key(&self, namespace: NamespaceId, name: &str, key: &str) -> Option<ActorId> {
        self.kind(namespace, name)?.keys.get(key).copied()
    }

    /// Actors of this name.
    pub(super) fn kind(&self, namespace: NamespaceId, name: &str) -> Option<&Kind> {
        self.kinds.get(&namespace)?.get(name)
    }

    /// Adds an actor; false, and nothing added, if its id or its key is taken.
    pub(super) fn insert(&mut self, mut actor: Actor) -> bool {
        if self.records.contains_key(&actor.id) {
            return false;
        }
        let living = !doomed(&actor.phase);
        let kinds = self.kinds.entry(actor.namespace).or_default();
        if let (true, Some(key)) = (living, &actor.key)
            && kinds.get(&*actor.name).is_some_and(|kind| kind.keys.contains_key(&**key))
        {
            return false;
        }
        match kinds.get_key_value(&*actor.name) {
            Some((name, kind)) => {
                actor.name = name.clone();
                if actor.pool == kind.pool {
                    actor.pool = kind.pool.clone();
                }
            }
            None => {
                kinds.insert(actor.name.clone(), Kind::new(actor.pool.clone()));
            }
        }
        let kind = kinds.get_mut(&*actor.name).expect("it was made if it was missing");
        let position = (Reverse(actor.created), actor.id);
        match (living, &actor.key) {
            (true, Some(key)) => {
                kind.keys.insert(key.clone(), actor.id);
            }
            (false, Some(key)) => {
                kind.dead_keys.insert((key.clone(), position));
            }
            (true | false, None) => {}
        }
        if living {
            kind.living.insert(position)
        } else {
            kind.dead.insert(position)
        };
        if actor.phase == Phase::Destroyed {
            self.destroyed.insert((actor.destroyed.unwrap_or(Wall::ZERO), actor.id));
        }
        self.counts[Standing::of(&actor.phase) as usize] += 1;
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
        self.counts[Standing::of(&actor.phase) as usize] -= 1;
        self.counts[Standing::of(&phase) as usize] += 1;
        actor.phase = phase;
        if dies {
            actor.destroyed = Some(now);
            let kinds = self.kinds.get_mut(&actor.namespace).expect("an actor is listed in its namespace");
            let kind = kinds.get_mut(&*actor.name).expect("an actor is listed under its name");
            let position = (Reverse(actor.created), id);
            assert!(kind.living.remove(&position), "a living actor is listed among the living");
            kind.dead.insert(position);
            if let Some(key) = &actor.key {
                assert_eq!(kind.keys.remove(&**key), Some(id), "a living actor holds its key");
                kind.dead_keys.insert((key.clone(), position));
            }
        }
        if gone {
            let since = actor.destroyed.expect("destroying has a date");
            self.destroyed.insert((since, id));
        }
    }

    /// How many destroyed actors are still listed.
    pub(super) fn destroyed(&self) -> usize {
        self.destroyed.len()
    }

    /// When the one of them was destroyed that is so for longest.
    pub(super) fn oldest_destroyed(&self) -> Option<Wall> {
        self.destroyed.first().map(|(since, _)| *since)
    }

    /// Takes that one out.
    pub(super) fn forget_oldest(&mut self) -> ActorId {
        let (_, id) = self.destroyed.pop_first().expect("there is one to be forgotten");
        let actor = self.records.remove(&id).expect("a destroyed actor has a record");
        self.counts[Standing::of(&actor.phase) as usize] -= 1;
        let kinds = self.kinds.get_mut(&actor.namespace).expect("an actor is listed in its namespace");
        let kind = kinds.get_mut(&*actor.name).expect("an actor is listed under its name");
        let position = (Reverse(actor.created), id);
        kind.dead.remove(&position);
        if let Some(key) = actor.key {
            kind.dead_keys.remove(&(key, position));
        }
        if kind.is_empty() {
            kinds.remove(&*actor.name);
        }
        if kinds.is_empty() {
            self.kinds.remove(&actor.namespace);
        }
        id
    }

    /// Panics where an index differs from the records.
    pub(super) fn check(&self) {
        let mut again = Self::default();
        for actor in self.records.values() {
            assert!(again.insert(actor.clone()), "no two living actors hold one key: {:?}", actor.id);
            assert_eq!(doomed(&actor.phase), actor.destroyed.is_some(), "{:?} is dated", actor.id);
        }
        // Which pool's name a kind shares depends on who came first.
        for (namespace, kinds) in &mut again.kinds {
            for (name, kind) in kinds {
                let known = self.kind(*namespace, name).expect("a kind of the actors is known");
                kind.pool = known.pool.clone();
            }
        }
        assert!(again == *self, "the indices of actors follow from their records");
    }
}
