//! What an application uses: actors, the session with the engine, the serverless endpoint.
//!
//! Write an [`Actor`], put it into a [`Registry`], and run it as a normal runner that connects to the engine by
//! itself, or behind a [`Serverless`] endpoint where the engine starts runners by request. An actor is reached through
//! the engine's gateway under `/gateway/{actor id}/…`, wherever it runs: its actions under `action/{name}`, whatever else
//! it answers under `request/…`.
//!
//! ```no_run
//! use std::sync::Arc;
//! use sdk::{Action, Actions, Actor, ActorError, Context, Registry, RunnerOptions};
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
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let registry = Registry::builder().actor("visits", || Visits).build()?;
//! let options = RunnerOptions::new("http://127.0.0.1:6420".parse()?);
//! let (stop, shutdown) = sdk::shutdown();
//! runtime::process::block_on(None, async {
//!     let signals = runtime::spawn("signals", stop.follow(runtime::signals::Signals::new()?));
//!     registry.run(options, shutdown).await?;
//!     signals.abort();
//!     Ok::<_, Box<dyn std::error::Error>>(())
//! })?
//! # }
//! ```
//!
//! Every decision about order, time and failure is made in `machines::runner`; this crate moves bytes and runs user
//! code. All of it runs unchanged in a simulated world.

pub mod actor;
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

pub use actor::{
    AbortSignal, Action, Actions, Actor, ActorError, AlarmError, Awake, Context, Kv, KvError, Request,
    Response, SaveError, Schedule, ScheduleError, Scheduled, StateMut, StateRef, Timings,
};
pub use client::{Client, ClientError, Executed};
pub use endpoint::{Endpoint, EndpointError};
pub use pool::{Failure, Pool, PoolOptions, Standing, configure_pool};
pub use registry::{Registry, RegistryError};
pub use run::{RunEnd, RunError, RunnerOptions};
pub use serverless::{Serverless, ServerlessOptions};
pub use shutdown::{Shutdown, Stop, shutdown};
pub use view::View;
