//! Tunnel messages, to and from the machine's inputs and effects.

use bytes::Bytes;
use machines::gateway::{ActorEvent, Input};
use protocol::error::WebSocketEnd;
use protocol::id::{BodyId, ConnId, GatewayId, RequestId};
use protocol::limits::{BODY_BYTES_MAX, WEBSOCKET_MESSAGE_BYTES_MAX};
use protocol::wire::{
    ENVOY_ACTOR_NOT_FOUND, ERROR_HEADER, Headers, MessageId, RUNNER_ACTOR_NOT_FOUND, ToClient, ToClientKind,
    ToClientTunnelMessage, ToServerKind,
};

use tokio_tungstenite::tungstenite::{Message as Content, Utf8Bytes};

use super::clients::{ClientRequest, Head, Part};
use super::websocket::{Message, Said};

/// A message of a runner as the machine takes it, with what the driver keeps; `None` if it is nothing of this gateway.
pub(super) fn input(
    conn: ConnId,
    request: RequestId,
    body: BodyId,
    kind: ToServerKind,
) -> Option<(Input, Option<Part>)> {
    let input = |input| Some((input, None));
    match kind {
        ToServerKind::ResponseStart { body: Some(bytes), .. }
        | ToServerKind::ResponseChunk { body: bytes, .. }
            if bytes.len() > BODY_BYTES_MAX =>
        {
            input(Input::ResponseTooLarge { conn, request })
        }
        ToServerKind::ResponseStart { status, headers, body: bytes, stream } => {
            let undelivered = undelivered(status, &headers);
            let head = Head { status, headers, body: bytes.unwrap_or_default() };
            let input = Input::ResponseStart { conn, request, body, more: stream, undelivered };
            Some((input, Some(Part::Head(head))))
        }
        ToServerKind::ResponseChunk { body: bytes, finish } => {
            Some((Input::ResponseChunk { conn, request, body, more: !finish }, Some(Part::Chunk(bytes))))
        }
        ToServerKind::ResponseAbort => input(Input::ResponseAbort { conn, request }),
        // Whether a WebSocket may outlive its actor's sleep is not asked: none does.
        ToServerKind::WebSocketOpen { can_hibernate: _ } => {
            input(Input::FromActor { conn, request, event: ActorEvent::Accepted })
        }
        ToServerKind::WebSocketMessage { data, binary } => {
            let (event, part) = message_event(body, data, binary);
            Some((Input::FromActor { conn, request, event }, part))
        }
        ToServerKind::WebSocketMessageAck { .. } => None,
        ToServerKind::WebSocketClose { code, reason, hibernate } => {
            let undelivered = reason.as_deref().is_some_and(is_undelivered_reason);
            let said =
                if hibernate { Said::because(WebSocketEnd::ActorStopped) } else { Said { code, reason } };
            let event = ActorEvent::Closed { body, undelivered };
            Some((Input::FromActor { conn, request, event }, Some(Part::Closed(said))))
        }
    }
}

fn message_event(body: BodyId, data: Bytes, binary: bool) -> (ActorEvent, Option<Part>) {
    let bytes = data.len();
    if bytes > WEBSOCKET_MESSAGE_BYTES_MAX {
        return (ActorEvent::Unfit { why: WebSocketEnd::MessageTooLarge }, None);
    }
    let content = if binary {
        Content::Binary(data)
    } else {
        let Ok(text) = Utf8Bytes::try_from(data) else {
            return (ActorEvent::Unfit { why: WebSocketEnd::InvalidText }, None);
        };
        Content::Text(text)
    };
    (ActorEvent::Message { body, bytes }, Some(Part::Message(Message { content, hold: None })))
}

/// Whether a close says that the WebSocket reached no actor, as runners of ours and of upstream say it.
fn is_undelivered_reason(reason: &str) -> bool {
    let code = reason.split_once('#').map_or(reason, |(code, _)| code);
    matches!(code, RUNNER_ACTOR_NOT_FOUND | ENVOY_ACTOR_NOT_FOUND | "Actor not found")
}

/// Whether the runner says that the request reached no actor.
fn undelivered(status: u16, headers: &Headers) -> bool {
    let code = headers.get(ERROR_HEADER);
    status == 503 && matches!(code, Some(RUNNER_ACTOR_NOT_FOUND | ENVOY_ACTOR_NOT_FOUND))
}

/// The whole request as one message.
pub(super) fn request_start(gateway: GatewayId, request: RequestId, client: &ClientRequest) -> ToClient {
    let body = Some(client.body.clone()).filter(|body: &Bytes| !body.is_empty());
    message(
        gateway,
        request,
        0,
        ToClientKind::RequestStart {
            actor_id: client.actor,
            method: client.method.clone(),
            path: client.path.clone(),
            headers: client.headers.clone(),
            body,
            stream: false,
        },
    )
}

/// Nobody waits for it any more.
pub(super) fn request_abort(gateway: GatewayId, request: RequestId) -> ToClient {
    message(gateway, request, 1, ToClientKind::RequestAbort)
}

/// A client wants a WebSocket.
pub(super) fn websocket_open(gateway: GatewayId, request: RequestId, client: &ClientRequest) -> ToClient {
    let (actor_id, path, headers) = (client.actor, client.path.clone(), client.headers.clone());
    message(gateway, request, 0, ToClientKind::WebSocketOpen { actor_id, path, headers })
}

/// A client's message.
pub(super) fn websocket_message(
    gateway: GatewayId,
    request: RequestId,
    index: u16,
    content: Content,
) -> ToClient {
    let binary = content.is_binary();
    message(gateway, request, index, ToClientKind::WebSocketMessage { data: content.into_data(), binary })
}

/// A WebSocket is over.
pub(super) fn websocket_close(gateway: GatewayId, request: RequestId, index: u16, said: Said) -> ToClient {
    let Said { code, reason } = said;
    message(gateway, request, index, ToClientKind::WebSocketClose { code, reason })
}

fn message(gateway_id: GatewayId, request_id: RequestId, message_index: u16, kind: ToClientKind) -> ToClient {
    let message_id = MessageId { gateway_id, request_id, message_index };
    ToClient::TunnelMessage(ToClientTunnelMessage { message_id, message_kind: kind })
}
