//! What an instance says to its session.

use std::sync::Arc;

use bytes::Bytes;
use machines::runner::effect::StoreFailure;
use machines::runner::input::{InstanceEvent, WebSocketEvent};
use protocol::id::{ActorId, GatewayId, Generation, RequestId};
use protocol::wire::{KvRequestData, KvResponseData, ToServerKind};
use tokio::sync::{OwnedSemaphorePermit, Semaphore, mpsc, oneshot};

use crate::actor::Response;
use crate::session::Event;

/// Bytes that one unit of the budget stands for.
const UNIT_BYTES: usize = 1024;

/// Payload that the instances of one session may have on its way to the engine: 64 MiB, three bodies of the largest
/// size. Whoever wants to send more waits, so that an engine that does not read costs no more memory than this.
pub(crate) const BUDGET_UNITS: usize = 64 * 1024;

/// Room in the session's budget, taken by a payload until it is sent or dropped.
#[derive(Debug)]
pub(crate) struct Hold(#[expect(dead_code, reason = "its drop gives the room back")] OwnedSemaphorePermit);

/// Something an instance said.
#[derive(Debug)]
pub(crate) enum Said {
    /// Without payload.
    Plain(InstanceEvent),
    /// It asks for its storage.
    Kv { data: KvRequestData, answer: oneshot::Sender<Result<KvResponseData, StoreFailure>>, hold: Hold },
    /// It sets its alarm.
    Alarm { at: Option<i64>, answer: oneshot::Sender<Result<(), StoreFailure>>, hold: Hold },
    /// It says something on a WebSocket: a message, or that it closes.
    WebSocket { id: (GatewayId, RequestId), piece: ToServerKind, hold: Option<Hold> },
    /// It answers a request; without room taken, a refusal of some hundred bytes.
    Respond { gateway: GatewayId, request: RequestId, response: ToServerKind, hold: Option<Hold> },
}

/// An instance's way to its session. Clones speak for the same instance.
#[derive(Clone, Debug)]
pub(crate) struct Voice {
    actor: ActorId,
    generation: Generation,
    events: mpsc::UnboundedSender<Event>,
    budget: Arc<Semaphore>,
}

impl Voice {
    pub(crate) const fn new(
        actor: ActorId,
        generation: Generation,
        events: mpsc::UnboundedSender<Event>,
        budget: Arc<Semaphore>,
    ) -> Self {
        Self { actor, generation, events, budget }
    }

    pub(crate) const fn actor(&self) -> ActorId {
        self.actor
    }

    pub(crate) const fn generation(&self) -> Generation {
        self.generation
    }

    pub(crate) fn say(&self, event: InstanceEvent) {
        // Without a session there is nobody left to tell.
        self.send(Said::Plain(event)).ok();
    }

    /// Sets the alarm, and waits until it is stored. Its room is given back only then, also if whoever set it waits no
    /// more, so that an actor in a loop cannot fill the session's queue.
    pub(crate) async fn set_alarm(&self, at: Option<i64>) -> Result<(), StoreFailure> {
        let hold = self.hold(0).await;
        let (answer, answered) = oneshot::channel();
        self.send(Said::Alarm { at, answer, hold }).map_err(|()| StoreFailure::NotDone)?;
        // A session that ended with it in its hands may have told it.
        answered.await.unwrap_or(Err(StoreFailure::Indeterminate))
    }

    /// Carries out a storage request.
    pub(crate) async fn kv(&self, data: KvRequestData) -> Result<KvResponseData, StoreFailure> {
        let hold = self.hold(size_of_kv(&data)).await;
        let (answer, answered) = oneshot::channel();
        self.send(Said::Kv { data, answer, hold }).map_err(|()| StoreFailure::NotDone)?;
        // A session that ended with the request in its hands may have sent it.
        answered.await.unwrap_or(Err(StoreFailure::Indeterminate))
    }

    /// Answers a request.
    pub(crate) async fn respond(&self, gateway: GatewayId, request: RequestId, response: ToServerKind) {
        let hold = Some(self.hold(size_of_response(&response)).await);
        self.send(Said::Respond { gateway, request, response, hold }).ok();
    }

    /// Answers in the place of the actor, in some hundred bytes, without waiting for room: whoever is overloaded must say
    /// so at once.
    pub(crate) fn answer(&self, (gateway, request): (GatewayId, RequestId), response: Response) {
        let response = response.into_wire();
        self.send(Said::Respond { gateway, request, response, hold: None }).ok();
    }

    /// Says something on a WebSocket.
    pub(crate) fn websocket(&self, id: (GatewayId, RequestId), piece: ToServerKind, hold: Option<Hold>) {
        // Without a session it is over, and whoever has it is told.
        self.send(Said::WebSocket { id, piece, hold }).ok();
    }

    /// Does something with a WebSocket.
    pub(crate) fn websocket_event(&self, (gateway, request): (GatewayId, RequestId), event: WebSocketEvent) {
        self.say(InstanceEvent::WebSocket { gateway, request, event });
    }

    /// Waits for room in what this session says.
    pub(crate) async fn hold(&self, bytes: usize) -> Hold {
        let units = u32::try_from(bytes / UNIT_BYTES + 1).expect("a payload is far below 4 TiB");
        let permit = Arc::clone(&self.budget).acquire_many_owned(units).await;
        Hold(permit.expect("the budget is never closed"))
    }

    fn send(&self, said: Said) -> Result<(), ()> {
        let event = Event::Said { actor: self.actor, generation: self.generation, said };
        self.events.send(event).map_err(|_| ())
    }
}

fn size_of_kv(data: &KvRequestData) -> usize {
    match data {
        KvRequestData::Get { keys } | KvRequestData::Delete { keys } => keys.iter().map(Bytes::len).sum(),
        KvRequestData::Put { keys, values } => keys.iter().chain(values).map(Bytes::len).sum(),
        KvRequestData::DeleteRange { start, end } => start.len() + end.len(),
        KvRequestData::List { .. } | KvRequestData::Drop => 0,
    }
}

fn size_of_response(response: &ToServerKind) -> usize {
    match response {
        ToServerKind::ResponseStart { body, .. } => body.as_ref().map_or(0, Bytes::len),
        ToServerKind::ResponseChunk { body, .. } => body.len(),
        ToServerKind::WebSocketMessage { data, .. } => data.len(),
        ToServerKind::ResponseAbort
        | ToServerKind::WebSocketOpen { .. }
        | ToServerKind::WebSocketMessageAck { .. }
        | ToServerKind::WebSocketClose { .. } => 0,
    }
}
