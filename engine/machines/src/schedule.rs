//! The schedules of one actor: what it asked to be done later, once (`at`, `after`) or again and again (`every`, cron).
//!
//! While the actor is awake a deadline here runs what is due. While it sleeps the engine's alarm wakes it, which is
//! therefore kept at the earliest time that anything is due; the alarm runs nothing by itself. An actor may also set it
//! by its own code: the engine has the earlier of both, and what the actor has set is stored beside its schedules.
//!
//! **What is in memory is stored.** Every change is composed into a write ([`flight`]); there is one at a time, and only
//! when it is durable does the state change, is anybody told, and runs what it claims. What runs once is deleted
//! before it runs: at most once, whatever falls. What recurs is armed again, and marked as running, before it runs; a
//! mark that is found after a restart is a run that was interrupted. What was missed while nobody was awake is one run.
//! Whoever asked is told when the row is durable and an alarm that comes early enough is known to be stored.
//!
//! Due times keep to the wall clock, waits to the monotonic one. A wall clock that jumps brings due times nearer or
//! farther: what runs once still runs once, when the clock has got there.
//!
//! From the moment the actor begins to stop nothing runs; a claim that becomes durable after that is put back, so that it
//! runs after the wake. Payloads (an action's name and arguments) are bodies that the driver holds.
//!
//! Read on: [`row`] is what is stored, [`ask`] what may be asked, [`compose`] what becomes of it, [`settle`] the alarm
//! and the answers, [`cron`] when cron is due.

use std::collections::{BTreeMap, VecDeque};

use protocol::mark;
use protocol::time::{Mono, Now, Wall};

mod ask;
mod check;
mod compose;
mod cron;
mod effect;
mod error;
mod flight;
mod input;
mod options;
mod row;
mod settle;

pub use crate::storing::{Attempt, Backoff};
pub use cron::{CRON_BYTES_MAX, Cron, ZONE_BYTES_MAX};
pub use effect::{Answer, Effect};
pub use error::ScheduleError;
pub use input::{Ended, Input, Job, When, Which};
pub use options::{INTERVAL_MIN, JOB_NAME_BYTES_MAX, Options, ROW_SLACK_BYTES, RUNS_DEFAULT, RUNS_MAX};
pub use row::{Delete, JobId, Outcome, Put, Recurs, Row, RunRow, Running};

use crate::storing::Storing;
use ask::Pending;
use flight::Flight;
use settle::Wait;

/// The schedules of one actor, from one start of it to its stop.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Schedule {
    options: Options,
    /// As of the last step.
    now: Now,
    phase: Phase,
    /// As they are stored.
    jobs: BTreeMap<JobId, Row>,
    /// The alarm of the actor's own code, as it is stored.
    own: Option<Wall>,
    /// The last id given out.
    last: JobId,
    /// Asked for, and not in a write yet, in order.
    pending: VecDeque<Pending>,
    /// Runs that have ended, and when; not in a write yet.
    ended: BTreeMap<JobId, (Wall, Outcome)>,
    /// Claimed when it was too late to run: they are put back as they were.
    returned: BTreeMap<JobId, Row>,
    write: Storing<Flight>,
    alarm: Storing<Option<Wall>>,
    /// The alarm that the engine has; none when that is not known.
    alarm_stored: Option<Option<Wall>>,
    /// Who waits, once the row is durable.
    waits: Vec<Wait>,
}

/// How far the actor is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
enum Phase {
    /// It has not started: nothing runs.
    Starting,
    /// What is due runs.
    Awake,
    /// It stops: nothing runs any more.
    Suspended,
    /// It is gone for ever.
    Destroyed,
}

impl Schedule {
    /// Those of an actor that never had any.
    pub fn new(options: Options) -> Self {
        Self::restore(options, Vec::new(), None, Now::default())
    }

