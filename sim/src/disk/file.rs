//! One file: what is read of it, what is durable of it, and the records between the two.

use std::collections::BTreeMap;
use std::ops::Range;

use super::loss::Survival;
use super::{DiskCounts, Draw, PAGE, SECTOR};

/// One file.
#[derive(Clone, Debug)]
pub(super) struct FileState {
    /// When it was made, from and to.
    made: (u64, u64),
    /// What a process reads.
    pub(super) cached: Vec<u8>,
    /// What a power loss leaves at least.
    pub(super) durable: Vec<u8>,
    /// What happened to `cached` since `durable`, in the order of their times.
    records: Vec<Record>,
    /// Flipped bytes of `durable`: what they were, and what they are.
    rotten: BTreeMap<usize, (u8, u8)>,
    /// The serial of the open file that holds the lock.
    pub(super) holder: Option<u64>,
}

#[derive(Clone, Debug)]
enum Record {
    Change(Change),
    /// At `end`, all between the sync before it and this one is durable, or so much of it as survives a failed one.
    Sync {
        start: u64,
        end: u64,
        failed: Option<Survival>,
    },
}

/// A write or a change of length, with what it takes to undo it.
#[derive(Clone, Debug)]
pub(super) struct Change {
    start: u64,
    end: u64,
    pub(super) len_before: usize,
    pub(super) len_after: usize,
    /// Where `before` and `after` lie: the start of a sector for a write, the new end for a cut.
    pub(super) at: usize,
    before: Vec<u8>,
    /// The touched sectors as they were read after the write; empty for a change of length.
    pub(super) after: Vec<u8>,
}

impl Change {
    /// Whether it changed the file's length.
    pub(super) const fn resizes(&self) -> bool {
        self.len_before != self.len_after
    }
}

impl Record {
    const fn start(&self) -> u64 {
        match self {
            Self::Change(change) => change.start,
            Self::Sync { start, .. } => *start,
        }
    }

    const fn change(&self) -> Option<&Change> {
        match self {
            Self::Change(change) => Some(change),
            Self::Sync { .. } => None,
        }
    }
}

impl FileState {
    pub(super) const fn new(made: (u64, u64)) -> Self {
        Self {
            made,
            cached: Vec::new(),
            durable: Vec::new(),
            records: Vec::new(),
            rotten: BTreeMap::new(),
            holder: None,
        }
    }

    /// Whether making it had begun by `at`.
    pub(super) const fn began_by(&self, at: u64) -> bool {
        self.made.0 <= at
    }

    /// Whether its name is durable at `at`.
    pub(super) const fn is_made_by(&self, at: u64) -> bool {
        self.made.1 <= at
    }

    /// Whether a sync would have something to do.
    pub(super) fn is_dirty(&self) -> bool {
        matches!(self.records.last(), Some(Record::Change(_)))
    }

    pub(super) fn write(&mut self, (start, end): (u64, u64), offset: usize, data: &[u8]) {
        let len_before = self.cached.len();
        let len_after = len_before.max(offset + data.len());
        let at = offset - offset % SECTOR;
        let touched = (offset + data.len()).next_multiple_of(SECTOR);
        let before = self.cached[at.min(len_before)..touched.min(len_before)].to_vec();
        self.cached.resize(len_after, 0);
        self.cached[offset..offset + data.len()].copy_from_slice(data);
        let after = self.cached[at..touched.min(len_after)].to_vec();
        self.records.push(Record::Change(Change { start, end, len_before, len_after, at, before, after }));
    }

    pub(super) fn set_len(&mut self, (start, end): (u64, u64), len: usize) {
        let len_before = self.cached.len();
        let at = len.min(len_before);
        let change = Change {
            start,
            end,
            len_before,
            len_after: len,
            at,
            before: self.cached[at..].to_vec(),
            after: Vec::new(),
        };
        self.cached.resize(len, 0);
        self.records.push(Record::Change(change));
    }

    pub(super) fn sync(&mut self, (start, end): (u64, u64)) {
        self.records.push(Record::Sync { start, end, failed: None });
    }

    /// A sync fails: what it covers is left to chance for good.
    pub(super) fn fail_sync(&mut self, (start, end): (u64, u64), draw: Draw<'_>) {
        let is_sync = |record: &Record| matches!(record, Record::Sync { .. });
        let first = self.records.iter().rposition(is_sync).map_or(0, |last| last + 1);
        let covered: Vec<&Change> = self.records[first..].iter().filter_map(Record::change).collect();
        if !covered.is_empty() {
            let failed = Some(Survival::decide(&covered, draw));
            self.records.push(Record::Sync { start, end, failed });
        }
    }

    /// Makes durable what syncs cover that ended by `now`.
    pub(super) fn settle(&mut self, now: u64, counts: &mut DiskCounts) {
        let ended = |record: &Record| matches!(record, Record::Sync { end, .. } if *end <= now);
        let Some(last) = self.records.iter().rposition(ended) else { return };
        let mut covered = Vec::new();
        for record in self.records.drain(..=last) {
            match record {
                Record::Change(change) => covered.push(change),
                Record::Sync { failed: None, .. } => {
                    for change in covered.drain(..) {
                        keep(&change, &mut self.durable);
                        mend(&mut self.rotten, &self.durable);
                    }
                }
                Record::Sync { failed: Some(survival), .. } => {
                    let all: Vec<&Change> = covered.iter().collect();
                    survival.apply(&all, &mut self.durable, counts);
                    mend(&mut self.rotten, &self.durable);
                    covered.clear();
                }
            }
        }
    }

