//! What is stored, one attempt at a time: a failed one is made again after a wait, until it succeeds.
//!
//! Where the schedule and the queue of an actor keep their one write under way, and the schedule its alarm. Whether an
//! attempt that failed was stored all the same nobody knows; so whatever is stored here may be stored twice.

use std::fmt;
use std::time::Duration;

use protocol::mark;
use protocol::time::Mono;

/// One attempt to store something: the driver is given it, and says with it how it ended. Counts from 1.
#[derive(Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Attempt(pub u64);

impl fmt::Debug for Attempt {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "try{}", self.0)
    }
}

/// How long to wait after a failed attempt.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Backoff {
    /// Longest wait after the first failure; it doubles with each. Default 100 ms (ours: a session that was replaced is
    /// back by then).
    pub first: Duration,
    /// Longest wait of all. Default 5 s (ours: whoever waits for the write gives up after some of these).
    pub max: Duration,
}

impl Default for Backoff {
    fn default() -> Self {
        Self { first: Duration::from_millis(100), max: Duration::from_secs(5) }
    }
}

impl Backoff {
    /// The wait after so many failures in a row: half of the longest is kept, the rest is drawn, so that many actors
    /// that lost one engine do not come back in step and none comes back at once.
    fn wait(&self, failures: u32, jitter: u64) -> Duration {
        // Past 2^30 any first wait that makes sense has reached the maximum.
        let longest = self.first.saturating_mul(1 << failures.min(30)).min(self.max);
        let half = u64::try_from(longest.as_nanos() / 2).unwrap_or(u64::MAX);
        Duration::from_nanos(half.max(1).saturating_add(jitter % half.saturating_add(1).max(1)))
    }
}

/// What is being stored, if anything is.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Storing<C> {
    attempts: u64,
    /// In a row.
    failures: u32,
    stage: Stage<C>,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
enum Stage<C> {
    Idle,
    /// An attempt runs.
    Flying(C),
    /// The last attempt failed: the next one begins then.
    Waiting {
        until: Mono,
        change: C,
    },
}

impl<C> Storing<C> {
    pub(crate) const fn new() -> Self {
        Self { attempts: 0, failures: 0, stage: Stage::Idle }
    }

    /// Nothing is to be stored.
    pub(crate) const fn is_idle(&self) -> bool {
        matches!(self.stage, Stage::Idle)
    }

    /// What is not known to be stored.
    pub(crate) const fn change(&self) -> Option<&C> {
        match &self.stage {
            Stage::Idle => None,
            Stage::Flying(change) | Stage::Waiting { change, .. } => Some(change),
        }
    }

    pub(crate) const fn change_mut(&mut self) -> Option<&mut C> {
        match &mut self.stage {
            Stage::Idle => None,
            Stage::Flying(change) | Stage::Waiting { change, .. } => Some(change),
        }
    }

    /// Begins with something new, or with something else after a failure.
    pub(crate) fn begin(&mut self, change: C) -> Attempt {
        assert!(!matches!(self.stage, Stage::Flying(_)), "one attempt at a time");
        self.attempts += 1;
        self.stage = Stage::Flying(change);
        Attempt(self.attempts)
    }

    /// The attempt succeeded: what is stored.
    ///
    /// # Panics
    /// When this is not the attempt that runs: a defect of the driver.
    pub(crate) fn stored(&mut self, attempt: Attempt) -> C {
        self.failures = 0;
        self.land(attempt)
    }

    /// The attempt failed: it is made again after a wait.
    ///
    /// # Panics
    /// When this is not the attempt that runs: a defect of the driver.
    pub(crate) fn failed(&mut self, attempt: Attempt, now: Mono, backoff: &Backoff, jitter: u64) {
        let change = self.land(attempt);
        self.stage = Stage::Waiting { until: now + backoff.wait(self.failures, jitter), change };
        self.failures = self.failures.saturating_add(1);
    }

    fn land(&mut self, attempt: Attempt) -> C {
        assert_eq!(attempt.0, self.attempts, "only the last attempt runs");
        match std::mem::replace(&mut self.stage, Stage::Idle) {
            Stage::Flying(change) => change,
            Stage::Idle | Stage::Waiting { .. } => panic!("{attempt:?} has ended before"),
        }
    }

    /// The wait after a failure is over.
    pub(crate) fn is_due(&self, now: Mono) -> bool {
        self.deadline().is_some_and(|until| until <= now)
    }

    /// Begins the next attempt to store the same, if it is time.
    pub(crate) fn again(&mut self, now: Mono) -> Option<(Attempt, &C)> {
        if !self.is_due(now) {
            return None;
        }
        mark!("storing_again");
        self.attempts += 1;
        self.stage = match std::mem::replace(&mut self.stage, Stage::Idle) {
            Stage::Waiting { change, .. } | Stage::Flying(change) => Stage::Flying(change),
            Stage::Idle => Stage::Idle,
        };
        self.change().map(|change| (Attempt(self.attempts), change))
    }

    /// Forgets what is not being attempted right now.
    pub(crate) fn give_up(&mut self) {
        if let Stage::Waiting { .. } = self.stage {
            self.stage = Stage::Idle;
        }
    }

    /// When the next attempt begins, after a failed one.
    pub(crate) const fn deadline(&self) -> Option<Mono> {
        match self.stage {
            Stage::Waiting { until, .. } => Some(until),
            Stage::Idle | Stage::Flying(_) => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_double_up_to_the_longest_and_are_never_shorter_than_half() {
        let backoff = Backoff::default();
        for (failures, least_ms) in [(0, 50), (1, 100), (4, 800), (6, 2_500), (40, 2_500)] {
            let least = Duration::from_millis(least_ms);
            assert_eq!(backoff.wait(failures, 0), least, "{failures}");
            for jitter in [1, u64::MAX / 3, u64::MAX] {
                let wait = backoff.wait(failures, jitter);
                assert!(wait >= least && wait <= 2 * least, "{failures}: {wait:?}");
            }
        }
    }

    #[test]
    fn a_success_forgets_earlier_failures() {
        let backoff = Backoff::default();
        let mut storing = Storing::new();
        let mut attempt = storing.begin('a');
        for least_ms in [50, 100, 200, 400, 800, 1_600, 2_500, 2_500] {
            storing.failed(attempt, Mono::ZERO, &backoff, 0);
            assert_eq!(storing.again(Mono::ZERO), None, "it waits");
            let until = storing.deadline().unwrap();
            assert_eq!(until, Mono::ZERO + Duration::from_millis(least_ms), "each wait is longer");
            attempt = storing.again(until).unwrap().0;
        }
        assert_eq!(storing.stored(attempt), 'a');
        assert!(storing.is_idle());
        attempt = storing.begin('b');
        storing.failed(attempt, Mono::ZERO, &backoff, 0);
        assert_eq!(storing.deadline(), Some(Mono::ZERO + Duration::from_millis(50)));
    }
}
