//! Kinds of actors and the ones that run, whatever their types: one registry holds many kinds.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;

use bytes::Bytes;
use machines::instance::{Hook, Options};
use parking_lot::RwLock;
use serde_json::Value;

use super::context::Core;
use super::{Actions, Actor, ActorError, Connection, Context, Request, Response, WebSocket};

/// What user code is, to whoever runs it.
pub(crate) type Boxed<T> = Pin<Box<dyn Future<Output = T> + Send>>;

/// A kind of actor.
pub(crate) trait Kind: Send + Sync {
    /// Timings and bounds.
    fn options(&self) -> Options;
    /// Makes one: user code, called in the task of the instance.
    fn make(&self, core: Arc<Core>) -> Box<dyn Subject>;
}

/// An actor that runs.
pub(crate) trait Subject: Send {
    /// Whether it has a state to keep.
    fn keeps_state(&self) -> bool;
    /// Its state, encoded.
    fn encode(&self) -> Result<Vec<u8>, serde_json::Error>;
    /// Replaces its state.
    fn decode(&self, state: &[u8]) -> Result<(), serde_json::Error>;
    /// Calls a hook.
    fn hook(&self, hook: Hook) -> Boxed<Result<(), ActorError>>;
    /// Whether it has any action.
    fn has_actions(&self) -> bool;
    /// Whether it has an action of this name.
    fn acts(&self, name: &str) -> bool;
    /// Calls an action, for a connection or for nobody that stays; none if it has none of that name.
    fn action(
        &self,
        name: &str,
        args: Value,
        caller: Option<Connection>,
    ) -> Option<Boxed<Result<Bytes, ActorError>>>;
    /// What it does for clients that stay.
    fn client(&self) -> Box<dyn Client>;
    /// Asks it by a request.
    fn request(&self, request: Request) -> Boxed<Result<Response, ActorError>>;
    /// Gives it a client's WebSocket.
    fn websocket(&self, socket: WebSocket) -> Boxed<()>;
}

/// What an actor does for clients that stay.
pub(crate) trait Client: Send + Sync {
    /// Lets one in, or not.
    fn connect(&self, connection: Connection) -> Boxed<Result<(), ActorError>>;
    /// One is gone.
    fn disconnect(&self, connection: Connection) -> Boxed<()>;
}

/// A kind of actor by the function that makes its values.
pub(crate) struct Made<A: Actor, F> {
    make: F,
    actions: Arc<Actions<A>>,
    options: Options,
}

impl<A: Actor, F: Fn() -> A + Send + Sync + 'static> Made<A, F> {
    pub(crate) fn new(make: F) -> Self {
        Self { make, actions: Arc::new(Actions::of()), options: A::timings().options() }
    }
}

impl<A: Actor, F: Fn() -> A + Send + Sync + 'static> Kind for Made<A, F> {
    fn options(&self) -> Options {
        self.options.clone()
    }

    fn make(&self, core: Arc<Core>) -> Box<dyn Subject> {
        let state = Arc::new(RwLock::new(A::State::default()));
        Box::new(Running {
            actor: Arc::new((self.make)()),
            ctx: Context::new(core, Arc::clone(&state)),
            state,
            actions: Arc::clone(&self.actions),
        })
    }
}

struct Running<A: Actor> {
    actor: Arc<A>,
    ctx: Context<A::State>,
    state: Arc<RwLock<A::State>>,
    actions: Arc<Actions<A>>,
}

impl<A: Actor> Subject for Running<A> {
    fn keeps_state(&self) -> bool {
        size_of::<A::State>() > 0
    }

    fn encode(&self) -> Result<Vec<u8>, serde_json::Error> {
        serde_json::to_vec(&*self.state.read())
    }

    fn decode(&self, state: &[u8]) -> Result<(), serde_json::Error> {
        *self.state.write() = serde_json::from_slice(state)?;
        Ok(())
    }

    fn hook(&self, hook: Hook) -> Boxed<Result<(), ActorError>> {
        let (actor, ctx) = (Arc::clone(&self.actor), self.ctx.clone());
        match hook {
            Hook::Create => Box::pin(async move { actor.on_create(&ctx).await }),
            Hook::Start => Box::pin(async move { actor.on_start(&ctx).await }),
            Hook::Run => Box::pin(async move { actor.run(&ctx).await }),
            Hook::Sleep => Box::pin(async move {
                actor.on_sleep(&ctx).await;
                Ok(())
            }),
            Hook::Destroy => Box::pin(async move {
                actor.on_destroy(&ctx).await;
                Ok(())
            }),
        }
    }

    fn has_actions(&self) -> bool {
        !self.actions.is_empty()
    }

    fn acts(&self, name: &str) -> bool {
        self.actions.has(name)
    }

    fn action(
        &self,
        name: &str,
        args: Value,
        caller: Option<Connection>,
    ) -> Option<Boxed<Result<Bytes, ActorError>>> {
        self.actions.call(name, Arc::clone(&self.actor), self.ctx.called_by(caller), args)
    }

    fn client(&self) -> Box<dyn Client> {
        Box::new(Greeter { actor: Arc::clone(&self.actor), ctx: self.ctx.clone() })
    }

    fn request(&self, request: Request) -> Boxed<Result<Response, ActorError>> {
        let (actor, ctx) = (Arc::clone(&self.actor), self.ctx.clone());
        Box::pin(async move { actor.on_request(&ctx, request).await })
    }

    fn websocket(&self, socket: WebSocket) -> Boxed<()> {
        let (actor, ctx) = (Arc::clone(&self.actor), self.ctx.clone());
        Box::pin(async move { actor.on_websocket(&ctx, socket).await })
    }
}

struct Greeter<A: Actor> {
    actor: Arc<A>,
    ctx: Context<A::State>,
}

impl<A: Actor> Client for Greeter<A> {
    fn connect(&self, connection: Connection) -> Boxed<Result<(), ActorError>> {
        let (actor, ctx) = (Arc::clone(&self.actor), self.ctx.clone());
        Box::pin(async move { actor.on_connect(&ctx, &connection).await })
    }

    fn disconnect(&self, connection: Connection) -> Boxed<()> {
        let (actor, ctx) = (Arc::clone(&self.actor), self.ctx.clone());
        Box::pin(async move { actor.on_disconnect(&ctx, &connection).await })
    }
}
