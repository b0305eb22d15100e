//! Completing: a message that is held is deleted, and whoever sent it learns of it.

use protocol::id::{BodyId, Ticket};
use protocol::mark;

use super::message::Stage;
use super::wait::{Wait, failed};
use super::{Effect, MessageId, Queue, QueueError};

/// A message that is deleted since it is completed.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) struct Completing {
    pub(super) message: MessageId,
    pub(super) response: Option<BodyId>,
    /// Who is told when it is.
    pub(super) wait: Option<Wait>,
}

impl Queue {
    pub(super) fn complete(
        &mut self,
        ticket: Ticket,
        message: MessageId,
        response: Option<BodyId>,
        out: &mut Vec<Effect>,
    ) {
        let Some(stored) = self.messages.get_mut(&message).filter(|stored| stored.stage == Stage::Open)
        else {
            mark!("queue_already_completed");
            out.push(failed(ticket, QueueError::AlreadyCompleted));
            out.extend(response.map(|body| Effect::Drop { body }));
            return;
        };
        stored.stage = Stage::Completing;
        let wait = Some(self.until_stored(ticket));
        self.completing.push(Completing { message, response, wait });
    }
}
