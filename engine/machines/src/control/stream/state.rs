//! What a stream is, and what the engine wants with it.

use std::time::Duration;

use protocol::id::RunnerId;
use protocol::time::Mono;

use crate::control::effect::StreamTarget;
use crate::control::pool::PoolKey;

/// An outbound request whose response holds a runner open.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(in crate::control) struct Stream {
    pub(in crate::control) pool: PoolKey,
    /// Where it goes; a stream to elsewhere is outdated.
    pub(in crate::control) target: StreamTarget,
    /// How long its runner may drain.
    pub(in crate::control) grace: Duration,
    /// The pool's wave when it was opened.
    pub(in crate::control) wave: u64,
    pub(in crate::control) stage: Stage,
    pub(in crate::control) fate: Fate,
    /// The version of its runner, while it is in the pool's index of idle ones.
    pub(in crate::control) idle_version: Option<u32>,
}

/// How far a stream is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(in crate::control) enum Stage {
    /// Requested.
    Dialing,
    /// Its response head is there.
    Open,
    /// Its Init is there.
    Live {
        /// The runner it holds open.
        runner: RunnerId,
        /// Since when.
        since: Mono,
    },
}

/// What the engine wants with a stream.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(in crate::control) enum Fate {
    /// To keep it.
    Wanted,
    /// Its runner drains by its own wish, and is to end it within the drain grace.
    Draining,
    /// Its runner drains by the engine's wish: it is closed when the runner hosts nothing any more.
    Replaced,
    /// It was closed.
    Closing {
        /// Stable name of the reason.
        reason: &'static str,
    },
}

impl Stream {
    /// The runner it holds open.
    pub(in crate::control) const fn runner(&self) -> Option<RunnerId> {
        match self.stage {
            Stage::Live { runner, .. } => Some(runner),
            Stage::Dialing | Stage::Open => None,
        }
    }

    /// Whether it was good for this long.
    pub(in crate::control) fn lived(&self, now: Mono, stable: Duration) -> bool {
        matches!(self.stage, Stage::Live { since, .. } if now.since(since) >= stable)
    }
}
