//! Taking an instance down: in order, because its runner or its own failure wants it, or at once.

use protocol::mark;
use protocol::time::Mono;

use super::save::UNFIT;
use super::{Effect, Hook, Instance, Phase};

impl Instance {
    pub(super) fn stop(&mut self, now: Mono, error: Option<String>, out: &mut Vec<Effect>) {
        match self.phase {
            Phase::Running => {}
            Phase::Stopping { .. } | Phase::Saving { .. } | Phase::Ended => return,
            Phase::Fresh
            | Phase::Loading { .. }
            | Phase::Creating { .. }
            | Phase::Starting { .. }
            | Phase::Keeping { .. } => unreachable!("a runner stops what has started"),
        }
        self.phase = Phase::Stopping { by: now + self.options.stop_grace, error };
        out.push(Effect::Stopping);
        self.say_farewell(out);
    }

    /// Calls the hook of a stop. One that is asked to be destroyed while it falls asleep gets both.
    fn say_farewell(&mut self, out: &mut Vec<Effect>) {
        let hook = if self.destroys { Hook::Destroy } else { Hook::Sleep };
        if self.farewell.is_some_and(|last| last == hook || last == Hook::Destroy) {
            return;
        }
        if self.farewell.is_some() {
            mark!("instance_destroyed_in_its_sleep");
        }
        self.farewell = Some(hook);
        self.call(hook, out);
    }

    /// Moves a stop on as far as it can go.
    pub(super) fn wind_down(&mut self, now: Mono, out: &mut Vec<Effect>) {
        if let Phase::Stopping { by, .. } = self.phase {
            if by <= now {
                mark!("instance_grace_over");
                self.drop_all(out);
            } else {
                if !self.hooks.contains(&Hook::Sleep) {
                    self.say_farewell(out);
                }
                if !self.hooks.is_empty() || !self.work.is_empty() || self.keeps > 0 {
                    return;
                }
            }
            let Phase::Stopping { error, .. } = std::mem::replace(&mut self.phase, Phase::Ended) else {
                unreachable!("it was found above")
            };
            self.phase = Phase::Saving { by: now + self.options.save_grace, error };
            if self.save.dirty {
                self.save.want(now);
                self.write(now, out);
            }
        }
        if let Phase::Saving { by, error } = &mut self.phase {
            let over = *by <= now;
            // What is destroyed is forgotten with its state.
            if self.destroys || over || !self.save.is_pending() {
                let error = error.take();
                let lost = self.lost();
                self.fail(error.or(lost), out);
            }
        }
    }

    /// What is lost of its state, if something is that it would need.
    fn lost(&self) -> Option<String> {
        if self.destroys {
            None
        } else if self.save.is_pending() {
            mark!("instance_last_save_failed");
            Some(LAST_SAVE.to_owned())
        } else {
            self.save.unfit.then(|| UNFIT.to_owned())
        }
    }

    /// Ends it at once.
    pub(super) fn fail(&mut self, error: Option<String>, out: &mut Vec<Effect>) {
        self.drop_all(out);
        self.end_saves(out);
        self.phase = Phase::Ended;
        self.idle = None;
        out.push(Effect::Ended { error });
    }
}

/// What the engine is told when the last state could not be written: never that it stopped in order.
const LAST_SAVE: &str = "the last state of the actor could not be written";
