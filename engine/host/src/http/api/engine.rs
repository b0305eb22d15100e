//! What the engine says about itself.

use std::time::Duration;

use machines::control::effect::Answer;
use machines::control::input::Call;
use protocol::api::{Datacenters, EngineHealth, EngineMetadata, Query};
use protocol::error::ApiError;
use tokio::sync::oneshot;

use super::ask;
use crate::engine::core::Core;
use crate::gateway::Letter;
use crate::http::respond::{self, Reply};

/// How long the control plane may take to answer. Ours: beyond it a client would not call it healthy either.
const HEALTH_TIMEOUT: Duration = Duration::from_secs(2);

/// `GET /health`: green only when a question went through the writer of the store, another through the gateway, and
/// both came back.
pub(super) async fn health(core: &Core) -> Result<Reply, ApiError> {
    let answers = async {
        match ask(core, Call::Health, None).await? {
            Answer::Healthy => {}
            other => unreachable!("the question was another: {other:?}"),
        }
        let (question, answer) = oneshot::channel();
        let asked = core.gateway.send(Letter::View(question)).await;
        if asked && answer.await.is_ok() { Ok(()) } else { Err(ApiError::GuardServiceUnavailable) }
    };
    match runtime::timeout(HEALTH_TIMEOUT, answers).await {
        Ok(Ok(())) => Ok(respond::json(&EngineHealth::ok(env!("CARGO_PKG_VERSION")))),
        Ok(Err(error)) => Err(error),
        Err(runtime::Elapsed) => Err(ApiError::GuardServiceUnavailable),
    }
}

/// `GET /metadata`.
pub(super) fn metadata(query: &str) -> Result<Reply, ApiError> {
    with_namespace(query)?;
    Ok(respond::json(&EngineMetadata::new(env!("CARGO_PKG_VERSION"))))
}

/// `GET /datacenters`.
pub(super) fn datacenters(core: &Core, query: &str) -> Result<Reply, ApiError> {
    with_namespace(query)?;
    Ok(respond::json(&Datacenters::one(&core.public_url)))
}

/// Clients name their namespace everywhere; here it makes no difference.
fn with_namespace(query: &str) -> Result<(), ApiError> {
    let mut query = Query::new(query);
    query.take("namespace")?;
    query.finish()
}
