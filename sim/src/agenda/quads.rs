//! A four-ary heap of moments, whose siblings share a cache line.
//!
//! It knows moments, their order and the slots they are of; what waits in a slot is its caller's, who is told of every
//! place that changes. Lanes that hold nothing hold the latest of all moments, so the last siblings need no bounds.

use std::hint::select_unpredictable;

/// How many children an entry has.
const ARITY: u32 = 4;

/// Where the first entry lies: from here, the children of each lie side by side in one quad.
const ROOT: u32 = ARITY - 1;

/// How many bits of an entry name its slot.
const SLOT_BITS: u32 = 24;

/// How many entries there can be at one time: sixteen million.
pub(super) const SLOTS_MAX: usize = 1 << SLOT_BITS;

/// Orders are below this, which would make a lane look empty: three hours of an entry every ten nanoseconds.
const ORDER_MAX: u64 = (1 << (64 - SLOT_BITS)) - 1;

/// A moment, its order among those of the same moment, and its slot: one word, compared as one.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Entry(u128);

impl Entry {
    /// What lanes hold that hold nothing.
    const NONE: Self = Self(u128::MAX);

    #[inline]
    pub(super) const fn new(at: u64, order: u64, slot: u32) -> Self {
        assert!(order < ORDER_MAX, "a world ends before it has put so much on its agenda");
        Self((at as u128) << 64 | (order << SLOT_BITS | slot as u64) as u128)
    }

    #[inline]
    pub(super) const fn at(self) -> u64 {
        (self.0 >> 64) as u64
    }

    #[inline]
    pub(super) const fn slot(self) -> u32 {
        self.0 as u32 & (SLOTS_MAX as u32 - 1)
    }
}

/// Four siblings.
#[derive(Clone, Copy)]
#[repr(align(64))]
struct Quad([Entry; ARITY as usize]);

impl Quad {
    const EMPTY: Self = Self([Entry::NONE; ARITY as usize]);

    /// The first of them, and its lane.
    #[inline]
    fn first(&self) -> (Entry, u32) {
        let [a, b, c, d] = self.0;
        let left = if b < a { (b, 1) } else { (a, 0) };
        let right = if d < c { (d, 3) } else { (c, 2) };
        // Which is the first is anybody's guess: a branch would be mistaken every other time.
        select_unpredictable(right.0 < left.0, right, left)
    }
}

/// The heap. `told(slot, place)` hears where an entry lies.
pub(super) struct Quads {
    quads: Vec<Quad>,
    /// The place after the last entry.
    end: u32,
}

impl Quads {
    pub(super) const fn new() -> Self {
        Self { quads: Vec::new(), end: ROOT }
    }

    /// The first entry.
    #[inline]
    pub(super) fn first(&self) -> Option<Entry> {
        (self.end > ROOT).then(|| self.get(ROOT))
    }

    #[inline]
    pub(super) fn get(&self, place: u32) -> Entry {
        self.quads[(place / ARITY) as usize].0[(place % ARITY) as usize]
    }

    #[inline]
    fn set(&mut self, place: u32, entry: Entry) {
        self.quads[(place / ARITY) as usize].0[(place % ARITY) as usize] = entry;
    }

    /// Puts an entry in.
    pub(super) fn push(&mut self, entry: Entry, told: impl FnMut(u32, u32)) {
        let place = self.end;
        if (place / ARITY) as usize >= self.quads.len() {
            self.quads.push(Quad::EMPTY);
        }
        self.end += 1;
        self.rise(place, entry, told);
    }

    /// Takes the entry of a place out.
    pub(super) fn remove(&mut self, place: u32, told: impl FnMut(u32, u32)) {
        self.end -= 1;
        let last = self.get(self.end);
        self.set(self.end, Entry::NONE);
        if place < self.end {
            self.replace(place, last, told);
        }
    }

    /// Puts another entry where one lies.
    pub(super) fn replace(&mut self, place: u32, entry: Entry, mut told: impl FnMut(u32, u32)) {
        // All the way down without a look at the entry, which most often came from there, and up as far as it must.
        let leaf = self.open(place, &mut told);
        self.rise(leaf, entry, told);
    }

    /// Moves the first child up into each gap, from a place down to a leaf, which is open then.
    #[inline]
    fn open(&mut self, mut gap: u32, told: &mut impl FnMut(u32, u32)) -> u32 {
        while let Some(children) = self.quads.get((gap - ROOT + 1) as usize) {
            let (child, lane) = children.first();
            if child == Entry::NONE {
                break;
            }
            self.set(gap, child);
            told(child.slot(), gap);
            gap = (gap - ROOT + 1) * ARITY + lane;
        }
        gap
    }

    /// Lays an entry into a gap, or above it, where those are moved down that come later.
    #[inline]
    fn rise(&mut self, mut gap: u32, entry: Entry, mut told: impl FnMut(u32, u32)) {
        while gap > ROOT {
            let place = gap / ARITY + ROOT - 1;
            let parent = self.get(place);
            if parent < entry {
                break;
            }
            self.set(gap, parent);
            told(parent.slot(), gap);
            gap = place;
        }
        self.set(gap, entry);
        told(entry.slot(), gap);
    }

    /// How many entries there are.
    #[cfg(test)]
    pub(super) const fn len(&self) -> usize {
        (self.end - ROOT) as usize
    }
}
