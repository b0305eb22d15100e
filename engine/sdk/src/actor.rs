//! What an application writes: an actor, and what it is given.
//!
//! An [`Actor`] says what it keeps ([`Actor::State`]), what it can be asked ([`Actions`]), and what it does when it
//! starts, is asked, sleeps or is destroyed. [`Context`] is its world: who it is, its state, its storage, its sleep.
//! [`Request`] and [`Response`] are what clients send and get, [`WebSocket`] is what they talk on, [`ActorError`] is how a
//! request fails. How instances are run is not here: see `instance`.

pub mod abort;
pub mod action;
pub mod alarm;
pub mod awake;
pub mod connection;
pub mod context;
pub mod error;
pub mod event;
pub mod kv;
pub(crate) mod layout;
pub mod request;
pub mod response;
pub mod save;
pub mod schedule;
pub mod state;
pub(crate) mod subject;
pub mod websocket;

pub use abort::AbortSignal;
pub use action::{Action, Actions};
pub use alarm::AlarmError;
pub use awake::Awake;
pub use connection::Connection;
pub use context::Context;
pub use error::ActorError;
pub use event::Event;
pub use kv::{Kv, KvError};
pub use request::Request;
pub use response::Response;
pub use save::SaveError;
pub use schedule::{Schedule, ScheduleError, Scheduled};
pub use state::{StateMut, StateRef};
pub use websocket::WebSocket;

use std::future::Future;
use std::time::Duration;

use machines::instance::Options;
use serde::Serialize;
use serde::de::DeserializeOwned;

