//! What a batch as a whole must show, so that a search that tests nothing does not pass.
//!
//! A fault that is on and never felt is a mistake in the play; so is a run that is over before anything could go
//! wrong. Rules that count runs are applied from [`JUDGED_MIN`] runs on: below it chance decides.

use std::time::Duration;

use crate::search::tally::{Name, Tally};

/// Fewer runs than this are not judged by how many of them did something: a fault that is felt in three runs of ten
/// stays unfelt in twenty of them once in a thousand times.
pub const JUDGED_MIN: u64 = 20;
/// Fewer runs than this are not asked for every family that their play declares, nor for a recovery that was timed: one that is felt in one run of ten
/// stays unfelt in a hundred of them once in forty thousand times.
pub const DECLARED_MIN: u64 = 100;
/// Of a play's runs, if it has faults, so many in a hundred must feel one. Blows are aimed at somebody who is there, so
/// nearly every run feels one; the tenth that need not are those in which nobody was there in time.
pub const FELT_PERCENT_MIN: u64 = 90;
/// Every run lasts at least so long in virtual time: four times the time after which a silent runner is lost.
pub const ELAPSED_MIN: Duration = Duration::from_secs(60);
/// Every run has at least so many client operations: two clients with fifty each.
pub const OPERATIONS_MIN: u64 = 100;

/// What a batch failed to show.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Shortfall {
    /// A family was on and had no effect at all.
    #[error("{play}: the fault {family} was on in {on} runs, and nobody ever felt it")]
    NeverFelt {
        /// The play.
        play: Name,
        /// The family.
        family: Name,
        /// In how many runs it was on.
        on: u64,
    },
    /// A family that the play declares was never felt.
    #[error("{play}: it declares the fault {family}, and in {seeds} runs nobody ever felt it")]
    Undone {
        /// The play.
        play: Name,
        /// The family.
        family: Name,
        /// Runs.
        seeds: u64,
    },
    /// Nobody's recovery was timed.
    #[error("{play}: it times recoveries, and in {seeds} runs nobody was timed")]
    Untimed {
        /// The play.
        play: Name,
        /// Runs.
        seeds: u64,
    },
    /// Too many runs were spared.
    #[error("{play}: a fault was felt in {felt} of {seeds} runs, less than {FELT_PERCENT_MIN} %")]
    Spared {
        /// The play.
        play: Name,
        /// Runs in which one was felt.
        felt: u64,
        /// Runs that should: all of a play that declares faults, else those in which one was on.
        seeds: u64,
    },
    /// A law had nothing to judge.
    #[error("{play}: the law {law} had nothing to judge in {runs} runs, {play}:{seed} the first")]
    Unjudged {
        /// The play.
        play: Name,
        /// The law.
        law: Name,
        /// In how many runs.
        runs: u64,
        /// The first of them.
        seed: u64,
    },
    /// A run was too short.
    #[error("{play}:{seed} lasts {elapsed:?} of virtual time, less than {ELAPSED_MIN:?}")]
    Short {
        /// The play.
        play: Name,
        /// The seed of the shortest.
        seed: u64,
        /// Its length.
        elapsed: Duration,
    },
    /// A run had too few operations.
    #[error("{play}:{seed} has {operations} client operations, fewer than {OPERATIONS_MIN}")]
    Idle {
        /// The play.
        play: Name,
        /// The seed of the idlest.
        seed: u64,
        /// How many it had.
        operations: u64,
    },
}

