//! Payloads that the machine speaks of by handle, and those who wait for storage or their alarm.

use std::collections::BTreeMap;

use machines::runner::effect::StoreFailure;
use protocol::id::{BodyId, Ticket};
use protocol::wire::{ActorConfig, KvRequestData, KvResponseData, ToServerKind};
use tokio::sync::oneshot;

use crate::actor::Request;
use crate::instance::Hold;
use crate::websocket::{CloseInfo, Message};

/// A payload.
#[derive(Debug)]
pub(super) enum Body {
    /// Configuration of an instance that shall start.
    Start(ActorConfig),
    /// A client's request.
    Request(Box<Request>),
    /// What a client's WebSocket was opened with.
    WebSocket(Box<Request>),
    /// A client's message.
    Message(Message),
    /// A client's close.
    Closed(CloseInfo),
    /// An actor's response, or what it says on a WebSocket.
    Response(ToServerKind, Option<Hold>),
    /// A storage request, kept until it is answered.
    KvRequest(KvRequestData, #[expect(dead_code, reason = "its drop gives the room back")] Hold),
    /// A storage answer.
    KvResponse(KvResponseData),
}

/// Whoever waits for a storage answer.
pub(super) type Waiter = oneshot::Sender<Result<KvResponseData, StoreFailure>>;

/// Whoever waits for an alarm to be stored.
pub(super) type AlarmWaiter = oneshot::Sender<Result<(), StoreFailure>>;

#[derive(Debug, Default)]
pub(super) struct Store {
    bodies: BTreeMap<BodyId, Body>,
    waiters: BTreeMap<Ticket, (Waiter, BodyId)>,
    /// With the room that each takes until it is told.
    alarms: BTreeMap<Ticket, (AlarmWaiter, Hold)>,
    next_body: u64,
    next_ticket: u64,
}

impl Store {
    /// Whether nothing is kept and nobody waits.
    pub(super) fn is_empty(&self) -> bool {
        self.bodies.is_empty() && self.waiters.is_empty() && self.alarms.is_empty()
    }

    pub(super) fn keep(&mut self, body: Body) -> BodyId {
        self.next_body += 1;
        let id = BodyId(self.next_body);
        self.bodies.insert(id, body);
        id
    }

    /// Takes a payload out.
    ///
    /// # Panics
    /// If there is none: the machine named a payload that it was not given, or one that it has had performed.
    pub(super) fn take(&mut self, id: BodyId) -> Body {
        self.bodies.remove(&id).expect("the machine names payloads that are kept")
    }

    /// Looks at a payload that is needed again.
    ///
    /// # Panics
    /// As [`Store::take`].
    pub(super) fn peek(&self, id: BodyId) -> &Body {
        self.bodies.get(&id).expect("the machine names payloads that are kept")
    }

    /// Remembers who waits for the answer to the request in `body`.
    pub(super) fn wait(&mut self, waiter: Waiter, body: BodyId) -> Ticket {
        let ticket = self.ticket();
        self.waiters.insert(ticket, (waiter, body));
        ticket
    }

    /// Remembers who waits for an alarm to be stored.
    pub(super) fn wait_for_alarm(&mut self, waiter: AlarmWaiter, hold: Hold) -> Ticket {
        let ticket = self.ticket();
        self.alarms.insert(ticket, (waiter, hold));
        ticket
    }

    fn ticket(&mut self) -> Ticket {
        self.next_ticket += 1;
        Ticket(self.next_ticket)
    }

    /// Tells a waiter how its storage request went, and forgets that. One that waits no more does not want to know.
    ///
    /// # Panics
    /// If it was told before.
    pub(super) fn tell(&mut self, ticket: Ticket, outcome: Result<KvResponseData, StoreFailure>) {
        let (waiter, body) = self.waiters.remove(&ticket).expect("a storage request is answered once");
        drop(self.take(body));
        drop(waiter.send(outcome));
    }

    /// Tells a waiter what became of its alarm. One that waits no more does not want to know.
    ///
    /// # Panics
    /// If it was told before.
    pub(super) fn tell_of_alarm(&mut self, ticket: Ticket, outcome: Result<(), StoreFailure>) {
        let (waiter, _hold) = self.alarms.remove(&ticket).expect("an alarm is answered once");
        waiter.send(outcome).ok();
    }
}
