//! What of an actor a request is for, by its path.

use percent_encoding::percent_decode_str;
use protocol::error::{ErrorBody, WebSocketEnd};
use serde::Deserialize;
use serde_json::{Value, json};

use crate::actor::{AbortSignal, ActorError, Request, Response, WebSocket};

/// What a request asks for.
pub(super) enum Asked {
    /// Something that needs no code of the actor's, and does not keep it awake.
    Probe(Response),
    /// `POST /action/{name}`, with `{"args": …}`.
    Action { name: String, args: Value, abort: AbortSignal },
    /// Anything below `/request`, without that.
    Request(Request),
}

#[derive(Default, Deserialize)]
struct Body {
    #[serde(default)]
    args: Value,
}

/// How requests and answers of actions are encoded, where a client says so.
const ENCODING: &str = "x-rivet-encoding";

pub(super) fn of(request: Request) -> Asked {
    let path = request.path();
    if let Some(name) = path.strip_prefix("/action/") {
        // What is no UTF-8 is no action's name.
        let name = percent_decode_str(name).decode_utf8_lossy().into_owned();
        return action(&request, name);
    }
    if let Some(rest) = path.strip_prefix("/request")
        && (rest.is_empty() || rest.starts_with('/'))
    {
        return Asked::Request(request.below("/request"));
    }
    Asked::Probe(match path {
        "/" => Response::text("This is an actor.\n"),
        "/health" => Response::json(&json!({ "status": "ok" })),
        _ => ActorError::not_found("Try /action/{name} or /request/….").into_response(false),
    })
}

/// A WebSocket, by what it is for.
pub(super) enum Socket {
    /// `/connect`: a client that calls actions and hears of events.
    Connection(WebSocket),
    /// Anything below `/websocket`, without that.
    Raw(WebSocket),
}

impl Socket {
    pub(super) const fn inner(&self) -> &WebSocket {
        match self {
            Self::Connection(socket) | Self::Raw(socket) => socket,
        }
    }
}

/// What a WebSocket is for; none, and closed, if it is for anything else.
pub(super) fn of_websocket(socket: WebSocket) -> Option<Socket> {
    if socket.path() == "/connect" {
        return Some(Socket::Connection(socket));
    }
    let below =
        socket.path().strip_prefix("/websocket").is_some_and(|rest| rest.is_empty() || rest.starts_with('/'));
    if below {
        return Some(Socket::Raw(socket.below("/websocket")));
    }
    let end = WebSocketEnd::ActorNotFound;
    socket.close(end.code(), end.as_str());
    None
}

fn action(request: &Request, name: String) -> Asked {
    if request.method() != http::Method::POST {
        let message = "An action is called by POST.".to_owned();
        return Asked::Probe(refused(405, "method_not_allowed", message));
    }
    let encoding = request.headers().get(ENCODING);
    if encoding.is_some_and(|encoding| encoding != "json") {
        let message = format!("{ENCODING}: actions speak json only.");
        return Asked::Probe(refused(400, "invalid_encoding", message));
    }
    let body = if request.body().is_empty() { Ok(Body::default()) } else { request.json::<Body>() };
    match body {
        Ok(Body { args }) => Asked::Action { name, args, abort: request.abort_signal().clone() },
        Err(error) => Asked::Probe(error.into_response(false)),
    }
}

/// An answer in the place of an actor.
pub(super) fn refused(status: u16, code: &str, message: String) -> Response {
    Response::json(&error(code, message)).with_status(status)
}

/// An error of the instance, in the place of its code.
pub(super) fn error(code: &str, message: String) -> ErrorBody {
    ErrorBody { group: "actor".to_owned(), code: code.to_owned(), message, metadata: None }
}
