//! What the queue of an actor wants.

use protocol::id::{BodyId, Ticket};

use super::{Attempt, Message, MessageId, QueueError};

/// One effect of a step, performed in order.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Effect {
    /// Store and delete: the puts all or none, then the deletes. [`super::Input::Written`] follows when all of it is
    /// durable, or may not be. The same may be asked for again.
    Write {
        /// This attempt.
        attempt: Attempt,
        /// What is stored, replacing what is there.
        puts: Vec<Message>,
        /// What is deleted, if it is there.
        deletes: Vec<MessageId>,
    },
    /// Tell whoever asked.
    Tell {
        /// Whom.
        ticket: Ticket,
        /// What.
        answer: Result<Answer, QueueError>,
    },
    /// Forget a payload.
    Drop {
        /// Which.
        body: BodyId,
    },
    /// How many wait and hold has changed.
    Activity(Activity),
}

/// What whoever asked is told.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Answer {
    /// The message is stored.
    Sent {
        /// Its id.
        message: MessageId,
    },
    /// These were taken, in order; none when none came in time.
    Received {
        /// Which.
        messages: Vec<Received>,
    },
    /// The message is completed.
    Completed,
    /// The message that was sent has been completed. The driver drops the response itself.
    Replied {
        /// With what.
        response: Option<BodyId>,
    },
    /// The message that was sent was not completed in time. It may still be.
    TimedOut,
    /// All is stored.
    Settled,
}

/// A message that was taken.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Received {
    /// Which.
    pub message: MessageId,
    /// Its kind.
    pub name: String,
    /// The payload. Dropped next, or when it is completed.
    pub body: BodyId,
}

/// What the sleep of the actor depends on.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Activity {
    /// Takers that wait for a message: they let the actor sleep.
    pub waiting: usize,
    /// Messages that are held, and takers that are about to get some: they keep it awake.
    pub holding: usize,
}
