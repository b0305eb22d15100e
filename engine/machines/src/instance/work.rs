//! What an instance is asked: taken while it runs and while it finishes, timed, told when nobody waits any more.

use protocol::id::Ticket;
use protocol::mark;
use protocol::time::Mono;

use super::{Effect, Instance, Phase, Refusal, WorkKind};

/// A work that has not ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) struct Work {
    pub(super) kind: WorkKind,
    /// When whoever asked is told that it takes too long, if somebody waits.
    pub(super) by: Option<Mono>,
}

impl Instance {
    pub(super) fn ask(&mut self, now: Mono, ticket: Ticket, kind: WorkKind, out: &mut Vec<Effect>) {
        assert!(!self.work.contains_key(&ticket), "{ticket:?} is used once");
        if let Some(refusal) = self.refuses(kind) {
            out.push(Effect::Refuse { ticket, refusal });
            return;
        }
        let by = match kind {
            WorkKind::Action => self.options.action_timeout.map(|timeout| now + timeout),
            WorkKind::Request | WorkKind::Task => None,
        };
        self.due.extend(by.map(|by| (by, ticket)));
        self.work.insert(ticket, Work { kind, by });
        out.push(Effect::Take { ticket });
    }

    fn refuses(&self, kind: WorkKind) -> Option<Refusal> {
        let starts = match self.phase {
            Phase::Fresh
            | Phase::Loading { .. }
            | Phase::Creating { .. }
            | Phase::Starting { .. }
            | Phase::Keeping { .. } => true,
            Phase::Running | Phase::Stopping { .. } => false,
            Phase::Saving { .. } | Phase::Ended => return Some(Refusal::Stopping),
        };
        if starts && kind != WorkKind::Task {
            mark!("instance_asked_before_its_start");
            Some(Refusal::Starting)
        } else if self.work.len() >= self.options.work_max {
            mark!("instance_overloaded");
            Some(Refusal::Overloaded)
        } else {
            None
        }
    }

    pub(super) fn unasked(&mut self, ticket: Ticket, out: &mut Vec<Effect>) {
        if let Some(work) = self.work.get_mut(&ticket) {
            self.due.extract_if(.., |(_, due)| *due == ticket).for_each(drop);
            work.by = None;
            out.push(Effect::Abandon { ticket });
        }
    }

    pub(super) fn done(&mut self, ticket: Ticket) {
        let work = self.work.remove(&ticket).expect("only what was taken is done");
        if let Some(by) = work.by {
            assert!(self.due.remove(&(by, ticket)), "{ticket:?} had its time");
        }
    }

    /// Tells everybody whose time is over.
    pub(super) fn time_out(&mut self, now: Mono, out: &mut Vec<Effect>) {
        while let Some((_, ticket)) = self.due.first().copied().filter(|(by, _)| *by <= now) {
            mark!("instance_action_timeout");
            self.due.pop_first();
            self.work.get_mut(&ticket).expect("what has a time has not ended").by = None;
            out.push(Effect::TimeOut { ticket });
        }
    }

    /// Forgets everything that runs.
    pub(super) fn drop_all(&mut self, out: &mut Vec<Effect>) {
        if !self.hooks.is_empty() || !self.work.is_empty() {
            self.hooks.clear();
            self.work.clear();
            self.due.clear();
            out.push(Effect::Drop);
        }
    }
}
