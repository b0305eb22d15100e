//! The loop: letters in, machine steps, one commit, effects out.

use std::collections::BTreeMap;
use std::sync::Arc;

use machines::control::input::{Call, NewActor};
use machines::control::{Control, Effect, Input};
use protocol::id::{ConnId, StreamId, Ticket};
use protocol::view::Witness;

use super::mailbox::{Asker, Inbox, Letter};
use super::outbox::{Deed, Outbox, Outcomes};
use super::payloads::Payloads;
use super::{perform, translate};
use crate::clock;
use crate::engine::core::Core;
use crate::gateway;
use crate::halt::Halt;
use crate::store::{Store, StoreError};
use crate::stream;

/// Letters that share a commit at most. Ours: their effects are held in memory until it is durable.
const COMMIT_LETTERS_MAX: usize = 256;

/// Drives the control machine.
pub(crate) struct Driver {
    machine: Control,
    core: Core,
    witness: Arc<dyn Witness>,
    askers: BTreeMap<Ticket, Asker>,
    next_ticket: Ticket,
    payloads: Payloads,
    /// Streams that have not ended, with the signal that ends them.
    streams: BTreeMap<StreamId, Halt>,
    check_every: u32,
    commits: u32,
}

impl Driver {
    pub(crate) fn new(machine: Control, check_every: u32, core: Core, witness: Arc<dyn Witness>) -> Self {
        Self {
            machine,
            core,
            witness,
            askers: BTreeMap::new(),
            next_ticket: Ticket(0),
            payloads: Payloads::default(),
            streams: BTreeMap::new(),
            check_every,
            commits: 0,
        }
    }

    /// Runs until `stop` is given, and gives the store back. `restored` is what the machine wanted when it was
    /// restored.
    ///
    /// # Errors
    /// What the store says of a failed commit; nothing of it was performed.
    pub(crate) async fn run(
        mut self,
        mut store: Store,
        mut inbox: Inbox,
        restored: Vec<Effect>,
        stop: Halt,
    ) -> Result<Store, StoreError> {
        let mut outbox = Outbox::default();
        for effect in restored {
            outbox.add(effect, &mut self.payloads);
        }
        let mut letters = Vec::new();
        loop {
            if let Err(error) = self.settle(&mut store, std::mem::take(&mut outbox)).await {
                store.close().await;
                return Err(error);
            }
            let deadline = self.machine.next_deadline().map(|(due, _)| due);
            runtime::select! {
                () = stop.given() => {
                    self.streams.values().for_each(Halt::give);
                    return Ok(store);
                }
                () = clock::until(deadline) => self.step(Input::Tick, &mut outbox),
                count = inbox.0.recv_many(&mut letters, COMMIT_LETTERS_MAX) => {
                    assert!(count > 0, "the core holds a mailbox as long as it runs");
                }
            }
            for letter in letters.drain(..) {
                self.open(letter, &mut outbox);
            }
        }
    }

    /// Commits what is to be written, then does the rest.
    async fn settle(&mut self, store: &mut Store, outbox: Outbox) -> Result<(), StoreError> {
        let Outbox { batch, deeds } = outbox;
        let changes = batch.changes();
        let outcomes = if batch.is_empty() { Vec::new() } else { store.commit(batch).await? };
        if changes {
            self.witness.committed();
        }
        let mut outcomes = Outcomes::new(outcomes);
        for deed in deeds {
            self.perform(deed, &mut outcomes).await;
        }
        assert!(outcomes.is_empty(), "every outcome was asked for");
        self.commits += 1;
        if self.commits >= self.check_every {
            self.commits = 0;
            self.machine.check();
        }
        Ok(())
    }

    fn step(&mut self, input: Input, outbox: &mut Outbox) {
        let mut effects = Vec::new();
        self.machine.handle(clock::now(), input, &mut effects);
        for effect in effects {
            outbox.add(effect, &mut self.payloads);
        }
    }

