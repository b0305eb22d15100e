//! The HTTP API: calls to the control plane, as JSON.
//!
//! Bodies and queries are strict: what is not known is refused. Reading and checking is done by `protocol::api`, the
//! answer is the control plane's; here they are put together, one noun a file.

mod actors;
mod engine;
mod namespaces;
mod pools;
mod runners;

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
/// What the call is refused with; `api.not_found` for unknown paths and methods.
pub(super) async fn answer(core: &Core, request: Request<Incoming>) -> Result<Reply, ApiError> {
    let (parts, incoming) = request.into_parts();
    let query = parts.uri.query().unwrap_or_default();
    let path = parts.uri.path().strip_prefix('/').unwrap_or_default();
    let segments: Vec<&str> = path.split('/').collect();
    let body = body::read(incoming, core);
    match (parts.method, segments.as_slice()) {
        (Method::GET, ["health"]) => engine::health(core).await,
        (Method::GET, ["metadata"]) => engine::metadata(query),
        (Method::GET, ["datacenters"]) => engine::datacenters(core, query),
        (Method::GET, ["runner-configs"]) => pools::list(core, query).await,
        (Method::PUT, ["runner-configs", pool]) => {
            pools::put(core, query, &decode(pool)?, &body.await?.bytes).await
        }
        (Method::DELETE, ["runner-configs", pool]) => pools::delete(core, query, &decode(pool)?).await,
        (Method::GET, ["actors"]) => actors::list(core, query).await,
        (Method::POST, ["actors"]) => actors::create(core, query, &body.await?.bytes).await,
        (Method::PUT, ["actors"]) => actors::get_or_create(core, query, &body.await?.bytes).await,
        (Method::GET, ["actors", "names"]) => actors::names(core, query).await,
        (Method::DELETE, ["actors", actor]) => actors::delete(core, query, &decode(actor)?).await,
        (Method::GET, ["runners"]) => runners::list(core, query).await,
        (Method::GET, ["namespaces"]) => namespaces::list(core, query).await,
        (Method::POST, ["namespaces"]) => namespaces::create(core, query, &body.await?.bytes).await,
        _ => Err(ApiError::ApiNotFound),
    }
}

/// Asks the control plane; its answer comes after its commit.
async fn ask(core: &Core, call: Call, input: Option<Bytes>) -> Result<Answer, ApiError> {
    let (asker, answer) = oneshot::channel();
    let letter = Letter::Api { call: Box::new(call), input, asker };
    let asked = async { if core.control.send(letter).await { answer.await.ok() } else { None } };
    let timeout = core.limits.api_timeout;
    match runtime::timeout(timeout, asked).await {
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
