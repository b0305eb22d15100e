//! Runner sockets: who is connected, and how a frame gets to them.
//!
//! [`Sockets`] is the register that the drivers of both machines send through. [`connection`] serves one socket from
//! its upgrade to its end, [`outbox`] bounds what waits to be written to it. What a frame means is decided by the
//! machines; here bytes become messages and messages bytes.

pub(crate) mod connection;
mod outbox;
mod writer;

use std::collections::BTreeMap;
use std::sync::Arc;

use parking_lot::Mutex;
use protocol::error::CloseReason;
use protocol::id::ConnId;
use protocol::wire::{self, ToClient};

pub(crate) use outbox::{Hold, Outbox, Room};

/// Every open runner socket.
#[derive(Clone, Debug, Default)]
pub(crate) struct Sockets(Arc<Mutex<BTreeMap<ConnId, Outbox>>>);

impl Sockets {
    pub(crate) fn enter(&self, conn: ConnId, outbox: Outbox) {
        let before = self.0.lock().insert(conn, outbox);
        assert!(before.is_none(), "{conn:?} is the name of one socket only");
    }

    pub(crate) fn leave(&self, conn: ConnId) {
        self.0.lock().remove(&conn);
    }

    pub(crate) fn len(&self) -> usize {
        self.0.lock().len()
    }

    /// Sends a message; a socket that has closed in between gets nothing, and its end is on its way to the machines.
    pub(crate) fn send(&self, conn: ConnId, message: &ToClient) {
        self.send_held(conn, message, None);
    }

    /// The same, of a message that gives its room back when it was written.
    pub(crate) fn send_held(&self, conn: ConnId, message: &ToClient, hold: Option<Hold>) {
        let outbox = self.0.lock().get(&conn).cloned();
        match outbox {
            Some(outbox) => outbox.send(wire::encode(message), hold),
            None => protocol::mark!("socket_gone_before_send"),
        }
    }

    /// Where clients' messages to this runner wait for room; of a socket that has closed in between, nowhere for long.
    pub(crate) fn room(&self, conn: ConnId) -> Room {
        let outbox = self.0.lock().get(&conn).cloned();
        outbox.map_or_else(Room::new, |outbox| outbox.room())
    }

    /// Closes a socket after everything sent before.
    pub(crate) fn close(&self, conn: ConnId, reason: CloseReason) {
        let outbox = self.0.lock().get(&conn).cloned();
        match outbox {
            Some(outbox) => outbox.close(reason),
            None => protocol::mark!("socket_gone_before_close"),
        }
    }

    /// Closes all of them.
    pub(crate) fn close_all(&self, reason: CloseReason) {
        let all: Vec<_> = self.0.lock().values().cloned().collect();
        for outbox in all {
            outbox.close(reason);
        }
    }
}
