//! An application: one engine, one mode, one start that cannot half-happen.
//!
//! An [`Application`] is made of a [`Registry`] and does nothing, not even open a socket or a timer, before its first
//! call. Then it prepares the engine it was told of (connects to one, embeds one, or spawns one) and starts its mode:
//! [`Application::start_runner`], or [`Application::start_serverless`] and [`Application::handle`]. What is decided
//! about that, in every order of calls, failures and shutdowns, is decided in `machines::runner::startup`.
//!
//! [`options`] is what it is made with, [`resolve`] where that comes from; `ground` is the engine, `service` the mode,
//! `shared` keeps both. [`signals`] is for binaries.

mod answer;
mod ground;
pub mod options;
pub mod resolve;
mod service;
mod shared;
pub mod signals;

pub use machines::runner::startup::health::Health;
pub use machines::runner::startup::{Cause, End, Mode, Refusal as StartError, Standing};
pub use options::{ApplicationOptions, EngineChoice, Serving, SpawnOptions};
pub use resolve::{Builder, ConfigError, Environment};

#[cfg(feature = "embedded")]
pub use options::Embedded;

use std::net::SocketAddr;
use std::sync::Arc;

use http::{Request, Response};
use machines::runner::startup::Input;

use crate::endpoint::Endpoint;
use crate::pool::{self, Failure};
use crate::registry::Registry;
use crate::serverless::Body;
use shared::Shared;

/// An application. Clones share it; when the last one is dropped it stops at once, in tasks of its own.
#[derive(Clone, Debug)]
pub struct Application(Arc<Owned>);

/// What ends with the last clone.
#[derive(Debug)]
struct Owned(Arc<Shared>);

impl Drop for Owned {
    fn drop(&mut self) {
        self.0.abandon();
    }
}

impl Application {
    /// Begins an application with these actors.
    #[must_use]
    pub fn builder(registry: Registry) -> Builder {
        Builder::new(registry)
    }

    /// An application as these options say. Nothing happens before the first call.
    #[must_use]
    pub fn new(registry: Registry, options: ApplicationOptions) -> Self {
        Self(Arc::new(Owned(Arc::new(Shared::new(registry, options)))))
    }

    /// Changes the options, as long as nothing was made from them: before the first call, and after a failure that may
    /// pass.
    ///
    /// # Errors
    /// [`StartError::Configured`] once preparation has begun, and what else ended the time of changes.
    pub fn configure(&self, edit: impl FnOnce(&mut ApplicationOptions)) -> Result<(), StartError> {
        self.shared().configure(edit)
    }

    /// Makes the engine ready, for whichever mode.
    ///
    /// # Errors
    /// [`StartError`]; the same for all who wait. Nothing is left of an attempt that failed.
    pub async fn prepare(&self) -> Result<(), StartError> {
        self.shared().call(|ticket| Input::Prepare { ticket }).await
    }

    /// Starts a runner that connects to the engine by itself. Returns when the engine knows it; as long as a connected
    /// engine is out of reach it waits, and dials.
    ///
    /// # Errors
    /// As [`Application::prepare`]; [`StartError::ModeConflict`] if it is serverless.
    pub async fn start_runner(&self) -> Result<(), StartError> {
        self.start(Mode::Runner).await
    }

    /// Starts the endpoint at which the engine asks for runners. Returns when it takes requests, whether or not the engine
    /// knows the pool yet: that engine asks back before it does.
    ///
    /// # Errors
    /// As [`Application::prepare`]; [`StartError::ModeConflict`] if it is a runner.
    pub async fn start_serverless(&self) -> Result<(), StartError> {
        self.start(Mode::Serverless).await
    }

    /// Starts in a mode.
    ///
    /// # Errors
    /// As [`Application::start_runner`] and [`Application::start_serverless`].
    pub async fn start(&self, mode: Mode) -> Result<(), StartError> {
        self.shared().call(|ticket| Input::Start { ticket, mode }).await
    }

    /// Waits until it is ready, without starting it: the engine knows the runner; or the endpoint takes requests and the
    /// engine knows its pool. What may pass is waited for.
    ///
    /// # Errors
    /// [`StartError`]; of a pool only what cannot pass.
    pub async fn ready(&self) -> Result<(), StartError> {
        self.shared().call(|ticket| Input::Watch { ticket }).await?;
        let Some(pool) = self.shared().pool() else { return Ok(()) };
        loop {
            match pool.ready().await {
                Ok(()) => return Ok(()),
                Err(Failure::Stopped) => return Err(StartError::ShutDown),
                Err(failure) => {
                    if let pool::Standing::Fatal(_) = pool.standing() {
                        return Err(StartError::Failed(Cause::Pool { message: failure.to_string() }));
                    }
                }
            }
        }
    }

    /// Answers a request below the base path, for whoever has a server of his own. Starts the application as serverless,
    /// if it is not yet; a request that comes before waits. `GET /health` waits for nothing, and nothing here waits for
    /// the engine to know the pool.
    pub async fn handle<B>(&self, request: &Request<B>) -> Response<Body> {
        self.shared().handle(request).await
    }

    /// Ends it in order: new starts are refused, actors move away or stop, then what was created for it is taken down.
    /// Bounded by the grace; however often it is called there is one end.
    pub async fn shutdown(&self) -> End {
        self.shared().end(true).await
    }

    /// Ends it at once, also a shutdown that is under way.
    pub async fn stop_now(&self) -> End {
        self.shared().end(false).await
    }

    /// Waits until it has come to rest: ended, or failed with nothing left of it.
    ///
    /// # Errors
    /// Why it failed.
    pub async fn settled(&self) -> Result<End, Cause> {
        self.shared().settled().await
    }

    /// How it stands.
    #[must_use]
    pub fn standing(&self) -> Standing {
        self.shared().standing()
    }

    /// How it is, in one word for health checks.
    #[must_use]
    pub fn health(&self) -> Health {
        self.shared().health()
    }

    /// What it is made with.
    #[must_use]
    pub fn options(&self) -> Arc<ApplicationOptions> {
        self.shared().options()
    }

    /// The engine it has; none before it is prepared.
    #[must_use]
    pub fn endpoint(&self) -> Option<Endpoint> {
        self.shared().endpoint()
    }

    /// Where its own endpoint listens, with the port that port 0 became; none if it does not.
    #[must_use]
    pub fn listening(&self) -> Option<SocketAddr> {
        self.shared().listening()
    }

    /// How the pool's configuration stands; none as long as it configures none.
    #[must_use]
    pub fn pool_standing(&self) -> Option<pool::Standing> {
        self.shared().pool().map(|pool| pool.standing())
    }

    pub(crate) fn shared(&self) -> &Arc<Shared> {
        &self.0.0
    }
}
