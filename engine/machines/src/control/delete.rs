//! Destroying an actor at a caller's wish.

use protocol::error::ApiError;
use protocol::id::ActorId;

use super::Control;
use super::effect::Answer;
use super::record::{Phase, StopCause};
use super::step::Step;

impl Control {
    /// Destroys the actor: at once if it is not allocated, else as soon as its generation has ended. Its key is free
    /// either way. Destroying it again changes nothing.
    pub(super) fn delete_actor(
        &mut self,
        step: &mut Step,
        namespace: Option<&str>,
        id: ActorId,
    ) -> Result<Answer, ApiError> {
        let namespace = namespace.map(|name| self.namespace(name)).transpose()?;
        let actor = self.actors.get(id).ok_or(ApiError::ActorNotFound)?;
        if namespace.is_some_and(|namespace| namespace != actor.namespace) {
            return Err(ApiError::ActorNotFound);
        }
        match actor.phase {
            Phase::Pending { .. } | Phase::Sleeping | Phase::Backoff { .. } => self.set_destroyed(step, id),
            Phase::Allocated { .. } => self.stop(step, id, StopCause::Destroy),
            Phase::Destroyed => {}
        }
        Ok(Answer::Deleted)
    }
}
