//! Timings and bounds of an actor.

use std::time::Duration;

/// Timings and bounds. Defaults are upstream's unless said otherwise.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Options {
    /// How long it may take to start, from reading its state until its first state is written. Default 30 s (the
    /// engine's bound).
    pub start_timeout: Duration,
    /// How long whoever calls an action waits; none waits for ever. The action itself goes on. Default 60 s.
    pub action_timeout: Option<Duration>,
    /// After this long without anything that keeps it awake it sleeps; none never does by itself. Default 30 s.
    pub sleep_timeout: Option<Duration>,
    /// How long a stop waits for hooks and work. Default 15 s.
    pub stop_grace: Duration,
    /// How long a stop waits for the last write of the state, beyond that. Default 15 s.
    pub save_grace: Duration,
    /// Between two writes of a state that changes. Default 1 s.
    pub save_interval: Duration,
    /// Longest wait after a write failed; it doubles with each. Default 100 ms (ours).
    pub save_retry: Duration,
    /// Longest wait after any. Default 5 s (ours).
    pub save_retry_max: Duration,
    /// Works at one time at most; further ones are refused. Default 1024 (ours).
    pub work_max: usize,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            start_timeout: Duration::from_secs(30),
            action_timeout: Some(Duration::from_secs(60)),
            sleep_timeout: Some(Duration::from_secs(30)),
            stop_grace: Duration::from_secs(15),
            save_grace: Duration::from_secs(15),
            save_interval: Duration::from_secs(1),
            save_retry: Duration::from_millis(100),
            save_retry_max: Duration::from_secs(5),
            work_max: 1024,
        }
    }
}
