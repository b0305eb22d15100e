//! What is due, and when.

use protocol::mark;
use protocol::time::Mono;

use super::{Effect, Instance, Phase};

/// What the engine is told of a start that takes too long.
const NO_START: &str = "the actor did not start in time";

impl Instance {
    /// When to send [`super::Input::Tick`] at the latest, and what is due then.
    #[must_use]
    pub fn next_deadline(&self) -> Option<(Mono, &'static str)> {
        let phase = match self.phase {
            Phase::Loading { by }
            | Phase::Creating { by }
            | Phase::Starting { by, .. }
            | Phase::Keeping { by } => Some((by, "start")),
            Phase::Stopping { by, .. } => Some((by, "stop grace")),
            Phase::Saving { by, .. } => Some((by, "last save")),
            Phase::Ended => return None,
            Phase::Fresh | Phase::Running => None,
        };
        let action = self.due.first().map(|(by, _)| (*by, "action timeout"));
        let save = self.save.due.filter(|_| self.save.writing.is_none()).map(|due| (due, "save"));
        let sleep = self.sleep_by().map(|by| (by, "sleep"));
        [phase, action, save, sleep].into_iter().flatten().min()
    }

    /// Does what is due.
    pub(super) fn expire(&mut self, now: Mono, out: &mut Vec<Effect>) {
        let starting = match self.phase {
            Phase::Loading { by }
            | Phase::Creating { by }
            | Phase::Starting { by, .. }
            | Phase::Keeping { by } => by <= now,
            Phase::Fresh | Phase::Running | Phase::Stopping { .. } | Phase::Saving { .. } | Phase::Ended => {
                false
            }
        };
        if starting {
            mark!("instance_start_timeout");
            self.fail(Some(NO_START.to_owned()), out);
        }
        if !self.is_over() {
            self.time_out(now, out);
            self.write(now, out);
        }
    }

    /// Goes on to where the step has led.
    pub(super) fn settle(&mut self, now: Mono, out: &mut Vec<Effect>) {
        if matches!(self.phase, Phase::Keeping { .. }) && !self.save.is_pending() {
            self.run(out);
        }
        self.wind_down(now, out);
        self.watch(now);
        self.fall_asleep(now, out);
    }
}
