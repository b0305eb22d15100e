//! The loop: letters in, one machine step each, effects out. [`carry`] performs those of WebSockets.

mod carry;

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;

use machines::gateway::{Effect, Gateway, Input, Options};
use protocol::error::ApiError;
use protocol::id::{BodyId, GatewayId, RequestId, Ticket};
use protocol::view::Witness;
use tokio::sync::oneshot;

use super::clients::{ClientRequest, PARTS_MAX, Part, Reply, Streamed, Waiter, Wants};
use super::mailbox::{Inbox, Letter};
use super::tunnel;
use super::websocket::{self, Up};
use crate::clock;
use crate::control;
use crate::sockets::Sockets;

/// What the driver waited for.
enum Heard {
    Deadline,
    /// Whether the control plane still takes letters.
    Posted(bool),
    Gone(Option<Ticket>),
    Letter(Option<Letter>),
}

/// Drives the gateway machine until its mailbox is dropped.
pub(crate) struct Driver {
    machine: Gateway,
    id: GatewayId,
    inbox: Inbox,
    control: control::Mailbox,
    sockets: Sockets,
    witness: Arc<dyn Witness>,
    clients: BTreeMap<Ticket, (Box<ClientRequest>, Waiter)>,
    /// Clients whose WebSocket is open.
    websockets: BTreeMap<Ticket, websocket::Client>,
    parts: BTreeMap<BodyId, Part>,
    next_body: BodyId,
    /// For the control plane, when it has room: at most a watch, an observe and an unwatch per request in flight.
    outgoing: VecDeque<control::Letter>,
    check_every: u32,
    steps: u32,
}

impl Driver {
    pub(crate) fn new(
        options: Options,
        check_every: u32,
        inbox: Inbox,
        control: control::Mailbox,
        sockets: Sockets,
        witness: Arc<dyn Witness>,
    ) -> Self {
        Self {
            machine: Gateway::new(options),
            id: GatewayId(runtime::entropy::bytes("gateway id")),
            inbox,
            control,
            sockets,
            witness,
            clients: BTreeMap::new(),
            websockets: BTreeMap::new(),
            parts: BTreeMap::new(),
            next_body: BodyId(0),
            outgoing: VecDeque::new(),
            check_every,
            steps: 0,
        }
    }

    /// Runs until nobody can write letters any more. A control plane that has ended takes none; what becomes of that is
    /// not for the gateway to say.
    pub(crate) async fn run(mut self) {
        loop {
            let input = match self.hear().await {
                Heard::Deadline => Some(Input::Tick),
                Heard::Posted(true) => None,
                Heard::Gone(Some(ticket)) => self.client_gone(ticket),
                Heard::Letter(Some(letter)) => self.open(letter),
                Heard::Posted(false) => {
                    protocol::mark!("gateway_outlives_control");
                    self.outgoing.clear();
                    None
                }
                Heard::Gone(None) | Heard::Letter(None) => return,
            };
            if let Some(input) = input {
                self.step(input);
            }
        }
    }

    async fn hear(&mut self) -> Heard {
        let deadline = self.machine.next_deadline().map(|(due, _)| due);
        let Self { control, outgoing, inbox, .. } = self;
        let has_outgoing = !outgoing.is_empty();
        runtime::select! {
            () = clock::until(deadline) => Heard::Deadline,
            posted = post(control, outgoing), if has_outgoing => Heard::Posted(posted),
            gone = inbox.gone.recv() => Heard::Gone(gone),
            letter = inbox.letters.recv() => Heard::Letter(letter),
        }
    }

    fn step(&mut self, input: Input) {
        let mut effects = Vec::new();
        self.machine.handle(clock::now(), input, &mut effects);
        let mut gone = Vec::new();
        for effect in effects {
            self.perform(effect, &mut gone);
        }
        self.steps += 1;
        if self.steps >= self.check_every {
            self.steps = 0;
            self.machine.check();
        }
        // One level deep: a client that is gone gets nothing more, so its step tells nobody else that they are.
        for ticket in gone {
            if let Some(input) = self.client_gone(ticket) {
                self.step(input);
            }
        }
    }

    /// What the machine shall know of a letter.
    fn open(&mut self, letter: Letter) -> Option<Input> {
        match letter {
            // Told before its letter was opened.
            Letter::Request { reply, .. } if reply.is_closed() => {
                protocol::mark!("client_gone_before_its_request");
                None
            }
            Letter::Request { ticket, request, reply } => {
                let (actor, wants) = (request.actor, request.wants);
                let before = self.clients.insert(ticket, (request, Waiter::Fresh(reply)));
                assert!(before.is_none(), "{ticket:?} is the name of one client only");
                let fresh = RequestId(runtime::entropy::bytes("request id"));
                Some(match wants {
                    Wants::Response { safe } => Input::Request { ticket, actor, safe, fresh },
                    Wants::WebSocket => Input::WebSocket { ticket, actor, fresh },
                })
            }
            Letter::Gone { ticket } => self.client_gone(ticket),
            Letter::WebSocket { ticket, up } => {
                if matches!(up, Up::Closed(_)) {
                    // Nothing more is told to who closed.
                    self.websockets.remove(&ticket);
                }
                let (input, part) = up.input(ticket, self.next_body);
                self.keep(part);
                Some(input)
            }
            Letter::Route { actor, route } => Some(Input::Route { actor, route }),
            Letter::Tunnel { conn, message } => {
                if message.message_id.gateway_id != self.id {
                    protocol::mark!("tunnel_of_an_earlier_gateway");
                    return None;
                }
                let body = self.next_body;
                let translated =
                    tunnel::input(conn, message.message_id.request_id, body, message.message_kind);
                let Some((input, part)) = translated else {
                    protocol::mark!("tunnel_message_unasked");
                    return None;
                };
                self.keep(part);
                Some(input)
            }
            Letter::View(answer) => {
                // Whoever asked may have gone.
                answer.send(self.machine.view()).ok();
                None
            }
        }
    }

