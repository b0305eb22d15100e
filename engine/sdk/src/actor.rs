//! What an application writes: an actor, and what it is given.
//!
//! [`Context`] is the actor's world (identity, storage, sleep), [`Request`] and [`Response`] are what clients send
//! and get, [`WebSocket`] is what they talk on, [`ActorError`] is how a request fails. How instances are run is not here: see `instance`.

pub mod abort;
pub mod alarm;
pub mod context;
pub mod error;
pub mod kv;
pub mod request;
pub mod response;
pub mod websocket;

pub use abort::AbortSignal;
pub use alarm::AlarmError;
pub use context::Context;
pub use error::ActorError;
pub use kv::{Kv, KvError};
pub use request::Request;
pub use response::Response;
pub use websocket::WebSocket;

use std::future::Future;
use std::pin::Pin;

/// A stateful thing with an identity, of which one instance runs at a time.
///
/// A registry makes a new value for each generation of each actor, so that nothing outlives a stop but what was put
/// into [`Context::kv`]. The calls below are made one after the other, never two at once: `&mut self` needs no lock,
/// and a request sees everything the one before it did. Requests that come meanwhile wait in their order. An actor
/// that wants to do two things at once does so inside one call.
///
/// A call that is being awaited is dropped when the instance loses its right to run (its runner was cut off from the
/// engine for too long, or is stopped at once): hold nothing across an await that must not be left half done.
///
/// ```
/// use sdk::{Actor, ActorError, Context, Request, Response};
///
/// #[derive(Default)]
/// struct Greeter;
///
/// impl Actor for Greeter {
///     async fn on_request(&mut self, ctx: &Context, request: Request) -> Result<Response, ActorError> {
///         Ok(Response::text(format!("{} {} here", request.path(), ctx.key().unwrap_or("nobody"))))
///     }
/// }
/// ```
pub trait Actor: Send + 'static {
    /// Called once, before any request; requests wait for it. An error ends the generation as a crash.
    fn on_start(&mut self, _ctx: &Context) -> impl Future<Output = Result<(), ActorError>> + Send {
        async { Ok(()) }
    }

    /// A client's request. An error is answered as [`ActorError`] says; the actor lives on.
    fn on_request(
        &mut self,
        ctx: &Context,
        request: Request,
    ) -> impl Future<Output = Result<Response, ActorError>> + Send;

    /// A client's WebSocket. What this returns runs beside everything else the actor does, until it ends or the actor is
    /// cut off; the actor stops when all of them have ended, and their WebSockets are over by then. By default it is
    /// refused with 1011, `actor.websocket_unsupported`.
    fn on_websocket(
        &mut self,
        _ctx: &Context,
        socket: WebSocket,
    ) -> impl Future<Output = ()> + Send + 'static {
        socket.unsupported();
        async {}
    }

    /// Called once when the instance stops in order (sleep, destroy, drain), after the request in progress: the last
    /// chance to save. Not called when it is cut off.
    fn on_stop(&mut self, _ctx: &Context) -> impl Future<Output = ()> + Send {
        async {}
    }
}

/// The answer of a boxed actor.
pub(crate) type Boxed<'a, T> = Pin<Box<dyn Future<Output = T> + Send + 'a>>;

/// [`Actor`] behind a pointer, so that one registry holds many kinds.
pub(crate) trait AnyActor: Send {
    fn on_start<'a>(&'a mut self, ctx: &'a Context) -> Boxed<'a, Result<(), ActorError>>;
    fn on_request<'a>(
        &'a mut self,
        ctx: &'a Context,
        request: Request,
    ) -> Boxed<'a, Result<Response, ActorError>>;
    fn on_websocket(&mut self, ctx: &Context, socket: WebSocket) -> Boxed<'static, ()>;
    fn on_stop<'a>(&'a mut self, ctx: &'a Context) -> Boxed<'a, ()>;
}

impl<A: Actor> AnyActor for A {
    fn on_start<'a>(&'a mut self, ctx: &'a Context) -> Boxed<'a, Result<(), ActorError>> {
        Box::pin(Actor::on_start(self, ctx))
    }
    fn on_request<'a>(
        &'a mut self,
        ctx: &'a Context,
        request: Request,
    ) -> Boxed<'a, Result<Response, ActorError>> {
        Box::pin(Actor::on_request(self, ctx, request))
    }
    fn on_websocket(&mut self, ctx: &Context, socket: WebSocket) -> Boxed<'static, ()> {
        Box::pin(Actor::on_websocket(self, ctx, socket))
    }
    fn on_stop<'a>(&'a mut self, ctx: &'a Context) -> Boxed<'a, ()> {
        Box::pin(Actor::on_stop(self, ctx))
    }
}