/// What the runs of `play` failed to show.
#[must_use]
pub fn shortfalls(play: &Name, tally: &Tally) -> Vec<Shortfall> {
    let mut found = Vec::new();
    let play = || play.clone();
    if let Some((elapsed, seed)) =
        tally.shortest.filter(|(elapsed, _)| !tally.small && *elapsed < ELAPSED_MIN)
    {
        found.push(Shortfall::Short { play: play(), seed, elapsed });
    }
    if let Some((operations, seed)) =
        tally.laziest.filter(|(operations, _)| !tally.small && *operations < OPERATIONS_MIN)
    {
        found.push(Shortfall::Idle { play: play(), seed, operations });
    }
    for (law, (runs, _, seed)) in &tally.unjudged {
        found.push(Shortfall::Unjudged { play: play(), law: law.clone(), runs: *runs, seed: *seed });
    }
    for (family, faults) in &tally.faults {
        if !tally.small && faults.on >= JUDGED_MIN && faults.felt == 0 {
            found.push(Shortfall::NeverFelt { play: play(), family: family.clone(), on: faults.on });
        }
    }
    for family in tally.declared.iter().filter(|_| tally.seeds >= DECLARED_MIN) {
        if tally.faults.get(family).is_none_or(|faults| faults.felt == 0) {
            found.push(Shortfall::Undone { play: play(), family: family.clone(), seeds: tally.seeds });
        }
    }
    if tally.timed && tally.seeds >= DECLARED_MIN && tally.recoveries.is_empty() {
        found.push(Shortfall::Untimed { play: play(), seeds: tally.seeds });
    }
    // A run that leaves families out may have left them all out.
    let is_spared_well = tally.declared.is_empty() || tally.swarm > 0;
    let seeds = if is_spared_well { tally.troubled } else { tally.seeds };
    if !tally.small && seeds >= JUDGED_MIN && tally.felt * 100 < seeds * FELT_PERCENT_MIN {
        found.push(Shortfall::Spared { play: play(), felt: tally.felt, seeds });
    }
    found
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;
    use crate::search::tally::FamilyTally;

    fn tally(troubled: u64, felt: u64) -> Tally {
        let faults =
            BTreeMap::from([("cut".into(), FamilyTally { drawn: 0, on: troubled, felt, effects: felt })]);
        Tally { seeds: troubled, troubled, felt, faults, ..Tally::default() }
    }

    #[test]
    fn a_fault_nobody_feels_is_found() {
        let text: Vec<_> = shortfalls(&"p".into(), &tally(20, 0)).iter().map(ToString::to_string).collect();
        assert_eq!(
            text,
            [
                "p: the fault cut was on in 20 runs, and nobody ever felt it",
                "p: a fault was felt in 0 of 20 runs, less than 90 %"
            ]
        );
        assert_eq!(shortfalls(&"p".into(), &tally(19, 0)), [], "too few runs to judge");
    }

    #[test]
    fn nine_runs_in_ten_must_feel_something() {
        assert_eq!(shortfalls(&"p".into(), &tally(20, 18)), []);
        assert_eq!(
            shortfalls(&"p".into(), &tally(20, 17)),
            [Shortfall::Spared { play: "p".into(), felt: 17, seeds: 20 }]
        );
    }

    #[test]
    fn a_play_does_what_it_declares() {
        let declares = |family: &'static str, seeds, troubled| Tally {
            declared: vec![family.into()],
            seeds,
            ..tally(troubled, troubled)
        };
        assert_eq!(shortfalls(&"p".into(), &declares("cut", 100, 95)), []);
        let undone = Shortfall::Undone { play: "p".into(), family: "nap".into(), seeds: 100 };
        assert_eq!(shortfalls(&"p".into(), &declares("nap", 100, 95)), [undone]);
        assert_eq!(shortfalls(&"p".into(), &declares("nap", 99, 95)), [], "too few runs to judge");
        let spared = Shortfall::Spared { play: "p".into(), felt: 85, seeds: 100 };
        assert_eq!(shortfalls(&"p".into(), &declares("cut", 100, 85)), [spared], "of all its runs");
    }

    #[test]
    fn a_play_times_what_it_says_it_times() {
        let times = |recoveries: &[(u64, u64)], seeds| {
            let recoveries = recoveries.iter().copied().collect();
            shortfalls(&"p".into(), &Tally { timed: true, recoveries, ..tally(seeds, seeds) })
        };
        assert_eq!(times(&[(12, 1)], 100), []);
        assert_eq!(times(&[], 100), [Shortfall::Untimed { play: "p".into(), seeds: 100 }]);
        assert_eq!(times(&[], 99), [], "too few runs to judge");
    }

    #[test]
    fn a_run_that_does_next_to_nothing_is_found() {
        let ok = (ELAPSED_MIN, 1);
        let tally = |shortest, laziest| Tally { shortest, laziest, ..Tally::default() };
        assert_eq!(shortfalls(&"p".into(), &tally(Some(ok), Some((100, 1)))), []);
        let elapsed = Duration::from_secs(59);
        let short = Shortfall::Short { play: "p".into(), seed: 7, elapsed };
        assert_eq!(shortfalls(&"p".into(), &tally(Some((elapsed, 7)), None)), [short]);
        let idle = Shortfall::Idle { play: "p".into(), seed: 8, operations: 99 };
        assert_eq!(shortfalls(&"p".into(), &tally(None, Some((99, 8)))), [idle]);
    }
}
