//! Filling the gaps of a count with ambiguous increments.
//!
//! Gaps come in the order of the count, so their ends never decrease. A filler fits a gap if it was invoked no later
//! than the gap's end; of one size the earliest invoked is taken first, which never spoils a later gap. So all that
//! has to be remembered is how many of each size are used: with one size a single number, with several the set of all
//! combinations that are possible so far.

use std::collections::{BTreeMap, BTreeSet};

use protocol::time::Mono;

use crate::history::{Kind, Op};

/// Combinations kept at most. One size of increment needs one, two sizes at most the number of ambiguous increments
/// of the rarer size; beyond this the question is given up, never answered with yes.
const COMBINATIONS_MAX: usize = 1 << 16;

/// A rise of the count that nobody acknowledged.
#[derive(Clone, Copy, Debug)]
pub(super) struct Gap {
    /// How much; above zero.
    pub(super) rise: u64,
    /// When it was complete at the latest.
    pub(super) end: Mono,
}

/// Why a gap stays open.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Unfilled {
    /// No combination adds up.
    TooFew {
        /// How many ambiguous increments were invoked by its end, those used in every case left out.
        available: usize,
    },
    /// More combinations than are kept.
    TooManySizes,
}

/// The ambiguous increments of one key.
#[derive(Clone, Debug)]
pub(super) struct Fillers {
    /// Per size, the largest first: when they were invoked, in order.
    sizes: Vec<(u64, Vec<Mono>)>,
    /// How many of each size are used, in every way that is possible so far. Never empty.
    used: BTreeSet<Vec<usize>>,
}

impl Fillers {
    /// All that `ops` offer.
    pub(super) fn new(ops: &[&Op]) -> Self {
        let mut sizes: BTreeMap<u64, Vec<Mono>> = BTreeMap::new();
        for op in ops {
            if let Kind::Increment { by } = op.kind
                && op.ambiguous()
            {
                assert!(by > 0, "an increment by nothing fills nothing");
                sizes.entry(by).or_default().push(op.invoked);
            }
        }
        for invoked in sizes.values_mut() {
            invoked.sort_unstable();
        }
        let sizes: Vec<_> = sizes.into_iter().rev().collect();
        let none = vec![0; sizes.len()];
        Self { sizes, used: BTreeSet::from([none]) }
    }

    /// Uses some of them for `gap`. After an error the fillers are as they were.
    pub(super) fn fill(&mut self, gap: Gap) -> Result<(), Unfilled> {
        assert!(gap.rise > 0, "a gap has a width");
        let invoked: Vec<usize> = self
            .sizes
            .iter()
            .map(|(_, invoked)| invoked.partition_point(|invoked| *invoked <= gap.end))
            .collect();
        let mut next = BTreeSet::new();
        for used in &self.used {
            let mut combination = used.clone();
            self.combine(0, gap.rise, &invoked, &mut combination, &mut next)?;
        }
        if next.is_empty() {
            let spent = self.used.iter().map(|used| used.iter().sum::<usize>()).min().unwrap_or(0);
            let available = invoked.iter().sum::<usize>().saturating_sub(spent);
            return Err(Unfilled::TooFew { available });
        }
        self.used = next;
        Ok(())
    }

    /// Every way to make `rise` out of the sizes from `size` on.
    fn combine(
        &self,
        size: usize,
        rise: u64,
        invoked: &[usize],
        combination: &mut Vec<usize>,
        found: &mut BTreeSet<Vec<usize>>,
    ) -> Result<(), Unfilled> {
        let Some((by, _)) = self.sizes.get(size) else {
            if rise == 0 {
                found.insert(combination.clone());
            }
            return if found.len() > COMBINATIONS_MAX { Err(Unfilled::TooManySizes) } else { Ok(()) };
        };
        let before = combination[size];
        let free = invoked[size].saturating_sub(before);
        let most = usize::try_from(rise / by).unwrap_or(usize::MAX).min(free);
        let last = size + 1 == self.sizes.len();
        // Of the last size only one number can add up.
        let least = if last { most } else { 0 };
        for count in least..=most {
            let share = u64::try_from(count).expect("a count fits") * by;
            combination[size] = before + count;
            self.combine(size + 1, rise - share, invoked, combination, found)?;
        }
        combination[size] = before;
        Ok(())
    }
}
