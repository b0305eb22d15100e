//! A runner's session with the engine: the driver of `machines::runner`.
//!
//! It owns the bytes, the socket and the tasks of instances, tells the machine what happened and does what it says.
//! When to dial, what to send again, who may run and when it is over is decided there. Everything reaches it through
//! one queue of [`Event`]s, so that nothing can starve anything; it never waits for the engine or for user code.
//!
//! [`socket`] carries frames, [`websocket`] those of clients' WebSockets, [`intake`] turns the engine's messages into inputs, [`perform`] carries effects out,
//! [`store`] holds payloads while the machine speaks of them by handle.

pub(crate) mod event;
pub(crate) mod intake;
pub(crate) mod perform;
pub(crate) mod refusal;
pub(crate) mod socket;
pub(crate) mod store;
pub(crate) mod target;
pub(crate) mod upgrade;
pub(crate) mod upload;
mod websocket;

pub(crate) use event::{Event, Milestone};
pub(crate) use target::Target;

use std::collections::BTreeMap;
use std::pin::pin;
use std::sync::Arc;

use machines::runner::{self, Input, Runner};
use protocol::id::{ActorId, ConnId, GatewayId, Generation, RequestId};
use protocol::view::Witness;
use runtime::JoinHandle;
use tokio::sync::{Semaphore, mpsc};

use crate::actor::websocket::Remote;
use crate::client::Client;
use crate::clock;
use crate::instance::Mail;
use crate::instance::voice::BUDGET_UNITS;
use crate::registry::Registry;
use crate::shutdown::Shutdown;
use crate::view::{Slot, View};
use socket::Socket;
use store::Store;
use upload::Uploads;

/// What a session is made of.
pub(crate) struct Settings {
    /// The actors it can host.
    pub registry: Registry,
    /// Which engine, and as whom.
    pub target: Target,
    /// Timings and slots.
    pub options: runner::Options,
    /// Who is told facts.
    pub witness: Arc<dyn Witness>,
    /// Where it shows how it stands.
    pub view: View,
    /// Who is told that it is ready, and that it ended. Its end alone ends nothing.
    pub milestones: mpsc::UnboundedSender<Milestone>,
}

/// One instance, seen from its session.
struct Instance {
    mailbox: mpsc::UnboundedSender<Mail>,
    task: JoinHandle<()>,
}

/// The driver.
pub(crate) struct Session {
    settings: Arc<Settings>,
    /// Which life of its identity this is.
    incarnation: u64,
    machine: Runner,
    store: Store,
    uploads: Uploads,
    sockets: BTreeMap<ConnId, Socket>,
    instances: BTreeMap<(ActorId, Generation), Instance>,
    /// WebSockets that instances have.
    websockets: BTreeMap<(GatewayId, RequestId), ((ActorId, Generation), Remote)>,
    events: mpsc::UnboundedSender<Event>,
    budget: Arc<Semaphore>,
    /// What its actors call others by.
    client: Client,
    /// Sockets and instances that may still run.
    tasks: Vec<JoinHandle<()>>,
    slot: Slot,
    end: Option<runner::effect::EndReason>,
}

/// Runs a session to its end: until it was drained or stopped, or the engine will not have it. When it returns, no
/// task of it is left.
pub(crate) async fn run(settings: Settings, shutdown: Shutdown) -> runner::effect::EndReason {
    let (events, mut inbox) = mpsc::unbounded_channel();
    let mut session = Session {
        machine: Runner::new(settings.options.clone()),
        client: settings.target.client(),
        slot: settings.view.enter(settings.target.key.clone()),
        settings: Arc::new(settings),
        incarnation: u64::from_le_bytes(runtime::entropy::bytes("runner/incarnation")),
        store: Store::default(),
        uploads: Uploads::default(),
        sockets: BTreeMap::new(),
        instances: BTreeMap::new(),
        websockets: BTreeMap::new(),
        events,
        budget: Arc::new(Semaphore::new(BUDGET_UNITS)),
        tasks: Vec::new(),
        end: None,
    };
    session.step(Input::Start);
    let (mut draining, mut stopped) = (false, false);
    let reason = loop {
        if let Some(reason) = session.end {
            break reason;
        }
        runtime::select! {
            () = shutdown.stopped(), if !stopped => {
                stopped = true;
                session.step(Input::Stop);
            }
            () = shutdown.draining(), if !draining => {
                draining = true;
                session.step(Input::Drain);
            }
            () = clock::deadline(session.machine.next_deadline()) => session.step(Input::Tick),
            event = inbox.recv() => session.take(event.expect("the session holds a sender of its own queue")),
        }
    };
    session.leave(inbox).await;
    reason
}

impl Session {
    /// One step of the machine, and everything it wants.
    fn step(&mut self, input: Input) {
        let mut effects = Vec::new();
        self.machine.handle(clock::now(), input, &mut effects);
        for effect in effects {
            self.perform(effect);
        }
        self.slot.show(self.machine.view());
    }

    fn take(&mut self, event: Event) {
        match event {
            Event::Dialled { conn } => self.step(Input::Dialled { conn }),
            Event::Closed { conn, class } => {
                self.sockets.remove(&conn);
                self.uploads.forget(conn);
                let jitter = runtime::entropy::u64("runner/redial");
                self.step(Input::Closed { conn, class, jitter });
            }
            Event::Heard { conn, message, permit } => {
                self.heard(conn, message);
                drop(permit);
            }
            Event::Said { actor, generation, said } => self.said(actor, generation, said),
        }
    }

    /// Waits for what is left after the machine has ended: an orderly close on its way, tasks that return.
    async fn leave(self, mut inbox: mpsc::UnboundedReceiver<Event>) {
        assert!(self.instances.is_empty(), "the machine ends after its instances");
        assert!(self.websockets.is_empty(), "the machine says of every WebSocket when it is over");
        assert!(self.store.is_empty(), "the machine says of every payload when it is done with it");
        let Self { tasks, sockets, events, slot, .. } = self;
        let mut ends = pin!(async {
            for task in tasks {
                // One that panicked has said so.
                task.await.ok();
            }
        });
        loop {
            runtime::select! {
                () = &mut ends => break,
                event = inbox.recv() => drop(event),
            }
        }
        drop((sockets, events, slot));
    }
}
