//! From effects of the machine to bytes and tasks.

use machines::runner::effect::{Effect, Message};
use machines::runner::input::InstanceEvent;
use protocol::id::{ActorId, ConnId, GatewayId, Generation, RequestId};
use protocol::wire::incarnation::metadata_of;
use protocol::wire::{KvRequest, MessageId, ToServer, ToServerInit, ToServerKind, ToServerTunnelMessage};
use tokio::sync::mpsc;

use super::socket::Socket;
use super::store::Body;
use super::{Instance, Milestone, Session, refusal};
use crate::instance::{self, Birth, Hold, Mail, Voice};

impl Session {
    /// Carries one effect out.
    pub(super) fn perform(&mut self, effect: Effect) {
        match effect {
            Effect::Dial { conn } => self.dial(conn),
            Effect::Hangup { conn, shutdown } => self.hangup(conn, shutdown),
            Effect::Send { conn, message } => self.send(conn, &self.message(message), None),
            Effect::SendKv { conn, actor, request, body } => {
                let Body::KvRequest(data, _) = self.store.peek(body) else {
                    unreachable!("a storage request was kept as one")
                };
                let request = KvRequest { actor_id: actor, request_id: request, data: data.clone() };
                self.send(conn, &ToServer::KvRequest(request), None);
            }
            Effect::SendResponse { conn, gateway, request, body } => {
                let Body::Response(response, hold) = self.store.take(body) else {
                    unreachable!("a response was kept as one")
                };
                self.tunnel_send(conn, gateway, request, response, hold);
            }
            Effect::SendUndelivered { conn, gateway, request } => {
                self.tunnel_send(conn, gateway, request, refusal::undelivered().into_wire(), None);
            }
            Effect::SendOverloaded { conn, gateway, request } => {
                self.tunnel_send(conn, gateway, request, refusal::overloaded().into_wire(), None);
            }
            Effect::SendAbort { conn, gateway, request } => {
                self.tunnel_send(conn, gateway, request, ToServerKind::ResponseAbort, None);
            }
            Effect::StartInstance { actor, generation, body } => {
                let Body::Start(config) = self.store.take(body) else {
                    unreachable!("a start was kept as one")
                };
                self.start(actor, generation, config);
            }
            Effect::StopInstance { actor, generation, graceful } => self.stop(actor, generation, graceful),
            Effect::Deliver { actor, generation, gateway, request, body } => match self.store.take(body) {
                Body::WebSocket(content) => {
                    self.give_websocket((actor, generation), (gateway, request), *content)
                }
                Body::Request(content) => {
                    self.mail(actor, generation, Mail::Request(gateway, request, content));
                }
                other => unreachable!("a request was kept as one, not as {other:?}"),
            },
            Effect::SendWebSocket { conn, gateway, request, index, piece } => {
                self.send_piece(
                    conn,
                    MessageId { gateway_id: gateway, request_id: request, message_index: index },
                    piece,
                );
            }
            Effect::DeliverMessage { gateway, request, body } => {
                self.deliver_message((gateway, request), body)
            }
            Effect::DeliverClose { gateway, request, close } => self.deliver_close((gateway, request), close),
            Effect::Cancel { actor, generation, gateway, request } => {
                self.mail(actor, generation, Mail::Cancel(gateway, request));
            }
            Effect::KvDone { ticket, body } => {
                let Body::KvResponse(answer) = self.store.take(body) else {
                    unreachable!("a storage answer was kept as one")
                };
                self.store.tell(ticket, Ok(answer));
            }
            Effect::KvFailed { ticket, failure } => self.store.tell(ticket, Err(failure)),
            Effect::AlarmKept { ticket } => self.store.tell_of_alarm(ticket, Ok(())),
            Effect::AlarmFailed { ticket, failure } => self.store.tell_of_alarm(ticket, Err(failure)),
            Effect::Ready { runner } => self.tell(Milestone::Ready(runner)),
            Effect::Lost => self.tell(Milestone::Lost),
            Effect::Ended { reason } => {
                self.end = Some(reason);
                self.tell(Milestone::Ended(reason));
            }
            Effect::Drop { body } => drop(self.store.take(body)),
            Effect::Fact(fact) => self.settings.witness.tell(&fact),
        }
    }

