//! What every task of a running engine shares.

use std::sync::Arc;

use tokio::sync::Semaphore;

pub(crate) use crate::options::Limits;

use crate::access::Door;
use crate::budget::Budget;
use crate::halt::{Alive, Halt};
use crate::metrics::Metrics;
use crate::outbound::Dialler;
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
    /// Who may come in.
    pub(crate) door: Door,
    /// What applications are dialled with.
    pub(crate) dialler: Dialler,
    /// What is counted.
    pub(crate) metrics: Metrics,
    /// For the bodies of requests.
    pub(crate) bodies: Budget,
    pub(crate) public_url: Arc<str>,
    /// For whoever copies the store: one at a time.
    pub(crate) copies: Arc<Semaphore>,
    /// The engine is going away: nothing new comes in, and who would stay for ever is sent away.
    pub(crate) going: Halt,
    /// Ends everything at once.
    pub(crate) halt: Halt,
    pub(super) _alive: Alive,
}
