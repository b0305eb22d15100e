//! Bounds and timings.

use std::time::Duration;

use protocol::limits::{KV_KEYS_MAX, KV_PUT_BYTES_MAX};

use crate::storing::Backoff;

/// Longest name of a message in bytes. Ours: that of a schedule.
pub const MESSAGE_NAME_BYTES_MAX: usize = 128;

/// Most names that one taker waits for. Ours: more than an actor has kinds of messages.
pub const TAKE_NAMES_MAX: usize = 64;

/// Bounds and timings. Ours unless said otherwise.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Options {
    /// Messages of one actor, those included that somebody holds. Default 1,000 (upstream).
    pub messages_max: usize,
    /// Largest message in bytes. Default 65,536 (upstream).
    pub message_bytes_max: usize,
    /// Most messages that are taken at once; who wants more gets as many. Default 100: they are deleted in one write.
    pub take_max: usize,
    /// Takers that wait at one time. Default 1,000.
    pub takers_max: usize,
    /// Rows of one write, puts and deletes counted apart. Default: what one operation of the actor's storage takes.
    pub write_rows_max: usize,
    /// Payload bytes of one write. Default: three quarters of what such an operation takes; names and numbers are
    /// the rest.
    pub write_bytes_max: usize,
    /// Waits between attempts to store.
    pub backoff: Backoff,
    /// Whoever waits for something to be stored is answered by then, if only that it is not known. Default 30 s.
    pub answer_timeout: Duration,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            messages_max: 1_000,
            message_bytes_max: 65_536,
            take_max: 100,
            takers_max: 1_000,
            write_rows_max: KV_KEYS_MAX,
            write_bytes_max: KV_PUT_BYTES_MAX / 4 * 3,
            backoff: Backoff::default(),
            answer_timeout: Duration::from_secs(30),
        }
    }
}
