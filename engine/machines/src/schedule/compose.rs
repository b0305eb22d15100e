//! From one write to the next: what has become durable takes effect, and what waits goes into the next one.

use protocol::mark;
use protocol::time::{Now, Wall};

use super::ask::{Change, Pending, Wanted};
use super::flight::{Claim, Flight};
use super::row::millis;
use super::settle::{Need, Wait};
use super::{
    Answer, Effect, JobId, Outcome, Phase, Recurs, Row, RunRow, Running, Schedule, ScheduleError, Which,
};
use crate::storing::Attempt;

impl Schedule {
    /// A write is durable: what it says is so.
    pub(super) fn written(&mut self, attempt: Attempt, out: &mut Vec<Effect>) {
        let flight = self.write.stored(attempt);
        for (id, row) in flight.rows {
            match row {
                Some(row) => self.jobs.insert(id, row),
                None => self.jobs.remove(&id),
            };
        }
        if let Some(at) = flight.own {
            self.own_stands(at);
        }
        self.waits.extend(flight.waits);
        out.extend(flight.drops.into_iter().map(|body| Effect::Drop { body }));
        for claim in flight.claims {
            if self.phase == Phase::Awake {
                let (job, due, body) = (claim.before.id, claim.due(), claim.before.body);
                out.push(Effect::Run { job, due, body });
                out.extend(claim.last.then_some(Effect::Drop { body }));
            } else if self.phase != Phase::Destroyed {
                mark!("schedule_claimed_too_late");
                self.returned.insert(claim.before.id, claim.before);
            }
        }
    }

    /// Writes again what failed, or else what has come together since.
    pub(super) fn write_on(&mut self, out: &mut Vec<Effect>) {
        if self.phase == Phase::Destroyed {
            self.write.give_up();
        } else if self.write.is_idle() {
            let flight = self.compose(out);
            if !flight.is_empty() {
                let effect = flight.effect(self.write.begin(flight.clone()));
                out.push(effect);
            }
        } else if let Some((attempt, flight)) = self.write.again(self.now.mono) {
            let effect = flight.effect(attempt);
            out.push(effect);
        }
    }

    /// What must not wait comes first: what was put back, so that all else finds it (what does not fit any more leaves no
    /// room for the rest either); ends of runs; what was asked for; what is due.
    fn compose(&mut self, out: &mut Vec<Effect>) -> Flight {
        let mut flight = Flight::default();
        while self.fits(&flight)
            && let Some((id, row)) = self.returned.pop_first()
        {
            self.put_back(&mut flight, id, row);
        }
        while self.fits(&flight)
            && let Some((id, (at, outcome))) = self.ended.pop_first()
        {
            self.end_run(&mut flight, id, at, outcome);
        }
        while self.fits(&flight)
            && let Some(pending) = self.pending.pop_front()
        {
            self.change(&mut flight, pending, out);
        }
        if self.phase == Phase::Awake {
            self.claim(&mut flight);
        }
        flight
    }

    /// Whether one more change fits: it touches two schedules at most, and one run.
    fn fits(&self, flight: &Flight) -> bool {
        let (puts, deletes) = flight.size();
        let options = &self.options;
        let room = flight.bytes() + 2 * options.body_bytes_max <= options.write_bytes_max;
        flight.is_empty() || (room && puts.max(deletes) < options.write_rows_max)
    }

    fn put_back(&self, flight: &mut Flight, id: JobId, before: Row) {
        assert!(flight.row(&self.jobs, id).is_none_or(|row| row.running.is_some()), "{id:?} was claimed");
        flight.returned.push(before.next);
        flight.rows.insert(id, Some(before));
    }

    fn end_run(&self, flight: &mut Flight, id: JobId, ended: Wall, outcome: Outcome) {
        let Some(mut row) = flight.row(&self.jobs, id).cloned() else { return };
        let Some(running) = row.running.take() else { return };
        if outcome == Outcome::Missing && running.revision == row.revision {
            mark!("schedule_action_missing");
            flight.drops.push(row.body);
            forget(flight, &row);
            return;
        }
        if row.runs_max > 0 {
            let (number, due, began) = (row.runs_to, running.due, running.began);
            flight.runs.push(RunRow { job: id, number, due, began, ended, outcome });
            row.runs_to += 1;
            trim(flight, &mut row);
        }
        flight.rows.insert(id, Some(row));
        self.trim_total(flight);
    }

    /// Where the actor remembers more runs than it may, the schedule that remembers most forgets its oldest.
    fn trim_total(&self, flight: &mut Flight) {
        let total: u64 = flight.all(&self.jobs).map(Row::runs).sum();
        if total <= self.options.runs_total_max {
            return;
        }
        mark!("schedule_runs_total");
        let most = flight.all(&self.jobs).max_by_key(|row| (row.runs(), row.id)).cloned();
        let mut row = most.expect("what is remembered is of some schedule");
        row.runs_from += 1;
        flight.forgotten.insert(row.id, row.runs_from);
        flight.rows.insert(row.id, Some(row));
    }

