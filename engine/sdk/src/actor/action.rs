//! What an actor can be asked by name, with a value, for a value.

use std::collections::BTreeMap;
use std::future::Future;
use std::marker::PhantomData;
use std::sync::Arc;

use bytes::Bytes;
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value;

use super::subject::Boxed;
use super::{Actor, ActorError, Context};

/// The name of an action, with the types of what it takes and gives: the same constant says how it is answered and how it
/// is called.
pub struct Action<In, Out> {
    name: &'static str,
    types: PhantomData<fn(In) -> Out>,
}

impl<In, Out> Action<In, Out> {
    /// An action of this name.
    #[must_use]
    pub const fn new(name: &'static str) -> Self {
        Self { name, types: PhantomData }
    }

    /// Its name.
    #[must_use]
    pub const fn name(&self) -> &'static str {
        self.name
    }
}

impl<In, Out> Clone for Action<In, Out> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<In, Out> Copy for Action<In, Out> {}

impl<In, Out> std::fmt::Debug for Action<In, Out> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_tuple("Action").field(&self.name).finish()
    }
}

type Call<A> = Box<
    dyn Fn(Arc<A>, Context<<A as Actor>::State>, Value) -> Boxed<Result<Bytes, ActorError>> + Send + Sync,
>;

/// The actions of a kind of actor.
pub struct Actions<A: Actor>(BTreeMap<&'static str, Call<A>>);

impl<A: Actor> Actions<A> {
    pub(super) fn of() -> Self {
        let mut actions = Self(BTreeMap::new());
        A::actions(&mut actions);
        actions
    }

    /// Answers an action by a function: `async fn add(self: Arc<Self>, ctx: Context<State>, by: i64) -> Result<i64, …>`.
    ///
    /// # Panics
    /// If an action has that name already.
    pub fn action<In, Out, Fut>(
        &mut self,
        action: Action<In, Out>,
        answer: impl Fn(Arc<A>, Context<A::State>, In) -> Fut + Clone + Send + Sync + 'static,
    ) -> &mut Self
    where
        In: DeserializeOwned + Send + 'static,
        Out: Serialize + 'static,
        Fut: Future<Output = Result<Out, ActorError>> + Send,
    {
        let call: Call<A> = Box::new(move |actor, ctx, args| {
            let answer = answer.clone();
            Box::pin(async move {
                let output = answer(actor, ctx, arguments(args)?).await?;
                serde_json::to_vec(&output).map(Bytes::from).map_err(ActorError::internal)
            })
        });
        let before = self.0.insert(action.name, call);
        assert!(before.is_none(), "two actions are named {:?}", action.name);
        self
    }

    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    pub(super) fn has(&self, name: &str) -> bool {
        self.0.contains_key(name)
    }

    pub(super) fn call(
        &self,
        name: &str,
        actor: Arc<A>,
        ctx: Context<A::State>,
        args: Value,
    ) -> Option<Boxed<Result<Bytes, ActorError>>> {
        self.0.get(name).map(|call| call(actor, ctx, args))
    }
}

/// What an action was called with. Clients send a list of arguments, or the one value: an action that takes no list is
/// called with the only item of one, and one that takes nothing with an empty one.
fn arguments<In: DeserializeOwned>(args: Value) -> Result<In, ActorError> {
    let as_it_is = In::deserialize(&args);
    let first = match as_it_is {
        Ok(value) => return Ok(value),
        Err(error) => error,
    };
    let item = match args {
        Value::Array(mut items) if items.len() <= 1 => items.pop().unwrap_or(Value::Null),
        Value::Array(_)
        | Value::Null
        | Value::Bool(_)
        | Value::Number(_)
        | Value::String(_)
        | Value::Object(_) => return Err(ActorError::user("invalid_arguments", first.to_string())),
    };
    In::deserialize(item).map_err(|error| ActorError::user("invalid_arguments", error.to_string()))
}

#[cfg(test)]
mod tests {
    use serde::Deserialize;
    use serde_json::json;

    use super::*;

    #[derive(Debug, Deserialize, PartialEq)]
    struct Named {
        by: i64,
    }

    #[test]
    fn arguments_are_the_value_or_a_list_of_it() {
        assert_eq!(arguments::<i64>(json!(5)).unwrap(), 5);
        assert_eq!(arguments::<i64>(json!([5])).unwrap(), 5);
        assert_eq!(arguments::<Named>(json!({"by": 5})).unwrap(), Named { by: 5 });
        assert_eq!(arguments::<Named>(json!([{"by": 5}])).unwrap(), Named { by: 5 });
        assert_eq!(arguments::<(i64, String)>(json!([5, "a"])).unwrap(), (5, "a".into()));
        assert_eq!(arguments::<Vec<i64>>(json!([5, 6])).unwrap(), [5, 6]);
        arguments::<()>(json!([])).unwrap();
        arguments::<()>(Value::Null).unwrap();
        for wrong in [json!("x"), json!([1, 2]), json!([])] {
            assert!(matches!(arguments::<i64>(wrong), Err(ActorError::User { status: 400, .. })));
        }
    }
}
