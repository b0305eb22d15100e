//! A look at the machines of a running engine, for tests.

use std::sync::Arc;

use parking_lot::Mutex;
use protocol::view::{ControlView, GatewayView};

use crate::store::Size;
use crate::{control, gateway};

/// Asks the drivers how things stand. It outlives cores, and the engine.
#[derive(Clone, Debug, Default)]
pub struct View(Arc<Mutex<Option<(control::Mailbox, gateway::Mailbox)>>>);

impl View {
    /// How the control plane stands; `None` if no core runs.
    pub async fn control(&self) -> Option<ControlView> {
        let (mailbox, _) = self.mailboxes()?;
        mailbox.ask(control::Letter::View).await
    }

    /// How large the store is; `None` if no core runs, or it does not say.
    pub async fn store(&self) -> Option<Size> {
        let (mailbox, _) = self.mailboxes()?;
        let (_, size) = mailbox.ask(control::Letter::Count).await?;
        size
    }

    /// How the gateway stands; `None` if no core runs.
    pub async fn gateway(&self) -> Option<GatewayView> {
        let (_, mailbox) = self.mailboxes()?;
        mailbox.ask(gateway::Letter::View).await
    }

    pub(super) fn show(&self, mailboxes: Option<(control::Mailbox, gateway::Mailbox)>) {
        *self.0.lock() = mailboxes;
    }

    fn mailboxes(&self) -> Option<(control::Mailbox, gateway::Mailbox)> {
        self.0.lock().clone()
    }
}
