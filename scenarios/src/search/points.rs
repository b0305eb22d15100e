//! One fault at every point: a run is recorded, then run once per point and fault.
//!
//! Of all pairs of point and fault those are left out that cannot strike, or may not in this play, and those that lead
//! to the same run as one that is kept ([`sim::Point::likeness`] says when). What is left is run in the order of the
//! recording, and then pairs of them, sampled.

use std::collections::{BTreeMap, BTreeSet};

use sim::{Point, PointFault, PointKind, Strike};

use crate::play::{Play, RunOptions, perform};
use crate::search::course::CourseError;

/// A run with more points than this is not enumerated. Ours: a hundred times what a small play has; each is some 200
/// bytes.
const POINTS_MAX: usize = 500_000;

/// What a recorded run came to.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Recording {
    /// Points, by kind; all kinds are there.
    pub points: BTreeMap<PointKind, u64>,
    /// Pairs of point and fault that cannot strike, or may not.
    pub inapplicable: u64,
    /// Pairs that are the same as one that is run.
    pub equal: u64,
    /// What strikes in each run with one fault.
    pub singles: Vec<Strike>,
    /// Runs with two.
    pub pairs: u64,
    /// The seed from which these are drawn.
    seed: u64,
}

/// Records a run of `seed`, and says which runs follow from it.
///
/// # Errors
/// If it has too many points.
pub fn record(play: &dyn Play, seed: u64, pairs: u64) -> Result<Recording, CourseError> {
    record_most(play, (seed, pairs), POINTS_MAX)
}

fn record_most(play: &dyn Play, (seed, pairs): (u64, u64), max: usize) -> Result<Recording, CourseError> {
    // One more, to see that there are more.
    let options = RunOptions { record_points: max + 1, ..RunOptions::default() };
    let points = perform(play, seed, &options).points;
    if points.len() > max {
        return Err(CourseError::TooManyPoints { play: play.name(), seed, max });
    }
    let recording = enumerate(&points, |point, fault| play.may_strike(point, fault));
    // Two different ones are needed.
    let pairs = if recording.singles.len() < 2 { 0 } else { pairs };
    Ok(Recording { seed, pairs, ..recording })
}

/// Every fault at every point, without those that need no run.
fn enumerate(points: &[Point], may: impl Fn(&Point, PointFault) -> bool) -> Recording {
    let mut recording = Recording::default();
    let mut known = BTreeSet::new();
    recording.points.extend(PointKind::ALL.map(|kind| (kind, 0)));
    for point in points {
        *recording.points.entry(point.kind).or_default() += 1;
        for fault in PointFault::ALL {
            if !fault.applies(point) || !may(point, fault) {
                recording.inapplicable += 1;
            } else if point.likeness(fault).is_some_and(|likeness| !known.insert(likeness)) {
                recording.equal += 1;
            } else {
                recording.singles.push(Strike::at(point, fault));
            }
        }
    }
    recording
}

impl Recording {
    /// How many runs follow.
    #[must_use]
    pub const fn runs(&self) -> u64 {
        (self.singles.len() as u64).saturating_add(self.pairs)
    }

