//! What is stored: schedules and their runs. The bytes of a row are the driver's, this is what is decided by.

use std::fmt;
use std::time::Duration;

use protocol::error::UserText;
use protocol::id::BodyId;
use protocol::time::Wall;

use super::Cron;

/// A schedule of an actor. Counts up in the order of creation, from the milliseconds of the day it began: so that none is
/// ever used for a second one. Below 2⁵³, which JSON numbers hold.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct JobId(pub u64);

impl fmt::Debug for JobId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "job{}", self.0)
    }
}

/// When a schedule comes due again.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Recurs {
    /// Never: it is deleted before it runs.
    Never,
    /// After each interval, counted from when it was first due.
    Every(Duration),
    /// When the clocks of a zone show it.
    Cron(Cron),
}

impl Recurs {
    /// The first occurrence after `now`, of something that is due at `due`: what was missed is skipped, the phase is
    /// kept.
    pub(super) fn next(&self, due: Wall, now: Wall) -> Option<Wall> {
        match self {
            Self::Never => None,
            Self::Every(interval) => {
                let step = millis(*interval);
                let missed = now.since(due).as_millis().try_into().unwrap_or(u64::MAX) / step;
                Some(Wall(due.0.saturating_add(missed.saturating_add(1).saturating_mul(step))))
            }
            Self::Cron(cron) => cron.next_after(due.max(now)),
        }
    }
}

/// An interval in milliseconds, at least one.
pub(super) fn millis(interval: Duration) -> u64 {
    u64::try_from(interval.as_millis()).unwrap_or(u64::MAX).max(1)
}

/// A run of a recurring schedule that has begun and is not known to have ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Running {
    /// When it was due.
    pub due: Wall,
    /// When it began.
    pub began: Wall,
    /// Of which [`Row::revision`] it is.
    pub revision: u64,
}

/// A schedule, as it is stored.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Row {
    /// Which.
    pub id: JobId,
    /// Under which it is replaced; at most one schedule of an actor has it.
    pub name: Option<String>,
    /// How it comes again.
    pub recurs: Recurs,
    /// When it is due.
    pub next: Wall,
    /// How often it was replaced.
    pub revision: u64,
    /// Its run, while there is one.
    pub running: Option<Running>,
    /// The number of the oldest run that is remembered.
    pub runs_from: u64,
    /// The number of the next run that will be.
    pub runs_to: u64,
    /// How many are remembered.
    pub runs_max: u32,
    /// The payload: the action and its arguments.
    pub body: BodyId,
    /// The payload's length.
    pub bytes: usize,
}

impl Row {
    /// How many runs are remembered.
    pub const fn runs(&self) -> u64 {
        self.runs_to - self.runs_from
    }
}

/// A run that ended, as it is stored: of the schedule's history, by number.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct RunRow {
    /// Of which schedule.
    pub job: JobId,
    /// Its number there.
    pub number: u64,
    /// When it was due.
    pub due: Wall,
    /// When it began.
    pub began: Wall,
    /// When it ended, or was found to have been interrupted.
    pub ended: Wall,
    /// How.
    pub outcome: Outcome,
}

/// How a run ended.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Outcome {
    /// The action returned.
    Done,
    /// It failed.
    Failed {
        /// What it says.
        reason: UserText,
    },
    /// There is no such action.
    Missing,
    /// Its actor ended first: `schedule.interrupted`.
    Interrupted,
}

/// Something to be stored, replacing what is there.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Put {
    /// A schedule.
    Job(Row),
    /// A run.
    Run(RunRow),
    /// The alarm of the actor's own code.
    Alarm(Wall),
}

/// Something to be deleted, if it is there.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Delete {
    /// The runs of a schedule whose number is smaller.
    Runs {
        /// Of which.
        job: JobId,
        /// The first one that stays.
        below: u64,
    },
    /// A schedule.
    Job(JobId),
    /// The alarm of the actor's own code.
    Alarm,
}
