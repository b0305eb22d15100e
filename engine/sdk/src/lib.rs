//! What an application uses: actors, the session with the engine, the serverless endpoint.
//!
//! Write an [`Actor`], put it into a [`Registry`], and make an [`Application`] of it: a normal runner that connects to the
//! engine by itself, or a serverless endpoint where the engine starts runners by request, with an engine that runs
//! somewhere, in the same process, or in one of its own. [`Registry::run`] and [`Serverless`] are its parts, for who wants
//! to put them together himself. An actor is reached through the engine's gateway under `/gateway/{actor id}/…`, wherever
//! it runs: its actions under `action/{name}`, whatever else it answers under `request/…`. A [`Client`] calls it by a
//! [`Handle`]; an actor has one in [`Context::client`].
//!
//! ```no_run
//! use std::sync::Arc;
//! use sdk::application::{Application, Mode};
//! use sdk::{Action, Actions, Actor, ActorError, Context, Registry};
//!
//! const VISIT: Action<(), u64> = Action::new("visit");
//!
//! /// Counts its visits, over every restart.
//! struct Visits;
//!
//! impl Actor for Visits {
//!     type State = u64;
//!
//!     fn actions(on: &mut Actions<Self>) {
//!         on.action(VISIT, Self::visit);
//!     }
//! }
//!
//! impl Visits {
//!     async fn visit(self: Arc<Self>, ctx: Context<u64>, (): ()) -> Result<u64, ActorError> {
//!         *ctx.state_mut() += 1;
//!         ctx.save().await?;
//!         Ok(*ctx.state())
//!     }
//! }
//!
//! fn main() -> Result<std::process::ExitCode, Box<dyn std::error::Error>> {
//!     let registry = Registry::builder().actor("visits", || Visits).build()?;
//!     let app = Application::builder(registry).endpoint("http://127.0.0.1:6420").build()?;
//!     let signal = runtime::process::block_on(None, async {
//!         app.run(Mode::Runner, runtime::signals::Signals::new()?).await.map_err(std::io::Error::other)
//!     })??;
//!     Ok(signal.map_or(std::process::ExitCode::SUCCESS, |signal| signal.end_process()))
//! }
//! ```
//!
//! Every decision about order, time and failure is made in `machines::runner`; this crate moves bytes and runs user
//! code. All of it runs unchanged in a simulated world.

pub mod actor;
pub mod application;
pub mod client;
mod clock;
pub mod endpoint;
mod instance;
pub mod pool;
pub mod registry;
pub mod run;
pub mod serverless;
mod session;
pub mod shutdown;
pub mod sql;
pub mod view;
pub mod websocket;

pub use actor::{
    AbortSignal, Action, Actions, Actor, ActorError, AlarmError, Awake, Connection, Context, Event, Kv,
    KvError, Request, Response, SaveError, Schedule, ScheduleError, Scheduled, StateMut, StateRef, Timings,
    WebSocket,
};
pub use application::{Application, ApplicationOptions, EngineChoice};
pub use client::{CallError, Client, ClientError, Executed, Handle};
pub use endpoint::{Endpoint, EndpointError, Located};
pub use pool::{Failure, Pool, PoolOptions, Standing, configure_pool};
pub use registry::{Registry, RegistryError};
pub use run::{RunEnd, RunError, RunnerOptions};
pub use serverless::{Serverless, ServerlessOptions};
pub use shutdown::{Shutdown, Stop, shutdown};
pub use view::View;
pub use websocket::{CloseInfo, Message, SendError};
