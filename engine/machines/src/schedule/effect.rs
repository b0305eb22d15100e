//! What the schedules of an actor want.

use protocol::id::{BodyId, Ticket};
use protocol::time::Wall;

use super::{Attempt, Delete, JobId, Put, ScheduleError};

/// One effect of a step, performed in order.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Effect {
    /// Store and delete: the puts all or none, then the deletes one by one, in this order. [`super::Input::Written`]
    /// follows when all of it is durable, or may not be. The same may be asked for again.
    Write {
        /// This attempt.
        attempt: Attempt,
        /// What is stored.
        puts: Vec<Put>,
        /// What is deleted.
        deletes: Vec<Delete>,
    },
    /// Set the alarm with the engine, or clear it. [`super::Input::AlarmStored`] or [`super::Input::AlarmFailed`] follows.
    SetAlarm {
        /// This attempt.
        attempt: Attempt,
        /// When the engine shall wake the actor.
        at: Option<Wall>,
    },
    /// Run an action: that it does is durable. [`super::Input::Ended`] follows; of what runs once it changes nothing.
    Run {
        /// Of which schedule.
        job: JobId,
        /// When it was due.
        due: Wall,
        /// The action and its arguments; of what runs once they are dropped next.
        body: BodyId,
    },
    /// Tell whoever asked.
    Tell {
        /// Whom.
        ticket: Ticket,
        /// What.
        answer: Result<Answer, ScheduleError>,
    },
    /// Forget a payload.
    Drop {
        /// Which.
        body: BodyId,
    },
}

/// What whoever asked is told.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Answer {
    /// It is scheduled, and will be due whatever falls.
    Set {
        /// The schedule's id.
        job: JobId,
        /// When it is due first.
        next: Wall,
    },
    /// It is not scheduled any more.
    Cancelled {
        /// Whether it was.
        found: bool,
    },
    /// The alarm is stored.
    AlarmSet,
    /// All is stored.
    Settled,
}
