//! What a step wants, split in two: what goes into the transaction, and what is done when that is durable.

use std::sync::Arc;

use bytes::Bytes;
use machines::control::Effect;
use machines::control::effect::{CommandKind, Message};
use protocol::id::{ConnId, Ticket};
use protocol::view::{ControlCounts, ControlView};
use tokio::sync::oneshot;

use super::payloads::Payloads;
use crate::store::face::Snapshot;
use crate::store::{Batch, Outcome, Size, Write};

/// The effects of some steps.
#[derive(Debug, Default)]
pub(super) struct Outbox {
    pub(super) batch: Batch,
    pub(super) deeds: Vec<Deed>,
    /// How many steps these are of.
    pub(super) steps: u64,
}

/// Something to do after the commit.
#[derive(Debug)]
pub(super) enum Deed {
    /// An effect that is no write.
    Effect(Effect),
    /// Answer a KV request with the transaction's next outcome.
    AnswerKv { conn: ConnId, request: u32 },
    /// Give the rows as they are now.
    Snapshot(oneshot::Sender<Arc<dyn Snapshot>>),
    /// Answer a caller who reads KV with the transaction's next outcome.
    AnswerRead { ticket: Ticket },
    /// Tell how much there is.
    Count(oneshot::Sender<(ControlCounts, Option<Size>)>),
    /// Tell how things stand.
    View(oneshot::Sender<ControlView>),
}

impl Outbox {
    pub(super) fn add(&mut self, effect: Effect, payloads: &mut Payloads) {
        match effect {
            Effect::Put(key, record) => self.batch.push(Write::Put(key, record)),
            Effect::Delete(key) => self.batch.push(Write::Delete(key)),
            Effect::Kv { actor, generation: _, conn, request, body } => {
                self.batch.push(Write::Kv { actor, request: payloads.kv(body) });
                self.deeds.push(Deed::AnswerKv { conn, request });
            }
            Effect::ReadKv { ticket, actor, body } => {
                self.batch.push(Write::Kv { actor, request: payloads.kv(body) });
                self.deeds.push(Deed::AnswerRead { ticket });
            }
            Effect::KeepInput { actor, body } => {
                self.batch.push(Write::KeepInput { actor, input: payloads.input(body) });
            }
            Effect::Erase { actor } => self.batch.push(Write::Erase { actor }),
            Effect::Drop { body } => payloads.drop(body),
            Effect::Send { conn, message } => {
                self.read_inputs(&message);
                self.deeds.push(Deed::Effect(Effect::Send { conn, message }));
            }
            effect @ (Effect::Answer { .. }
            | Effect::Close { .. }
            | Effect::OpenStream { .. }
            | Effect::CloseStream { .. }
            | Effect::FetchMetadata { .. }
            | Effect::DropFetch { .. }
            | Effect::Route { .. }
            | Effect::Fact(_)) => self.deeds.push(Deed::Effect(effect)),
        }
    }

    /// Start commands carry the stored input.
    fn read_inputs(&mut self, message: &Message) {
        let Message::Commands(commands) = message else { return };
        for command in commands {
            match command.kind {
                CommandKind::Start { has_input: true, .. } => {
                    self.batch.push(Write::ReadInput { actor: command.actor });
                }
                CommandKind::Start { has_input: false, .. } | CommandKind::Stop => {}
            }
        }
    }
}

/// The outcomes of a transaction, taken in the order they were asked for.
#[derive(Debug)]
pub(super) struct Outcomes(std::vec::IntoIter<Outcome>);

impl Outcomes {
    pub(super) fn new(outcomes: Vec<Outcome>) -> Self {
        Self(outcomes.into_iter())
    }

    pub(super) fn kv(&mut self) -> protocol::wire::KvResponseData {
        match self.0.next() {
            Some(Outcome::Kv(answer)) => answer,
            other @ (Some(Outcome::Input(_)) | None) => {
                unreachable!("one outcome per question, in order: {other:?}")
            }
        }
    }

    pub(super) fn input(&mut self) -> Option<Bytes> {
        match self.0.next() {
            Some(Outcome::Input(input)) => input,
            other @ (Some(Outcome::Kv(_)) | None) => {
                unreachable!("one outcome per question, in order: {other:?}")
            }
        }
    }

    /// Whether all were taken.
    pub(super) fn is_empty(&self) -> bool {
        self.0.as_slice().is_empty()
    }
}
