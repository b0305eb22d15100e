//! Part of a search: which of its runs are done here, and which were done before.
//!
//! A shard takes every n-th unit of neighbouring runs. A unit holds all plays ([`crate::search::course`] says how large
//! it is), so all shards see every play, and take about as long. What is done is kept as
//! ranges, since a search that was cut off has holes where a worker had not finished.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// One of several equal parts of a search: `2/3`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Shard {
    /// Which of them, from 1.
    pub number: u64,
    /// How many there are.
    pub of: u64,
}

impl Shard {
    /// All of it.
    pub const WHOLE: Self = Self { number: 1, of: 1 };

    /// A search has no more parts than this. Ours: more than anybody has machines.
    pub const MAX: u64 = 1 << 16;

    /// Whether there can be such a part.
    #[must_use]
    pub const fn is_sound(self) -> bool {
        1 <= self.number && self.number <= self.of && self.of <= Self::MAX
    }

    /// The number of this shard's run in the whole search; `unit` neighbouring runs stay together.
    const fn index(self, place: u64, unit: u64) -> u64 {
        (place / unit * self.of + self.number - 1) * unit + place % unit
    }

    /// How many of `total` runs are this shard's.
    fn runs(self, total: u64, unit: u64) -> u64 {
        let whole = total / unit;
        let units = whole / self.of + u64::from(whole % self.of >= self.number);
        let rest = if whole % self.of == self.number - 1 { total % unit } else { 0 };
        units * unit + rest
    }
}

impl fmt::Display for Shard {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "{}/{}", self.number, self.of)
    }
}

/// A text is no shard.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a shard is NUMBER/COUNT, such as 1/4 to 4/4, of {} at most, not {text:?}", Shard::MAX)]
pub struct ShardError {
    /// The text.
    pub text: String,
}

impl FromStr for Shard {
    type Err = ShardError;

    fn from_str(text: &str) -> Result<Self, ShardError> {
        let parse = || {
            let (number, of) = text.split_once('/')?;
            let shard = Self { number: number.parse().ok()?, of: of.parse().ok()? };
            shard.is_sound().then_some(shard)
        };
        parse().ok_or_else(|| ShardError { text: text.to_owned() })
    }
}

/// A set of numbers, as ranges: sorted, apart, each without its end.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Ranges(Vec<(u64, u64)>);

impl Ranges {
    /// Adds a number that is not in it.
    pub fn add(&mut self, number: u64) {
        let place = self.0.partition_point(|(_, end)| *end < number);
        match self.0.get_mut(place) {
            Some((_, end)) if *end == number => {
                *end += 1;
                if let Some((next, last)) = self.0.get(place + 1).copied()
                    && next == number + 1
                {
                    self.0[place].1 = last;
                    self.0.remove(place + 1);
                }
            }
            Some((begin, _)) if *begin == number + 1 => *begin = number,
            _ => self.0.insert(place, (number, number + 1)),
        }
    }

    /// Whether they are sorted, apart, none of them empty, and all below `end`.
    #[must_use]
    pub fn are_sound(&self, end: u64) -> bool {
        self.0.iter().all(|(begin, end)| begin < end)
            && self.0.is_sorted_by(|(_, end), (begin, _)| end < begin)
            && self.0.last().is_none_or(|(_, last)| *last <= end)
    }

    /// How many there are.
    #[must_use]
    pub fn count(&self) -> u64 {
        self.0.iter().map(|(begin, end)| end - begin).sum()
    }

    /// The how-manieth number, from zero, that is not in it.
    fn absent(&self, mut place: u64) -> u64 {
        for (begin, end) in &self.0 {
            if *begin > place {
                break;
            }
            place += end - begin;
        }
        place
    }
}

/// The runs of a shard that are yet to be done.
#[derive(Clone, Debug)]
pub struct Turns {
    shard: Shard,
    unit: u64,
    /// How many runs the shard has.
    runs: Option<u64>,
    done: Ranges,
}

/// One of them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Turn {
    /// Its number in the shard.
    pub place: u64,
    /// Its number in the whole search.
    pub index: u64,
}

impl Turns {
    /// The runs of a shard of `total` without those `done`; `unit` neighbouring runs stay together.
    #[must_use]
    pub fn new(shard: Shard, unit: u64, total: Option<u64>, done: Ranges) -> Self {
        Self { shard, unit, runs: total.map(|total| shard.runs(total, unit)), done }
    }

    /// The how-manieth of them, from zero; `None` beyond the last.
    #[must_use]
    pub fn get(&self, turn: u64) -> Option<Turn> {
        let place = self.done.absent(turn);
        let within = self.runs.is_none_or(|runs| place < runs);
        within.then(|| Turn { place, index: self.shard.index(place, self.unit) })
    }

    /// How many runs the shard has, those done included.
    #[must_use]
    pub const fn runs(&self) -> Option<u64> {
        self.runs
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    fn indices(shard: Shard, unit: u64, total: u64) -> Vec<u64> {
        let turns = Turns::new(shard, unit, Some(total), Ranges::default());
        (0..).map_while(|turn| turns.get(turn)).map(|turn| turn.index).collect()
    }

    #[test]
    fn shards_are_all_of_a_search_and_none_of_it_twice() {
        for (unit, total) in [(1, 0), (1, 1), (1, 100), (9, 100), (9, 99), (9, 5)] {
            for of in 1..=5 {
                let shards: Vec<_> =
                    (1..=of).map(|number| indices(Shard { number, of }, unit, total)).collect();
                let all: BTreeSet<u64> = shards.iter().flatten().copied().collect();
                assert_eq!(all, (0..total).collect(), "{of} shards of {total} by {unit}");
                assert_eq!(shards.iter().map(Vec::len).sum::<usize>() as u64, total);
                assert!(shards.iter().all(|shard| shard.is_sorted()));
            }
        }
        assert_eq!(indices(Shard { number: 2, of: 3 }, 1, 10), [1, 4, 7]);
        assert_eq!(indices(Shard { number: 2, of: 2 }, 3, 12), [3, 4, 5, 9, 10, 11]);
    }

    #[test]
    fn what_was_done_is_not_done_again() {
        let mut done = Ranges::default();
        for number in [5, 0, 1, 7, 6, 2, 10] {
            done.add(number);
        }
        assert_eq!(done, Ranges(vec![(0, 3), (5, 8), (10, 11)]));
        assert_eq!(done.count(), 7);
        let turns = Turns::new(Shard::WHOLE, 1, Some(13), done);
        let left: Vec<_> = (0..).map_while(|turn| turns.get(turn)).map(|turn| turn.place).collect();
        assert_eq!(left, [3, 4, 8, 9, 11, 12]);
    }

    #[test]
    fn a_shard_is_a_number_of_a_count() {
        assert_eq!("2/3".parse(), Ok(Shard { number: 2, of: 3 }));
        for bad in ["", "1", "0/3", "4/3", "1/0", "a/b", "1/2/3", "1/65537"] {
            assert!(bad.parse::<Shard>().is_err(), "{bad}");
        }
    }

    #[test]
    fn ranges_that_are_none_are_told_apart() {
        for sound in [&[][..], &[(0, 3)], &[(0, 3), (4, 9)]] {
            assert!(Ranges(sound.to_vec()).are_sound(9), "{sound:?}");
        }
        for torn in [&[(5, 3)][..], &[(3, 3)], &[(0, 3), (3, 9)], &[(4, 9), (0, 3)], &[(0, 10)]] {
            assert!(!Ranges(torn.to_vec()).are_sound(9), "{torn:?}");
        }
    }
}
