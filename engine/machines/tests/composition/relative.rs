//! States that differ in the date only are the same state: a hasher that takes every time relative to the present.
//!
//! Worlds begin at dates that no other number comes near, so that a number of that size is a time. What happened more
//! than a minute ago counts as a minute ago: no threshold in these worlds is longer.

use std::hash::Hasher;
use std::time::Duration;

use protocol::time::{Mono, Now, Wall};

/// Where the monotonic clock begins, in nanoseconds.
const MONO: u64 = 1 << 60;
/// Where the wall clock begins, in milliseconds.
const WALL: u64 = 1 << 50;
/// How far worlds get, and more.
const SPAN: u64 = 1 << 45;
const MONO_END: u64 = MONO + SPAN;
const WALL_END: u64 = WALL + SPAN;
const LONG_AGO: Duration = Duration::from_secs(60);

pub(crate) const fn beginning() -> Now {
    Now { mono: Mono(MONO), wall: Wall(WALL) }
}

pub(crate) struct Relative<'a, H> {
    pub(crate) now: Now,
    pub(crate) inner: &'a mut H,
}

impl<H: Hasher> Relative<'_, H> {
    fn relative(value: u64, now: u64, long_ago: u128) -> u64 {
        let long_ago = u64::try_from(long_ago).expect("a minute is short");
        value.max(now.saturating_sub(long_ago)).wrapping_sub(now)
    }
}

impl<H: Hasher> Hasher for Relative<'_, H> {
    fn finish(&self) -> u64 {
        self.inner.finish()
    }

    fn write(&mut self, bytes: &[u8]) {
        self.inner.write(bytes);
    }

    fn write_u64(&mut self, value: u64) {
        self.inner.write_u64(match value {
            MONO..=MONO_END => Self::relative(value, self.now.mono.0, LONG_AGO.as_nanos()),
            WALL..=WALL_END => Self::relative(value, self.now.wall.0, LONG_AGO.as_millis()),
            other => other,
        });
    }

    fn write_i64(&mut self, value: i64) {
        self.write_u64(value.cast_unsigned());
    }
}
