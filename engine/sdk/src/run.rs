//! Normal mode: a runner that connects to the engine by itself and hosts its actors until it is told to stop.

use std::sync::Arc;

use machines::runner::{self, EndReason};
use protocol::error::ApiError;
use protocol::id::{RunnerId, RunnerKey};
use protocol::limits::NAMESPACE_NAME_BYTES_MAX;
use protocol::view::{Nobody, Witness};
use tokio::sync::mpsc;

use crate::endpoint::Endpoint;
use crate::registry::Registry;
use crate::session::target::fresh_key;
use crate::session::upgrade::is_token;
use crate::session::{self, Milestone, Settings, Target};
use crate::shutdown::Shutdown;
use crate::view::View;

/// Where a runner connects to, and as whom.
#[derive(Clone)]
pub struct RunnerOptions {
    /// The engine.
    pub endpoint: Endpoint,
    /// Name of the namespace. Default `default`.
    pub namespace: String,
    /// Name of the pool. Default `default`.
    pub pool: String,
    /// Identity over reconnects, unique per process: an engine evicts the older of two runners with one key. Default:
    /// a fresh one per call of [`Registry::run`].
    pub key: Option<RunnerKey>,
    /// Version of the application; runners of higher versions replace those of lower ones. Default 1.
    pub version: u32,
    /// Actors hosted at one time at most. Default 10 000.
    pub total_slots: u32,
    /// Credentials; an HTTP token (RFC 9110 §5.6.2). Default none.
    pub token: Option<String>,
    /// Timings; its slots are replaced by `total_slots`.
    pub timings: runner::Options,
    /// Who is told facts. Default nobody.
    pub witness: Arc<dyn Witness>,
    /// Shows how the session stands. Default a view nobody looks at.
    pub view: View,
    /// Called when the engine knows the runner, each time by another id. Must return at once. Default nobody.
    pub on_ready: Option<Arc<dyn Fn(RunnerId) + Send + Sync>>,
}

impl RunnerOptions {
    /// The defaults, for an engine.
    #[must_use]
    pub fn new(endpoint: Endpoint) -> Self {
        let timings = runner::Options::default();
        Self {
            endpoint,
            namespace: "default".to_owned(),
            pool: "default".to_owned(),
            key: None,
            version: 1,
            total_slots: timings.total_slots,
            token: None,
            timings,
            witness: Arc::new(Nobody),
            view: View::default(),
            on_ready: None,
        }
    }
}

/// Why a runner cannot run, or did not end in order.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum RunError {
    /// A name is empty or too long.
    #[error("{0}")]
    Name(String),
    /// The token is none that HTTP can carry.
    #[error("the token has characters that HTTP does not allow in one")]
    Token,
    /// Another runner with the same key took over.
    #[error("another runner with the same key took over")]
    Evicted,
    /// The engine will never take this runner: its credentials or its request are wrong.
    #[error("the engine refuses this runner for good")]
    Refused,
    /// The engine said again and again that it does not know the namespace.
    #[error("the engine does not know the namespace")]
    NamespaceUnknown,
    /// Draining took longer than its grace; the actors that were left were cut off.
    #[error("draining took too long: the actors that were left were cut off")]
    DrainTimeout,
    /// The engine did not acknowledge what it was told.
    #[error("the engine left too much unacknowledged")]
    Overflow,
}

/// How a runner ended that was asked to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RunEnd {
    /// In order: every actor has stopped and the engine knows.
    Drained,
    /// At once.
    Stopped,
}

impl Registry {
    /// Connects to the engine and hosts actors until `shutdown` asks to stop: in order first, which lets the engine
    /// move the actors away, at once when asked again. As long as the engine cannot be reached it dials again.
    /// When it returns, nothing of it runs any more.
    ///
    /// # Errors
    /// [`RunError`]. An engine that cannot be reached is none.
    pub async fn run(&self, options: RunnerOptions, shutdown: Shutdown) -> Result<RunEnd, RunError> {
        check(&options.namespace, &options.pool, options.token.as_deref())?;
        let target = Target {
            endpoint: options.endpoint,
            namespace: options.namespace,
            pool: options.pool,
            key: options.key.unwrap_or_else(fresh_key),
            version: options.version,
            token: options.token,
        };
        let (milestones, mut told) = mpsc::unbounded_channel();
        let settings = Settings {
            registry: self.clone(),
            target,
            options: runner::Options { total_slots: options.total_slots, ..options.timings },
            witness: options.witness,
            view: options.view,
            milestones,
        };
        let log = async {
            while let Some(milestone) = told.recv().await {
                match milestone {
                    Milestone::Ready(runner) => {
                        tracing::info!(%runner, "the runner is connected");
                        if let Some(on_ready) = &options.on_ready {
                            on_ready(runner);
                        }
                    }
                    Milestone::StopThreshold(_) => {}
                    Milestone::Lost => tracing::warn!("the engine is out of reach: all actors were stopped"),
                    Milestone::Ended(reason) => tracing::info!(?reason, "the runner has ended"),
                }
            }
            std::future::pending::<EndReason>().await
        };
        let reason = runtime::select! {
            reason = log => reason,
            reason = session::run(settings, shutdown) => reason,
        };
        outcome(reason)
    }
}

fn outcome(reason: EndReason) -> Result<RunEnd, RunError> {
    match reason {
        EndReason::Drained => Ok(RunEnd::Drained),
        EndReason::Stopped => Ok(RunEnd::Stopped),
        EndReason::Evicted => Err(RunError::Evicted),
        EndReason::Refused => Err(RunError::Refused),
        EndReason::NamespaceUnknown => Err(RunError::NamespaceUnknown),
        EndReason::DrainTimeout => Err(RunError::DrainTimeout),
        EndReason::Overflow => Err(RunError::Overflow),
    }
}

/// Refuses what could not be sent.
pub(crate) fn check(namespace: &str, pool: &str, token: Option<&str>) -> Result<(), RunError> {
    let of = |error: ApiError| RunError::Name(error.to_string());
    protocol::api::check_name("pool", pool).map_err(of)?;
    protocol::api::check_name("namespace", namespace).map_err(of)?;
    if namespace.len() > NAMESPACE_NAME_BYTES_MAX {
        return Err(RunError::Name(format!("namespace: at most {NAMESPACE_NAME_BYTES_MAX} bytes")));
    }
    match token {
        Some(token) if !is_token(token) => Err(RunError::Token),
        Some(_) | None => Ok(()),
    }
}
