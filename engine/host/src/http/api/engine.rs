//! What the engine says about itself.

use machines::control::effect::Answer;
use machines::control::input::Call;
use protocol::api::{Datacenters, EngineHealth, EngineMetadata, HealthFanout, Query};
use protocol::error::ApiError;

use super::ask;
use crate::engine::core::Core;
use crate::gateway::Letter;
use crate::http::openapi::{self, Refusal};
use crate::http::respond::{self, Reply};
use crate::metrics;

/// `GET /health/fanout`: the health of each datacenter, which is this one. It is 200 though it may tell of an error.
#[utoipa::path(get, path = "/health/fanout", operation_id = "health_of_datacenters", tag = "engine",
    responses((status = 200, description = "As asked", body = HealthFanout), Refusal))]
pub(in crate::http) async fn fanout(core: &Core, query: &str) -> Result<Reply, ApiError> {
    Query::new(query).finish()?;
    let asked = runtime::now();
    let health = check(core).await;
    Ok(respond::json(&HealthFanout::one(health, asked.elapsed())))
}

/// `GET /health`: green only when a question went through the writer of the store, another through the gateway, and
/// both came back.
#[utoipa::path(get, path = "/health", operation_id = "health", tag = "engine",
    responses((status = 200, description = "As asked", body = EngineHealth), Refusal))]
pub(in crate::http) async fn health(core: &Core) -> Result<Reply, ApiError> {
    check(core).await.map(|health| respond::json(&health))
}

async fn check(core: &Core) -> Result<EngineHealth, ApiError> {
    let answers = async {
        match ask(core, Call::Health, None).await? {
            Answer::Healthy => {}
            other => unreachable!("the question was another: {other:?}"),
        }
        core.gateway.ask(Letter::View).await.map(drop).ok_or(ApiError::GuardServiceUnavailable)
    };
    match runtime::timeout(core.limits.health_timeout, answers).await {
        Ok(Ok(())) => Ok(EngineHealth::ok(env!("CARGO_PKG_VERSION"))),
        Ok(Err(error)) => Err(error),
        Err(runtime::Elapsed) => Err(ApiError::GuardServiceUnavailable),
    }
}

/// `GET /openapi.json`.
pub(in crate::http) fn openapi(query: &str) -> Result<Reply, ApiError> {
    Query::new(query).finish()?;
    Ok(respond::text("application/json", openapi::served()))
}

/// `GET /metrics`.
#[utoipa::path(get, path = "/metrics", operation_id = "metrics", tag = "engine",
    responses((status = 200, description = "OpenMetrics text", body = String, content_type = "application/openmetrics-text"), Refusal))]
pub(in crate::http) async fn metrics(core: &Core, query: &str) -> Result<Reply, ApiError> {
    Query::new(query).finish()?;
    Ok(respond::text(metrics::CONTENT_TYPE, metrics::page(core).await?))
}

/// `GET /metadata`.
#[utoipa::path(get, path = "/metadata", operation_id = "metadata", tag = "engine",
    params(("namespace" = Option<String>, Query, description = "Taken, and makes no difference")),
    responses((status = 200, description = "As asked", body = EngineMetadata), Refusal))]
pub(in crate::http) fn metadata(query: &str) -> Result<Reply, ApiError> {
    with_namespace(query)?;
    Ok(respond::json(&EngineMetadata::new(env!("CARGO_PKG_VERSION"))))
}

/// `GET /datacenters`.
#[utoipa::path(get, path = "/datacenters", operation_id = "list_datacenters", tag = "engine",
    params(("namespace" = Option<String>, Query, description = "Taken, and makes no difference")),
    responses((status = 200, description = "As asked", body = Datacenters), Refusal))]
pub(in crate::http) fn datacenters(core: &Core, query: &str) -> Result<Reply, ApiError> {
    with_namespace(query)?;
    Ok(respond::json(&Datacenters::one(&core.public_url)))
}

/// Clients name their namespace everywhere; here it makes no difference.
fn with_namespace(query: &str) -> Result<(), ApiError> {
    let mut query = Query::new(query);
    query.take("namespace")?;
    query.finish()
}
