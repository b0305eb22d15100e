//! Who waits, and how a wait ends without what was waited for: in time, by a signal, by the stop of the actor.

use protocol::id::Ticket;
use protocol::mark;
use protocol::time::Mono;

use super::message::Stage;
use super::{Answer, Effect, Queue, QueueError};

/// Somebody who waits.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) struct Wait {
    pub(super) ticket: Ticket,
    /// Until then; none for as long as the actor lives.
    pub(super) by: Option<Mono>,
}

impl Wait {
    fn is_over(self, now: Mono) -> bool {
        self.by.is_some_and(|by| by <= now)
    }
}

impl Queue {
    /// Somebody who waits for something to be stored.
    pub(super) fn until_stored(&self, ticket: Ticket) -> Wait {
        Wait { ticket, by: Some(self.now.mono + self.options.answer_timeout) }
    }

    /// Everybody who waits.
    pub(super) fn waits(&self) -> impl Iterator<Item = &Wait> {
        let (sent, claims, completing) = self.write.change().map_or((None, None, None), |flight| {
            (Some(&flight.sent), Some(&flight.claims), Some(&flight.completing))
        });
        let sending = sent.into_iter().flatten().chain(&self.sending).filter_map(|of| of.wait.as_ref());
        let claims = claims.into_iter().flatten().chain(&self.claims).filter_map(|of| of.wait.as_ref());
        let completing = completing.into_iter().flatten().chain(&self.completing);
        let completing = completing.filter_map(|of| of.wait.as_ref());
        let takers = self.takers.iter().map(|of| &of.wait);
        takers.chain(self.waiters.values()).chain(sending).chain(claims).chain(completing)
    }

    /// Takers and senders that wait do not any more. What is being claimed for one of them is put back.
    pub(super) fn abort(&mut self, whom: impl Fn(Ticket) -> bool, out: &mut Vec<Effect>) {
        let mut told: Vec<Ticket> = Vec::new();
        told.extend(self.takers.extract_if(.., |of| whom(of.wait.ticket)).map(|of| of.wait.ticket));
        told.extend(self.waiters.extract_if(.., |_, of| whom(of.ticket)).map(|(_, of)| of.ticket));
        told.extend(self.unclaim(|of| whom(of.ticket)));
        if told.is_empty() {
            mark!("queue_abort_of_nobody");
        }
        out.extend(told.into_iter().map(|ticket| failed(ticket, QueueError::Aborted)));
    }

    /// Ends the waits that have lasted for too long.
    pub(super) fn expire(&mut self, out: &mut Vec<Effect>) {
        let now = self.now.mono;
        for taker in self.takers.extract_if(.., |of| of.wait.is_over(now)) {
            let answer = Ok(Answer::Received { messages: Vec::new() });
            out.push(Effect::Tell { ticket: taker.wait.ticket, answer });
        }
        for (_, waiter) in self.waiters.extract_if(.., |_, of| of.is_over(now)) {
            mark!("queue_reply_timeout");
            out.push(Effect::Tell { ticket: waiter.ticket, answer: Ok(Answer::TimedOut) });
        }
        let mut told = self.unclaim(|of| of.is_over(now));
        // What was not begun is not done.
        for sending in self.sending.extract_if(.., |of| of.wait.is_some_and(|wait| wait.is_over(now))) {
            mark!("queue_not_begun_in_time");
            told.extend(sending.wait.map(|wait| wait.ticket));
            out.push(Effect::Drop { body: sending.message.body });
        }
        let flying = self.write.change_mut();
        let (sent, completing) =
            flying.map_or((None, None), |f| (Some(&mut f.sent), Some(&mut f.completing)));
        let sent = sent.into_iter().flatten().map(|of| &mut of.wait);
        let completing = completing.into_iter().flatten().chain(&mut self.completing).map(|of| &mut of.wait);
        for wait in sent.chain(completing) {
            told.extend(wait.take_if(|wait| wait.is_over(now)).map(|wait| wait.ticket));
        }
        for ticket in told {
            mark!("queue_indeterminate");
            out.push(failed(ticket, QueueError::Indeterminate));
        }
    }

    /// Ends waits for what is being claimed: what the store has not been asked for is there again at once.
    fn unclaim(&mut self, whom: impl Fn(Wait) -> bool) -> Vec<Ticket> {
        let mut told = Vec::new();
        for claim in self.claims.extract_if(.., |of| of.wait.is_some_and(&whom)) {
            mark!("queue_unclaimed");
            told.extend(claim.wait.map(|wait| wait.ticket));
            for id in claim.messages {
                self.messages.get_mut(&id).expect("what is claimed is stored").stage = Stage::Ready;
            }
        }
        for claim in self.write.change_mut().map(|flight| &mut flight.claims).into_iter().flatten() {
            told.extend(claim.wait.take_if(|wait| whom(*wait)).map(|wait| wait.ticket));
        }
        told
    }
}

/// Tells somebody that nothing came of it.
pub(super) const fn failed(ticket: Ticket, error: QueueError) -> Effect {
    Effect::Tell { ticket, answer: Err(error) }
}
