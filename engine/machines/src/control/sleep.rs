//! Putting an actor to sleep at a caller's wish.

use protocol::error::ApiError;
use protocol::id::ActorId;

use super::Control;
use super::effect::Answer;
use super::record::{Phase, StopCause};
use super::step::Step;

impl Control {
    /// Puts the actor to sleep, as if it had asked for it: at once if it is not allocated, else when its generation has
    /// stopped. Whoever waits for it wakes it again. A stop for another reason goes on as it is.
    pub(super) fn sleep_actor(
        &mut self,
        step: &mut Step,
        namespace: Option<&str>,
        id: ActorId,
    ) -> Result<Answer, ApiError> {
        match self.living(namespace, id)?.phase {
            Phase::Pending { .. } | Phase::Backoff { .. } if self.is_wanted(id) => {}
            Phase::Pending { .. } | Phase::Backoff { .. } => self.set_phase(step, id, Phase::Sleeping),
            Phase::Allocated { .. } => self.stop(step, id, StopCause::Sleep { wake: false }),
            Phase::Sleeping | Phase::Destroyed => {}
        }
        Ok(Answer::Steered)
    }
}
