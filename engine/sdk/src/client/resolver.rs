//! Finding the actor that a handle means: the driver of `machines::client::resolution`.

use std::collections::BTreeMap;
use std::sync::Arc;

use machines::client::resolution::{Effect, Input, Resolution};
use parking_lot::Mutex;
use protocol::api::CreateActor;
use protocol::error::ApiError;
use protocol::id::{ActorId, Ticket};
use runtime::JoinHandle;
use tokio::sync::oneshot;

use super::{Client, ClientError};
use crate::clock;

/// Where an actor is looked for.
#[derive(Debug)]
pub(super) enum Address {
    /// It is known.
    Id,
    /// It must be there.
    Get { name: String, key: String },
    /// It is made if it is not there.
    GetOrCreate(Box<CreateActor>),
}

/// The actor, or why it is not known: one failure for all who waited.
pub(super) type Found = Result<ActorId, Arc<ClientError>>;

/// What the clones of a handle share.
#[derive(Debug)]
pub(super) struct Resolver {
    client: Client,
    address: Address,
    state: Mutex<State>,
}

#[derive(Debug)]
struct State {
    machine: Resolution,
    waiters: BTreeMap<Ticket, oneshot::Sender<Found>>,
    /// The flight that is out.
    flight: Option<JoinHandle<()>>,
    /// What the last flight failed with.
    failure: Option<Arc<ClientError>>,
    next: Ticket,
}

impl Resolver {
    pub(super) fn new(client: Client, address: Address, machine: Resolution) -> Arc<Self> {
        let state = State { machine, waiters: BTreeMap::new(), flight: None, failure: None, next: Ticket(1) };
        Arc::new(Self { client, address, state: Mutex::new(state) })
    }

    /// The actor that is meant. Whoever asks meanwhile shares the answer.
    pub(super) async fn find(self: Arc<Self>) -> Found {
        let (waiter, told) = oneshot::channel();
        let ticket = {
            let mut state = self.state.lock();
            let ticket = state.next;
            state.next = ticket.next();
            state.waiters.insert(ticket, waiter);
            self.step(&mut state, Input::Want { ticket });
            ticket
        };
        let _seat = Seat { resolver: Arc::clone(&self), ticket };
        told.await.expect("who waits is told, or has left")
    }

    /// This actor is not the one any more.
    pub(super) fn forget(self: &Arc<Self>, actor: ActorId) {
        self.step(&mut self.state.lock(), Input::Stale { actor });
    }

    fn step(self: &Arc<Self>, state: &mut State, input: Input) {
        let mut effects = Vec::new();
        state.machine.handle(clock::now(), input, &mut effects);
        for effect in effects {
            match effect {
                Effect::Look { flight } => {
                    let resolver = Arc::clone(self);
                    state.flight = Some(runtime::spawn("actor lookup", resolver.look(flight)));
                }
                Effect::Cancel { .. } => {
                    if let Some(flight) = state.flight.take() {
                        flight.abort();
                    }
                }
                Effect::Tell { ticket, actor } => {
                    let failed = || {
                        let failure = state.failure.as_ref().expect("a flight that found nobody has failed");
                        Arc::clone(failure)
                    };
                    let found = actor.ok_or_else(failed);
                    let waiter = state.waiters.remove(&ticket).expect("who is told waits");
                    // One that leaves in this moment does not want to know.
                    waiter.send(found).ok();
                }
            }
        }
    }

    async fn look(self: Arc<Self>, flight: u64) {
        let found = self.ask().await;
        let mut state = self.state.lock();
        let actor = match found {
            Ok(actor) => Some(actor),
            Err(error) => {
                state.failure = Some(Arc::new(error));
                None
            }
        };
        self.step(&mut state, Input::Found { flight, actor });
    }

    async fn ask(&self) -> Result<ActorId, ClientError> {
        match &self.address {
            Address::Id => unreachable!("an id is known"),
            Address::Get { name, key } => match self.client.find(name, key).await? {
                Some(actor) => Ok(actor.actor_id),
                None => {
                    let (status, body) = (ApiError::ActorNotFound.status(), ApiError::ActorNotFound.body());
                    Err(ClientError::Engine { status, body, retry_after: None })
                }
            },
            Address::GetOrCreate(actor) => Ok(self.client.get_or_create(actor).await?.0.actor_id),
        }
    }
}

/// Somebody who waits, and leaves when they are told or dropped.
struct Seat {
    resolver: Arc<Resolver>,
    ticket: Ticket,
}

impl Drop for Seat {
    fn drop(&mut self) {
        let mut state = self.resolver.state.lock();
        state.waiters.remove(&self.ticket);
        self.resolver.step(&mut state, Input::Leave { ticket: self.ticket });
    }
}
