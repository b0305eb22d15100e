//! How the platform can differ from the reference.

use protocol::id::{ActorId, Generation, RunnerId};

/// A difference.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Breach {
    /// A runner that never connected was given up.
    #[error("{runner:?} was lost without having been there")]
    UnknownRunner {
        /// The runner.
        runner: RunnerId,
    },
    /// A runner was given up while it might still come back.
    #[error("{runner:?} was lost too early")]
    LostTooEarly {
        /// The runner.
        runner: RunnerId,
    },
    /// A runner that did not come back was not given up.
    #[error("{runner:?} should be lost by now")]
    NotLost {
        /// The runner.
        runner: RunnerId,
    },
    /// An actor was placed that does not wait, or before one that waits for longer.
    #[error("it is not the turn of {actor:?}")]
    NotItsTurn {
        /// The actor.
        actor: ActorId,
    },
    /// An actor was placed on a runner that is full, gone, or goes.
    #[error("{actor:?} was placed on {runner:?}, where there is no place")]
    NoPlace {
        /// The actor.
        actor: ActorId,
        /// The runner.
        runner: RunnerId,
    },
    /// A generation does not follow the one before.
    #[error("{actor:?} was placed as {generation:?}")]
    Generation {
        /// The actor.
        actor: ActorId,
        /// The generation.
        generation: Generation,
    },
    /// An actor waits although there is a place.
    #[error("{actor:?} waits although there is a place on {runner:?}")]
    WaitsBesideAPlace {
        /// The actor.
        actor: ActorId,
        /// The runner.
        runner: RunnerId,
    },
    /// An actor is shown otherwise than it stands.
    #[error("{actor:?} is shown otherwise: {what}")]
    Shown {
        /// The actor.
        actor: ActorId,
        /// What differs.
        what: &'static str,
    },
}
