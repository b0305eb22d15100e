//! Which worlds live in this process, by the small number their wakers carry.
//!
//! It is read only to name a world in a panic and to tell a wake from outside from a late one; no run's behaviour
//! depends on it. Next: `waker`.

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};

/// How many bits of a waker name the world.
pub(crate) const WORLD_BITS: u32 = 12;

/// A world's number, unique among the worlds that live in this process.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct WorldId(pub(crate) u16);

struct Registry {
    next: u16,
    live: BTreeMap<u16, String>,
}

static REGISTRY: Mutex<Registry> = Mutex::new(Registry { next: 0, live: BTreeMap::new() });

/// Enters a world; its number is not given again until all others were.
///
/// # Panics
/// If 4,096 worlds live at once.
pub(crate) fn enter(name: String) -> WorldId {
    let mut registry = REGISTRY.lock().unwrap_or_else(PoisonError::into_inner);
    let capacity = 1usize << WORLD_BITS;
    assert!(registry.live.len() < capacity, "{capacity} worlds live at once in this process");
    loop {
        let id = registry.next;
        registry.next = (id + 1) % (1 << WORLD_BITS);
        if let std::collections::btree_map::Entry::Vacant(place) = registry.live.entry(id) {
            place.insert(name);
            return WorldId(id);
        }
    }
}

/// Takes a world out when it is dropped.
pub(crate) struct Leave(pub(crate) WorldId);

impl Drop for Leave {
    fn drop(&mut self) {
        let mut registry = REGISTRY.lock().unwrap_or_else(PoisonError::into_inner);
        registry.live.remove(&self.0.0);
    }
}

/// The name of a world that lives, on whatever thread.
pub(crate) fn name(id: WorldId) -> Option<String> {
    REGISTRY.lock().unwrap_or_else(PoisonError::into_inner).live.get(&id.0).cloned()
}