    /// Holds what came in under the body id that was named to the machine.
    fn keep(&mut self, part: Option<Part>) {
        if let Some(part) = part {
            let body = self.next_body;
            self.parts.insert(body, part);
            self.next_body = body.next();
        }
    }

    /// A client that left before its response was complete, or its WebSocket closed.
    fn client_gone(&mut self, ticket: Ticket) -> Option<Input> {
        let waited = self.clients.remove(&ticket).is_some();
        let was_open = self.websockets.remove(&ticket).is_some();
        (waited || was_open).then_some(Input::ClientGone { ticket })
    }

    fn perform(&mut self, effect: Effect, gone: &mut Vec<Ticket>) {
        match effect {
            Effect::Watch { actor } => self.tell_control(control::Letter::Watch { actor }),
            Effect::Observe { actor } => self.tell_control(control::Letter::Observe { actor }),
            Effect::Unwatch { actor } => self.tell_control(control::Letter::Unwatch { actor }),
            Effect::Disowned { actor, generation, conn } => {
                self.tell_control(control::Letter::Disowned { actor, generation, conn });
            }
            Effect::Forward { ticket, actor, conn, request } => {
                let (client, _) = self.clients.get(&ticket).expect("a forwarded request has its client");
                assert_eq!(client.actor, actor, "a request goes to the actor it is for");
                self.sockets.send(conn, &tunnel::request_start(self.id, request, client));
            }
            Effect::Abort { conn, request } => {
                self.sockets.send(conn, &tunnel::request_abort(self.id, request));
            }
            Effect::Respond { ticket, body, more } => {
                let part = self.parts.remove(&body).expect("a part is held until it is sent or dropped");
                if !self.respond(ticket, part, more) {
                    gone.push(ticket);
                }
            }
            Effect::Fail { ticket, error } => self.fail(ticket, error),
            Effect::Open { ticket, actor, conn, request } => {
                self.open_websocket(ticket, actor, conn, request)
            }
            Effect::Accept { ticket, conn } => self.accept(ticket, conn, gone),
            Effect::Refuse { ticket, body } => self.refuse(ticket, body),
            Effect::ToActor { conn, request, index, body } => self.give_actor(conn, request, index, body),
            Effect::ToClient { ticket, body } => self.give_client(ticket, body),
            Effect::CloseActor { conn, request, index, close } => {
                self.close_actor(conn, request, index, close);
            }
            Effect::CloseClient { ticket, close } => self.close_client(ticket, close),
            Effect::Ping { ticket } => self.ping(ticket),
            Effect::Drop { body } => {
                self.parts.remove(&body).expect("a part is held until it is sent or dropped");
            }
            Effect::Fact(fact) => self.witness.tell(&fact),
        }
    }

    fn tell_control(&mut self, letter: control::Letter) {
        self.outgoing.push_back(letter);
    }

    /// Whether the client is still there, as far as this part can tell.
    fn respond(&mut self, ticket: Ticket, part: Part, more: bool) -> bool {
        let (request, waiter) = self.clients.remove(&ticket).expect("a response has its client");
        let next = match (waiter, part) {
            (Waiter::Fresh(reply), Part::Head(head)) if more => {
                let (parts, rest) = tokio::sync::mpsc::channel(PARTS_MAX);
                deliver(reply, Reply::Streamed(head, Streamed(rest))).then_some(parts)
            }
            (Waiter::Fresh(reply), Part::Head(head)) => {
                deliver(reply, Reply::Whole(head));
                return true;
            }
            (Waiter::Begun(parts), Part::Chunk(bytes)) => {
                parts.try_send(Streamed::part(bytes, more)).is_ok().then_some(parts)
            }
            (_, Part::Message(_) | Part::Closed(_)) => unreachable!("a response is no WebSocket"),
            (Waiter::Fresh(_), Part::Chunk(_)) => unreachable!("the first part of a response is its head"),
            (Waiter::Begun(_), Part::Head(_)) => unreachable!("a response has one head"),
        };
        let there = next.is_some();
        match next {
            Some(parts) if more => {
                self.clients.insert(ticket, (request, Waiter::Begun(parts)));
            }
            // Its last part was sent.
            Some(_) => {}
            None if more => {
                protocol::mark!("client_does_not_read");
                let (closed, _) = tokio::sync::mpsc::channel(1);
                // Kept until the machine has heard of it.
                self.clients.insert(ticket, (request, Waiter::Begun(closed)));
            }
            None => {}
        }
        there || !more
    }

    fn fail(&mut self, ticket: Ticket, error: ApiError) {
        let (_, waiter) = self.clients.remove(&ticket).expect("a failure has its client");
        match waiter {
            Waiter::Fresh(reply) => {
                deliver(reply, Reply::Failed(error));
            }
            // Its body ends with an error, or, where there is no room for it, without its last part.
            Waiter::Begun(parts) => drop(parts.try_send(Err(error))),
        }
    }
}

/// Whether somebody took it. Who went away in this moment tells so too.
fn deliver(reply: oneshot::Sender<Reply>, with: Reply) -> bool {
    reply.send(with).is_ok()
}

/// Sends the first letter when there is room. Nothing is lost when it is dropped before.
async fn post(control: &control::Mailbox, outgoing: &mut VecDeque<control::Letter>) -> bool {
    let Some(room) = control.room().await else { return false };
    room.send(outgoing.pop_front().expect("there is something to send"));
    true
}
