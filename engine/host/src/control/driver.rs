//! The loop: letters in, machine steps, one commit, effects out.

use std::collections::BTreeMap;
use std::sync::Arc;

use machines::control::input::{Call, NewActor};
use machines::control::{Control, Effect, Input};
use machines::durability::{self, Durability, Verdict};
use protocol::id::{ConnId, FetchId, StreamId, Ticket};
use protocol::view::Witness;
use protocol::wire::ToServer;

use super::mailbox::{Asker, Inbox, Letter};
use super::outbox::{Deed, Outbox, Outcomes};
use super::payloads::Payloads;
use super::{door, perform, translate};
use crate::clock;
use crate::engine::core::Core;
use crate::engine::recovery;
use crate::gateway;
use crate::halt::Halt;
use crate::metadata;
use crate::store::{Batch, Location, Store, StoreError, Write};
use crate::stream;

/// Letters that share a commit at most. Ours: their effects are held in memory until it is durable.
const COMMIT_LETTERS_MAX: usize = 256;

/// Drives the control machine.
pub(crate) struct Driver {
    machine: Control,
    durability: Durability,
    location: Location,
    core: Core,
    witness: Arc<dyn Witness>,
    askers: BTreeMap<Ticket, Asker>,
    next_ticket: Ticket,
    payloads: Payloads,
    /// Streams that have not ended, with the signal that ends them.
    streams: BTreeMap<StreamId, Halt>,
    /// Applications that are being asked for their metadata, with the signal that ends it.
    fetches: BTreeMap<FetchId, Halt>,
    check_every: u32,
    commits: u32,
}

/// How a driver ended: with the store that the next one can begin with, or why it has none.
pub(crate) struct Ended {
    pub(crate) store: Result<Store, StoreError>,
    pub(crate) durability: Durability,
}

impl Driver {
    pub(crate) fn new(
        machine: Control,
        durability: Durability,
        location: Location,
        check_every: u32,
        core: Core,
        witness: Arc<dyn Witness>,
    ) -> Self {
        Self {
            machine,
            durability,
            location,
            core,
            witness,
            askers: BTreeMap::new(),
            next_ticket: Ticket(0),
            payloads: Payloads::default(),
            streams: BTreeMap::new(),
            fetches: BTreeMap::new(),
            check_every,
            commits: 0,
        }
    }

    /// Runs until `stop` is given, a commit fails (nothing of it is performed then), or one succeeds again.
    /// `restored` is what the machine wanted when it was restored.
    pub(crate) async fn run(
        mut self,
        store: Store,
        inbox: Inbox,
        restored: Vec<Effect>,
        stop: Halt,
    ) -> Ended {
        let store = self.serve(store, inbox, restored, stop).await;
        Ended { store, durability: self.durability }
    }

