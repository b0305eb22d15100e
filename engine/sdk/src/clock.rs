//! The runtime's clocks as machines read them.

use protocol::time::{Mono, Now, Wall};
use runtime::Instant;

/// Both clocks at this moment.
pub(crate) fn now() -> Now {
    Now { mono: Mono(runtime::now().as_nanos()), wall: Wall(runtime::wall().as_millis()) }
}

/// The instant of a machine's deadline.
pub(crate) const fn instant(mono: Mono) -> Instant {
    Instant::from_nanos(mono.0)
}

/// Waits for a machine's deadline; for ever if it has none.
pub(crate) async fn deadline(deadline: Option<(Mono, &'static str)>) {
    match deadline {
        Some((mono, _)) => runtime::sleep_until(instant(mono)).await,
        None => std::future::pending().await,
    }
}
