//! Which path is whose.

use hyper::Request;
use hyper::body::Incoming;
use protocol::error::ApiError;
use protocol::id::RayId;

use super::respond::{self, Reply};
use super::{api, connect, gateway};
use crate::engine::core::Core;

/// Answers one request.
pub(super) async fn answer(core: Core, request: Request<Incoming>) -> Reply {
    let ray = RayId::from_entropy(runtime::entropy::bytes("ray id"));
    let path = request.uri().path();
    tracing::debug!(%ray, method = %request.method(), path = without_token(path), "request");
    let reply = if let Some(rest) = path.strip_prefix("/gateway/") {
        let rest = rest.to_owned();
        gateway::answer(&core, request, &rest, ray).await
    } else if path == "/runners/connect" {
        connect::answer(core, request, ray).unwrap_or_else(|error| refuse(&error, ray))
    } else {
        api::answer(&core, request).await.unwrap_or_else(|error| refuse(&error, ray))
    };
    tracing::debug!(%ray, status = reply.status().as_u16(), "response");
    respond::with_ray(reply, ray)
}

/// The path as far as a log may have it: a token may stand behind an actor's id, and what follows is the actor's.
fn without_token(path: &str) -> &str {
    let end = path.strip_prefix("/gateway/").map(|rest| {
        let target = rest.find(['@', '/']).unwrap_or(rest.len());
        path.len() - rest.len() + target
    });
    &path[..end.unwrap_or(path.len())]
}

fn refuse(error: &ApiError, ray: RayId) -> Reply {
    if error.status() >= 500 {
        tracing::warn!(%ray, code = error.code(), %error, "a call failed");
    }
    respond::error(error)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_token_reaches_the_log() {
        assert_eq!(without_token("/gateway/abc@secret/x"), "/gateway/abc");
        assert_eq!(without_token("/gateway/abc/x?y"), "/gateway/abc");
        assert_eq!(without_token("/gateway/abc"), "/gateway/abc");
        assert_eq!(without_token("/actors/names"), "/actors/names");
    }
}
