//! WebSockets: what the machine wants of them.

use machines::websocket::Close;
use protocol::error::ApiError;
use protocol::id::{ActorId, BodyId, ConnId, RequestId, Ticket};

use super::{Driver, deliver};
use crate::gateway::clients::{Part, Reply, Waiter};
use crate::gateway::tunnel;
use crate::gateway::websocket::{self, Down, Ending, Message, Said};

impl Driver {
    pub(super) fn open_websocket(&self, ticket: Ticket, actor: ActorId, conn: ConnId, request: RequestId) {
        let (client, _) = self.clients.get(&ticket).expect("who waits for a WebSocket is there");
        assert_eq!(client.actor, actor, "a WebSocket goes to the actor it is for");
        self.sockets.send(conn, &tunnel::websocket_open(self.id, request, client));
    }

    pub(super) fn accept(&mut self, ticket: Ticket, conn: ConnId, gone: &mut Vec<Ticket>) {
        let (client, line) = websocket::line(self.sockets.room(conn));
        if !deliver(self.fresh(ticket), Reply::Open(line)) {
            gone.push(ticket);
        }
        // One that is gone, until the machine has heard of it.
        self.websockets.insert(ticket, client);
    }

    pub(super) fn refuse(&mut self, ticket: Ticket, body: BodyId) {
        let said = self.said(body);
        let (close_code, close_reason) = (said.code(), said.reason().to_owned());
        let error = ApiError::GuardWebsocketClosedBeforeOpen { close_code, close_reason };
        deliver(self.fresh(ticket), Reply::Failed(error));
    }

    pub(super) fn give_actor(&mut self, conn: ConnId, request: RequestId, index: u16, body: BodyId) {
        let Message { content, hold } = self.message(body);
        self.sockets.send_held(conn, &tunnel::websocket_message(self.id, request, index, content), hold);
    }

    pub(super) fn give_client(&mut self, ticket: Ticket, body: BodyId) {
        let Message { content, .. } = self.message(body);
        self.websockets.get(&ticket).expect("an open WebSocket has its client").send(Down::Message(content));
    }

    pub(super) fn close_actor(&mut self, conn: ConnId, request: RequestId, index: u16, close: Close) {
        let said = match close {
            Close::Said(body) => self.said(body),
            Close::Because(why) => Said::because(why),
        };
        self.sockets.send(conn, &tunnel::websocket_close(self.id, request, index, said));
    }

    pub(super) fn close_client(&mut self, ticket: Ticket, close: Close) {
        let ending = match close {
            Close::Said(body) => Ending::Said(self.said(body)),
            Close::Because(why) => Ending::Because(why),
        };
        self.websockets.remove(&ticket).expect("an open WebSocket has its client").close(ending);
    }

    pub(super) fn ping(&self, ticket: Ticket) {
        self.websockets.get(&ticket).expect("an open WebSocket has its client").send(Down::Ping);
    }

    fn fresh(&mut self, ticket: Ticket) -> tokio::sync::oneshot::Sender<Reply> {
        match self.clients.remove(&ticket) {
            Some((_, Waiter::Fresh(reply))) => reply,
            Some((_, Waiter::Begun(_))) => unreachable!("who wants a WebSocket has no response"),
            None => unreachable!("who waits for a WebSocket is there"),
        }
    }

    fn message(&mut self, body: BodyId) -> Message {
        match self.parts.remove(&body) {
            Some(Part::Message(message)) => message,
            other => unreachable!("a message is held as one: {other:?}"),
        }
    }

    fn said(&mut self, body: BodyId) -> Said {
        match self.parts.remove(&body) {
            Some(Part::Closed(said)) => said,
            other => unreachable!("a close is held as one: {other:?}"),
        }
    }
}
