//! The terms of keep-alive.

use std::io;
use std::time::Duration;

/// When an idle connection asks whether its peer is there, and when it takes it for gone: `count` probes unanswered, the
/// first after `idle`, each `interval` after the one before. Where `TCP_USER_TIMEOUT` is set as well, Linux goes by that
/// instead of the count.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct KeepAlive {
    /// How long nothing must have come from the peer before it is asked: whole seconds, 1 to 32,767 (`TCP_KEEPIDLE`).
    pub idle: Duration,
    /// Between two probes: the same bounds (`TCP_KEEPINTVL`).
    pub interval: Duration,
    /// Probes without an answer: 1 to 127 (`TCP_KEEPCNT`).
    pub count: u32,
}

impl Default for KeepAlive {
    /// Linux's: 7,200 s, 75 s and 9 (`tcp_keepalive_time`, `tcp_keepalive_intvl`, `tcp_keepalive_probes`).
    fn default() -> Self {
        Self { idle: Duration::from_hours(2), interval: Duration::from_secs(75), count: 9 }
    }
}

/// `MAX_TCP_KEEPIDLE` and `MAX_TCP_KEEPINTVL`, in seconds.
const SECONDS_MAX: u64 = 32_767;
/// `MAX_TCP_KEEPCNT`.
const COUNT_MAX: u32 = 127;

impl KeepAlive {
    /// The terms as the kernel takes them.
    pub(super) fn checked(self) -> io::Result<Self> {
        let taken = |span: Duration| span.subsec_nanos() == 0 && (1..=SECONDS_MAX).contains(&span.as_secs());
        if taken(self.idle) && taken(self.interval) && (1..=COUNT_MAX).contains(&self.count) {
            return Ok(self);
        }
        Err(io::Error::new(io::ErrorKind::InvalidInput, format!("no terms of keep-alive: {self:?}")))
    }

    pub(super) const fn to_socket2(self) -> socket2::TcpKeepalive {
        socket2::TcpKeepalive::new()
            .with_time(self.idle)
            .with_interval(self.interval)
            .with_retries(self.count)
    }
}
