//! Creating an actor. The call is answered before the actor runs: from its commit on the actor is pending.

use protocol::error::ApiError;
use protocol::id::{ActorId, BodyId};
use protocol::mark;
use protocol::time::Wall;

use super::Control;
use super::effect::{Answer, Effect};
use super::input::NewActor;
use super::pool::PoolKey;
use super::record::{Actor, Key, Phase};
use super::step::Step;

impl Control {
    /// Creates an actor, unless its key is taken.
    pub(super) fn create_actor(&mut self, step: &mut Step, new: NewActor) -> Result<Answer, ApiError> {
        let existing = self.holder(&new).inspect_err(|_| drop_input(step, new.input))?;
        if let Some(existing_actor_id) = existing {
            drop_input(step, new.input);
            let key = new.key.unwrap_or_default();
            return Err(ApiError::ActorDuplicateKey { existing_actor_id, key });
        }
        self.add_actor(step, new)
    }

    /// Creates an actor, or answers the one that has its key, whatever pool that one is in.
    pub(super) fn get_or_create_actor(&mut self, step: &mut Step, new: NewActor) -> Result<Answer, ApiError> {
        let existing = self.holder(&new).inspect_err(|_| drop_input(step, new.input))?;
        if let Some(existing) = existing {
            drop_input(step, new.input);
            return Ok(Answer::Actor { actor: self.show_actor(self.actors.known(existing)), created: false });
        }
        self.add_actor(step, new)
    }

    /// Answers the actor that has the key of the one to be, and creates none.
    pub(super) fn find_actor(
        &self,
        step: &mut Step,
        new: NewActor,
        refusal: ApiError,
    ) -> Result<Answer, ApiError> {
        drop_input(step, new.input);
        match self.holder(&new)? {
            Some(existing) => {
                Ok(Answer::Actor { actor: self.show_actor(self.actors.known(existing)), created: false })
            }
            None => Err(refusal),
        }
    }

    /// Who has the key of the actor to be.
    fn holder(&self, new: &NewActor) -> Result<Option<ActorId>, ApiError> {
        let namespace = self.namespace(&new.namespace)?;
        Ok(new.key.as_ref().and_then(|key| self.actors.by_key(namespace, &new.name, key)))
    }

    fn add_actor(&mut self, step: &mut Step, new: NewActor) -> Result<Answer, ApiError> {
        let pool = self.usable_pool(&new).inspect_err(|_| drop_input(step, new.input))?;
        let (id, input) = (new.fresh, new.input);
        self.learn_name(step, pool.namespace, &new.name);
        let since = self.end_of_queue(&pool);
        let actor = self.pending_actor(&pool, new, since);
        let phase = actor.phase.clone();
        assert!(self.actors.insert(actor), "a fresh id is not in use, and the key was free");
        self.enter(id, &pool, &phase);
        step.changed(Key::Actor(id));
        step.pools.insert(pool);
        step.routes.insert(id);
        if let Some(body) = input {
            step.write(Effect::KeepInput { actor: id, body });
        }
        Ok(Answer::Actor { actor: self.show_actor(self.actors.known(id)), created: true })
    }

    /// A pool that is configured, or that a runner has joined by itself.
    fn usable_pool(&self, new: &NewActor) -> Result<PoolKey, ApiError> {
        let pool = PoolKey { namespace: self.namespace(&new.namespace)?, name: new.pool.as_str().into() };
        let known = |pool: &super::pool::Pool| pool.config.is_some() || !pool.runners.is_empty();
        if !self.pools.get(&pool).is_some_and(known) {
            let (namespace, pool_name) = (new.namespace.clone(), pool.name.to_string());
            return Err(ApiError::ActorNoRunnerConfig { namespace, pool_name });
        }
        if self.actors.living() >= self.options.actors_max {
            mark!("control.actors_max");
            return Err(ApiError::GuardServiceUnavailable);
        }
        Ok(pool)
    }

    fn pending_actor(&self, pool: &PoolKey, new: NewActor, since: Wall) -> Actor {
        Actor {
            id: new.fresh,
            namespace: pool.namespace,
            name: new.name.into(),
            key: new.key.map(Into::into),
            pool: pool.name.clone(),
            crash_policy: new.crash_policy,
            has_input: new.input.is_some(),
            generation: None,
            phase: Phase::Pending { since },
            alarm: None,
            rings: false,
            retries: 0,
            retried: None,
            failure: None,
            created: self.now.wall,
            started: None,
            connectable: None,
            slept: None,
            destroyed: None,
        }
    }
}

fn drop_input(step: &mut Step, input: Option<BodyId>) {
    if let Some(body) = input {
        step.perform(Effect::Drop { body });
    }
}
