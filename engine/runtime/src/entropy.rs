//! Entropy by named stream.
//!
//! A stream is named by what it decides (`actor id`, `mask/engine`): in a world its bytes depend on the seed, the node
//! and that name only, so that a draw added in one place moves no other. On the host the name means nothing and the
//! operating system answers.

use crate::world;

/// Fills `out` from `stream`.
///
/// # Panics
/// If the operating system has no entropy to give, which nothing could be done about.
pub fn fill(stream: &str, out: &mut [u8]) {
    match world::current() {
        Some(world) => world.entropy(stream, out),
        None => getrandom::fill(out).expect("the operating system gives entropy"),
    }
}

/// `N` bytes from `stream`.
#[must_use]
pub fn bytes<const N: usize>(stream: &str) -> [u8; N] {
    let mut out = [0; N];
    fill(stream, &mut out);
    out
}

/// A number from `stream`.
#[must_use]
pub fn u64(stream: &str) -> u64 {
    u64::from_le_bytes(bytes(stream))
}
