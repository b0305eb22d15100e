//! One step's outcome while it is being decided: what to write, what to perform, what must be looked at again before
//! the step ends.

use std::collections::BTreeSet;

use protocol::error::ApiError;
use protocol::id::{ActorId, ConnId, RunnerId, Ticket};
use protocol::view::Fact;

use super::effect::{Answer, Command, Effect, Message};
use super::pool::PoolKey;
use super::record::Key;

/// The outcome so far.
#[derive(Debug, Default)]
pub(super) struct Step {
    /// Records that changed; each is written once, as it stands when the step ends.
    pub(super) records: BTreeSet<Key>,
    /// Other writes, in order.
    pub(super) writes: Vec<Effect>,
    /// What follows the commit, in order.
    pub(super) performs: Vec<Effect>,
    /// Pools whose queue, runners or streams changed.
    pub(super) pools: BTreeSet<PoolKey>,
    /// Actors whose route may have changed.
    pub(super) routes: BTreeSet<ActorId>,
    /// Runners that host nothing any more.
    pub(super) emptied: BTreeSet<RunnerId>,
}

impl Step {
    /// The record has changed, or is gone.
    pub(super) fn changed(&mut self, key: Key) {
        self.records.insert(key);
    }

    /// Carried out in the step's transaction.
    pub(super) fn write(&mut self, effect: Effect) {
        self.writes.push(effect);
    }

    /// Carried out after the commit.
    pub(super) fn perform(&mut self, effect: Effect) {
        self.performs.push(effect);
    }

    pub(super) fn fact(&mut self, fact: Fact) {
        self.perform(Effect::Fact(fact));
    }

    pub(super) fn send(&mut self, conn: ConnId, message: Message) {
        self.perform(Effect::Send { conn, message });
    }

    pub(super) fn command(&mut self, conn: ConnId, command: Command) {
        self.send(conn, Message::Commands(vec![command]));
    }

    pub(super) fn answer(&mut self, ticket: Ticket, answer: Result<Answer, ApiError>) {
        self.perform(Effect::Answer { ticket, answer: Box::new(answer) });
    }
}
