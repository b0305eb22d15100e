//! Starting an actor anew at a caller's wish.

use protocol::error::ApiError;
use protocol::id::ActorId;

use super::Control;
use super::effect::Answer;
use super::record::{Phase, StopCause};
use super::step::Step;

impl Control {
    /// Lets the actor start anew, wherever there is a place, and without a delay for the times it has crashed. One that
    /// stops already goes on as it is, but for one that falls asleep, which is woken.
    pub(super) fn reschedule_actor(
        &mut self,
        step: &mut Step,
        namespace: Option<&str>,
        id: ActorId,
    ) -> Result<Answer, ApiError> {
        let phase = self.living(namespace, id)?.phase.clone();
        self.actors.known_mut(id).retries = 0;
        match phase {
            Phase::Sleeping | Phase::Backoff { .. } => self.set_pending(step, id),
            Phase::Allocated { .. } => {
                self.wake(step, id);
                self.stop(step, id, StopCause::Reschedule);
            }
            Phase::Pending { .. } | Phase::Destroyed => {}
        }
        step.changed(super::record::Key::Actor(id));
        Ok(Answer::Steered)
    }
}
