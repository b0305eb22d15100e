//! Which path is whose.

use hyper::Request;
use hyper::body::Incoming;
use protocol::error::ApiError;
use protocol::id::RayId;
use tracing::Instrument as _;

use super::respond::{self, Reply};
use super::{api, connect, gateway};
use crate::access::GATEWAY;
use crate::engine::core::Core;
use crate::metrics::{Metrics, Side};

/// What stands in front of a key of an actor's KV.
const KV_KEYS: &str = "/kv/keys/";

/// Answers one request. Whatever is logged meanwhile is logged in its span, which names its ray.
pub(super) async fn answer(core: Core, request: Request<Incoming>) -> Reply {
    let ray = RayId::from_entropy(runtime::entropy::bytes("ray id"));
    let path = loggable(request.uri().path());
    let span = tracing::info_span!("request", %ray, method = %request.method(), path);
    let reply = route(core, request, ray).instrument(span).await;
    respond::with_ray(reply, ray)
}

async fn route(core: Core, request: Request<Incoming>, ray: RayId) -> Reply {
    tracing::debug!("request");
    let metrics = core.metrics.clone();
    let side = side(request.uri().path());
    let reply = match side {
        Side::Gateway => gateway::answer(&core, request, ray).await,
        Side::Runner => connect::answer(core, request, ray).unwrap_or_else(|error| refuse(&metrics, &error)),
        Side::Api => api::answer(&core, request).await.unwrap_or_else(|error| refuse(&metrics, &error)),
    };
    metrics.request(side, reply.status());
    tracing::debug!(status = reply.status().as_u16(), "response");
    reply
}

fn side(path: &str) -> Side {
    match path {
        "/runners/connect" => Side::Runner,
        path if path.starts_with(GATEWAY) => Side::Gateway,
        _ => Side::Api,
    }
}

/// The path as far as a log may have it: behind an actor's id may be a token, and what follows is the actor's; so are
/// the keys of its KV.
fn loggable(path: &str) -> &str {
    let end = match path.strip_prefix(GATEWAY) {
        Some(rest) => rest.find(['@', '/']).map(|at| GATEWAY.len() + at),
        None => path.find(KV_KEYS).map(|at| at + KV_KEYS.len()),
    };
    &path[..end.unwrap_or(path.len())]
}

fn refuse(metrics: &Metrics, error: &ApiError) -> Reply {
    metrics.error(error.kind());
    if error.status() >= 500 {
        tracing::warn!(code = error.code(), %error, "a call failed");
    }
    respond::error(error)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_of_an_actor_reaches_the_log() {
        assert_eq!(loggable("/gateway/abc@secret/x"), "/gateway/abc");
        assert_eq!(loggable("/gateway/abc/x?y"), "/gateway/abc");
        assert_eq!(loggable("/gateway/abc"), "/gateway/abc");
        assert_eq!(loggable("/actors/names"), "/actors/names");
        assert_eq!(loggable("/actors/abc/kv/keys/secret"), "/actors/abc/kv/keys/");
    }
}
