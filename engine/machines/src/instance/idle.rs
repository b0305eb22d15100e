//! When an instance may sleep: after a while in which nothing kept it awake. Its clock begins anew with whatever does.

use protocol::mark;
use protocol::time::Mono;

use super::{Effect, Hook, Instance, Phase, WorkKind};

impl Instance {
    pub(super) fn keep_awake(&mut self) {
        self.keeps += 1;
    }

    pub(super) fn let_sleep(&mut self) {
        self.keeps = self.keeps.checked_sub(1).expect("only what is kept awake is let sleep");
    }

    /// Keeps the clock in step with what the input has changed.
    pub(super) fn watch(&mut self, now: Mono) {
        if !self.may_sleep() {
            self.idle = None;
        } else if self.idle.is_none() {
            self.idle = Some(now);
        }
    }

    /// Whether nothing keeps it awake.
    pub(super) fn may_sleep(&self) -> bool {
        let busy = self.work.values().any(|work| match work.kind {
            WorkKind::Request | WorkKind::Action => true,
            WorkKind::Task => false,
        });
        let runs = self.hooks.contains(&Hook::Run) && !self.parked;
        self.phase == Phase::Running && !busy && !runs && self.keeps == 0
    }

    /// When it goes to sleep if nothing happens.
    pub(super) fn sleep_by(&self) -> Option<Mono> {
        if self.sleeps || self.destroys {
            return None;
        }
        Some(self.idle? + self.options.sleep_timeout?)
    }

    pub(super) fn fall_asleep(&mut self, now: Mono, out: &mut Vec<Effect>) {
        if self.sleep_by().is_some_and(|by| by <= now) {
            mark!("instance_falls_asleep");
            self.sleep(out);
        }
    }

    pub(super) fn sleep(&mut self, out: &mut Vec<Effect>) {
        if !self.sleeps && !self.destroys {
            self.sleeps = true;
            out.push(Effect::Sleep);
        }
    }

    /// Also while it stops: whoever wants to be destroyed shall not merely sleep.
    pub(super) fn destroy(&mut self, out: &mut Vec<Effect>) {
        if !self.destroys {
            self.destroys = true;
            out.push(Effect::Destroy);
        }
    }
}
