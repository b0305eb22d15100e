//! Alarms: an instance that sets one learns when the engine has stored it, since until then a fall of the engine that
//! takes the runner's place away loses it.
//!
//! The engine acknowledges an event after the commit of what it says. Whoever waits is told once: kept, or failed
//! when its instance ends or loses its rights, or after as long as a KV request may take.

use protocol::id::{ActorId, Generation, Ticket};
use protocol::mark;
use protocol::time::{Mono, Now};
use protocol::wire::Event;

use super::instance::Stage;
use super::{Effect, Runner, StoreFailure};

/// An alarm that was told and is not known to be stored.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) struct Alarm {
    /// Its event's.
    pub(super) index: i64,
    ticket: Ticket,
    pub(super) by: Mono,
}

impl Runner {
    /// Also while it stops: the last alarm of an actor wakes it from its sleep.
    pub(super) fn alarm(
        &mut self,
        now: Now,
        (actor, generation): (ActorId, Generation),
        (ticket, alarm_ts): (Ticket, Option<i64>),
        out: &mut Vec<Effect>,
    ) {
        if self.live(actor, generation).is_none_or(|instance| instance.stage == Stage::Cut) {
            mark!("runner_alarm_not_entitled");
            out.push(Effect::AlarmFailed { ticket, failure: StoreFailure::NotDone });
            return;
        }
        let by = now.mono + self.options.kv_timeout;
        let history =
            self.histories.get_mut(&(actor, generation)).expect("an instance with rights has a history");
        let index = history.next;
        history.alarms.push_back(Alarm { index, ticket, by });
        self.alarms_due.insert((by, actor, generation, index));
        self.tell(actor, generation, Event::SetAlarm { alarm_ts }, out);
    }

    /// The engine has stored what this generation told up to there.
    pub(super) fn keep_alarms(&mut self, of: (ActorId, Generation), upto: i64, out: &mut Vec<Effect>) {
        while let Some(alarm) = self.take_alarm(of, upto) {
            out.push(Effect::AlarmKept { ticket: alarm.ticket });
        }
    }

    /// Nobody will learn what becomes of this generation's alarms: they were told, or will be, or not.
    pub(super) fn fail_alarms(&mut self, of: (ActorId, Generation), out: &mut Vec<Effect>) {
        while let Some(alarm) = self.take_alarm(of, i64::MAX) {
            mark!("runner_alarm_indeterminate");
            out.push(Effect::AlarmFailed { ticket: alarm.ticket, failure: StoreFailure::Indeterminate });
        }
    }

    /// Fails those that have waited for too long.
    pub(super) fn expire_alarms(&mut self, now: Now, out: &mut Vec<Effect>) {
        while let Some((_, actor, generation, index)) =
            self.alarms_due.first().copied().filter(|(by, ..)| *by <= now.mono)
        {
            mark!("runner_alarm_timeout");
            let alarm = self.take_alarm((actor, generation), index).expect("what is due is waited for");
            out.push(Effect::AlarmFailed { ticket: alarm.ticket, failure: StoreFailure::Indeterminate });
        }
    }

    /// The oldest alarm of a generation, if its index is not beyond `upto`.
    fn take_alarm(&mut self, (actor, generation): (ActorId, Generation), upto: i64) -> Option<Alarm> {
        let alarms = &mut self.histories.get_mut(&(actor, generation))?.alarms;
        let alarm = alarms.pop_front_if(|alarm| alarm.index <= upto)?;
        let due = self.alarms_due.remove(&(alarm.by, actor, generation, alarm.index));
        assert!(due, "an alarm of {actor:?} {generation:?} had a deadline");
        Some(alarm)
    }
}
