//! `/gateway/{actor_id}[@token]/{rest}`: requests to actors.
//!
//! The request is read whole, given to the gateway under a ticket, and answered with what comes back. [`path`] tells
//! actor and path apart, [`headers`] what passes each way, [`cors`] what browsers need, [`websocket`] carries what becomes
//! a WebSocket.

mod cors;
mod headers;
mod path;
mod websocket;

use hyper::body::Incoming;
use hyper::header::HeaderMap;
use hyper::{Method, Request, Response, StatusCode};
use protocol::error::ApiError;
use protocol::id::RayId;
use tokio::sync::oneshot;

use super::body::{self, Answer, Client};
use super::connect::wants_websocket;
use super::respond::{self, Reply};
use crate::access::GATEWAY;
use crate::engine::core::Core;
use crate::gateway::{self, ClientRequest, Head, Letter, Wants};

/// Answers one request, whose path begins with [`GATEWAY`].
pub(super) async fn answer(core: &Core, request: Request<Incoming>, ray: RayId) -> Reply {
    let origin = cors::Origin::of(request.headers());
    if cors::is_preflight(request.method(), request.headers()) {
        return cors::preflight(&origin, request.headers());
    }
    let mut reply = match forward(core, request, ray).await {
        Ok(reply) => reply,
        Err(error) => {
            core.metrics.error(error.kind());
            tracing::info!(code = error.code(), "a request failed");
            respond::gateway_error(&error)
        }
    };
    origin.allow(reply.headers_mut());
    reply
}

async fn forward(core: &Core, request: Request<Incoming>, ray: RayId) -> Result<Reply, ApiError> {
    core.door.admit(&request)?;
    let rest = request.uri().path().strip_prefix(GATEWAY).ok_or(ApiError::GuardNoRoute)?;
    let (actor, path) = path::split(rest, request.uri().query())?;
    if wants_websocket(request.headers()) {
        return websocket::open(core, request, (actor, path), ray).await;
    }
    let (mut parts, incoming) = request.into_parts();
    core.door.conceal(&mut parts.headers);
    let body::Held { bytes: body, room } = body::read(incoming, core).await?;
    let headers = headers::to_actor(&parts.headers, body.len(), ray)?;
    let wants = Wants::Response { safe: parts.method.is_safe() };
    let is_head = parts.method == Method::HEAD;
    let method = parts.method.as_str().to_owned();
    let request = Box::new(ClientRequest { actor, method, path, headers, body, _room: room, wants });
    let mut client = Client::new(core.gateway.clone(), core.serial.ticket());
    match ask(core, &client, request).await {
        gateway::Reply::Failed(error) => {
            client.served();
            Err(error)
        }
        gateway::Reply::Whole(Head { status, headers, body }) => {
            client.served();
            response(status, headers::to_client(&headers, is_head)?, Answer::Whole(body))
        }
        gateway::Reply::Streamed(Head { status, headers, body: first }, rest) => {
            let body = Answer::Streamed { first, rest, client, ended: false };
            response(status, headers::to_client(&headers, is_head)?, body)
        }
        gateway::Reply::Open(_) => unreachable!("it asked for no WebSocket"),
    }
}

/// Gives a request to the gateway, and waits for what becomes of it.
async fn ask(core: &Core, client: &Client, request: Box<ClientRequest>) -> gateway::Reply {
    let (reply, answer) = oneshot::channel();
    let letter = Letter::Request { ticket: client.ticket(), request, reply };
    // Without its driver the core is going down.
    let unavailable = || gateway::Reply::Failed(ApiError::GuardServiceUnavailable);
    if core.gateway.send(letter).await {
        answer.await.unwrap_or_else(|_| unavailable())
    } else {
        unavailable()
    }
}

fn response(status: u16, headers: HeaderMap, body: Answer) -> Result<Reply, ApiError> {
    let known = StatusCode::from_u16(status).ok().filter(|status| !status.is_informational());
    let Some(status) = known else {
        protocol::mark!("actor_answered_no_status");
        return Err(ApiError::GuardInvalidResponse { reason: format!("status {status}") });
    };
    let mut response = Response::new(body);
    *response.status_mut() = status;
    *response.headers_mut() = headers;
    Ok(response)
}
