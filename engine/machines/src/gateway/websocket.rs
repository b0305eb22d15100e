//! WebSockets: accepted once the actor has, carried both ways, closed once each way.
//!
//! What waits for a client that reads slowly is counted: the protocol has no way to hold the actor back, and what is
//! kept for one client must not grow for ever. What waits for a runner is not: its clients are not read meanwhile.

use protocol::error::WebSocketEnd;
use protocol::id::{BodyId, ConnId, RequestId, Ticket};
use protocol::mark;
use protocol::time::Now;

use super::input::{ActorEvent, ClientEvent};
use super::pending::{Kind, Open, Stage};
use super::{Effect, Gateway};
use crate::route::Route;
use crate::websocket::Close;

impl Gateway {
    pub(super) fn actor_event(
        &mut self,
        now: Now,
        conn: ConnId,
        request: RequestId,
        event: ActorEvent,
        out: &mut Vec<Effect>,
    ) {
        let Some(ticket) = self.carried(conn, request) else {
            mark!("gateway_websocket_of_nobody");
            match event {
                ActorEvent::Message { body, .. } | ActorEvent::Closed { body, .. } => {
                    out.push(Effect::Drop { body });
                }
                ActorEvent::Accepted | ActorEvent::Unfit { .. } => {}
            }
            return;
        };
        match (self.get(ticket).stage, event) {
            (Stage::Waiting { .. }, _) => unreachable!("a WebSocket that waits is with no session"),
            (Stage::Forwarded { generation, .. }, ActorEvent::Accepted) => {
                let ping_at = now.mono + self.options.websocket_ping;
                let open =
                    Open { conn, generation, next: 1, messages: 0, bytes: 0, heard: now.mono, ping_at };
                self.set_stage(ticket, Stage::Open(open));
                out.push(Effect::Accept { ticket, conn });
                self.settle(ticket, out);
            }
            (Stage::Forwarded { .. }, ActorEvent::Closed { body, undelivered: true }) => {
                mark!("gateway_websocket_undelivered");
                out.push(Effect::Drop { body });
                self.sent_back(now, ticket, out);
            }
            (Stage::Forwarded { .. }, ActorEvent::Closed { body, undelivered: false }) => {
                mark!("gateway_websocket_refused");
                out.push(Effect::Refuse { ticket, body });
                self.forget(ticket, out);
            }
            (Stage::Forwarded { .. }, ActorEvent::Message { body, .. }) => {
                mark!("gateway_websocket_message_before_open");
                out.push(Effect::Drop { body });
            }
            (Stage::Forwarded { .. }, ActorEvent::Unfit { .. }) | (Stage::Open(_), ActorEvent::Accepted) => {}
            (Stage::Open(open), ActorEvent::Message { body, bytes }) => {
                self.pass_on(ticket, open, (body, bytes), out);
            }
            (Stage::Open(_), ActorEvent::Unfit { why }) => {
                mark!("gateway_websocket_answer_unfit");
                self.end(ticket, why, out);
            }
            (Stage::Open(_), ActorEvent::Closed { body, .. }) => {
                out.push(Effect::CloseClient { ticket, close: Close::Said(body) });
                self.forget(ticket, out);
            }
        }
    }

    /// Counts a WebSocket that has just opened: it wants nothing of the control plane but to be told of its end.
    fn settle(&mut self, ticket: Ticket, out: &mut Vec<Effect>) {
        let actor = self.get(ticket).actor;
        let watched = self.watched.get_mut(&actor).expect("an actor with a request is watched");
        watched.open += 1;
        if watched.is_settled() {
            out.push(Effect::Observe { actor });
        }
    }

