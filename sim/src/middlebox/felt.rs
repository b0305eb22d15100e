//! What a box tells the world it is in. On other ground nobody counts.

use std::net::IpAddr;

use crate::core;
use crate::effects::Effect;

/// Somebody suffers from a box.
pub(super) fn felt(effect: Effect) {
    core::try_with(|core| core.felt(effect));
}

/// Whether a name has another address by now. Asking takes no time, and nobody notices.
pub(super) fn has_moved(host: &str, from: IpAddr) -> bool {
    let fresh = core::try_with(|core| {
        let node = core.current_node();
        core.net.borrow().paths.resolve(node, host)
    });
    fresh.is_some_and(|fresh| !fresh.is_ok_and(|fresh| fresh.contains(&from)))
}
