//! A counter that survives: what it answers is stored.

use std::sync::Arc;

use sdk::{Action, Actions, Actor, ActorError, Context, Request, Response};

/// Adds so much, and answers the value.
pub const INCREMENT: Action<i64, i64> = Action::new("increment");

/// Answers the value.
pub const VALUE: Action<(), i64> = Action::new("value");

/// Counts.
#[derive(Debug, Default)]
pub struct Counter;

impl Actor for Counter {
    type State = i64;

    fn actions(on: &mut Actions<Self>) {
        on.action(INCREMENT, Self::increment);
        on.action(VALUE, Self::value);
    }

    /// `GET /request/value` answers it too, for whoever has nothing but a browser.
    async fn on_request(&self, ctx: &Context<i64>, request: Request) -> Result<Response, ActorError> {
        match (request.method().as_str(), request.path()) {
            ("GET", "/value") => Ok(Response::json(&stored(ctx).await?)),
            _ => Err(ActorError::not_found("Try GET /request/value.")),
        }
    }
}

impl Counter {
    /// What [`INCREMENT`] does.
    ///
    /// # Errors
    /// `user.overflow` when the counter is full; else when it is not known whether the value is stored.
    pub async fn increment(self: Arc<Self>, ctx: Context<i64>, by: i64) -> Result<i64, ActorError> {
        let full = || ActorError::user("overflow", "The counter is full.");
        let value = ctx.state().checked_add(by).ok_or_else(full)?;
        *ctx.state_mut() = value;
        if let Err(error) = ctx.save().await {
            // Nobody shall see what may not be stored.
            *ctx.state_mut() -= by;
            return Err(error.into());
        }
        Ok(value)
    }

    /// What [`VALUE`] does.
    ///
    /// # Errors
    /// When it is not known whether the value is stored.
    pub async fn value(self: Arc<Self>, ctx: Context<i64>, (): ()) -> Result<i64, ActorError> {
        stored(&ctx).await
    }
}

/// The value, once it is stored: another call may have changed it a moment ago.
async fn stored(ctx: &Context<i64>) -> Result<i64, ActorError> {
    let value = *ctx.state();
    ctx.save().await?;
    Ok(value)
}
