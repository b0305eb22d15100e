//! What may be asked: a schedule is looked at when it is asked for, and waits for the next write.

use protocol::id::{BodyId, Ticket};
use protocol::mark;
use protocol::time::{Mono, Wall};

use super::options::{INTERVAL_MIN, JOB_NAME_BYTES_MAX, RUNS_DEFAULT, RUNS_MAX};
use super::settle::{Need, Wait};
use super::{Answer, Cron, Effect, Job, Phase, Recurs, Schedule, ScheduleError, When, Which};

/// A change that waits for the next write.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) struct Pending {
    pub(super) ticket: Ticket,
    /// Answered by then.
    pub(super) by: Mono,
    pub(super) change: Change,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) enum Change {
    Set(Wanted),
    Cancel(Which),
    Alarm(Option<Wall>),
}

/// A schedule that may be stored if there is room.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) struct Wanted {
    pub(super) name: Option<String>,
    pub(super) recurs: Recurs,
    pub(super) next: Wall,
    pub(super) runs_max: u32,
    pub(super) body: BodyId,
    pub(super) bytes: usize,
}

impl Schedule {
    pub(super) fn set(&mut self, ticket: Ticket, job: Job, out: &mut Vec<Effect>) {
        let body = job.body;
        match self.wanted(job) {
            Ok(wanted) => self.queue(ticket, Change::Set(wanted)),
            Err(error) => {
                out.extend([Effect::Tell { ticket, answer: Err(error) }, Effect::Drop { body }]);
            }
        }
    }

    pub(super) fn cancel(&mut self, ticket: Ticket, which: Which, out: &mut Vec<Effect>) {
        match self.room() {
            Ok(()) => self.queue(ticket, Change::Cancel(which)),
            Err(error) => out.push(Effect::Tell { ticket, answer: Err(error) }),
        }
    }

    pub(super) fn set_own(&mut self, ticket: Ticket, at: Option<Wall>, out: &mut Vec<Effect>) {
        match self.room() {
            Ok(()) if self.options.stores_alarm => self.queue(ticket, Change::Alarm(at)),
            Ok(()) => {
                let by = self.now.mono + self.options.answer_timeout;
                self.waits.push(Wait { ticket, by, answer: Answer::AlarmSet, need: Need::Own });
                self.own_stands(at);
            }
            Err(error) => out.push(Effect::Tell { ticket, answer: Err(error) }),
        }
    }

    fn queue(&mut self, ticket: Ticket, change: Change) {
        let by = self.now.mono + self.options.answer_timeout;
        self.pending.push_back(Pending { ticket, by, change });
    }

    fn room(&self) -> Result<(), ScheduleError> {
        let max = self.options.jobs_max;
        if self.phase == Phase::Destroyed {
            Err(ScheduleError::Destroyed)
        } else if self.pending.len() + self.waits.len() >= max {
            mark!("schedule_busy");
            Err(ScheduleError::Busy { max })
        } else {
            Ok(())
        }
    }

    fn wanted(&self, job: Job) -> Result<Wanted, ScheduleError> {
        self.room()?;
        if let Some(bytes) = job.name.as_ref().map(String::len)
            && !(1..=JOB_NAME_BYTES_MAX).contains(&bytes)
        {
            return Err(ScheduleError::BadName { bytes, max: JOB_NAME_BYTES_MAX });
        }
        let max = self.options.body_bytes_max;
        if job.bytes > max {
            return Err(ScheduleError::TooLarge { bytes: job.bytes, max });
        }
        let runs_max = job.runs_max.unwrap_or(RUNS_DEFAULT);
        if runs_max > RUNS_MAX {
            return Err(ScheduleError::TooManyRuns { max: RUNS_MAX });
        }
        let now = self.now.wall;
        let (recurs, next) = match job.when {
            When::At(at) => (Recurs::Never, at),
            When::After(wait) => (Recurs::Never, now + wait),
            When::Every(interval) if interval < INTERVAL_MIN => {
                return Err(ScheduleError::IntervalTooShort { min: INTERVAL_MIN });
            }
            When::Every(interval) => (Recurs::Every(interval), now + interval),
            When::Cron { expression, zone } => {
                let cron = Cron::new(&expression, &zone)?;
                let next = cron.next_after(now).ok_or(ScheduleError::NeverDue)?;
                (Recurs::Cron(cron), next)
            }
        };
        let runs_max = if recurs == Recurs::Never { 0 } else { runs_max };
        Ok(Wanted { name: job.name, recurs, next, runs_max, body: job.body, bytes: job.bytes })
    }
}