    /// Of a WebSocket that is over, or was never open, nothing more is carried.
    pub(super) fn client_event(
        &mut self,
        now: Now,
        ticket: Ticket,
        event: ClientEvent,
        out: &mut Vec<Effect>,
    ) {
        let stage = self.pending.get(&ticket).map(|pending| pending.stage);
        let Some(Stage::Open(mut open)) = stage else {
            mark!("gateway_websocket_client_late");
            match event {
                ClientEvent::Message { body } | ClientEvent::Closed { body } => {
                    out.push(Effect::Drop { body });
                }
                ClientEvent::Took { .. } | ClientEvent::Heard | ClientEvent::Unfit { .. } => {}
            }
            return;
        };
        let request = self.get(ticket).id().expect("an open WebSocket has an id on the wire");
        let (conn, index) = (open.conn, open.next);
        open.heard = now.mono;
        match event {
            ClientEvent::Message { body } => {
                open.next = index.wrapping_add(1);
                out.push(Effect::ToActor { conn, request, index, body });
            }
            ClientEvent::Took { messages, bytes } => {
                open.messages = open.messages.checked_sub(messages).expect("only what was sent is taken");
                open.bytes = open.bytes.checked_sub(bytes).expect("only what was sent is taken");
            }
            ClientEvent::Heard => {}
            ClientEvent::Unfit { why } => {
                mark!("gateway_websocket_message_unfit");
                return self.end(ticket, why, out);
            }
            ClientEvent::Closed { body } => {
                out.push(Effect::CloseActor { conn, request, index, close: Close::Said(body) });
                return self.forget(ticket, out);
            }
        }
        self.set_stage(ticket, Stage::Open(open));
    }

    /// What the route of its actor means to an open WebSocket: it never moves.
    pub(super) fn open_route(&mut self, ticket: Ticket, open: Open, route: Route, out: &mut Vec<Effect>) {
        if route == Route::Unknown {
            mark!("gateway_websocket_actor_gone");
            self.end(ticket, WebSocketEnd::ActorNotFound, out);
        } else if !route.hosts(open.conn, open.generation) {
            mark!("gateway_websocket_lost");
            self.end(ticket, WebSocketEnd::ActorLost, out);
        }
    }

    /// Asks a client whether it is there, or gives it up. Never earlier than it was silent for the whole time-out.
    pub(super) fn ping(&mut self, now: Now, ticket: Ticket, mut open: Open, out: &mut Vec<Effect>) {
        let silent_at = open.heard + self.options.websocket_timeout;
        if silent_at <= now.mono {
            mark!("gateway_websocket_silent");
            return self.end(ticket, WebSocketEnd::TimedOut, out);
        }
        open.ping_at = silent_at.min(now.mono + self.options.websocket_ping);
        self.set_stage(ticket, Stage::Open(open));
        out.push(Effect::Ping { ticket });
    }

    fn pass_on(
        &mut self,
        ticket: Ticket,
        mut open: Open,
        (body, bytes): (BodyId, usize),
        out: &mut Vec<Effect>,
    ) {
        let (messages_max, bytes_max) =
            (self.options.websocket_messages_max, self.options.websocket_bytes_max);
        if open.messages >= messages_max || open.bytes >= bytes_max {
            mark!("gateway_websocket_not_read");
            out.push(Effect::Drop { body });
            return self.end(ticket, WebSocketEnd::PendingLimit, out);
        }
        open.messages += 1;
        open.bytes += bytes;
        self.set_stage(ticket, Stage::Open(open));
        out.push(Effect::ToClient { ticket, body });
    }

    /// Closes an open WebSocket both ways.
    fn end(&mut self, ticket: Ticket, why: WebSocketEnd, out: &mut Vec<Effect>) {
        self.abort(ticket, why, out);
        out.push(Effect::CloseClient { ticket, close: Close::Because(why) });
        self.forget(ticket, out);
    }

    /// The WebSocket with this id on this session, open or not yet accepted.
    fn carried(&self, conn: ConnId, request: RequestId) -> Option<Ticket> {
        let ticket = self.current(request)?;
        let pending = self.get(ticket);
        let with = match pending.stage {
            Stage::Waiting { .. } => return None,
            Stage::Forwarded { conn, .. } => conn,
            Stage::Open(open) => open.conn,
        };
        (pending.kind == Kind::WebSocket && with == conn).then_some(ticket)
    }
}
