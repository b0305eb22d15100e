//! Bounds and timings.

use std::time::Duration;

use protocol::limits::{KV_PUT_BYTES_MAX, KV_VALUE_BYTES_MAX};

use crate::storing::Backoff;

/// Longest name of a schedule in bytes. Upstream's.
pub const JOB_NAME_BYTES_MAX: usize = 128;

/// Shortest interval of `every`. Upstream's.
pub const INTERVAL_MIN: Duration = Duration::from_millis(5_000);

/// Most runs that are remembered of one schedule. Upstream's.
pub const RUNS_MAX: u32 = 1_000;

/// Runs that are remembered of one schedule when nothing is said. Upstream's.
pub const RUNS_DEFAULT: u32 = 100;

/// What a row takes beside its payload, at most about. Ours: a name, an expression, a zone and some numbers.
pub const ROW_SLACK_BYTES: usize = 2 * 1024;

/// Bounds and timings. Ours unless said otherwise.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Options {
    /// Schedules of one actor. Default 1,000 (upstream).
    pub jobs_max: usize,
    /// Runs that are remembered of one actor, whatever its schedules are allowed. Default 10,000 (upstream).
    pub runs_total_max: u64,
    /// Largest payload (name and arguments of an action) of one schedule in bytes. Default: what fits a value of the
    /// actor's storage with the rest of its row.
    pub body_bytes_max: usize,
    /// Rows of one write, puts and deletes counted apart. Default 120: with what one change may add, below what one
    /// operation of the actor's storage takes.
    pub write_rows_max: usize,
    /// Payload bytes of one write. Default: what such an operation takes, less what rows add.
    pub write_bytes_max: usize,
    /// Whether the alarm of the actor's own code is stored, so that its schedules do not replace it. Else the engine
    /// alone knows it: for an actor that cannot have schedules. Default true.
    pub stores_alarm: bool,
    /// Waits between attempts to store.
    pub backoff: Backoff,
    /// Whoever asked for something is answered by then, if only that it is not known. Default 30 s.
    pub answer_timeout: Duration,
    /// How often at least the wall clock is looked at while something is scheduled: it may jump. Default 60 s.
    pub wall_check: Duration,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            jobs_max: 1_000,
            runs_total_max: 10_000,
            body_bytes_max: KV_VALUE_BYTES_MAX - ROW_SLACK_BYTES,
            write_rows_max: 120,
            write_bytes_max: KV_PUT_BYTES_MAX - 128 * ROW_SLACK_BYTES,
            stores_alarm: true,
            backoff: Backoff::default(),
            answer_timeout: Duration::from_secs(30),
            wall_check: Duration::from_secs(60),
        }
    }
}
