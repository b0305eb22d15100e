//! What a session gives to an instance.

use machines::instance::{Input, WorkKind};
use protocol::id::{GatewayId, RequestId};
use tokio::sync::mpsc;

use super::{Driver, path, requests};
use crate::actor::{Request, WebSocket};

/// What the session gives to an instance. A mailbox that closes cuts the instance off.
#[derive(Debug)]
pub(crate) enum Mail {
    /// A client's request.
    Request(GatewayId, RequestId, Box<Request>),
    /// A client's WebSocket.
    WebSocket(Box<WebSocket>),
    /// Nobody waits for this request any more.
    Cancel(GatewayId, RequestId),
    /// Finish what is in progress, save, end.
    Stop,
}

/// Where mail arrives.
pub(crate) type Mailbox = mpsc::UnboundedReceiver<Mail>;

impl Driver {
    pub(super) fn mail(&mut self, mail: Option<Mail>) {
        match mail {
            Some(Mail::Request(gateway, request, content)) => {
                let id = (gateway, request);
                let content = match path::of(*content) {
                    path::Asked::Probe(answer) => {
                        return self.voice.answer(id, answer);
                    }
                    path::Asked::Action { name, args, abort } => {
                        requests::Content::Action { name, args, abort }
                    }
                    path::Asked::Request(request) => requests::Content::Request(request),
                };
                let kind = match content {
                    requests::Content::Action { .. } => WorkKind::Action,
                    requests::Content::Request(_) => WorkKind::Request,
                };
                let ticket = self.ticket();
                self.requests.enter(ticket, id, content);
                self.step(Input::Ask { ticket, kind });
            }
            Some(Mail::WebSocket(socket)) => match path::of_websocket(*socket) {
                Some(socket) => {
                    let ticket = self.ticket();
                    self.sockets.insert(ticket, socket);
                    self.step(Input::Ask { ticket, kind: WorkKind::Request });
                }
                None => protocol::mark!("sdk_websocket_nowhere"),
            },
            Some(Mail::Cancel(gateway, request)) => {
                if let Some(ticket) = self.requests.ticket((gateway, request)) {
                    self.step(Input::Unasked { ticket });
                }
            }
            Some(Mail::Stop) => self.step(Input::Stop),
            None => self.step(Input::Cut),
        }
    }
}