    fn open(&mut self, letter: Letter, outbox: &mut Outbox) {
        let input = match letter {
            Letter::Api { call, input, asker } => {
                if matches!(*call, Call::Health) {
                    outbox.batch.probe();
                }
                let ticket = self.next_ticket;
                self.next_ticket = ticket.next();
                self.askers.insert(ticket, asker);
                let mut call = *call;
                if let Some(input) = input {
                    attach(&mut call, self.payloads.hold_input(input));
                }
                Input::Api { ticket, call }
            }
            Letter::Watch { actor } => Input::Watch { actor },
            Letter::Unwatch { actor } => Input::Unwatch { actor },
            Letter::SocketOpened { conn, namespace, key } => Input::SocketOpened { conn, namespace, key },
            Letter::Frame { conn, message } => {
                Input::Frame { conn, frame: translate::frame(*message, &mut self.payloads) }
            }
            Letter::FrameInvalid { conn } => Input::FrameInvalid { conn },
            Letter::SocketClosed { conn } => Input::SocketClosed { conn },
            Letter::StreamOpened { stream } => Input::StreamOpened { stream },
            Letter::StreamInit { stream, runner } => Input::StreamInit { stream, runner },
            Letter::StreamPing { stream } => Input::StreamPing { stream },
            Letter::StreamEnded { stream, end } => {
                self.streams.remove(&stream).expect("a stream ends once");
                Input::StreamEnded { stream, end }
            }
            Letter::View(answer) => return outbox.deeds.push(Deed::View(answer)),
        };
        self.step(input, outbox);
    }

    async fn perform(&mut self, deed: Deed, outcomes: &mut Outcomes) {
        let effect = match deed {
            Deed::AnswerKv { conn, request } => return self.answer_kv(conn, request, outcomes),
            // Whoever asked may have gone.
            Deed::View(answer) => {
                answer.send(self.machine.view()).ok();
                return;
            }
            Deed::Effect(effect) => effect,
        };
        match effect {
            Effect::Answer { ticket, answer } => {
                let asker = self.askers.remove(&ticket).expect("a call is answered once");
                // Whoever asked may have gone.
                asker.send(*answer).ok();
            }
            Effect::Send { conn, message } => {
                for frame in perform::frames(message, outcomes) {
                    self.core.sockets.send(conn, &frame);
                }
            }
            Effect::Close { conn, reason } => self.core.sockets.close(conn, reason),
            Effect::OpenStream { stream, target } => {
                let close = Halt::new();
                let before = self.streams.insert(stream, close.clone());
                assert!(before.is_none(), "{stream:?} is the name of one stream only");
                stream::open(&self.core, stream, target, close);
            }
            Effect::CloseStream { stream } => match self.streams.get(&stream) {
                Some(close) => close.give(),
                // It has ended by itself, and its letter waits.
                None => protocol::mark!("stream_ended_before_close"),
            },
            Effect::Route { actor, route } => {
                self.core.gateway.send(gateway::Letter::Route { actor, route }).await;
            }
            Effect::Fact(fact) => self.witness.tell(&fact),
            Effect::Put(..)
            | Effect::Delete(_)
            | Effect::Kv { .. }
            | Effect::KeepInput { .. }
            | Effect::Erase { .. }
            | Effect::Drop { .. } => unreachable!("writes went into the transaction"),
        }
    }

    fn answer_kv(&self, conn: ConnId, request: u32, outcomes: &mut Outcomes) {
        self.core.sockets.send(conn, &perform::kv_response(request, outcomes.kv()));
    }
}

/// Names the input of an actor that may be created.
fn attach(call: &mut Call, body: protocol::id::BodyId) {
    match call {
        Call::CreateActor(NewActor { input, .. }) | Call::GetOrCreateActor(NewActor { input, .. }) => {
            *input = Some(body);
        }
        Call::ListActors { .. }
        | Call::DeleteActor { .. }
        | Call::ListActorNames { .. }
        | Call::UpsertRunnerConfig { .. }
        | Call::ListRunnerConfigs { .. }
        | Call::DeleteRunnerConfig { .. }
        | Call::ListRunners { .. }
        | Call::ListNamespaces { .. }
        | Call::CreateNamespace { .. }
        | Call::Health => unreachable!("only actors have an input"),
    }
}