/// A stateful thing with an identity, of which one instance runs at a time.
///
/// What must last is in its [`State`](Self::State), which is written on change and read before it starts; in its storage
/// ([`Context::kv`]); nowhere else. The value itself is made anew for each start and holds what may be lost: caches,
/// connections to others.
///
/// Its code runs concurrently and never in parallel: while one call awaits, others go on, but no two run at the same
/// moment. Between two awaits nobody else touches the state. A call that is being awaited is dropped when the instance
/// loses its right to run (its runner was cut off from the engine for too long, or is stopped at once) or takes longer
/// than a stop waits: hold nothing across an await that must not be left half done.
///
/// ```
/// use std::sync::Arc;
/// use sdk::{Action, Actions, Actor, ActorError, Context};
///
/// /// Adds, and answers the sum.
/// pub const ADD: Action<i64, i64> = Action::new("add");
///
/// #[derive(Default)]
/// pub struct Sum;
///
/// impl Actor for Sum {
///     type State = i64;
///
///     fn actions(on: &mut Actions<Self>) {
///         on.action(ADD, Self::add);
///     }
/// }
///
/// impl Sum {
///     async fn add(self: Arc<Self>, ctx: Context<i64>, by: i64) -> Result<i64, ActorError> {
///         *ctx.state_mut() += by;
///         // What is answered is stored.
///         ctx.save().await?;
///         Ok(*ctx.state())
///     }
/// }
/// ```
pub trait Actor: Send + Sync + Sized + 'static {
    /// What lasts: stored as JSON, at most 896 KiB. An actor without state has `()`, for which nothing is stored.
    type State: Serialize + DeserializeOwned + Default + Send + Sync + 'static;

    /// Says what it can be asked by name. Called once for each kind of actor.
    fn actions(_on: &mut Actions<Self>) {}

    /// Timings. Called once for each kind of actor.
    fn timings() -> Timings {
        Timings::default()
    }

    /// Called once in the life of an actor, before its first [`Self::on_start`], to fill its state, which is the default
    /// one; again from the beginning if its first start did not end well. An error ends the generation as a crash. Not
    /// called for an actor without state.
    fn on_create(&self, _ctx: &Context<Self::State>) -> impl Future<Output = Result<(), ActorError>> + Send {
        async { Ok(()) }
    }

    /// Called once for each start, before anything is asked; whoever asks waits for it. An error ends the generation as a
    /// crash.
    fn on_start(&self, _ctx: &Context<Self::State>) -> impl Future<Output = Result<(), ActorError>> + Send {
        async { Ok(()) }
    }

    /// A client's request below `/request`. An error is answered as [`ActorError`] says; the actor lives on.
    fn on_request(
        &self,
        _ctx: &Context<Self::State>,
        _request: Request,
    ) -> impl Future<Output = Result<Response, ActorError>> + Send {
        async { Err(ActorError::not_found("This actor takes no requests of this kind.")) }
    }

    /// A client's WebSocket below `/websocket`, for as long as this has not returned: then it is closed. While it is open
    /// the actor does not sleep by itself; when the actor is stopped, it is over. By default it is refused with 1011,
    /// `actor.websocket_unsupported`.
    fn on_websocket(
        &self,
        _ctx: &Context<Self::State>,
        socket: WebSocket,
    ) -> impl Future<Output = ()> + Send {
        socket.unsupported();
        async {}
    }

    /// A client wants to stay connected: it calls actions, and hears of events. An error refuses it. Only then is it one of
    /// [`Context::connections`].
    fn on_connect(
        &self,
        _ctx: &Context<Self::State>,
        _connection: &Connection,
    ) -> impl Future<Output = Result<(), ActorError>> + Send {
        async { Ok(()) }
    }

    /// A client that was connected is so no more. Called once for each, unless the instance is cut off.
    fn on_disconnect(
        &self,
        _ctx: &Context<Self::State>,
        _connection: &Connection,
    ) -> impl Future<Output = ()> + Send {
        async {}
    }

    /// What it does in the background once it has started. While it runs the actor does not sleep by itself. A stop waits
    /// for its end: watch [`Context::abort_signal`], or wait by [`Context::pause`]. An error ends the generation as a
    /// crash.
    fn run(&self, _ctx: &Context<Self::State>) -> impl Future<Output = Result<(), ActorError>> + Send {
        async { Ok(()) }
    }

    /// Called once when the instance stops in order and may start again (sleep, drain): the last chance to change its
    /// state. Calls in progress go on beside it. Not called when it is cut off.
    ///
    /// The engine does not tell why it stops an actor: one that somebody deletes is put to sleep first, too.
    fn on_sleep(&self, _ctx: &Context<Self::State>) -> impl Future<Output = ()> + Send {
        async {}
    }

    /// Called once when the instance stops because it [wanted to be destroyed](Context::destroy); its storage is still
    /// there.
    fn on_destroy(&self, _ctx: &Context<Self::State>) -> impl Future<Output = ()> + Send {
        async {}
    }
}

/// Timings of a kind of actor. Defaults are upstream's.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Timings {
    /// How long it may take to start, from reading its state until its first state is stored. The engine has a bound of
    /// its own, 30 s: what takes longer there is given up. Default 30 s.
    pub start_timeout: Duration,
    /// How long whoever calls an action waits; none waits for ever. The action itself goes on. Default 60 s.
    pub action_timeout: Option<Duration>,
    /// After this long without anything that keeps it awake the actor sleeps; none never does by itself. Default 30 s.
    pub sleep_timeout: Option<Duration>,
    /// How long a stop waits for what the actor does. Default 15 s.
    pub stop_grace: Duration,
    /// Between two writes of a state that changes. Default 1 s.
    pub save_interval: Duration,
}

impl Default for Timings {
    fn default() -> Self {
        let Options { start_timeout, action_timeout, sleep_timeout, stop_grace, save_interval, .. } =
            Options::default();
        Self { start_timeout, action_timeout, sleep_timeout, stop_grace, save_interval }
    }
}

impl Timings {
    pub(crate) fn options(&self) -> Options {
        let Self { start_timeout, action_timeout, sleep_timeout, stop_grace, save_interval } = *self;
        Options {
            start_timeout,
            action_timeout,
            sleep_timeout,
            stop_grace,
            save_interval,
            ..Options::default()
        }
    }
}