    /// Takes back what began after `at`: the process never came to it.
    pub(super) fn cut(&mut self, at: u64) {
        while self.records.last().is_some_and(|record| record.start() > at) {
            match self.records.pop() {
                Some(Record::Change(change)) => self.undo(&change),
                Some(Record::Sync { .. }) | None => {}
            }
        }
    }

    fn undo(&mut self, change: &Change) {
        self.cached.resize(change.len_before, 0);
        let end = change.at + change.before.len();
        if !change.before.is_empty() {
            self.cached[change.at..end].copy_from_slice(&change.before);
        }
    }

    /// A write that was under way at `at` when its process was killed stops at some page (`kill page`).
    pub(super) fn cut_under_way(&mut self, at: u64, draw: Draw<'_>) {
        let under_way = |record: &Record| match record {
            Record::Change(change) => change.end > at && !change.after.is_empty(),
            Record::Sync { .. } => false,
        };
        let Some(record) = self.records.pop_if(|record| under_way(record)) else { return };
        let Record::Change(change) = record else { unreachable!("only a change is under way") };
        let pages = (change.at + change.after.len()).div_ceil(PAGE) - change.at / PAGE;
        let kept = usize::try_from(draw("kill page", pages as u64 + 1)).expect("a number of pages");
        self.undo(&change);
        let end = ((change.at / PAGE + kept) * PAGE).min(change.at + change.after.len());
        if kept > 0 {
            let data = &change.after[..end - change.at];
            // It is over: another process may be killed before the time that the whole would have taken.
            self.write((change.start, at), change.at, data);
        }
    }

    /// The power is gone: what no sync covers that has ended is left to chance.
    pub(super) fn lose_power(&mut self, draw: Draw<'_>, counts: &mut DiskCounts) {
        let changes: Vec<&Change> = self.records.iter().filter_map(Record::change).collect();
        if !changes.is_empty() {
            Survival::decide(&changes, draw).apply(&changes, &mut self.durable, counts);
        }
        self.records.clear();
        mend(&mut self.rotten, &self.durable);
        counts.sectors_lost += differing(&self.cached, &self.durable);
        self.cached.clone_from(&self.durable);
    }
}

impl FileState {
    /// How many bits are durable.
    pub(super) const fn bits(&self) -> u64 {
        self.durable.len() as u64 * 8
    }

    /// Flips a durable bit.
    pub(super) fn flip(&mut self, bit: u64) {
        let byte = usize::try_from(bit / 8).expect("a place in the file");
        let held = &mut self.durable[byte];
        let good = self.rotten.get(&byte).map_or(*held, |(good, _)| *good);
        *held ^= 1 << (bit % 8);
        if *held == good {
            self.rotten.remove(&byte);
        } else {
            self.rotten.insert(byte, (good, *held));
        }
    }

    /// How many flipped bytes of a part are read: not those that the page cache has otherwise.
    pub(super) fn rotten_in(&self, part: Range<usize>) -> u64 {
        let read = |byte: usize, flipped: u8| self.cached.get(byte) == Some(&flipped);
        self.rotten.range(part).filter(|(byte, (_, flipped))| read(**byte, *flipped)).count() as u64
    }

    /// Forgets what is read, but for what is dirty. Answers with in how many sectors it is another now.
    pub(super) fn drop_cache(&mut self) -> u64 {
        let mut read = self.durable.clone();
        self.records.iter().filter_map(Record::change).for_each(|change| keep(change, &mut read));
        let differ = differing(&self.cached, &read);
        self.cached = read;
        differ
    }

    /// Makes all that was written durable, and its name.
    pub(super) fn write_back(&mut self) {
        for record in std::mem::take(&mut self.records) {
            match record {
                Record::Change(change) => {
                    keep(&change, &mut self.durable);
                    mend(&mut self.rotten, &self.durable);
                }
                Record::Sync { .. } => {}
            }
        }
        self.cached.clone_from(&self.durable);
        self.made = (0, 0);
    }
}

/// The drive has taken something: a flipped byte that it replaced is as it was written. One that a process has read and
/// written again stays what it is.
fn mend(rotten: &mut BTreeMap<usize, (u8, u8)>, durable: &[u8]) {
    rotten.retain(|byte, (_, flipped)| durable.get(*byte) == Some(flipped));
}

/// Makes a change durable.
fn keep(change: &Change, durable: &mut Vec<u8>) {
    if change.resizes() {
        durable.resize(change.len_after, 0);
    }
    // Longer than it is only where a failed sync lost an earlier change of length.
    let needed = change.at + change.after.len();
    if durable.len() < needed {
        durable.resize(needed, 0);
    }
    durable[change.at..needed].copy_from_slice(&change.after);
}

/// In how many sectors two contents of a file differ.
fn differing(one: &[u8], other: &[u8]) -> u64 {
    let (mut one, mut other) = (one.chunks(SECTOR), other.chunks(SECTOR));
    let pairs = std::iter::from_fn(|| {
        let pair = (one.next(), other.next());
        (pair != (None, None)).then_some(pair)
    });
    pairs.filter(|(one, other)| one != other).count() as u64
}
