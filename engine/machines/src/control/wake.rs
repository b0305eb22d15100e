//! Waking an actor, for a client or by its alarm.

use protocol::id::ActorId;
use protocol::mark;

use super::Control;
use super::record::{Phase, Stage, StopCause};
use super::step::Step;

impl Control {
    /// Makes the actor run as soon as there is a slot. A client never waits for a crash backoff, and a sleep that
    /// has begun ends in a new start.
    pub(super) fn wake(&mut self, step: &mut Step, id: ActorId) {
        let Some(actor) = self.actors.get(id) else { return };
        match actor.phase.clone() {
            Phase::Sleeping => self.set_pending(step, id),
            Phase::Backoff { .. } => {
                mark!("control.wake_in_backoff");
                self.set_pending(step, id);
            }
            Phase::Allocated {
                runner,
                stage: Stage::Stopping { cause: StopCause::Sleep { wake: false }, ran, deadline },
                last_event,
            } => {
                mark!("control.wake_while_falling_asleep");
                let stage = Stage::Stopping { cause: StopCause::Sleep { wake: true }, ran, deadline };
                self.set_phase(step, id, Phase::Allocated { runner, stage, last_event });
            }
            Phase::Pending { .. } | Phase::Allocated { .. } | Phase::Destroyed => {}
        }
    }

    /// The alarm rings: it starts the actor, and is kept until that start has come to something.
    ///
    /// It is over once a generation says that it runs, or ends before by its own doing, so that an actor that cannot start
    /// does not ring without end. A runner that is lost meanwhile, or goes away, leaves it as it was: the next start is
    /// its start too.
    pub(super) fn ring(&mut self, step: &mut Step, id: ActorId) {
        assert_eq!(self.actors.known(id).phase, Phase::Sleeping, "an alarm rings asleep only");
        self.actors.known_mut(id).rings = true;
        self.set_pending(step, id);
    }
}
