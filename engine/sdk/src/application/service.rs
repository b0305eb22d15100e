//! The second phase: a runner's session, or the endpoint at which the engine asks for runners.

use std::io;
use std::sync::Arc;
use std::time::Duration;

use machines::runner::startup::{Input, Mode};
use machines::runner::{self, EndReason};
use runtime::TcpListener;
use tokio::sync::mpsc;

use super::shared::{Engine, Shared};
use super::{ApplicationOptions, Cause};
use crate::pool::{Failure, Pool, PoolOptions, Standing, configure_pool};
use crate::serverless::{Serverless, ServerlessOptions};
use crate::session::target::fresh_key;
use crate::session::{self, Milestone, Settings, Target};
use crate::shutdown::Shutdown;

/// Longer than any grace that an engine announces: 1 day is the longest stop threshold.
const DRAIN_MAX: Duration = Duration::from_secs(24 * 60 * 60);

/// What a service is made of.
pub(super) struct Part {
    pub(super) shared: Arc<Shared>,
    pub(super) attempt: u32,
    pub(super) options: Arc<ApplicationOptions>,
}

impl Part {
    /// Runs the service until it is asked to end. Says why it ended unasked.
    pub(super) async fn live(self, mode: Mode, engine: Engine, end: Shutdown) -> Option<Cause> {
        let cause = match mode {
            Mode::Runner => Box::pin(self.runner(engine, end)).await,
            Mode::Serverless => Box::pin(self.serverless(engine, end)).await,
        };
        self.shared.served();
        cause
    }

    async fn runner(&self, engine: Engine, end: Shutdown) -> Option<Cause> {
        let options = &self.options;
        // Without a configuration an engine places no actor in a pool. That of an engine of others is theirs.
        let pool = engine.ours.then(|| {
            let normal = PoolOptions { normal: true, ..self.pool_options(&engine, String::new()) };
            Arc::new(configure_pool(normal, end.clone()))
        });
        self.shared.configuring(pool.clone());
        if let Some(pool) = &pool
            && let Err(failure) = configured(pool).await
        {
            self.give_back(Some(Arc::clone(pool))).await;
            return (failure != Failure::Stopped).then(|| Cause::Pool { message: failure.to_string() });
        }
        let (milestones, told) = mpsc::unbounded_channel();
        let settings = Settings {
            registry: self.shared.registry.clone(),
            target: Target {
                endpoint: engine.endpoint,
                namespace: options.namespace.clone(),
                pool: options.pool.clone(),
                key: fresh_key(),
                version: options.version,
                token: options.token.clone(),
            },
            options: runner::Options {
                total_slots: options.total_slots,
                // The grace of the whole is the one bound.
                drain_max: Some(options.grace.unwrap_or_default().max(DRAIN_MAX)),
                ..options.timings.clone()
            },
            witness: Arc::clone(&options.witness),
            view: options.view.clone(),
            milestones,
        };
        let reason = runtime::select! {
            never = self.follow(told, pool.as_deref()) => never,
            reason = session::run(settings, end) => reason,
        };
        self.give_back(pool).await;
        cause(reason)
    }

    /// Tells on what a session reaches.
    async fn follow(&self, mut told: mpsc::UnboundedReceiver<Milestone>, pool: Option<&Pool>) -> EndReason {
        let attempt = self.attempt;
        while let Some(milestone) = told.recv().await {
            match milestone {
                Milestone::Ready(runner) => {
                    tracing::info!(%runner, "the runner is connected");
                    if let Some(pool) = pool {
                        // An engine that gives a new id may have a new store.
                        pool.assert_anew();
                    }
                    self.shared.step(Input::Began { attempt });
                    if let Some(on_ready) = &self.options.on_ready {
                        on_ready(runner);
                    }
                }
                Milestone::StopThreshold(stop_threshold) => {
                    self.shared.step(Input::Announced { stop_threshold })
                }
                Milestone::Lost => tracing::warn!("the engine is out of reach: all actors were stopped"),
                Milestone::Ended(reason) => tracing::info!(?reason, "the runner has ended"),
            }
        }
        std::future::pending().await
    }

