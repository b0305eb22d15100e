//! What goes into the machine and comes out of it.

use std::time::Duration;

use protocol::id::Ticket;

use super::Cause;

/// How long a drain may take when neither the application nor the engine says: upstream's stop threshold, 30 min.
pub const GRACE: Duration = Duration::from_secs(30 * 60);

/// No drain is given less (upstream).
pub const GRACE_MIN: Duration = Duration::from_secs(1);

/// How an application hosts its actors.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Mode {
    /// It connects to the engine by itself.
    Runner,
    /// The engine starts runners by requests.
    Serverless,
}

/// One input of a step.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Input {
    /// Time has passed, nothing else.
    Tick,
    /// Somebody wants the ground: makes it, or shares what is there or under way.
    Prepare {
        /// Who; told once.
        ticket: Ticket,
    },
    /// Somebody wants the service, and so the ground.
    Start {
        /// Who; told once.
        ticket: Ticket,
        /// In this mode.
        mode: Mode,
    },
    /// Somebody wants to know when the service is there, without asking for it.
    Watch {
        /// Who; told once.
        ticket: Ticket,
    },
    /// The ground is there.
    Created {
        /// Of which attempt.
        attempt: u32,
    },
    /// The ground has ended, with all that it had created; the last input of it. Without `Created` before, it could not
    /// be made.
    Gone {
        /// Of which attempt.
        attempt: u32,
        /// Why, unless it was asked to.
        cause: Option<Cause>,
    },
    /// The service is there: the engine knows the runner, or the endpoint takes requests.
    Began {
        /// Of which attempt.
        attempt: u32,
    },
    /// The engine says what a stop of an actor may take at most.
    Announced {
        /// So long.
        stop_threshold: Duration,
    },
    /// The service has ended, with all that it had begun; the last input of it.
    Finished {
        /// Of which attempt.
        attempt: u32,
        /// Why, unless it was asked to.
        cause: Option<Cause>,
    },
    /// End in order.
    Drain {
        /// Who waits for the end.
        ticket: Option<Ticket>,
        /// How long the service may take; what the engine announced if none, [`GRACE`] if it did not.
        grace: Option<Duration>,
    },
    /// End at once.
    Stop {
        /// Who waits for the end.
        ticket: Option<Ticket>,
    },
}

/// One effect of a step, performed in order.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Effect {
    /// Make the ground, from the configuration as it is now. `Created` follows, or `Gone`.
    Create {
        /// Told back.
        attempt: u32,
    },
    /// Take the ground down, or what there will be of it; `Gone` follows. What was found and not created stays.
    Destroy {
        /// Of which attempt.
        attempt: u32,
    },
    /// Begin the service on the ground. `Began` follows, or `Finished`.
    Begin {
        /// Told back.
        attempt: u32,
        /// Which service.
        mode: Mode,
    },
    /// End the service in order; `Finished` follows. At most once, and before a stop.
    DrainService {
        /// Of which attempt.
        attempt: u32,
    },
    /// End the service at once; `Finished` follows soon. At most once.
    StopService {
        /// Of which attempt.
        attempt: u32,
    },
    /// Answer whoever prepares, starts or watches.
    Told {
        /// Whom.
        ticket: Ticket,
        /// With what.
        outcome: Result<(), Refusal>,
    },
    /// Answer whoever waits for the end.
    Ended {
        /// Whom.
        ticket: Ticket,
        /// With what: the same for all.
        end: End,
    },
}

/// Why a call did not get what it wanted.
#[derive(Clone, Debug, PartialEq, Eq, Hash, thiserror::Error)]
pub enum Refusal {
    /// The attempt failed, and nothing of it is left.
    #[error(transparent)]
    Failed(Cause),
    /// The other mode is under way, and stays as it is.
    #[error("runtime.mode_conflict: cannot start as {requested}, it is started as {current}", requested = requested.name(), current = current.name())]
    ModeConflict {
        /// The mode it has.
        current: Mode,
        /// The mode that was asked for.
        requested: Mode,
    },
    /// It is shutting down, or has.
    #[error("registry.shut_down: the application is shutting down")]
    ShutDown,
    /// What was made from the configuration stands: it cannot be changed any more.
    #[error("runtime.configured: the configuration cannot be changed once preparation has begun")]
    Configured,
}

/// How it ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum End {
    /// In order.
    Drained,
    /// The drain took longer than its grace, and was cut off.
    Overdue,
    /// At once, as it was asked to.
    Stopped,
}

/// How it stands.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Standing {
    /// Nothing was asked for.
    Idle,
    /// The ground is being made.
    Preparing,
    /// The ground is there, no service was asked for.
    Prepared,
    /// The service is coming.
    Starting(Mode),
    /// The service is there.
    Running(Mode),
    /// It has failed; the next call tries again, unless the cause is permanent.
    Failed(Cause),
    /// It is ending.
    Draining,
    /// It has ended.
    Stopped(End),
}

impl Mode {
    /// Its name in errors.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Runner => "runner",
            Self::Serverless => "serverless",
        }
    }
}

impl Refusal {
    /// Its stable name: `group.code`.
    #[must_use]
    pub const fn code(&self) -> &'static str {
        match self {
            Self::Failed(cause) => cause.code(),
            Self::ModeConflict { .. } => "runtime.mode_conflict",
            Self::ShutDown => "registry.shut_down",
            Self::Configured => "runtime.configured",
        }
    }
}
