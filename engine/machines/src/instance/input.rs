//! Everything that can happen to an instance.

use std::time::Duration;

use protocol::id::Ticket;

use super::Hook;
use crate::runner::StoreFailure;

/// One input of an instance's step.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Input {
    /// Time has passed, nothing else.
    Tick,
    /// Come up.
    Begin,
    /// Its state was read.
    Loaded {
        /// There is none, or none of an actor that has ever [begun](super::Effect::Save): it starts for the first time,
        /// from nothing.
        first: bool,
    },
    /// Its state could not be read.
    LoadFailed {
        /// Why; cut at 512 bytes.
        error: String,
    },
    /// A hook has returned.
    HookEnded {
        /// Which.
        hook: Hook,
        /// Why it failed, if it did; cut at 512 bytes.
        error: Option<String>,
    },
    /// Something is asked of it: answered with `Take` or `Refuse`.
    Ask {
        /// Never used twice.
        ticket: Ticket,
        /// What.
        kind: WorkKind,
    },
    /// Nobody waits for a work any more; it goes on, and its `Done` still comes.
    Unasked {
        /// Which; one that has ended is none.
        ticket: Ticket,
    },
    /// A work that was taken has ended.
    Done {
        /// Which.
        ticket: Ticket,
    },
    /// User code holds it awake.
    KeepAwake,
    /// It does so no more: one for each [`Input::KeepAwake`].
    LetSleep,
    /// Whether its background code waits for a message and does nothing else.
    Parked(bool),
    /// Its state has changed.
    Changed,
    /// Somebody wants to know when its state, as it is now, is stored: answered with `TellSaved`.
    Save {
        /// Never used twice.
        ticket: Ticket,
        /// When it shall be written.
        when: When,
    },
    /// A write of its state has ended.
    Saved {
        /// How.
        outcome: Saved,
        /// A random number for the wait before the next attempt.
        jitter: u64,
    },
    /// It wants to sleep.
    Sleep,
    /// It wants to be destroyed.
    Destroy,
    /// Its runner wants it to stop, in order.
    Stop,
    /// It has no right to go on.
    Cut,
}

/// What is asked of an instance.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum WorkKind {
    /// An HTTP request of its own kind, or an open socket for as long as it is open: keeps it awake, bounded by whoever
    /// asks.
    Request,
    /// An action: keeps it awake; whoever calls waits for its time only.
    Action,
    /// Something that user code leaves behind: does not keep it awake, and is finished before a stop.
    Task,
}

/// When a state shall be written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum When {
    /// At once.
    Now,
    /// So long from now at the latest.
    Within(Duration),
}

/// How a write of a state ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Saved {
    /// The engine has it.
    Done,
    /// It was not written, or nobody knows.
    Failed(StoreFailure),
    /// It cannot be written as it is: it is too large, or cannot be encoded.
    Unfit,
}
