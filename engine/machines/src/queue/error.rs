//! Why something did not become of a message.

/// What whoever asked is told.
#[derive(Clone, Debug, PartialEq, Eq, Hash, thiserror::Error)]
pub enum QueueError {
    /// The actor has as many messages as it may: `queue.full`.
    #[error("an actor's queue has at most {max} messages")]
    Full {
        /// As many.
        max: usize,
    },
    /// The message is too large: `queue.message_too_large`.
    #[error("a message has at most {max} bytes, not {bytes}")]
    MessageTooLarge {
        /// Its length.
        bytes: usize,
        /// The longest.
        max: usize,
    },
    /// The name of a message is too long.
    #[error("a message's name has at most {max} bytes, not {bytes}")]
    NameTooLong {
        /// Its length.
        bytes: usize,
        /// The longest.
        max: usize,
    },
    /// A taker names too many names.
    #[error("one may wait for at most {max} names")]
    TooManyNames {
        /// As many.
        max: usize,
    },
    /// Too many takers wait.
    #[error("{max} wait for messages of this actor")]
    TooManyTakers {
        /// As many.
        max: usize,
    },
    /// A message was taken and not completed: `queue.previous_not_completed`.
    #[error("the message before has not been completed")]
    PreviousNotCompleted,
    /// It was completed before, or is not held: `queue.already_completed`.
    #[error("this message has been completed before")]
    AlreadyCompleted,
    /// Its signal or the stop of the actor ended the wait: `actor.aborted`.
    #[error("the wait was aborted")]
    Aborted,
    /// It was not stored in time; it may still be.
    #[error("it is not known whether this was stored")]
    Indeterminate,
}
