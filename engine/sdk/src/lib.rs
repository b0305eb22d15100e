//! What an application uses: actors, the session with the engine, the serverless endpoint.
//!
//! Write an [`Actor`], put it into a [`Registry`], and run it as a normal runner that connects to the engine by
//! itself. An actor is reached through the engine's gateway under `/gateway/{actor id}/…`, wherever it runs.
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

pub use actor::{AbortSignal, Actor, ActorError, Context, Kv, KvError, Request, Response};
pub use client::{Client, ClientError, Executed};
pub use endpoint::{Endpoint, EndpointError};
pub use pool::{Failure, Pool, PoolOptions, Standing, configure_pool};
pub use registry::{Registry, RegistryError};
pub use run::{RunEnd, RunError, RunnerOptions};
pub use serverless::{Serverless, ServerlessOptions};
pub use shutdown::{Shutdown, Stop, shutdown};
