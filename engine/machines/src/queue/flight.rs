//! From one write to the next: what has become durable takes effect, and what waits goes into the next one.

use protocol::mark;

use super::complete::Completing;
use super::message::{Stage, Stored};
use super::send::Sending;
use super::take::{Claim, received};
use super::{Answer, Effect, Message, Queue};
use crate::storing::Attempt;

/// A write.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub(super) struct Flight {
    /// Put back, in order; all of them older than what is sent.
    pub(super) returned: Vec<Message>,
    pub(super) sent: Vec<Sending>,
    pub(super) claims: Vec<Claim>,
    pub(super) completing: Vec<Completing>,
}

impl Flight {
    fn puts(&self) -> impl Iterator<Item = &Message> {
        self.returned.iter().chain(self.sent.iter().map(|sending| &sending.message))
    }

    fn bytes(&self) -> usize {
        self.puts().map(|message| message.bytes).sum()
    }

    /// Rows that it stores, and that it deletes.
    pub(super) fn size(&self) -> (usize, usize) {
        let claimed: usize = self.claims.iter().map(|claim| claim.messages.len()).sum();
        (self.returned.len() + self.sent.len(), claimed + self.completing.len())
    }

    fn effect(&self, attempt: Attempt) -> Effect {
        let claimed = self.claims.iter().flat_map(|claim| &claim.messages);
        let completed = self.completing.iter().map(|completing| &completing.message);
        let deletes = claimed.chain(completed).copied().collect();
        Effect::Write { attempt, puts: self.puts().cloned().collect(), deletes }
    }
}

impl Queue {
    /// A write is durable: what it says is so.
    pub(super) fn written(&mut self, attempt: Attempt, out: &mut Vec<Effect>) {
        let Flight { returned, sent, claims, completing } = self.write.stored(attempt);
        for message in returned {
            self.messages.insert(message.id, Stored { message, stage: Stage::Ready });
        }
        for Sending { message, wait } in sent {
            let answer = Ok(Answer::Sent { message: message.id });
            out.extend(wait.map(|wait| Effect::Tell { ticket: wait.ticket, answer }));
            self.messages.insert(message.id, Stored { message, stage: Stage::Ready });
        }
        for completing in completing {
            self.completed(completing, out);
        }
        for claim in claims {
            self.claimed(claim, out);
        }
    }

    fn claimed(&mut self, claim: Claim, out: &mut Vec<Effect>) {
        let ids = claim.messages.into_iter();
        let messages: Vec<Message> = ids.map(|id| self.remove(id)).collect();
        let Some(wait) = claim.wait else {
            mark!("queue_claimed_too_late");
            self.returned.extend(messages.into_iter().map(|message| (message.id, message)));
            return;
        };
        out.push(received(wait.ticket, &messages));
        for message in messages {
            let waiter = self.waiters.remove(&message.id);
            let answer = Ok(Answer::Replied { response: None });
            out.extend(waiter.map(|waiter| Effect::Tell { ticket: waiter.ticket, answer }));
            out.push(Effect::Drop { body: message.body });
        }
    }

    fn completed(&mut self, completing: Completing, out: &mut Vec<Effect>) {
        let Completing { message: id, response, wait } = completing;
        let message = self.remove(id);
        out.extend(wait.map(|wait| Effect::Tell { ticket: wait.ticket, answer: Ok(Answer::Completed) }));
        match self.waiters.remove(&id) {
            Some(waiter) => {
                out.push(Effect::Tell { ticket: waiter.ticket, answer: Ok(Answer::Replied { response }) });
            }
            None => out.extend(response.map(|body| Effect::Drop { body })),
        }
        out.push(Effect::Drop { body: message.body });
    }

    fn remove(&mut self, id: super::MessageId) -> Message {
        self.messages.remove(&id).expect("what is deleted was stored").message
    }

    /// Writes again what failed, or else what has come together since.
    pub(super) fn write_on(&mut self, out: &mut Vec<Effect>) {
        if let Some((attempt, flight)) = self.write.again(self.now.mono) {
            out.push(flight.effect(attempt));
        } else if self.write.is_idle() {
            let flight = self.compose();
            if flight.size() != (0, 0) {
                let effect = flight.effect(self.write.begin(flight.clone()));
                out.push(effect);
            }
        }
    }

    fn compose(&mut self) -> Flight {
        let mut flight = Flight::default();
        let options = &self.options;
        let fits = |flight: &Flight, puts: usize, bytes: usize, deletes: usize| {
            let (p, d) = flight.size();
            let room = flight.bytes() + bytes <= options.write_bytes_max;
            room && p + puts <= options.write_rows_max && d + deletes <= options.write_rows_max
        };
        while self.returned.first_key_value().is_some_and(|(_, message)| fits(&flight, 1, message.bytes, 0)) {
            flight.returned.extend(self.returned.pop_first().map(|(_, message)| message));
        }
        while self.sending.first().is_some_and(|of| fits(&flight, 1, of.message.bytes, 0)) {
            flight.sent.push(self.sending.remove(0));
        }
        while !self.completing.is_empty() && fits(&flight, 0, 0, 1) {
            flight.completing.push(self.completing.remove(0));
        }
        while self.claims.first().is_some_and(|of| fits(&flight, 0, 0, of.messages.len())) {
            flight.claims.push(self.claims.remove(0));
        }
        if !self.is_settled() {
            mark!("queue_write_is_full");
        }
        flight
    }
}
