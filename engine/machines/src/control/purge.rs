//! Forgetting destroyed actors: after a while, and the oldest earlier where there are too many.
//!
//! An actor's state and input go when it is destroyed ([`super::phase`]); what stays is its record, so that whoever asks
//! is told how it ended. A step forgets a bounded number of them: what is left over waits for the next. Where there are too
//! many, every step forgets some of them, so that there are no more however fast they are destroyed.

use std::time::Duration;

use protocol::mark;

use super::Control;
use super::record::Key;
use super::step::Step;
use super::timers::Due;

/// Records that one step forgets at most. Ours: small against a step that a client waits for.
const BATCH: usize = 64;

/// Until the next batch. Ours: long against a commit, so that what clients and runners say is read in between.
const PAUSE: Duration = Duration::from_millis(100);

impl Control {
    /// Forgets what is old, and what is too much.
    pub(super) fn purge(&mut self, step: &mut Step) {
        let (now, kept, most) = (self.now.wall, self.options.destroyed_kept, self.options.destroyed_max);
        for _ in 0..BATCH {
            let many = self.actors.destroyed() > most;
            let Some(oldest) = self.actors.oldest_destroyed() else { break };
            if !many && now < oldest + kept {
                break;
            }
            if many {
                mark!("control.destroyed_max");
            } else {
                mark!("control.destroyed_purged");
            }
            step.changed(Key::Actor(self.actors.forget_oldest()));
        }
        self.appoint_purge();
    }

    /// Forgets what is too much, at the end of a step, when nobody asks for any of it any more.
    pub(super) fn forget_surplus(&mut self, step: &mut Step) {
        if self.actors.destroyed() > self.options.destroyed_max {
            self.purge(step);
        }
    }

    /// When the next one is to be forgotten: never in this step, and not later than was said before.
    pub(super) fn appoint_purge(&mut self) {
        let (soon, kept) = (self.now.wall + PAUSE, self.options.destroyed_kept);
        let many = self.actors.destroyed() > self.options.destroyed_max;
        let oldest = self.actors.oldest_destroyed();
        let due = oldest.map(|oldest| if many { soon } else { soon.max(oldest + kept) });
        let before = self.appointments.get(&Due::Purge).filter(|_| due.is_some());
        self.appointments.put(Due::Purge, due.into_iter().chain(before).min());
    }
}