    async fn serve(
        &mut self,
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
            let probe = self.durability.next_deadline().map(|(due, _)| due);
            runtime::select! {
                () = stop.given() => {
                    self.streams.values().chain(self.fetches.values()).for_each(Halt::give);
                    return Ok(store);
                }
                () = clock::until(probe) => {
                    store = self.probe(store).await?;
                    if !self.durability.is_read_only() {
                        return Ok(store);
                    }
                }
                () = clock::until(deadline) => self.step(Input::Tick, &mut outbox),
                count = inbox.0.recv_many(&mut letters, COMMIT_LETTERS_MAX) => {
                    assert!(count > 0, "the core holds a mailbox as long as it runs");
                }
            }
            for letter in letters.drain(..) {
                self.receive(letter, &mut outbox);
            }
        }
    }

    /// Tries whether the store can be written, if it is time to.
    async fn probe(&mut self, store: Store) -> Result<Store, StoreError> {
        let mut wanted = Vec::new();
        self.durability.handle(clock::now(), durability::Input::Tick, &mut wanted);
        if !recovery::told(&mut wanted).contains(&durability::Effect::Probe) {
            return Ok(store);
        }
        if store.is_held() {
            // A backup is being read from it.
            self.durability.handle(clock::now(), durability::Input::Busy, &mut wanted);
            return Ok(store);
        }
        store.close().await;
        let mut batch = Batch::new();
        for (key, record) in self.machine.kept(clock::now().wall) {
            batch.push(Write::Put(key, Box::new(record)));
        }
        let probed = recovery::probe(&self.location, &mut self.durability, batch, &mut wanted).await;
        recovery::told(&mut wanted);
        probed
    }

    /// Commits what is to be written, then does the rest.
    async fn settle(&mut self, store: &mut Store, outbox: Outbox) -> Result<(), StoreError> {
        let Outbox { batch, deeds, steps } = outbox;
        let changes = batch.changes();
        let asked = runtime::now();
        let outcomes = if batch.is_empty() { Vec::new() } else { store.commit(batch).await? };
        if changes {
            self.core.metrics.commit(steps, asked.elapsed());
            self.witness.committed();
        }
        let (mut noted, bytes) = (Vec::new(), store.stored_bytes());
        self.durability.handle(clock::now(), durability::Input::Stored { bytes }, &mut noted);
        recovery::told(&mut noted);
        let mut outcomes = Outcomes::new(outcomes);
        for deed in deeds {
            self.perform(deed, &mut outcomes, store).await?;
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
        outbox.steps += 1;
        for effect in effects {
            outbox.add(effect, &mut self.payloads);
        }
    }

    /// Lets the letter in, if the store can take what it asks for.
    fn receive(&mut self, letter: Letter, outbox: &mut Outbox) {
        match self.durability.judge(door::ask(&letter)) {
            Verdict::Take => self.open(letter, outbox),
            Verdict::Ignore => protocol::mark!("report_left_unread"),
            Verdict::FindOnly(error) => match letter {
                Letter::Api { call, input: _, asker } => {
                    let call = Box::new(door::find_only(*call, error));
                    self.open(Letter::Api { call, input: None, asker }, outbox);
                }
                other => unreachable!("only calls find: {other:?}"),
            },
            Verdict::Refuse(error) => match letter {
                // Whoever asked may have gone.
                Letter::Api { asker, .. } => drop(asker.send(Err(error))),
                Letter::Frame { conn, message } => match *message {
                    ToServer::KvRequest(request) => {
                        let answer = perform::kv_response(request.request_id, door::kv_refusal(&error));
                        self.core.sockets.send(conn, &answer);
                    }
                    other => unreachable!("of frames only KV requests are refused: {other:?}"),
                },
                other => unreachable!("only calls and KV requests are refused: {other:?}"),
            },
        }
    }

    fn open(&mut self, letter: Letter, outbox: &mut Outbox) {
        let input = match letter {
            Letter::Api { call, input, asker } => {
                if matches!(*call, Call::Health) {
                    outbox.batch.probe();
                }
                let ticket = self.admit(Asker::Machine(asker));
                let mut call = *call;
                if let Some(input) = input {
                    attach(&mut call, self.payloads.hold_input(input));
                }
                Input::Api { ticket, call }
            }
            Letter::ReadKv { namespace, actor, request, asker } => {
                let (ticket, body) = (self.admit(Asker::Store(asker)), self.payloads.hold_kv(request));
                Input::Api { ticket, call: Call::ReadKv { namespace, actor, body } }
            }
            Letter::Watch { actor } => Input::Watch { actor },
            Letter::Observe { actor } => Input::Observe { actor },
            Letter::Unwatch { actor } => Input::Unwatch { actor },
            Letter::Disowned { actor, generation, conn } => Input::Disowned { actor, generation, conn },
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
            Letter::Metadata { fetch, told } => {
                self.fetches.remove(&fetch);
                Input::Metadata { fetch, told }
            }
            Letter::Snapshot(answer) => return outbox.deeds.push(Deed::Snapshot(answer)),
            Letter::Count(answer) => return outbox.deeds.push(Deed::Count(answer)),
            Letter::View(answer) => return outbox.deeds.push(Deed::View(answer)),
        };
        self.step(input, outbox);
    }

    fn admit(&mut self, asker: Asker) -> Ticket {
        let ticket = self.next_ticket;
        self.next_ticket = ticket.next();
        self.askers.insert(ticket, asker);
        ticket
    }

    async fn perform(
        &mut self,
        deed: Deed,
        outcomes: &mut Outcomes,
        store: &Store,
    ) -> Result<(), StoreError> {
        // Whoever asked may have gone.
        match deed {
            Deed::AnswerKv { conn, request } => self.answer_kv(conn, request, outcomes),
            Deed::AnswerRead { ticket } => {
                let asker = self.askers.remove(&ticket).expect("a call is answered once");
                asker.read(outcomes.kv());
            }
            Deed::Snapshot(answer) => drop(answer.send(store.snapshot().await?)),
            Deed::Count(answer) => {
                drop(answer.send((self.machine.counts(), store.size().await.ok())));
            }
            Deed::View(answer) => drop(answer.send(self.machine.view())),
            Deed::Effect(effect) => self.carry_out(effect, outcomes).await,
        }
        Ok(())
    }

    async fn carry_out(&mut self, effect: Effect, outcomes: &mut Outcomes) {
        match effect {
            Effect::Answer { ticket, answer } => {
                let asker = self.askers.remove(&ticket).expect("a call is answered once");
                asker.answer(*answer);
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
            Effect::FetchMetadata { fetch, url, headers } => {
                let close = Halt::new();
                self.fetches.insert(fetch, close.clone());
                metadata::fetch(&self.core, fetch, url, headers, close);
            }
            // It may have been answered, and its letter waits.
            Effect::DropFetch { fetch } => {
                if let Some(close) = self.fetches.remove(&fetch) {
                    close.give();
                }
            }
            Effect::Route { actor, route } => {
                self.core.gateway.send(gateway::Letter::Route { actor, route }).await;
            }
            Effect::Fact(fact) => self.witness.tell(&fact),
            Effect::Put(..)
            | Effect::Delete(_)
            | Effect::Kv { .. }
            | Effect::ReadKv { .. }
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
        | Call::FindActor { .. }
        | Call::DeleteActor { .. }
        | Call::SleepActor { .. }
        | Call::RescheduleActor { .. }
        | Call::ListActorNames { .. }
        | Call::ReadKv { .. }
        | Call::UpsertRunnerConfig { .. }
        | Call::ListRunnerConfigs { .. }
        | Call::DeleteRunnerConfig { .. }
        | Call::CheckEndpoint { .. }
        | Call::RefreshMetadata { .. }
        | Call::ListRunners { .. }
        | Call::ListRunnerNames { .. }
        | Call::ListNamespaces { .. }
        | Call::CreateNamespace { .. }
        | Call::Health => unreachable!("only actors have an input"),
    }
}
