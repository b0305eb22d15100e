//! Both clocks, as machines take them.

use protocol::time::{Mono, Now, Wall};

/// The present.
pub(crate) fn now() -> Now {
    Now { mono: Mono(runtime::now().as_nanos()), wall: Wall(runtime::wall().as_millis()) }
}

/// Waits for a machine's deadline, for ever if it has none.
pub(crate) async fn until(deadline: Option<Mono>) {
    match deadline {
        Some(Mono(nanos)) => runtime::sleep_until(runtime::Instant::from_nanos(nanos)).await,
        None => std::future::pending().await,
    }
}
