//! WebSockets: given to an instance, accepted or refused by it, carried while it runs and its session lasts, closed once
//! each way.
//!
//! What waits to be read is counted: the protocol has no way to hold the client back, and what is kept for one instance
//! must not grow for ever.

use protocol::error::WebSocketEnd;
use protocol::id::{ActorId, BodyId, ConnId, Generation};
use protocol::mark;

use super::effect::Piece;
use super::input::WebSocketEvent;
use super::request::{Kind, Name};
use super::{Effect, Runner};
use crate::websocket::Close;

/// A WebSocket that an instance has, or that is held for it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub(super) struct Carried {
    /// Whether the instance takes it: then the client may speak.
    pub(super) accepted: bool,
    /// The number of the next piece towards the client.
    next: u16,
    /// Messages that wait to be read.
    pub(super) messages: u32,
    /// How long all of them.
    pub(super) bytes: usize,
}

impl Kind {
    /// A WebSocket that nobody has accepted.
    pub(super) fn websocket() -> Self {
        Self::WebSocket(Carried::default())
    }
}

impl Runner {
    /// What an instance does. With one that it does not have any more, nothing.
    pub(super) fn websocket(
        &mut self,
        instance: (ActorId, Generation),
        name: Name,
        event: WebSocketEvent,
        out: &mut Vec<Effect>,
    ) {
        let given = self.is_given(name, instance);
        let Some(carried) = self.carried(name).filter(|_| given) else {
            mark!("runner_websocket_over");
            match event {
                WebSocketEvent::Say { body } | WebSocketEvent::Close { body } => {
                    out.push(Effect::Drop { body });
                }
                WebSocketEvent::Accept | WebSocketEvent::Took { .. } => {}
            }
            return;
        };
        match event {
            WebSocketEvent::Accept if carried.accepted => {}
            WebSocketEvent::Accept => {
                carried.accepted = true;
                self.send_piece(name, Piece::Open, out);
            }
            WebSocketEvent::Say { body } if !carried.accepted => {
                mark!("runner_websocket_said_before_open");
                out.push(Effect::Drop { body });
            }
            WebSocketEvent::Say { body } => self.send_piece(name, Piece::Message(body), out),
            WebSocketEvent::Took { bytes } => {
                carried.messages = carried.messages.checked_sub(1).expect("only what waits is read");
                carried.bytes = carried.bytes.checked_sub(bytes).expect("only what waits is read");
            }
            WebSocketEvent::Close { body } => {
                self.send_piece(name, Piece::Close(Close::Said(body)), out);
                self.forget_request(name);
            }
        }
    }

    /// A client's message.
    pub(super) fn websocket_message(
        &mut self,
        name: Name,
        (body, bytes): (BodyId, usize),
        out: &mut Vec<Effect>,
    ) {
        let (messages_max, bytes_max) =
            (self.options.websocket_messages_max, self.options.websocket_bytes_max);
        let Some(carried) = self.carried(name).filter(|carried| carried.accepted) else {
            mark!("runner_websocket_message_of_nobody");
            out.push(Effect::Drop { body });
            return;
        };
        if carried.messages >= messages_max || carried.bytes >= bytes_max {
            mark!("runner_websocket_not_read");
            out.push(Effect::Drop { body });
            self.end_websocket(name, WebSocketEnd::PendingLimit, out);
            return;
        }
        carried.messages += 1;
        carried.bytes += bytes;
        out.push(Effect::DeliverMessage { gateway: name.0, request: name.1, body });
    }

    /// The client's end. Of a WebSocket that is over here nobody wants to know.
    pub(super) fn websocket_close(&mut self, name: Name, body: BodyId, out: &mut Vec<Effect>) {
        let held = match self.requests.get(&name) {
            Some(request) if matches!(request.kind, Kind::WebSocket(_)) => request.held,
            Some(_) | None => {
                mark!("runner_websocket_close_of_nobody");
                out.push(Effect::Drop { body });
                return;
            }
        };
        self.forget_request(name);
        match held {
            Some(held) => out.extend([held, body].map(|body| Effect::Drop { body })),
            None => {
                let (gateway, request) = name;
                out.push(Effect::DeliverClose { gateway, request, close: Close::Said(body) });
            }
        }
    }

    /// Ends every WebSocket of an instance that begins to stop. One that it has not accepted may be tried elsewhere.
    pub(super) fn stop_websockets(&mut self, actor: ActorId, out: &mut Vec<Effect>) {
        for name in self.instances[&actor].requests.clone() {
            if self.carried(name).is_some() {
                mark!("runner_websocket_stopped");
                self.end_websocket(name, WebSocketEnd::ActorStopped, out);
            }
        }
    }

    /// Ends a WebSocket that an instance has, both ways. A client that was not let in yet hears that nobody has seen it.
    pub(super) fn end_websocket(&mut self, name: Name, why: WebSocketEnd, out: &mut Vec<Effect>) {
        let carried = *self.carried(name).expect("only a WebSocket is ended as one");
        let told = if carried.accepted { why } else { WebSocketEnd::NotHere };
        self.send_piece(name, Piece::Close(Close::Because(told)), out);
        self.forget_request(name);
        let (gateway, request) = name;
        out.push(Effect::DeliverClose { gateway, request, close: Close::Because(why) });
    }

    /// The next piece towards the client; nothing where its session is gone.
    fn send_piece(&mut self, name: Name, piece: Piece, out: &mut Vec<Effect>) {
        let open = self.link.open();
        let conn = self.requests.get(&name).expect("only a WebSocket has pieces").conn;
        let carried = self.carried(name).expect("only a WebSocket has pieces");
        let index = carried.next;
        carried.next = index.wrapping_add(1);
        if open == Some(conn) {
            out.push(Effect::SendWebSocket { conn, gateway: name.0, request: name.1, index, piece });
        }
    }

    fn carried(&mut self, name: Name) -> Option<&mut Carried> {
        match &mut self.requests.get_mut(&name)?.kind {
            Kind::WebSocket(carried) => Some(carried),
            Kind::Response => None,
        }
    }

    /// Whether this instance was given what is known by this name.
    fn is_given(&self, name: Name, instance: (ActorId, Generation)) -> bool {
        let request = self.requests.get(&name);
        request.is_some_and(|r| r.held.is_none() && (r.actor, r.generation) == instance)
    }
}

/// The refusal of a WebSocket that no instance was given.
pub(super) const fn refuse(conn: ConnId, name: Name, why: WebSocketEnd) -> Effect {
    let piece = Piece::Close(Close::Because(why));
    Effect::SendWebSocket { conn, gateway: name.0, request: name.1, index: 0, piece }
}
