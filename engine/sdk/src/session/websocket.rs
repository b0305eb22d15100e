//! Clients' WebSockets, between the tunnel and the instances that have them.

use bytes::Bytes;
use machines::runner::input::{Frame, InstanceEvent};
use machines::runner::{Piece, WebSocketEvent};
use machines::websocket::Close;
use protocol::error::WebSocketEnd;
use protocol::id::{ActorId, BodyId, ConnId, GatewayId, Generation, RequestId};
use protocol::wire::{Headers, MessageId, ToServerKind};

use super::Session;
use super::store::Body;
use crate::actor::{Request, WebSocket};
use crate::instance::{Hold, Mail, Voice};
use crate::websocket::{CloseInfo, Message};

/// A WebSocket's name: unique on its session.
type Id = (GatewayId, RequestId);

impl Session {
    pub(super) fn websocket_open(
        &mut self,
        conn: ConnId,
        (gateway, request): Id,
        actor: ActorId,
        (path, headers): (&str, &Headers),
    ) {
        match Request::from_wire("GET", path, headers, Bytes::new()) {
            Ok(content) => {
                let body = self.store.keep(Body::WebSocket(Box::new(content)));
                self.frame(conn, Frame::WebSocketOpen { gateway, request, actor, body });
            }
            Err(error) => {
                protocol::mark!("sdk_websocket_unreadable");
                tracing::debug!(err = %error, "a client's WebSocket is none that an actor could read");
                self.tunnel_send(conn, gateway, request, because(WebSocketEnd::Unreadable), None);
            }
        }
    }

    pub(super) fn websocket_message(
        &mut self,
        conn: ConnId,
        (gateway, request): Id,
        data: Bytes,
        binary: bool,
    ) {
        let message = Message::from_wire(data, binary);
        let bytes = message.len();
        let body = self.store.keep(Body::Message(message));
        self.frame(conn, Frame::WebSocketMessage { gateway, request, body, bytes });
    }

    pub(super) fn websocket_close(
        &mut self,
        conn: ConnId,
        (gateway, request): Id,
        code: Option<u16>,
        reason: Option<&str>,
    ) {
        let body = self.store.keep(Body::Closed(CloseInfo::new(code, reason)));
        self.frame(conn, Frame::WebSocketClose { gateway, request, body });
    }

    /// What an instance says on a WebSocket. One that it closes is told nothing more.
    pub(super) fn websocket_said(
        &mut self,
        instance: (ActorId, Generation),
        id: Id,
        piece: ToServerKind,
        hold: Option<Hold>,
    ) -> InstanceEvent {
        let closes = matches!(piece, ToServerKind::WebSocketClose { .. });
        if closes && self.websockets.get(&id).is_some_and(|(of, _)| *of == instance) {
            self.websockets.remove(&id);
        }
        let body = self.store.keep(Body::Response(piece, hold));
        let event = if closes { WebSocketEvent::Close { body } } else { WebSocketEvent::Say { body } };
        InstanceEvent::WebSocket { gateway: id.0, request: id.1, event }
    }

    pub(super) fn give_websocket(&mut self, instance: (ActorId, Generation), id: Id, content: Request) {
        let (actor, generation) = instance;
        let voice = Voice::new(actor, generation, self.events.clone(), self.budget.clone());
        let (socket, remote) = WebSocket::new(content, id, voice);
        let before = self.websockets.insert(id, (instance, remote));
        assert!(before.is_none(), "the machine gives a name to one WebSocket at a time");
        self.mail(actor, generation, Mail::WebSocket(Box::new(socket)));
    }

    pub(super) fn send_piece(&mut self, conn: ConnId, id: MessageId, piece: Piece) {
        let (kind, hold) = match piece {
            Piece::Open => (ToServerKind::WebSocketOpen { can_hibernate: false }, None),
            Piece::Message(body) | Piece::Close(Close::Said(body)) => match self.store.take(body) {
                Body::Response(kind, hold) => (kind, hold),
                other => unreachable!("what an actor says is kept as such, not as {other:?}"),
            },
            Piece::Close(Close::Because(why)) => (because(why), None),
        };
        self.tunnel_piece(conn, id, kind, hold);
    }

    pub(super) fn deliver_message(&mut self, id: Id, body: BodyId) {
        let Body::Message(message) = self.store.take(body) else { unreachable!("a message was kept as one") };
        // One that its actor has closed just now is told nothing more.
        if let Some((_, remote)) = self.websockets.get(&id) {
            remote.deliver(message);
        }
    }

    pub(super) fn deliver_close(&mut self, id: Id, close: Close) {
        let info = match close {
            Close::Because(why) => CloseInfo::from(why),
            Close::Said(body) => match self.store.take(body) {
                Body::Closed(info) => info,
                other => unreachable!("a close is kept as one, not as {other:?}"),
            },
        };
        if let Some((_, remote)) = self.websockets.remove(&id) {
            remote.close(info);
        }
    }
}

/// A close by the runner.
fn because(why: WebSocketEnd) -> ToServerKind {
    ToServerKind::WebSocketClose {
        code: Some(why.code()),
        reason: Some(why.as_str().to_owned()),
        hibernate: false,
    }
}
