//! Taking: first come, first served, in the order of sending.

use std::collections::BTreeSet;

use protocol::id::Ticket;
use protocol::mark;

use super::message::Stage;
use super::wait::{Wait, failed};
use super::{Answer, Effect, Filter, Message, MessageId, Queue, QueueError, Received, TAKE_NAMES_MAX};

/// Somebody who waits for messages.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) struct Taker {
    pub(super) wait: Wait,
    names: BTreeSet<String>,
    count: usize,
    manual: bool,
}

/// Messages that are deleted for somebody.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) struct Claim {
    /// Who gets them; none when it has gone away.
    pub(super) wait: Option<Wait>,
    /// Which, in order.
    pub(super) messages: Vec<MessageId>,
}

impl Queue {
    pub(super) fn next(&mut self, ticket: Ticket, filter: Filter, out: &mut Vec<Effect>) {
        if let Err(error) = self.may_take(&filter) {
            out.push(failed(ticket, error));
            return;
        }
        let Filter { names, count, wait, manual } = filter;
        let wait = Wait { ticket, by: wait.map(|wait| self.now.mono + wait) };
        let count = count.clamp(1, self.options.take_max);
        self.takers.push(Taker { wait, names, count, manual });
    }

    fn may_take(&self, filter: &Filter) -> Result<(), QueueError> {
        let bytes = filter.names.iter().map(String::len).max().unwrap_or(0);
        if self.stopped {
            Err(QueueError::Aborted)
        } else if self.is_open() {
            Err(QueueError::PreviousNotCompleted)
        } else if filter.names.len() > TAKE_NAMES_MAX {
            Err(QueueError::TooManyNames { max: TAKE_NAMES_MAX })
        } else if bytes > super::MESSAGE_NAME_BYTES_MAX {
            Err(QueueError::NameTooLong { bytes, max: super::MESSAGE_NAME_BYTES_MAX })
        } else if self.takers.len() >= self.options.takers_max {
            Err(QueueError::TooManyTakers { max: self.options.takers_max })
        } else {
            Ok(())
        }
    }

    /// Somebody has a message that it has not completed.
    fn is_open(&self) -> bool {
        self.messages.values().any(|stored| stored.stage == Stage::Open)
    }

    /// What is put back comes before what was sent after it: nothing is handed out until it is there.
    fn is_returning(&self) -> bool {
        !self.returned.is_empty()
            || self.write.change().is_some_and(|flight| {
                !flight.returned.is_empty() || flight.claims.iter().any(|claim| claim.wait.is_none())
            })
    }

    /// Hands out what there is.
    pub(super) fn deal(&mut self, out: &mut Vec<Effect>) {
        if self.messages.values().all(|stored| stored.stage != Stage::Ready) {
            return;
        }
        for taker in std::mem::take(&mut self.takers) {
            let held_back = self.is_open() || self.is_returning();
            let found = if held_back { Vec::new() } else { self.find(&taker) };
            if held_back {
                mark!("queue_taker_held_back");
            }
            if found.is_empty() {
                self.takers.push(taker);
            } else {
                self.hand_out(taker, found, out);
            }
        }
    }

    fn find(&self, taker: &Taker) -> Vec<MessageId> {
        let of_its_names = |message: &Message| taker.names.is_empty() || taker.names.contains(&message.name);
        let ready = self.messages.values().filter(|stored| stored.stage == Stage::Ready);
        let wanted = ready.map(|stored| &stored.message).filter(|message| of_its_names(message));
        wanted.take(taker.count).map(|message| message.id).collect()
    }

    fn hand_out(&mut self, taker: Taker, found: Vec<MessageId>, out: &mut Vec<Effect>) {
        let stage = if taker.manual { Stage::Open } else { Stage::Claimed };
        let mut messages = Vec::new();
        for id in &found {
            let stored = self.messages.get_mut(id).expect("it was found among these");
            stored.stage = stage;
            messages.push(stored.message.clone());
        }
        let ticket = taker.wait.ticket;
        if taker.manual {
            out.push(received(ticket, &messages));
        } else {
            // From here on it waits for the store, not for a message.
            let wait = Some(self.until_stored(ticket));
            self.claims.push(Claim { wait, messages: found });
        }
    }
}

/// Tells a taker what it gets.
pub(super) fn received(ticket: Ticket, messages: &[Message]) -> Effect {
    let messages = messages
        .iter()
        .map(|message| Received { message: message.id, name: message.name.clone(), body: message.body })
        .collect();
    Effect::Tell { ticket, answer: Ok(Answer::Received { messages }) }
}