    async fn serverless(&self, engine: Engine, end: Shutdown) -> Option<Cause> {
        let serving = &self.options.serving;
        let listener = match serving.listen {
            None => None,
            Some(address) => match TcpListener::bind(address).await {
                Ok(listener) => Some(listener),
                Err(error) => {
                    let port = address.port();
                    tracing::debug!(port, err = %error, "the application cannot listen");
                    return Some(match error.kind() {
                        io::ErrorKind::AddrInUse => Cause::PortOccupied { port },
                        _ => Cause::ListenFailed { port },
                    });
                }
            },
        };
        let listening = listener.as_ref().and_then(|listener| listener.local_addr().ok());
        let base = serving.base_path.trim_end_matches('/');
        let url = serving.url.clone().or_else(|| Some(format!("http://{}{base}", listening?)));
        let pool = url
            .filter(|_| serving.configure)
            .map(|url| Arc::new(configure_pool(self.pool_options(&engine, url), end.clone())));
        let options = ServerlessOptions {
            base_path: serving.base_path.clone(),
            endpoint: Some(engine.endpoint),
            namespace: Some(self.options.namespace.clone()),
            version: self.options.version,
            runners_max: serving.runners_max,
            timings: self.options.timings.clone(),
            witness: Arc::clone(&self.options.witness),
            view: self.options.view.clone(),
            pool: pool.clone(),
        };
        let service = Serverless::new(self.shared.registry.clone(), options, end.clone());
        self.shared.configuring(pool.clone());
        self.shared.serve(self.attempt, service.clone(), listening);
        match listener {
            Some(listener) => service.serve(listener).await,
            None => {
                end.draining().await;
                service.drained().await;
            }
        }
        drop(service);
        self.give_back(pool).await;
        None
    }

    fn pool_options(&self, engine: &Engine, url: String) -> PoolOptions {
        let options = &self.options;
        let mut pool = PoolOptions {
            namespace: options.namespace.clone(),
            pool: options.pool.clone(),
            token: options.token.clone(),
            ..PoolOptions::new(engine.endpoint.clone(), url)
        };
        // What its runners shall show the engine: it sends the header with each start.
        if let Some(token) = &options.token {
            pool.headers.insert("x-rivet-token".to_owned(), token.clone());
        }
        if let Some(tune) = &options.tune_pool {
            tune(&mut pool);
        }
        pool
    }

    /// Waits for the end of the pool's task, after everybody else has let go of it.
    async fn give_back(&self, pool: Option<Arc<Pool>>) {
        self.shared.served();
        if let Some(pool) = pool.and_then(Arc::into_inner) {
            pool.ended().await;
        }
    }
}

/// Waits until the engine knows the pool. What may pass is waited for.
async fn configured(pool: &Pool) -> Result<(), Failure> {
    loop {
        match pool.ready().await {
            Ok(()) => return Ok(()),
            Err(failure) => match pool.standing() {
                Standing::Fatal(_) | Standing::Stopped => return Err(failure),
                Standing::Idle | Standing::Pending | Standing::Configured | Standing::Failing(_) => {}
            },
        }
    }
}

/// What the end of a session means for the application.
const fn cause(reason: EndReason) -> Option<Cause> {
    match reason {
        EndReason::Drained | EndReason::Stopped | EndReason::DrainTimeout => None,
        EndReason::Evicted => Some(Cause::Evicted),
        EndReason::Refused => Some(Cause::Rejected { code: "unauthorized" }),
        EndReason::NamespaceUnknown => Some(Cause::Rejected { code: "namespace.not_found" }),
        EndReason::Overflow => Some(Cause::Overflow),
    }
}