    /// What strikes in the run of that number: first those with one fault, then pairs of them, each drawn by itself, the
    /// earlier strike first.
    #[must_use]
    pub fn strikes(&self, number: u64) -> Vec<Strike> {
        let singles = self.singles.len() as u64;
        let strike = |place: u64| self.singles[usize::try_from(place).expect("a place in the list")];
        let Some(pair) = number.checked_sub(singles) else { return vec![strike(number)] };
        let one = sim::decision(self.seed, "points/one", pair, singles);
        let other = (one + 1 + sim::decision(self.seed, "points/other", pair, singles - 1)) % singles;
        vec![strike(one.min(other)), strike(one.max(other))]
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::play::RunReport;

    fn point(kind: PointKind, ordinal: u64, instant: u64, kernels: u64) -> Point {
        let at = Duration::from_millis(instant);
        let node = "engine".to_owned();
        Point { kind, ordinal, at, node, guest: true, runs: true, link: None, instant, kernels }
    }

    fn strikes(recording: &Recording) -> Vec<String> {
        recording.singles.iter().map(ToString::to_string).collect()
    }

    #[test]
    fn points_of_one_instant_are_told_apart_only_where_they_differ() {
        let timers = [point(PointKind::Timer, 0, 1, 0), point(PointKind::Timer, 1, 1, 0)];
        let recording = enumerate(&timers, |_, _| true);
        let first = ["timer#0=kill", "timer#0=power-off", "timer#0=black-hole", "timer#0=pause"];
        assert_eq!(strikes(&recording), first, "no connection, no operation");
        assert_eq!((recording.equal, recording.inapplicable), (4, 6));

        let apart = [point(PointKind::Timer, 0, 1, 0), point(PointKind::Timer, 1, 2, 0)];
        assert_eq!(enumerate(&apart, |_, _| true).singles.len(), 8, "something was polled in between");
        let arrived = [point(PointKind::Timer, 0, 1, 0), point(PointKind::Timer, 1, 1, 1)];
        assert_eq!(
            enumerate(&arrived, |_, _| true).singles.len(),
            7,
            "only a pause does not see what a kernel did"
        );
        let writes = [point(PointKind::DiskWrite, 0, 1, 0), point(PointKind::DiskWrite, 1, 1, 0)];
        assert_eq!(enumerate(&writes, |_, _| true).singles.len(), 8, "a fall and an error see each write");
    }

    #[test]
    fn what_a_play_does_not_want_is_left_out() {
        let timers = [point(PointKind::Timer, 0, 1, 0)];
        let recording = enumerate(&timers, |_, fault| fault == PointFault::Pause);
        assert_eq!(strikes(&recording), ["timer#0=pause"]);
        assert_eq!(recording.inapplicable, 6);
    }

    #[test]
    fn pairs_are_two_different_strikes_in_order_and_the_same_for_a_seed() {
        let timers: Vec<_> = (0..10).map(|number| point(PointKind::Timer, number, number, 0)).collect();
        let sampled = |seed, pairs| {
            let recording = enumerate(&timers, |_, fault| fault == PointFault::Kill);
            let recording = Recording { seed, pairs, ..recording };
            assert_eq!(recording.runs(), 10 + pairs);
            (10..recording.runs()).map(|number| recording.strikes(number)).collect::<Vec<_>>()
        };
        let pairs = sampled(1, 100);
        assert!(pairs.iter().all(|pair| pair.len() == 2 && pair[0] < pair[1]));
        let different: BTreeSet<_> = pairs.iter().collect();
        assert!(different.len() > 30, "of 45 that there are: {}", different.len());
        assert_eq!(sampled(1, 20), pairs[..20], "more of them change none");
        assert_ne!(sampled(2, 100), pairs);
    }

    /// A play of which a recording is made without a world: it has as many points as are kept, and no more than five.
    struct Dots;

    impl Play for Dots {
        fn name(&self) -> &'static str {
            "dots"
        }

        fn about(&self) -> &'static str {
            "it has five points"
        }

        fn run(&self, seed: u64, options: &RunOptions) -> RunReport {
            let kept = options.record_points.min(5) as u64;
            let points = (0..kept).map(|number| point(PointKind::Timer, number, number, 0)).collect();
            RunReport { points, ..RunReport::fallen(seed, &"") }
        }
    }

    #[test]
    fn a_run_with_too_many_points_is_refused_and_not_cut() {
        assert_eq!(record_most(&Dots, (7, 0), 5).unwrap().points[&PointKind::Timer], 5);
        let error = record_most(&Dots, (7, 0), 4).unwrap_err();
        assert_eq!(
            error.to_string(),
            "dots:7 has more than 4 points: one fault at every point is for plays with fewer"
        );
    }

    #[test]
    fn as_many_pairs_as_one_likes_cost_nothing_until_they_are_run() {
        let recording = record(&Dots, 7, u64::from(u32::MAX)).unwrap();
        assert_eq!(recording.strikes(recording.runs() - 1).len(), 2);
        assert_eq!(record_most(&Dots, (7, 9), 5).unwrap().pairs, 9);
    }
}
