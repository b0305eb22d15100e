//! From what was heard and said to inputs of the machine.

use std::time::Duration;

use bytes::{Bytes, BytesMut};
use machines::runner::Input;
use machines::runner::input::{Frame, InstanceEvent};
use protocol::id::{ActorId, ConnId, GatewayId, Generation, RequestId};
use protocol::wire::{
    Command, CommandWrapper, Headers, KvResponseData, ToClient, ToClientKind, ToClientTunnelMessage,
};

use super::store::Body;
use super::upload::{Piece, Upload};
use super::{Milestone, Session, refusal};
use crate::actor::{Request, Response};
use crate::clock;
use crate::instance::Said;

impl Session {
    /// The engine said something.
    pub(super) fn heard(&mut self, conn: ConnId, message: Option<Box<ToClient>>) {
        let Some(message) = message else {
            return self.frame(conn, Frame::Invalid);
        };
        match *message {
            ToClient::Init(init) => {
                if let Ok(threshold) = u64::try_from(init.metadata.actor_stop_threshold) {
                    self.tell(Milestone::StopThreshold(Duration::from_millis(threshold)));
                }
                self.slot.heard(clock::now().mono);
                self.frame(
                    conn,
                    Frame::Init {
                        runner: init.runner_id,
                        lost_threshold: init.metadata.runner_lost_threshold,
                        drain_grace: init.metadata.serverless_drain_grace_period,
                    },
                );
            }
            ToClient::Commands(commands) => {
                for command in commands {
                    self.command(conn, command);
                }
            }
            ToClient::AckEvents { last_event_checkpoints } => {
                self.frame(conn, Frame::AckEvents(last_event_checkpoints));
            }
            ToClient::KvResponse(response) => {
                let request = response.request_id;
                let refused = matches!(response.data, KvResponseData::Error { .. });
                let body = self.store.keep(Body::KvResponse(response.data));
                self.frame(
                    conn,
                    if refused {
                        Frame::KvRefused { request, body }
                    } else {
                        Frame::KvResponse { request, body }
                    },
                );
            }
            ToClient::TunnelMessage(message) => self.tunnel(conn, message),
            ToClient::Ping { ts } => {
                self.slot.heard(clock::now().mono);
                self.frame(conn, Frame::Ping { ts });
            }
        }
    }

    /// An instance said something.
    pub(super) fn said(&mut self, actor: ActorId, generation: Generation, said: Said) {
        let event = match said {
            Said::Plain(event) => {
                if let InstanceEvent::Stopped { .. } = &event {
                    self.retire(actor, generation);
                }
                event
            }
            Said::Alarm { at, answer, hold } => {
                let ticket = self.store.wait_for_alarm(answer, hold);
                InstanceEvent::Alarm { ticket, at }
            }
            Said::Kv { data, answer, hold } => {
                let body = self.store.keep(Body::KvRequest(data, hold));
                let ticket = self.store.wait(answer, body);
                // Whole keys are read, written and removed here, never added to.
                InstanceEvent::Kv { ticket, repeatable: true, body }
            }
            Said::WebSocket { id, piece, hold } => self.websocket_said((actor, generation), id, piece, hold),
            Said::Respond { gateway, request, response, hold } => InstanceEvent::Respond {
                gateway,
                request,
                body: self.store.keep(Body::Response(response, hold)),
            },
        };
        self.step(Input::Instance { actor, generation, event });
    }

    pub(super) fn frame(&mut self, conn: ConnId, frame: Frame) {
        self.step(Input::Frame { conn, frame });
    }

    fn command(&mut self, conn: ConnId, CommandWrapper { checkpoint, inner }: CommandWrapper) {
        match inner {
            // Hibernated sockets are the gateway's to close: none of ours can hibernate.
            Command::StartActor(start) => {
                let body = self.store.keep(Body::Start(start.config));
                self.frame(conn, Frame::Start { checkpoint, body });
            }
            Command::StopActor => self.frame(conn, Frame::StopActor { checkpoint }),
        }
    }

    fn tunnel(&mut self, conn: ConnId, message: ToClientTunnelMessage) {
        let (gateway, request) = (message.message_id.gateway_id, message.message_id.request_id);
        match message.message_kind {
            ToClientKind::RequestStart { actor_id, method, path, headers, body, stream } => {
                let body = body.unwrap_or_default();
                if stream {
                    let body = BytesMut::from(body.as_ref());
                    let upload = Upload { actor: actor_id, method, path, headers, body };
                    if !self.uploads.begin(conn, gateway, request, upload) {
                        self.refuse(conn, gateway, request, refusal::overloaded());
                    }
                } else {
                    self.request(conn, gateway, request, actor_id, (&method, &path, &headers, body));
                }
            }
            ToClientKind::RequestChunk { body, finish } => {
                match self.uploads.add(conn, gateway, request, &body, finish) {
                    Piece::Kept => {}
                    Piece::Whole(upload, body) => {
                        let parts = (upload.method.as_str(), upload.path.as_str(), &upload.headers, body);
                        self.request(conn, gateway, request, upload.actor, parts);
                    }
                    Piece::TooLarge => self.refuse(conn, gateway, request, refusal::too_large()),
                }
            }
            ToClientKind::RequestAbort => {
                if !self.uploads.abort(conn, gateway, request) {
                    self.frame(conn, Frame::RequestAbort { gateway, request });
                }
            }
            ToClientKind::WebSocketOpen { actor_id, path, headers } => {
                self.websocket_open(conn, (gateway, request), actor_id, (&path, &headers));
            }
            ToClientKind::WebSocketMessage { data, binary } => {
                self.websocket_message(conn, (gateway, request), data, binary);
            }
            ToClientKind::WebSocketClose { code, reason } => {
                self.websocket_close(conn, (gateway, request), code, reason.as_deref());
            }
        }
    }

    fn request(
        &mut self,
        conn: ConnId,
        gateway: GatewayId,
        request: RequestId,
        actor: ActorId,
        (method, path, headers, body): (&str, &str, &Headers, Bytes),
    ) {
        match Request::from_wire(method, path, headers, body) {
            Ok(content) => {
                let body = self.store.keep(Body::Request(Box::new(content)));
                self.frame(conn, Frame::Request { gateway, request, actor, body });
            }
            Err(error) => {
                protocol::mark!("sdk_request_unreadable");
                self.refuse(conn, gateway, request, refusal::unreadable(&error.to_string()));
            }
        }
    }

    fn refuse(&self, conn: ConnId, gateway: GatewayId, request: RequestId, response: Response) {
        self.tunnel_send(conn, gateway, request, response.into_wire(), None);
    }
}
