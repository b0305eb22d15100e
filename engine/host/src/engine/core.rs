//! What every task of a running engine shares.

use std::sync::Arc;

pub(crate) use crate::options::Limits;

use crate::budget::Budget;
use crate::halt::{Alive, Halt};
use crate::serial::Serial;
use crate::sockets::Sockets;
use crate::{control, gateway};

/// One core, from its start to its end. Each clone counts as one that has not ended.
#[derive(Clone, Debug)]
pub(crate) struct Core {
    pub(crate) serial: Arc<Serial>,
    pub(crate) sockets: Sockets,
    pub(crate) control: control::Mailbox,
    pub(crate) gateway: gateway::Mailbox,
    pub(crate) limits: Arc<Limits>,
    /// For the bodies of requests.
    pub(crate) bodies: Budget,
    pub(crate) public_url: Arc<str>,
    /// Ends everything at once.
    pub(crate) halt: Halt,
    pub(super) _alive: Alive,
}
