//! Serverless mode: the engine starts runners by a request, and holds each open by its response.
//!
//! Below a base path the application answers `GET /health`, `GET /metadata` and `GET /start`. The last one starts a
//! runner of its own with a fresh key, which connects to the engine that asked, and answers with an event stream that
//! stays open as long as the runner is wanted. Mount [`Serverless`] in any server that speaks hyper's service trait or
//! tower's, or let [`Serverless::serve`] be one.
//!
//! [`headers`] reads what `/start` was asked with, [`start`] runs a stream and its runner, [`serve`] is the server.
//! When a stream ends is decided in `machines::runner::stream`.

mod active;
pub(crate) mod answer;
pub mod body;
mod headers;
mod serve;
mod start;

pub use body::Body;

use std::convert::Infallible;
use std::future::{Ready, ready};
use std::sync::Arc;
use std::task::{Context, Poll};

use http::{Method, Request, Response};
use machines::runner;
use machines::runner::startup::health;
use protocol::error::ApiError;
use protocol::view::{Nobody, Witness};

use crate::clock;
use crate::endpoint::Endpoint;
use crate::pool::Pool;
use crate::registry::Registry;
use crate::shutdown::Shutdown;
use crate::view::View;
use active::Active;

/// How an application lets itself be started.
#[derive(Clone)]
pub struct ServerlessOptions {
    /// Where its paths begin. Default `/api/rivet` (upstream).
    pub base_path: String,
    /// The engine that may start runners. None, the default: whoever can reach `/start` says which engine the runner
    /// connects to, so do not let strangers reach it.
    pub endpoint: Option<Endpoint>,
    /// The namespace in which runners may be started. Default: any.
    pub namespace: Option<String>,
    /// Version of the application; runners of higher versions replace those of lower ones. Default 1.
    pub version: u32,
    /// Runners at one time at most; more are refused with 503. Default 1000.
    pub runners_max: usize,
    /// Timings; its slots are replaced by what each request asks for.
    pub timings: runner::Options,
    /// Who is told facts. Default nobody.
    pub witness: Arc<dyn Witness>,
    /// Shows how the session of each runner stands. Default a view nobody looks at.
    pub view: View,
    /// The pool whose standing `/health` reports. Default none.
    pub pool: Option<Arc<Pool>>,
}

impl Default for ServerlessOptions {
    fn default() -> Self {
        Self {
            base_path: "/api/rivet".to_owned(),
            endpoint: None,
            namespace: None,
            version: 1,
            runners_max: 1000,
            timings: runner::Options::default(),
            witness: Arc::new(Nobody),
            view: View::default(),
            pool: None,
        }
    }
}

/// The application's endpoint. Clones share it.
#[derive(Clone)]
pub struct Serverless(Arc<Inner>);

struct Inner {
    registry: Registry,
    options: ServerlessOptions,
    shutdown: Shutdown,
    active: Active,
}

impl Serverless {
    /// An endpoint for these actors. When `shutdown` asks to stop, new starts are refused and every runner drains.
    #[must_use]
    pub fn new(registry: Registry, mut options: ServerlessOptions, shutdown: Shutdown) -> Self {
        options.base_path = options.base_path.trim_end_matches('/').to_owned();
        Self(Arc::new(Inner { registry, options, shutdown, active: Active::default() }))
    }

    /// Answers a request. Never waits for the engine; a `/start` goes on in tasks of its own.
    pub fn handle<B>(&self, request: &Request<B>) -> Response<Body> {
        let mut response = self.route(request);
        answer::allow_origin(request.headers(), response.headers_mut());
        response
    }

    /// Runners that live.
    #[must_use]
    pub fn runners(&self) -> usize {
        self.0.active.count()
    }

    /// Waits until no runner lives: after a shutdown was asked for, its end.
    pub async fn drained(&self) {
        self.0.active.none().await;
    }

    fn route<B>(&self, request: &Request<B>) -> Response<Body> {
        let path = request.uri().path();
        // A path outside the base path is routed as it is.
        let path = path.strip_prefix(self.0.options.base_path.as_str()).unwrap_or(path);
        match (request.method(), path) {
            (&Method::OPTIONS, _) => answer::no_content(),
            (&Method::GET, "" | "/") => answer::banner(),
            (&Method::GET, "/health") => answer::health(self.0.options.pool.as_deref(), self.is_stale()),
            (&Method::GET, "/metadata") => answer::metadata(&self.0.registry, self.0.options.version),
            (&Method::GET | &Method::POST, "/start") => match self.start(request.headers()) {
                Ok(body) => answer::stream(body),
                Err(error) => {
                    tracing::warn!(err = %error, "a start was refused");
                    answer::error(&error)
                }
            },
            _ => answer::not_found(),
        }
    }

    /// Whether the engine of its runners has been silent for too long. Without runners there is none to hear.
    fn is_stale(&self) -> bool {
        health::is_stale(self.0.options.view.silent_since(), clock::now().mono)
    }

    fn start(&self, headers: &http::HeaderMap) -> Result<Body, ApiError> {
        let start = headers::read(headers)?;
        let expected = (self.0.options.endpoint.as_ref(), self.0.options.namespace.as_deref());
        let start = headers::expect(start, expected.0, expected.1)?;
        // The place is taken before the look: whoever waits until none is taken, after asking to stop, misses no start.
        let place = self.0.active.enter(self.0.options.runners_max);
        if self.0.shutdown.is_draining() {
            return Err(ApiError::RegistryShutDown);
        }
        let Some(place) = place else {
            protocol::mark!("sdk_runners_full");
            return Err(ApiError::GuardServiceUnavailable);
        };
        Ok(start::begin(&self.0, start, place))
    }
}

impl<B> hyper::service::Service<Request<B>> for Serverless {
    type Response = Response<Body>;
    type Error = Infallible;
    type Future = Ready<Result<Self::Response, Infallible>>;

    fn call(&self, request: Request<B>) -> Self::Future {
        ready(Ok(self.handle(&request)))
    }
}

/// The same for whatever mounts tower services, such as axum's `fallback_service` and `nest_service`.
impl<B> tower_service::Service<Request<B>> for Serverless {
    type Response = Response<Body>;
    type Error = Infallible;
    type Future = Ready<Result<Self::Response, Infallible>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request<B>) -> Self::Future {
        ready(Ok(self.handle(&request)))
    }
}

impl std::fmt::Debug for Serverless {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Serverless")
            .field("registry", &self.0.registry)
            .field("runners", &self.runners())
            .finish_non_exhaustive()
    }
}
