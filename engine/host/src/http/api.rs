//! The HTTP API: calls to the control plane, as JSON.
//!
//! Bodies and queries are strict: what is not known is refused. Reading and checking is done by `protocol::api`, the
//! answer is the control plane's; here they are put together, one noun a file.

pub(super) mod actors;
pub(super) mod backup;
pub(super) mod engine;
pub(super) mod kv;
pub(super) mod namespaces;
pub(super) mod pools;
pub(super) mod runners;

use bytes::Bytes;
use hyper::body::Incoming;
use hyper::{Method, Request};
use machines::control::effect::Answer;
use machines::control::input::{Call, Page};
use percent_encoding::percent_decode_str;
use protocol::api::PageQuery;
use protocol::error::ApiError;
use tokio::sync::oneshot;

use super::body;
use super::respond::Reply;
use crate::control::Letter;
use crate::engine::core::Core;

/// Answers one call.
///
/// # Errors
/// What the call is refused with; `api.unauthorized` and `api.forbidden` by its tokens, `api.not_found` for unknown paths
/// and methods.
pub(super) async fn answer(core: &Core, request: Request<Incoming>) -> Result<Reply, ApiError> {
    core.door.admit(&request)?;
    let (parts, incoming) = request.into_parts();
    let query = parts.uri.query().unwrap_or_default();
    let path = parts.uri.path().strip_prefix('/').unwrap_or_default();
    let segments: Vec<&str> = path.split('/').collect();
    let body = body::read(incoming, core);
    match (parts.method, segments.as_slice()) {
        (Method::GET, ["health"]) => engine::health(core).await,
        (Method::GET, ["health", "fanout"]) => engine::fanout(core, query).await,
        (Method::GET, ["openapi.json"]) => engine::openapi(query),
        (Method::GET, ["metrics"]) => engine::metrics(core, query).await,
        (Method::GET, ["metadata"]) => engine::metadata(query),
        (Method::GET, ["datacenters"]) => engine::datacenters(core, query),
        // For admins only: it is everything there is.
        (Method::GET, ["admin", "backup"]) => backup::stream(core, query).await,
        (Method::GET, ["runner-configs"]) => pools::list(core, query).await,
        (Method::PUT, ["runner-configs", pool]) => {
            pools::put(core, query, &decode(pool)?, &body.await?.bytes).await
        }
        (Method::POST, ["runner-configs", "serverless-health-check"]) => {
            pools::check(core, query, &body.await?.bytes).await
        }
        (Method::POST, ["runner-configs", pool, "refresh-metadata"]) => {
            pools::refresh(core, query, &decode(pool)?, &body.await?.bytes).await
        }
        (Method::DELETE, ["runner-configs", pool]) => pools::delete(core, query, &decode(pool)?).await,
        (Method::GET, ["actors"]) => actors::list(core, query).await,
        (Method::POST, ["actors"]) => actors::create(core, query, &body.await?.bytes).await,
        (Method::PUT, ["actors"]) => actors::get_or_create(core, query, &body.await?.bytes).await,
        (Method::GET, ["actors", "names"]) => actors::names(core, query).await,
        (Method::POST, ["actors", actor, "sleep"]) => actors::sleep(core, query, &decode(actor)?).await,
        (Method::POST, ["actors", actor, "reschedule"]) => {
            actors::reschedule(core, query, &decode(actor)?).await
        }
        (Method::DELETE, ["actors", actor]) => actors::delete(core, query, &decode(actor)?).await,
        (Method::GET, ["actors", actor, "kv", "keys", key]) => {
            kv::read(core, query, &decode(actor)?, &decode(key)?).await
        }
        (Method::GET, ["runners", "names"]) => runners::names(core, query).await,
        (Method::GET, ["runners"]) => runners::list(core, query).await,
        (Method::GET, ["namespaces"]) => namespaces::list(core, query).await,
        (Method::POST, ["namespaces"]) => namespaces::create(core, query, &body.await?.bytes).await,
        _ => Err(ApiError::ApiNotFound),
    }
}

/// Asks the control plane; its answer comes after its commit.
async fn ask(core: &Core, call: Call, input: Option<Bytes>) -> Result<Answer, ApiError> {
    asked(core, |asker| Letter::Api { call: Box::new(call), input, asker }).await
}

/// Sends a letter and waits for its answer, within the bound of a call.
async fn asked<T>(
    core: &Core,
    letter: impl FnOnce(oneshot::Sender<Result<T, ApiError>>) -> Letter,
) -> Result<T, ApiError> {
    let timeout = core.limits.api_timeout;
    match runtime::timeout(timeout, core.control.ask(letter)).await {
        Ok(Some(answer)) => answer,
        // Without its driver the core is going down.
        Ok(None) => Err(ApiError::GuardServiceUnavailable),
        Err(runtime::Elapsed) => {
            protocol::mark!("api_call_timed_out");
            Err(ApiError::GuardRequestTimeout {
                timeout_ms: u64::try_from(timeout.as_millis()).unwrap_or(u64::MAX),
            })
        }
    }
}

fn page(query: PageQuery) -> Page {
    Page { limit: query.limit, cursor: query.cursor }
}

fn decode(segment: &str) -> Result<String, ApiError> {
    let decoded = percent_decode_str(segment).decode_utf8();
    decoded.map(Into::into).map_err(|error| ApiError::ApiBadRequest { reason: error.to_string() })
}