    /// Those of an actor that has rows, and an alarm that its own code has set. A run that one of them says to be going
    /// on has been interrupted. An alarm that is due has had its wake: if the engine still has it, it rings once more.
    ///
    /// # Panics
    /// When two rows have one id.
    pub fn restore(options: Options, rows: Vec<Row>, own: Option<Wall>, now: Now) -> Self {
        let own = own.filter(|at| *at > now.wall);
        let mut ended = BTreeMap::new();
        let mut jobs = BTreeMap::new();
        for row in rows {
            if row.running.is_some() {
                mark!("schedule_interrupted");
                ended.insert(row.id, (now.wall, Outcome::Interrupted));
            }
            let id = row.id;
            assert!(jobs.insert(id, row).is_none(), "{id:?} is stored once");
        }
        Self {
            options,
            now,
            phase: Phase::Starting,
            last: jobs.keys().next_back().copied().unwrap_or(JobId(0)),
            // What woke the actor may have been its alarm, and that is used up.
            alarm_stored: (jobs.is_empty() && own.is_none()).then_some(None),
            jobs,
            own,
            pending: VecDeque::new(),
            ended,
            returned: BTreeMap::new(),
            write: Storing::new(),
            alarm: Storing::new(),
            waits: Vec::new(),
        }
    }

    /// One step. Effects are appended to `out` in the order they must be performed.
    ///
    /// # Panics
    /// When an attempt ends that does not run: a defect of the driver.
    pub fn handle(&mut self, now: Now, input: Input, out: &mut Vec<Effect>) {
        self.now = now;
        match input {
            Input::Tick => {}
            Input::Start => {
                if self.phase == Phase::Starting {
                    self.phase = Phase::Awake;
                }
            }
            Input::Suspend => {
                if self.phase != Phase::Destroyed {
                    self.phase = Phase::Suspended;
                }
            }
            Input::Destroy => self.destroy(out),
            Input::Settle { ticket } => self.wants_settled(ticket),
            Input::Set { ticket, job } => self.set(ticket, job, out),
            Input::Cancel { ticket, which } => self.cancel(ticket, which, out),
            Input::SetAlarm { ticket, at } => self.set_own(ticket, at, out),
            Input::Written { attempt, ok: true, .. } => self.written(attempt, out),
            Input::Written { attempt, ok: false, jitter } => {
                self.write.failed(attempt, now.mono, &self.options.backoff, jitter);
            }
            Input::AlarmStored { attempt } => self.alarm_stored = Some(self.alarm.stored(attempt)),
            Input::AlarmFailed { attempt, jitter } => {
                self.alarm.failed(attempt, now.mono, &self.options.backoff, jitter);
            }
            Input::Ended { job, how } => self.run_ended(job, how),
        }
        self.expire(out);
        self.write_on(out);
        self.push_alarm(out);
        self.answer(out);
    }

    /// When to send [`Input::Tick`] at the latest, and why.
    pub fn next_deadline(&self) -> Option<(Mono, &'static str)> {
        let write = self.write.deadline().map(|at| (at, "schedule write"));
        let alarm = self.alarm.deadline().map(|at| (at, "schedule alarm"));
        let answer = self.answer_by().map(|at| (at, "schedule answer"));
        let due = self.due_in().map(|wait| (self.now.mono + wait, "schedule due"));
        [write, alarm, answer, due].into_iter().flatten().min()
    }

    /// Every schedule that is stored, in the order of creation.
    pub fn jobs(&self) -> impl Iterator<Item = &Row> {
        self.jobs.values()
    }

    /// A schedule that is stored.
    pub fn job(&self, which: &Which) -> Option<&Row> {
        match which {
            Which::Id(id) => self.jobs.get(id),
            Which::Name(name) => self.jobs.values().find(|row| row.name.as_ref() == Some(name)),
        }
    }

    fn run_ended(&mut self, job: JobId, how: Ended) {
        if self.phase == Phase::Destroyed || self.jobs.get(&job).is_none_or(|row| row.running.is_none()) {
            // What runs once, what was cancelled meanwhile: nothing is stored of it.
            mark!("schedule_ended_unknown");
            return;
        }
        let outcome = match how {
            Ended::Done => Outcome::Done,
            Ended::Failed { reason } => Outcome::Failed { reason },
            Ended::Missing => Outcome::Missing,
        };
        self.ended.entry(job).or_insert((self.now.wall, outcome));
    }

    /// How long until something is due, or the wall clock must be looked at again.
    fn due_in(&self) -> Option<std::time::Duration> {
        if self.phase != Phase::Awake || !self.write.is_idle() {
            return None;
        }
        let next = self.jobs.values().map(|row| row.next).min()?;
        Some(next.since(self.now.wall).min(self.options.wall_check))
    }
}
