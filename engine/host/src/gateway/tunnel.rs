//! Tunnel messages, to and from the machine's inputs and effects.

use bytes::Bytes;
use machines::gateway::Input;
use protocol::id::{BodyId, ConnId, GatewayId, RequestId};
use protocol::limits::BODY_BYTES_MAX;
use protocol::wire::{
    ENVOY_ACTOR_NOT_FOUND, ERROR_HEADER, Headers, MessageId, RUNNER_ACTOR_NOT_FOUND, ToClient, ToClientKind,
    ToClientTunnelMessage, ToServerKind,
};

use super::clients::{ClientRequest, Head, Part};

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
        ToServerKind::WebSocketOpen { .. }
        | ToServerKind::WebSocketMessage { .. }
        | ToServerKind::WebSocketMessageAck { .. }
        | ToServerKind::WebSocketClose { .. } => None,
    }
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

fn message(gateway_id: GatewayId, request_id: RequestId, message_index: u16, kind: ToClientKind) -> ToClient {
    let message_id = MessageId { gateway_id, request_id, message_index };
    ToClient::TunnelMessage(ToClientTunnelMessage { message_id, message_kind: kind })
}
