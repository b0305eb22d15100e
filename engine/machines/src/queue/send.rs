//! Sending: a message is stored before its sender is told.

use protocol::id::Ticket;
use protocol::mark;

use super::wait::{Wait, failed};
use super::{Effect, MESSAGE_NAME_BYTES_MAX, Message, MessageId, Post, Queue, QueueError, Reply};

/// A message that is not stored yet.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) struct Sending {
    pub(super) message: Message,
    /// Who is told when it is.
    pub(super) wait: Option<Wait>,
}

impl Queue {
    pub(super) fn send(&mut self, ticket: Ticket, post: Post, out: &mut Vec<Effect>) {
        if let Err(error) = self.may_send(&post) {
            out.extend([failed(ticket, error), Effect::Drop { body: post.body }]);
            return;
        }
        self.last = MessageId(self.last.0 + 1);
        let wait = match post.reply {
            Reply::Stored => Some(self.until_stored(ticket)),
            Reply::Completed(wait) => {
                // Known before it is stored: it may be completed by whoever sees it first.
                let by = wait.map(|wait| self.now.mono + wait);
                self.waiters.insert(self.last, Wait { ticket, by });
                None
            }
        };
        let message = Message { id: self.last, name: post.name, body: post.body, bytes: post.bytes };
        self.sending.push(Sending { message, wait });
    }

    fn may_send(&self, post: &Post) -> Result<(), QueueError> {
        let (bytes, max) = (post.bytes, self.options.message_bytes_max);
        if bytes > max {
            return Err(QueueError::MessageTooLarge { bytes, max });
        }
        let (bytes, max) = (post.name.len(), MESSAGE_NAME_BYTES_MAX);
        if bytes > max {
            return Err(QueueError::NameTooLong { bytes, max });
        }
        if self.stopped && post.reply != Reply::Stored {
            mark!("queue_send_and_wait_in_stop");
            return Err(QueueError::Aborted);
        }
        let max = self.options.messages_max;
        if self.count() >= max { Err(QueueError::Full { max }) } else { Ok(()) }
    }

    /// Messages that are stored, will be, or will be again.
    pub(super) fn count(&self) -> usize {
        let flying = self.write.change().map_or(0, |flight| flight.sent.len() + flight.returned.len());
        self.messages.len() + self.sending.len() + self.returned.len() + flying
    }
}
