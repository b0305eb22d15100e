//! Destroying an actor at a caller's wish.

use protocol::error::ApiError;
use protocol::id::ActorId;

use super::Control;
use super::actors::doomed;
use super::effect::Answer;
use super::record::{Actor, Phase, StopCause};
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
        match self.named(namespace, id)?.phase {
            Phase::Pending { .. } | Phase::Sleeping | Phase::Backoff { .. } => self.set_destroyed(step, id),
            Phase::Allocated { .. } => self.stop(step, id, StopCause::Destroy),
            Phase::Destroyed => {}
        }
        Ok(Answer::Deleted)
    }

    /// The actor a caller means to go on living with.
    pub(super) fn living(&self, namespace: Option<&str>, id: ActorId) -> Result<&Actor, ApiError> {
        let actor = self.named(namespace, id)?;
        if doomed(&actor.phase) { Err(ApiError::ActorNotFound) } else { Ok(actor) }
    }

    /// The actor a caller means: one of the namespace, if the caller names one.
    pub(super) fn named(&self, namespace: Option<&str>, id: ActorId) -> Result<&Actor, ApiError> {
        let namespace = namespace.map(|name| self.namespace(name)).transpose()?;
        let actor = self.actors.get(id).ok_or(ApiError::ActorNotFound)?;
        if namespace.is_some_and(|namespace| namespace != actor.namespace) {
            return Err(ApiError::ActorNotFound);
        }
        Ok(actor)
    }
}
