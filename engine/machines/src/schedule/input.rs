//! What can happen to the schedules of an actor.

use std::time::Duration;

use protocol::error::UserText;
use protocol::id::{BodyId, Ticket};
use protocol::time::Wall;

use super::{Attempt, JobId};

/// One input of a step.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Input {
    /// Time has passed, nothing else.
    Tick,
    /// The actor has started: what is due runs.
    Start,
    /// The actor begins to stop: from here on nothing runs, until it wakes.
    Suspend,
    /// The actor will not wake any more: nothing is stored, its alarm is cleared.
    Destroy,
    /// Tell when all that was asked for is stored, and the alarm as well: an actor has stopped no sooner.
    Settle {
        /// Whom.
        ticket: Ticket,
    },
    /// Schedule something, or replace what is scheduled under the same name; what recurs as before is due when it was. Its body is dropped when it is refused.
    Set {
        /// Who is told.
        ticket: Ticket,
        /// What.
        job: Job,
    },
    /// Forget a schedule and its runs; a run of it that has begun goes on.
    Cancel {
        /// Who is told.
        ticket: Ticket,
        /// Which.
        which: Which,
    },
    /// The actor's own code sets its alarm, or clears it. It is set in any case, whatever it was before.
    SetAlarm {
        /// Who is told.
        ticket: Ticket,
        /// When.
        at: Option<Wall>,
    },
    /// A write is durable.
    Written {
        /// Which attempt.
        attempt: Attempt,
        /// Whether it succeeded. When not, nobody knows whether some of it is stored.
        ok: bool,
        /// A random number for the wait before the next attempt.
        jitter: u64,
    },
    /// The engine has stored an alarm.
    AlarmStored {
        /// Which attempt.
        attempt: Attempt,
    },
    /// It is not known whether the engine has stored an alarm.
    AlarmFailed {
        /// Which attempt.
        attempt: Attempt,
        /// A random number for the wait before the next attempt.
        jitter: u64,
    },
    /// A run has ended.
    Ended {
        /// Of which schedule.
        job: JobId,
        /// How.
        how: Ended,
    },
}

/// What shall be scheduled.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Job {
    /// Replaces what has this name.
    pub name: Option<String>,
    /// When.
    pub when: When,
    /// How many runs are remembered; without it [`super::RUNS_DEFAULT`]. Of what runs once none is.
    pub runs_max: Option<u32>,
    /// The action and its arguments, which the driver holds until it is told to drop them.
    pub body: BodyId,
    /// Their length.
    pub bytes: usize,
}

/// When it is due.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum When {
    /// Once, then.
    At(Wall),
    /// Once, that long from now.
    After(Duration),
    /// Each time the interval has passed, for the first time one from now.
    Every(Duration),
    /// Whenever the clocks of a time zone show it.
    Cron {
        /// Five fields.
        expression: String,
        /// Its name in the IANA database.
        zone: String,
    },
}

/// Which schedule is meant.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Which {
    /// The one with this id.
    Id(JobId),
    /// The one with this name.
    Name(String),
}

impl From<JobId> for Which {
    fn from(id: JobId) -> Self {
        Self::Id(id)
    }
}

impl From<&str> for Which {
    fn from(name: &str) -> Self {
        Self::Name(name.to_owned())
    }
}

/// How a run ended.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Ended {
    /// The action returned.
    Done,
    /// It failed.
    Failed {
        /// What it says.
        reason: UserText,
    },
    /// There is no such action.
    Missing,
}
