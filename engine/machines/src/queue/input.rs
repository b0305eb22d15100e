//! What can happen to the queue of an actor.

use std::collections::BTreeSet;
use std::time::Duration;

use protocol::id::{BodyId, Ticket};

use super::{Attempt, MessageId};

/// One input of a step.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Input {
    /// Time has passed, nothing else.
    Tick,
    /// Somebody sends a message. Its body is dropped when it is refused.
    Send {
        /// Who is told.
        ticket: Ticket,
        /// What.
        post: Post,
    },
    /// Somebody takes messages.
    Next {
        /// Who is told.
        ticket: Ticket,
        /// Which.
        filter: Filter,
    },
    /// Somebody has done with a message that it holds.
    Complete {
        /// Who is told.
        ticket: Ticket,
        /// Which.
        message: MessageId,
        /// What the sender is answered, if it waits.
        response: Option<BodyId>,
    },
    /// Somebody who takes, or waits for a completion, does not any more. Nothing when it has been answered.
    Abort {
        /// Who.
        ticket: Ticket,
    },
    /// The actor begins to stop: nobody takes or waits any more. Messages are still sent and completed.
    Stop,
    /// Tell when all that was asked for is stored.
    Settle {
        /// Whom.
        ticket: Ticket,
    },
    /// A write is durable.
    Written {
        /// Which attempt.
        attempt: Attempt,
        /// Whether it succeeded. When not, nobody knows whether some of it is stored.
        ok: bool,
        /// A random number for the wait before the next attempt.
        jitter: u64,
    },
}

/// A message that shall be stored.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Post {
    /// Its kind.
    pub name: String,
    /// The payload, which the driver holds until it is told to drop it.
    pub body: BodyId,
    /// The payload's length.
    pub bytes: usize,
    /// Whether the sender waits for its completion.
    pub reply: Reply,
}

/// What a sender waits for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Reply {
    /// That the message is stored.
    Stored,
    /// That it is completed, for so long at most; without a bound for as long as the actor lives.
    Completed(Option<Duration>),
}

/// What a taker wants.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Filter {
    /// Only messages of these names; any when there is none.
    pub names: BTreeSet<String>,
    /// At most so many; at least one.
    pub count: usize,
    /// How long to wait for the first; zero takes what is there. Without a bound for as long as the actor lives.
    pub wait: Option<Duration>,
    /// They stay until they are completed.
    pub manual: bool,
}
