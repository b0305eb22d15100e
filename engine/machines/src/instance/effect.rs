//! Everything an instance can want.

use protocol::id::Ticket;

use super::Hook;
use crate::runner::StoreFailure;

/// One effect of an instance's step, performed in order.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Effect {
    /// Read its state: `Loaded` or `LoadFailed` follows.
    Load,
    /// Call a hook: `HookEnded` follows, unless `Drop` comes before.
    Call(Hook),
    /// Tell its runner that it takes requests.
    Started,
    /// Begin this work: `Done` follows, unless `Drop` comes before.
    Take {
        /// Which.
        ticket: Ticket,
    },
    /// Answer that it is not taken.
    Refuse {
        /// Which.
        ticket: Ticket,
        /// Why.
        refusal: Refusal,
    },
    /// Tell whoever asked that its time is over. The work goes on.
    TimeOut {
        /// Which.
        ticket: Ticket,
    },
    /// Tell the work that nobody waits for it.
    Abandon {
        /// Which.
        ticket: Ticket,
    },
    /// Write its state as it is now: `Saved` follows. One at a time.
    Save {
        /// Whether it has started for the first time: a state that was written before is none yet, and its
        /// [`Input::Loaded`](super::Input::Loaded) is that of a first start.
        begun: bool,
    },
    /// Tell whoever wanted to know.
    TellSaved {
        /// Whom.
        ticket: Ticket,
        /// What.
        outcome: Result<(), SaveFailure>,
    },
    /// Tell its runner that it wants to sleep.
    Sleep,
    /// Tell its runner that it wants to be destroyed.
    Destroy,
    /// A stop has begun: tell its code, close its connections, let no schedule fire.
    Stopping,
    /// Drop whatever of its code still runs: hooks and works. Nothing of them is told any more.
    Drop,
    /// It is over, after everything before; nothing of it runs. Nothing follows.
    Ended {
        /// Why, if it failed.
        error: Option<String>,
    },
}

/// Why a work is not taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Refusal {
    /// It has not started.
    Starting,
    /// It stops.
    Stopping,
    /// It does as much as it may at one time.
    Overloaded,
}

/// Why nobody can say that a state is stored. What is in memory is written later all the same, if it can be.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum SaveFailure {
    /// A write of it failed.
    Store(StoreFailure),
    /// It cannot be written as it is.
    Unfit,
    /// The instance ended before.
    Ended,
}
