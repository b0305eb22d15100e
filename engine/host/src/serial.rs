//! Handles: numbers given out in order, one row of them per kind.

use std::sync::atomic::{AtomicU64, Ordering};

use protocol::id::{ConnId, Ticket};

/// The rows of one engine core.
#[derive(Debug, Default)]
pub(crate) struct Serial {
    conn: AtomicU64,
    ticket: AtomicU64,
}

impl Serial {
    /// A socket's handle.
    pub(crate) fn conn(&self) -> ConnId {
        ConnId(self.conn.fetch_add(1, Ordering::Relaxed))
    }

    /// A waiter's handle.
    pub(crate) fn ticket(&self) -> Ticket {
        Ticket(self.ticket.fetch_add(1, Ordering::Relaxed))
    }
}