    fn dial(&mut self, conn: ConnId) {
        let (socket, task) = Socket::open(conn, self.settings.target.clone(), self.events.clone());
        self.sockets.insert(conn, socket);
        self.tasks.retain(|task| !task.is_finished());
        self.tasks.push(task);
    }

    /// In order, after what was sent before, or at once.
    fn hangup(&mut self, conn: ConnId, in_order: bool) {
        if in_order {
            if let Some(socket) = self.sockets.get(&conn) {
                socket.close();
            }
        } else if let Some(socket) = self.sockets.remove(&conn) {
            socket.cut();
        }
    }

    /// Sends a tunnelled answer. Every answer of ours is one piece, so its index is 0.
    pub(super) fn tunnel_send(
        &self,
        conn: ConnId,
        gateway_id: GatewayId,
        request_id: RequestId,
        message_kind: ToServerKind,
        hold: Option<Hold>,
    ) {
        let message_id = MessageId { gateway_id, request_id, message_index: 0 };
        self.tunnel_piece(conn, message_id, message_kind, hold);
    }

    /// Sends one piece of several.
    pub(super) fn tunnel_piece(
        &self,
        conn: ConnId,
        message_id: MessageId,
        message_kind: ToServerKind,
        hold: Option<Hold>,
    ) {
        self.send(conn, &ToServer::TunnelMessage(ToServerTunnelMessage { message_id, message_kind }), hold);
    }

    /// Forgets an instance that has ended.
    pub(super) fn retire(&mut self, actor: ActorId, generation: Generation) {
        if let Some(instance) = self.instances.remove(&(actor, generation)) {
            self.tasks.retain(|task| !task.is_finished());
            self.tasks.push(instance.task);
        }
    }

    fn send(&self, conn: ConnId, message: &ToServer, hold: Option<Hold>) {
        // One that has ended has said so, and the machine will hear of it.
        if let Some(socket) = self.sockets.get(&conn) {
            socket.send(message, hold);
        }
    }

    fn message(&self, message: Message) -> ToServer {
        match message {
            Message::Init { total_slots } => ToServer::Init(ToServerInit {
                name: self.settings.target.pool.clone(),
                version: self.settings.target.version,
                total_slots,
                prepopulate_actor_names: Some(self.settings.registry.wire_names()),
                metadata: Some(metadata_of(env!("CARGO_PKG_VERSION"), self.incarnation)),
            }),
            Message::Events(events) => ToServer::Events(events),
            Message::AckCommands(last_command_checkpoints) => {
                ToServer::AckCommands { last_command_checkpoints }
            }
            Message::Stopping => ToServer::Stopping,
            Message::Pong { ts } => ToServer::Pong { ts },
        }
    }

    fn start(&mut self, actor: ActorId, generation: Generation, config: protocol::wire::ActorConfig) {
        let voice = Voice::new(actor, generation, self.events.clone(), self.budget.clone());
        let Some(kind) = self.settings.registry.kind(&config.name) else {
            protocol::mark!("sdk_actor_name_unknown");
            let error = format!("this application has no actor named {:?}", config.name);
            return voice.say(InstanceEvent::Stopped { error: Some(error) });
        };
        let (mailbox, mail) = mpsc::unbounded_channel();
        let (exposes, client) = (self.settings.registry.exposes(), self.client.clone());
        let birth = Birth { config, voice, mailbox: mail, exposes, client };
        let task = runtime::spawn("actor", instance::run(kind, birth));
        let before = self.instances.insert((actor, generation), Instance { mailbox, task });
        assert!(before.is_none(), "a generation of an actor starts once on its runner");
    }

    fn stop(&mut self, actor: ActorId, generation: Generation, graceful: bool) {
        if graceful {
            return self.mail(actor, generation, Mail::Stop);
        }
        // Its mailbox closes, which ends it; its task says so.
        self.retire(actor, generation);
    }

    pub(super) fn mail(&self, actor: ActorId, generation: Generation, mail: Mail) {
        // An instance that has just ended takes none; its end is on its way to the machine.
        if let Some(instance) = self.instances.get(&(actor, generation)) {
            drop(instance.mailbox.send(mail));
        }
    }

    pub(super) fn tell(&self, milestone: Milestone) {
        // An owner that went away needs no news.
        self.settings.milestones.send(milestone).ok();
    }
}
