//! One fault at every point: a run is recorded, then run once per point and fault.
//!
//! Of all pairs of point and fault those are left out that cannot strike, or may not in this play, and those that lead
//! to the same run as one that is kept ([`sim::Point::likeness`] says when). What is left is run in the order of the
//! recording, and then pairs of them, sampled.

use std::collections::{BTreeMap, BTreeSet};

use sim::{Point, PointFault, PointKind, Strike};

use crate::play::{Play, RunOptions, perform};

/// So many points of a run are recorded at most. Ours: a hundred times what a small play has; each is some 200 bytes.
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
    /// Runs with one fault.
    pub single: u64,
    /// Runs with two.
    pub paired: u64,
    /// What strikes in each run, beside the recorded one: first the single ones, then the pairs.
    pub runs: Vec<Vec<Strike>>,
}

/// Records a run of `seed`, and says which runs follow from it.
#[must_use]
pub fn record(play: &dyn Play, seed: u64, pairs: u64) -> Recording {
    let options = RunOptions { record_points: POINTS_MAX, ..RunOptions::default() };
    let points = perform(play, seed, &options).points;
    let mut recording = enumerate(&points, |point, fault| play.may_strike(point, fault));
    recording.sample(seed, pairs);
    recording
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
                recording.runs.push(vec![Strike { kind: point.kind, ordinal: point.ordinal, fault }]);
            }
        }
    }
    recording.single = recording.runs.len() as u64;
    recording
}

impl Recording {
    /// Adds so many pairs of single runs, each drawn by itself: the earlier strike first.
    fn sample(&mut self, seed: u64, pairs: u64) {
        if self.single < 2 {
            return;
        }
        for pair in 0..pairs {
            let one = sim::decision(seed, "points/one", pair, self.single);
            let other = (one + 1 + sim::decision(seed, "points/other", pair, self.single - 1)) % self.single;
            let strike = |place: u64| self.runs[usize::try_from(place).expect("a place in the list")][0];
            self.runs.push(vec![strike(one.min(other)), strike(one.max(other))]);
        }
        self.paired = pairs;
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    fn point(kind: PointKind, ordinal: u64, instant: u64, kernels: u64) -> Point {
        let at = Duration::from_millis(instant);
        let node = "engine".to_owned();
        Point { kind, ordinal, at, node, guest: true, runs: true, link: None, instant, kernels }
    }

    fn strikes(recording: &Recording) -> Vec<String> {
        recording.runs.iter().flatten().map(ToString::to_string).collect()
    }

    #[test]
    fn points_of_one_instant_are_told_apart_only_where_they_differ() {
        let timers = [point(PointKind::Timer, 0, 1, 0), point(PointKind::Timer, 1, 1, 0)];
        let recording = enumerate(&timers, |_, _| true);
        let first = ["timer#0=kill", "timer#0=power-off", "timer#0=black-hole", "timer#0=pause"];
        assert_eq!(strikes(&recording), first, "no connection, no operation");
        assert_eq!((recording.equal, recording.inapplicable), (4, 6));

        let apart = [point(PointKind::Timer, 0, 1, 0), point(PointKind::Timer, 1, 2, 0)];
        assert_eq!(enumerate(&apart, |_, _| true).single, 8, "something was polled in between");
        let arrived = [point(PointKind::Timer, 0, 1, 0), point(PointKind::Timer, 1, 1, 1)];
        assert_eq!(enumerate(&arrived, |_, _| true).single, 7, "only a pause does not see what a kernel did");
        let writes = [point(PointKind::DiskWrite, 0, 1, 0), point(PointKind::DiskWrite, 1, 1, 0)];
        assert_eq!(enumerate(&writes, |_, _| true).single, 8, "a fall and an error see each write");
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
            let mut recording = enumerate(&timers, |_, fault| fault == PointFault::Kill);
            recording.sample(seed, pairs);
            recording.runs.split_off(10)
        };
        let pairs = sampled(1, 100);
        assert!(pairs.iter().all(|pair| pair.len() == 2 && pair[0] < pair[1]));
        let different: BTreeSet<_> = pairs.iter().collect();
        assert!(different.len() > 30, "of 45 that there are: {}", different.len());
        assert_eq!(sampled(1, 20), pairs[..20], "more of them change none");
        assert_ne!(sampled(2, 100), pairs);
    }
}