    fn change(&mut self, flight: &mut Flight, pending: Pending, out: &mut Vec<Effect>) {
        let Pending { ticket, by, change } = pending;
        let stands = match change {
            Change::Set(wanted) => self.change_set(flight, wanted, out),
            Change::Cancel(which) => Ok(self.change_cancel(flight, &which)),
            Change::Alarm(at) => {
                flight.own = Some(at);
                Ok((Answer::AlarmSet, Some(Need::Own)))
            }
        };
        match stands {
            Ok((answer, Some(need))) => flight.waits.push(Wait { ticket, by, answer, need }),
            Ok((answer, None)) => out.push(Effect::Tell { ticket, answer: Ok(answer) }),
            Err(error) => out.push(Effect::Tell { ticket, answer: Err(error) }),
        }
    }

    fn change_set(
        &mut self,
        flight: &mut Flight,
        wanted: Wanted,
        out: &mut Vec<Effect>,
    ) -> Result<(Answer, Option<Need>), ScheduleError> {
        let Wanted { name, recurs, next, runs_max, body, bytes } = wanted;
        let named = flight.all(&self.jobs).find(|row| name.is_some() && row.name == name).cloned();
        let row = if let Some(row) = named {
            flight.drops.push(row.body);
            // What is set anew at each start would else never come: it is due when it wakes the actor.
            let same = recurs != Recurs::Never && recurs == row.recurs;
            let next = if same { row.next } else { next };
            let mut row = Row { recurs, next, runs_max, body, bytes, revision: row.revision + 1, ..row };
            trim(flight, &mut row);
            row
        } else {
            let max = self.options.jobs_max;
            if flight.all(&self.jobs).count() >= max {
                mark!("schedule_too_many");
                out.push(Effect::Drop { body });
                return Err(ScheduleError::TooMany { max });
            }
            let id = JobId((self.last.0 + 1).max(self.now.wall.0.saturating_mul(1_000).min(1 << 52)));
            self.last = id;
            let (revision, running, runs_from, runs_to) = (0, None, 0, 0);
            Row { id, name, recurs, next, revision, running, runs_from, runs_to, runs_max, body, bytes }
        };
        let (id, next) = (row.id, row.next);
        flight.rows.insert(id, Some(row));
        Ok((Answer::Set { job: id, next }, Some(Need::Alarm { job: id })))
    }

    fn change_cancel(&self, flight: &mut Flight, which: &Which) -> (Answer, Option<Need>) {
        let row = flight.all(&self.jobs).find(|row| match which {
            Which::Id(id) => row.id == *id,
            Which::Name(name) => row.name.as_ref() == Some(name),
        });
        let Some(row) = row.cloned() else { return (Answer::Cancelled { found: false }, None) };
        flight.drops.push(row.body);
        forget(flight, &row);
        (Answer::Cancelled { found: true }, Some(Need::SameAlarm))
    }

    /// Claims what is due, in the order in which it is.
    fn claim(&self, flight: &mut Flight) {
        let now = self.now.wall;
        let mut due: Vec<(Wall, JobId)> = flight
            .all(&self.jobs)
            .filter(|row| row.next <= now || is_far(row, now))
            .map(|row| (row.next, row.id))
            .collect();
        due.sort_unstable();
        for (_, id) in due {
            if !self.fits(flight) {
                mark!("schedule_claims_in_batches");
                break;
            }
            let before = flight.row(&self.jobs, id).expect("it was found among these").clone();
            if before.next > now {
                mark!("schedule_clock_went_back");
                flight.rows.insert(id, Some(nearer(before, now)));
            } else {
                claim_one(flight, before, self.now);
            }
        }
    }
}

fn claim_one(flight: &mut Flight, before: Row, now: Now) {
    let next = before.recurs.next(before.next, now.wall);
    let recurs = before.recurs != Recurs::Never;
    if recurs && before.running.is_some() {
        mark!("schedule_still_running");
        match next {
            Some(next) => drop(flight.rows.insert(before.id, Some(Row { next, ..before }))),
            None => {
                flight.drops.push(before.body);
                forget(flight, &before);
            }
        }
        return;
    }
    match next {
        Some(next) => {
            let running = Running { due: before.next, began: now.wall, revision: before.revision };
            let row = Row { next, running: Some(running), ..before.clone() };
            flight.rows.insert(row.id, Some(row));
        }
        None => forget(flight, &before),
    }
    flight.claims.push(Claim { last: next.is_none(), before });
}

/// The clock was set back by so much that an interval would be waited for more than once.
fn is_far(row: &Row, now: Wall) -> bool {
    match &row.recurs {
        Recurs::Every(interval) => row.next > now + interval.saturating_mul(2),
        Recurs::Never | Recurs::Cron(_) => false,
    }
}

/// The same phase, within the next interval.
fn nearer(row: Row, now: Wall) -> Row {
    let next = match &row.recurs {
        Recurs::Every(interval) => {
            let step = millis(*interval);
            Wall(row.next.0 - (row.next.0 - now.0 - 1) / step * step)
        }
        Recurs::Never | Recurs::Cron(_) => row.next,
    };
    Row { next, ..row }
}

/// The schedule is gone, and its runs.
fn forget(flight: &mut Flight, row: &Row) {
    if row.runs_to > 0 {
        flight.forgotten.insert(row.id, u64::MAX);
        flight.runs.retain(|run| run.job != row.id);
    }
    flight.rows.insert(row.id, None);
}

/// Of the schedule no more runs are remembered than it wants.
fn trim(flight: &mut Flight, row: &mut Row) {
    if row.runs() > u64::from(row.runs_max) {
        row.runs_from = row.runs_to - u64::from(row.runs_max);
        flight.forgotten.insert(row.id, row.runs_from);
    }
}
