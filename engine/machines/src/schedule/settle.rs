//! The alarm, and who waits: nobody is told that something is scheduled before the engine would wake the actor for it.

use protocol::id::{BodyId, Ticket};
use protocol::mark;
use protocol::time::{Mono, Wall};

use super::ask::{Change, Pending};
use super::{Answer, Effect, JobId, Phase, Row, Schedule, ScheduleError};

/// Somebody who is told when what was asked for stands.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) struct Wait {
    pub(super) ticket: Ticket,
    /// Told by then, if only that it is not known.
    pub(super) by: Mono,
    pub(super) answer: Answer,
    pub(super) need: Need,
}

/// What must be stored beside the row.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) enum Need {
    /// An alarm that is no later than this schedule is due, if it still is.
    Alarm { job: JobId },
    /// An alarm that is no later than the one of the actor's own code, if it has any; else the alarm that is wanted.
    Own,
    /// The alarm that is wanted.
    SameAlarm,
    /// Everything.
    All,
}

impl Schedule {
    pub(super) fn wants_settled(&mut self, ticket: Ticket) {
        let by = self.now.mono + self.options.answer_timeout;
        self.waits.push(Wait { ticket, by, answer: Answer::Settled, need: Need::All });
    }

    /// Whoever waits for a schedule is told that there will be none; whoever waits for the end of all this still does.
    pub(super) fn destroy(&mut self, out: &mut Vec<Effect>) {
        self.phase = Phase::Destroyed;
        let error = ScheduleError::Destroyed;
        let mut told: Vec<Ticket> = self.pending.drain(..).map(|pending| pending.ticket).collect();
        let flying = self.write.change_mut().map(|flight| std::mem::take(&mut flight.waits));
        told.extend(flying.into_iter().flatten().map(|wait| wait.ticket));
        told.extend(self.waits.extract_if(.., |wait| wait.need != Need::All).map(|wait| wait.ticket));
        out.extend(told.into_iter().map(|ticket| Effect::Tell { ticket, answer: Err(error.clone()) }));
        self.ended.clear();
        self.returned.clear();
    }

    /// Tells those who have waited for too long: what was not begun is not done, of the rest it is not known.
    pub(super) fn expire(&mut self, out: &mut Vec<Effect>) {
        let now = self.now.mono;
        let mut told: Vec<(Ticket, Option<BodyId>)> = Vec::new();
        while let Some(Pending { ticket, change, .. }) =
            self.pending.pop_front_if(|pending| pending.by <= now)
        {
            mark!("schedule_not_begun_in_time");
            let body = match change {
                Change::Set(wanted) => Some(wanted.body),
                Change::Cancel(_) | Change::Alarm(_) => None,
            };
            told.push((ticket, body));
        }
        let flying = self.write.change_mut().map(|flight| &mut flight.waits);
        for waits in flying.into_iter().chain([&mut self.waits]) {
            told.extend(waits.extract_if(.., |wait| wait.by <= now).map(|wait| (wait.ticket, None)));
        }
        for (ticket, body) in told {
            mark!("schedule_indeterminate");
            out.push(Effect::Tell { ticket, answer: Err(ScheduleError::Indeterminate) });
            out.extend(body.map(|body| Effect::Drop { body }));
        }
    }

    /// When the first of those who wait has waited for too long.
    pub(super) fn answer_by(&self) -> Option<Mono> {
        let flying = self.write.change().into_iter().flat_map(|flight| &flight.waits);
        let pending = self.pending.front().map(|pending| pending.by);
        flying.chain(&self.waits).map(|wait| wait.by).chain(pending).min()
    }

    /// When the engine must wake the actor at the latest.
    pub(super) fn alarm_wanted(&self) -> Option<Wall> {
        if self.phase == Phase::Destroyed {
            return None;
        }
        let rows = self.jobs.values().chain(self.returned.values());
        let returned = self.write.change().into_iter().flat_map(|flight| &flight.returned).copied();
        rows.map(|row: &Row| row.next).chain(returned).chain(self.own).min()
    }

    /// The actor's own code has set its alarm. What the engine has may be of a life before: so it is set in any case.
    pub(super) fn own_stands(&mut self, at: Option<Wall>) {
        self.own = at;
        self.alarm_stored = None;
    }

    /// Sets the alarm where the engine has another one, or may have. One at a time: what changes meanwhile is seen
    /// when it is stored.
    pub(super) fn push_alarm(&mut self, out: &mut Vec<Effect>) {
        let wanted = self.alarm_wanted();
        let may = self.alarm.is_idle() || self.alarm.is_due(self.now.mono);
        if !may || self.alarm_stored == Some(wanted) {
            return;
        }
        self.alarm_stored = None;
        let attempt = self.alarm.begin(wanted);
        out.push(Effect::SetAlarm { attempt, at: wanted });
    }

    /// Tells those for whom all is stored.
    pub(super) fn answer(&mut self, out: &mut Vec<Effect>) {
        let mut waits = std::mem::take(&mut self.waits);
        for wait in waits.extract_if(.., |wait| self.has(wait.need)) {
            out.push(Effect::Tell { ticket: wait.ticket, answer: Ok(wait.answer) });
        }
        self.waits = waits;
    }

    /// Whether the engine has an alarm that is no later.
    fn wakes_by(&self, due: Wall) -> bool {
        self.alarm_stored.is_some_and(|stored| stored.is_some_and(|at| at <= due))
    }

    fn has(&self, need: Need) -> bool {
        let same = self.alarm_stored == Some(self.alarm_wanted());
        match need {
            Need::Alarm { job } => self.jobs.get(&job).is_none_or(|row| self.wakes_by(row.next)),
            Need::Own => self.own.map_or(same, |own| self.wakes_by(own)),
            Need::SameAlarm => same,
            Need::All => {
                let asked = self.pending.is_empty() && self.ended.is_empty() && self.returned.is_empty();
                same && asked && self.write.is_idle()
            }
        }
    }
}
