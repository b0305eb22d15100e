//! How an application is, for whoever asks `/health`: one word, and whether that is well.

use std::time::Duration;

use protocol::time::Mono;

use super::{Cause, Mode, Standing};

/// Without a word of the engine for this long an application is not well (upstream): six pings are missing.
pub const PING_STALE: Duration = Duration::from_secs(20);

/// How an application is.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Health {
    /// Well, or with nothing to do.
    Ok,
    /// Not up yet, or trying again: its engine was not healthy in time.
    EngineStarting,
    /// The engine will never take it.
    EngineRejected {
        /// What it said.
        code: &'static str,
    },
    /// The engine has not been heard for [`PING_STALE`].
    EnginePingStale,
    /// It has failed.
    Failed(Cause),
    /// It is ending, or has.
    ShuttingDown,
}

impl Health {
    /// Of a standing, given since when the engine has not been heard: the last word of a session, or the begin of the
    /// service if there was none. None if there is no session to hear anything.
    #[must_use]
    pub fn of(standing: &Standing, silent_since: Option<Mono>, now: Mono) -> Self {
        match standing {
            Standing::Idle | Standing::Prepared => Self::Ok,
            Standing::Starting(Mode::Runner) | Standing::Running(_) if is_stale(silent_since, now) => {
                Self::EnginePingStale
            }
            Standing::Running(_) => Self::Ok,
            Standing::Preparing | Standing::Starting(_) => Self::EngineStarting,
            Standing::Failed(Cause::HealthCheckFailed { .. }) => Self::EngineStarting,
            Standing::Failed(Cause::Rejected { code }) => Self::EngineRejected { code },
            Standing::Failed(cause) => Self::Failed(cause.clone()),
            Standing::Draining | Standing::Stopped(_) => Self::ShuttingDown,
        }
    }

    /// Its word in a report.
    #[must_use]
    pub const fn word(&self) -> &'static str {
        match self {
            Self::Ok => "ok",
            Self::EngineStarting => "engine_starting",
            Self::EngineRejected { .. } => "engine_rejected",
            Self::EnginePingStale => "engine_ping_stale",
            Self::Failed(_) => "failed",
            Self::ShuttingDown => "shutting_down",
        }
    }

    /// The status of the report: 200 if well, else 503.
    #[must_use]
    pub const fn status(&self) -> u16 {
        match self {
            Self::Ok => 200,
            Self::EngineStarting
            | Self::EngineRejected { .. }
            | Self::EnginePingStale
            | Self::Failed(_)
            | Self::ShuttingDown => 503,
        }
    }
}

/// Whether the silence has lasted too long.
#[must_use]
pub fn is_stale(silent_since: Option<Mono>, now: Mono) -> bool {
    silent_since.is_some_and(|since| now.since(since) >= PING_STALE)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_engine_that_is_silent_is_told_after_twenty_seconds() {
        let of = |standing: &Standing, seconds| {
            let now = Mono::ZERO + Duration::from_millis(seconds);
            Health::of(standing, Some(Mono::ZERO), now)
        };
        let running = Standing::Running(Mode::Serverless);
        assert_eq!(of(&running, 19_999), Health::Ok);
        assert_eq!(of(&running, 20_000), Health::EnginePingStale);
        assert_eq!(of(&Standing::Starting(Mode::Runner), 19_999), Health::EngineStarting);
        assert_eq!(of(&Standing::Starting(Mode::Runner), 20_000), Health::EnginePingStale);
        assert_eq!(of(&Standing::Draining, 60_000), Health::ShuttingDown);
        assert_eq!(Health::of(&running, None, Mono(u64::MAX)), Health::Ok, "nobody could be heard");
    }
}
