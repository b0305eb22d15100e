//! Which seeds a search goes through: every play with every seed, from a start on.
//!
//! Runs are numbered: all plays with the first seed, then all with the second, and so on. So a search that is cut off
//! after a while has given every play its share.

use std::str::FromStr;
use std::time::Duration;

/// Hex digits of a commit that become the first seed: 48 bits, so that every seed of a search is exact in JSON, and
/// no search of one commit runs into that of another by accident.
const COMMIT_DIGITS: usize = 12;
/// A commit hash is written with at least so many digits: git's shortest abbreviation by default.
const COMMIT_DIGITS_MIN: usize = 7;

/// The first seed: a number, or the hash of a commit, of which the first 12 digits count. A hash makes a gate explore
/// other seeds with every commit and still the same ones when it is run again.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Start(pub u64);

/// Why a text is no first seed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "a first seed is a number below 2^64 or a commit hash of at least {COMMIT_DIGITS_MIN} hex digits, not {text:?}"
)]
pub struct StartError {
    /// The text.
    pub text: String,
}

impl FromStr for Start {
    type Err = StartError;

    fn from_str(text: &str) -> Result<Self, StartError> {
        let error = || StartError { text: text.to_owned() };
        if let Ok(number) = text.parse() {
            return Ok(Self(number));
        }
        let digits = text.strip_prefix("0x").unwrap_or(text);
        if digits.len() < COMMIT_DIGITS_MIN || !digits.bytes().all(|byte| byte.is_ascii_hexdigit()) {
            return Err(error());
        }
        let digits = &digits[..digits.len().min(COMMIT_DIGITS)];
        u64::from_str_radix(digits, 16).map(Self).map_err(|_| error())
    }
}

/// How long a search goes on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Limit {
    /// So many seeds per play.
    Seeds(u64),
    /// So long, by the host's clock; runs that have begun are finished.
    Time(Duration),
}

/// The plays with their seeds, numbered, from a start on.
#[derive(Clone, Copy, Debug)]
pub struct Items {
    start: u64,
    plays: u64,
}

impl Items {
    /// All plays with all seeds from `start` on; after the last seed comes 0 again.
    ///
    /// # Panics
    /// If there are no plays.
    #[must_use]
    pub fn new(start: Start, plays: usize) -> Self {
        assert!(plays > 0, "a search without a play has no runs");
        Self { start: start.0, plays: u64::try_from(plays).expect("a number of plays fits") }
    }

    /// Play, as its place in the list, and seed of that number.
    #[must_use]
    pub fn get(&self, index: u64) -> (usize, u64) {
        let play = usize::try_from(index % self.plays).expect("below a number of plays");
        (play, self.start.wrapping_add(index / self.plays))
    }

    /// How many runs there are with so many seeds.
    #[must_use]
    pub const fn total(&self, seeds: u64) -> u64 {
        seeds.saturating_mul(self.plays)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_start_is_a_number_or_a_commit() {
        assert_eq!("17".parse(), Ok(Start(17)));
        assert_eq!("18446744073709551615".parse(), Ok(Start(u64::MAX)));
        assert_eq!("d2b4c9f".parse(), Ok(Start(0xd2b_4c9f)));
        let full = "d2b4c9f0a1b2c3d4e5f60718293a4b5c6d7e8f90";
        assert_eq!(full.parse(), Ok(Start(0xd2b4_c9f0_a1b2)));
        assert_eq!(full[..12].parse::<Start>(), full.parse());
        for bad in ["", "-1", "d2b", "d2b4c9g", "1.5", "hello world"] {
            assert_eq!(bad.parse::<Start>(), Err(StartError { text: bad.to_owned() }));
        }
    }

    #[test]
    fn every_play_gets_every_seed() {
        let items = Items::new(Start(u64::MAX), 3);
        let pairs: Vec<_> = (0..items.total(2)).map(|index| items.get(index)).collect();
        assert_eq!(pairs, [(0, u64::MAX), (1, u64::MAX), (2, u64::MAX), (0, 0), (1, 0), (2, 0)]);
    }
}
