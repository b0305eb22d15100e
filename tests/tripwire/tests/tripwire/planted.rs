//! A place that asks, planted in a file of its own name, so that the trip wire is seen to work.

/// Asks for the time.
#[inline(never)]
pub(crate) fn question() -> bool {
    #[expect(clippy::disallowed_types, reason = "the very thing that is to be seen")]
    let time = std::time::SystemTime::now();
    time.elapsed().is_ok()
}
