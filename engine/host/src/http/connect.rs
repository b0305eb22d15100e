//! `GET /runners/connect`: a runner opens its socket.

use hyper::body::Incoming;
use hyper::header::{
    CONNECTION, HeaderMap, HeaderName, HeaderValue, SEC_WEBSOCKET_ACCEPT, SEC_WEBSOCKET_KEY,
    SEC_WEBSOCKET_PROTOCOL, SEC_WEBSOCKET_VERSION, UPGRADE,
};
use hyper::{Method, Request, StatusCode};
use protocol::api::Query;
use protocol::error::ApiError;
use protocol::id::{RayId, RunnerKey};
use protocol::wire::PROTOCOL_VERSION;
use tokio_tungstenite::tungstenite::handshake::derive_accept_key;

use super::respond::{self, Reply};
use crate::engine::core::Core;
use crate::sockets::connection;

/// The subprotocol runners offer and are answered; beside it, `rivet_token.…` carries a token.
const SUBPROTOCOL: &str = "rivet";

/// Answers with the upgrade and starts the socket's task.
///
/// # Errors
/// `api.unauthorized` and `api.forbidden` by its tokens, `api.not_found` for another method, `api.bad_request` for what is
/// no WebSocket handshake, or names another protocol version, no namespace or no key.
pub(super) fn answer(core: Core, mut request: Request<Incoming>, ray: RayId) -> Result<Reply, ApiError> {
    core.door.admit(&request)?;
    if request.method() != Method::GET {
        return Err(ApiError::ApiNotFound);
    }
    let socket = parse(request.uri().query().unwrap_or_default(), ray)?;
    if !wants_websocket(request.headers()) {
        return Err(bad("a runner connects by WebSocket"));
    }
    let accept = handshake(request.headers()).map_err(bad)?;
    let response = switch(accept, request.headers());
    let upgrade = hyper::upgrade::on(&mut request);
    drop(runtime::spawn("runner socket", connection::serve(core, upgrade, socket)));
    Ok(response)
}

/// 101, with the answer to the client's key, and our subprotocol to whom offers it.
pub(super) fn switch(accept: HeaderValue, offered: &HeaderMap) -> Reply {
    let mut response = respond::empty(StatusCode::SWITCHING_PROTOCOLS);
    let headers = response.headers_mut();
    headers.insert(CONNECTION, HeaderValue::from_static("Upgrade"));
    headers.insert(UPGRADE, HeaderValue::from_static("websocket"));
    headers.insert(SEC_WEBSOCKET_ACCEPT, accept);
    if has_token(offered, &SEC_WEBSOCKET_PROTOCOL, SUBPROTOCOL) {
        headers.insert(SEC_WEBSOCKET_PROTOCOL, HeaderValue::from_static(SUBPROTOCOL));
    }
    response
}

fn parse(query: &str, ray: RayId) -> Result<connection::Request, ApiError> {
    let mut query = Query::new(query);
    let version: Option<u16> = query.take_parsed("protocol_version")?;
    let namespace = query.require("namespace")?;
    let key = query.require("runner_key")?;
    query.finish()?;
    match version {
        Some(PROTOCOL_VERSION) => {}
        Some(other) => {
            return Err(bad(format!("protocol version {other}: this engine speaks {PROTOCOL_VERSION}")));
        }
        None => return Err(bad("missing query field `protocol_version`")),
    }
    let key = RunnerKey::new(key).map_err(|error| bad(error.to_string()))?;
    Ok(connection::Request { namespace, key, ray })
}

/// Whether a request wants to become a WebSocket.
pub(super) fn wants_websocket(headers: &HeaderMap) -> bool {
    has_token(headers, &CONNECTION, "upgrade") && has_token(headers, &UPGRADE, "websocket")
}

/// The answer to the client's key (RFC 6455 §4.2).
///
/// # Errors
/// What is wrong with the handshake.
pub(super) fn handshake(headers: &HeaderMap) -> Result<HeaderValue, &'static str> {
    if headers.get(SEC_WEBSOCKET_VERSION).is_none_or(|version| version != "13") {
        return Err("WebSocket version 13 is spoken");
    }
    let key = headers.get(SEC_WEBSOCKET_KEY).ok_or("missing header `sec-websocket-key`")?;
    let accept = derive_accept_key(key.as_bytes());
    Ok(HeaderValue::from_str(&accept).expect("base64 is visible text"))
}

/// Whether a list header has this token, in any case.
fn has_token(headers: &HeaderMap, name: &HeaderName, token: &str) -> bool {
    let lines = headers.get_all(name).iter().filter_map(|line| line.to_str().ok());
    lines.flat_map(|line| line.split(',')).any(|known| known.trim().eq_ignore_ascii_case(token))
}

fn bad(reason: impl Into<String>) -> ApiError {
    ApiError::ApiBadRequest { reason: reason.into() }
}
