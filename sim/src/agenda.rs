//! What is due when: timers, segments and everything else that virtual time brings.
//!
//! An indexed four-ary heap (`quads`). Each entry knows its place, so cancelling takes it out at once: a cancelled timer
//! costs no memory, no time and no wake. Entries due at the same moment come out in the order they were put in; which
//! task runs first of those they wake is the scheduler's decision, not this module's. Next: `Core::fire_due`.

mod quads;

use quads::{Entry, Quads, SLOTS_MAX};

/// The name of an entry; never reused within a world.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct DueKey {
    slot: u32,
    generation: u32,
}

impl DueKey {
    /// As one word.
    pub(crate) fn to_word(self) -> u64 {
        u64::from(self.generation) << 32 | u64::from(self.slot)
    }
    /// Back from the word.
    pub(crate) fn from_word(word: u64) -> Self {
        Self { slot: word as u32, generation: (word >> 32) as u32 }
    }
}

/// Where the entry of a slot lies, and whose it is. Apart from what waits, since each move of an entry writes here.
#[derive(Clone, Copy)]
struct Slot {
    place: u32,
    generation: u32,
}

/// The agenda of a world.
pub(crate) struct Agenda<T> {
    heap: Quads,
    slots: Vec<Slot>,
    /// What waits in each slot.
    held: Vec<Option<T>>,
    free: Vec<u32>,
    order: u64,
}

impl<T> Agenda<T> {
    pub(crate) const fn new() -> Self {
        Self { heap: Quads::new(), slots: Vec::new(), held: Vec::new(), free: Vec::new(), order: 0 }
    }

    /// What waits, in no order of time.
    pub(crate) fn iter(&self) -> impl Iterator<Item = (DueKey, &T)> {
        let key = |slot: usize| DueKey { slot: slot as u32, generation: self.slots[slot].generation };
        self.held.iter().enumerate().filter_map(move |(slot, held)| Some((key(slot), held.as_ref()?)))
    }

    /// The moment of the first entry, in nanoseconds.
    pub(crate) fn next_at(&self) -> Option<u64> {
        self.heap.first().map(Entry::at)
    }

    /// Puts `what` on the agenda for `at`.
    pub(crate) fn insert(&mut self, at: u64, what: T) -> DueKey {
        let slot = match self.free.pop() {
            Some(slot) => slot,
            None => {
                assert!(self.slots.len() < SLOTS_MAX, "more than {SLOTS_MAX} entries wait at once");
                self.slots.push(Slot { place: 0, generation: 0 });
                self.held.push(None);
                self.slots.len() as u32 - 1
            }
        };
        self.held[slot as usize] = Some(what);
        let generation = self.slots[slot as usize].generation;
        self.order += 1;
        self.heap.push(Entry::new(at, self.order, slot), places(&mut self.slots));
        DueKey { slot, generation }
    }

    /// Takes the first entry, if it is due at that moment.
    pub(crate) fn pop_due(&mut self, now: u64) -> Option<(DueKey, T)> {
        let slot = self.heap.first().filter(|first| first.at() <= now)?.slot();
        let key = DueKey { slot, generation: self.slots[slot as usize].generation };
        self.take(slot).map(|what| (key, what))
    }

    /// Takes an entry out; `None` if it was fired or removed.
    pub(crate) fn remove(&mut self, key: DueKey) -> Option<T> {
        self.slot(key)?;
        self.take(key.slot)
    }

    /// The slot of an entry that was not fired or removed.
    #[inline]
    fn slot(&self, key: DueKey) -> Option<Slot> {
        self.slots.get(key.slot as usize).copied().filter(|slot| slot.generation == key.generation)
    }

    #[inline]
    fn take(&mut self, slot: u32) -> Option<T> {
        let what = self.held[slot as usize].take()?;
        let Slot { place, generation } = &mut self.slots[slot as usize];
        *generation = generation.wrapping_add(1);
        let place = *place;
        self.free.push(slot);
        self.heap.remove(place, places(&mut self.slots));
        Some(what)
    }

    /// The entry and its moment, if it still waits.
    pub(crate) fn get_mut(&mut self, key: DueKey) -> Option<(u64, &mut T)> {
        let at = self.heap.get(self.slot(key)?.place).at();
        self.held[key.slot as usize].as_mut().map(|what| (at, what))
    }

    /// Moves an entry that waits to another moment.
    pub(crate) fn reschedule(&mut self, key: DueKey, at: u64) {
        let Some(Slot { place, .. }) = self.slot(key).filter(|_| self.held[key.slot as usize].is_some())
        else {
            return;
        };
        self.order += 1;
        self.heap.replace(place, Entry::new(at, self.order, key.slot), places(&mut self.slots));
    }
}

/// Tells slots where their entries lie.
#[inline]
fn places(slots: &mut [Slot]) -> impl FnMut(u32, u32) {
    |slot, place| slots[slot as usize].place = place
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_million_cancelled_entries_leave_nothing() {
        let mut agenda = Agenda::new();
        for round in 0..1_000_000u64 {
            let key = agenda.insert(3_600_000_000_000 + round, ());
            assert!(agenda.remove(key).is_some());
            assert!(agenda.remove(key).is_none(), "an old key finds nothing");
        }
        assert_eq!(agenda.heap.len(), 0);
        assert_eq!(agenda.slots.len(), 1, "one slot was reused throughout");
    }

    proptest! {
        #[test]
        fn entries_come_out_by_moment_then_by_order(ops in prop::collection::vec((0u64..50, 0u8..6), 1..300)) {
            let mut agenda = Agenda::new();
            let mut model: Vec<(u64, u64, DueKey)> = Vec::new();
            let mut order = 0;
            for (at, op) in ops {
                match op {
                    0..=2 => {
                        order += 1;
                        let key = agenda.insert(at, order);
                        model.push((at, order, key));
                    }
                    3 if !model.is_empty() => {
                        let (_, id, key) = model.swap_remove(at as usize % model.len());
                        prop_assert_eq!(agenda.remove(key), Some(id));
                    }
                    4 if !model.is_empty() => {
                        order += 1;
                        let place = order as usize % model.len();
                        let (before, id, key) = model[place];
                        prop_assert_eq!(agenda.get_mut(key), Some((before, &mut id.clone())));
                        agenda.reschedule(key, at);
                        *agenda.get_mut(key).expect("it waits").1 = order;
                        model[place] = (at, order, key);
                    }
                    _ => {
                        model.sort_unstable_by_key(|(at, id, _)| (*at, *id));
                        let expected = (!model.is_empty()).then(|| model.remove(0));
                        prop_assert_eq!(agenda.next_at(), expected.map(|(at, ..)| at));
                        if let Some(before) = expected.and_then(|(at, ..)| at.checked_sub(1)) {
                            prop_assert_eq!(agenda.pop_due(before), None);
                        }
                        let due = expected.map_or(0, |(at, ..)| at);
                        prop_assert_eq!(agenda.pop_due(due).map(|(_, id)| id), expected.map(|(_, id, _)| id));
                    }
                }
                prop_assert_eq!(agenda.heap.len(), model.len());
            }
        }
    }
}
