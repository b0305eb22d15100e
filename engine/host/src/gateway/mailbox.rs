//! What the gateway's driver is told.

use machines::route::Route;
use protocol::id::{ActorId, ConnId, Ticket};
use protocol::view::GatewayView;
use protocol::wire::ToServerTunnelMessage;
use tokio::sync::{mpsc, oneshot};

use super::clients::{ClientRequest, Reply};
use super::websocket::Up;

/// Letters that may wait. Ours: senders wait beyond it.
const LETTERS_MAX: usize = 1024;

/// One thing to know.
#[derive(Debug)]
pub(crate) enum Letter {
    /// A client's request, read whole.
    Request { ticket: Ticket, request: Box<ClientRequest>, reply: oneshot::Sender<Reply> },
    /// The route of an actor, from the control plane.
    Route { actor: ActorId, route: Route },
    /// A message of a runner.
    Tunnel { conn: ConnId, message: ToServerTunnelMessage },
    /// What comes from a client on its open WebSocket.
    WebSocket { ticket: Ticket, up: Up },
    /// It went away without a close, after what came before.
    Gone { ticket: Ticket },
    /// How things stand, please.
    View(oneshot::Sender<GatewayView>),
}

/// Where letters go in.
#[derive(Clone, Debug)]
pub(crate) struct Mailbox {
    letters: mpsc::Sender<Letter>,
    gone: mpsc::UnboundedSender<Ticket>,
}

/// Where they come out.
#[derive(Debug)]
pub(crate) struct Inbox {
    pub(super) letters: mpsc::Receiver<Letter>,
    /// Clients that went away: at most one entry per request in flight, and told from destructors, so it has no bound
    /// of its own.
    pub(super) gone: mpsc::UnboundedReceiver<Ticket>,
}

pub(crate) fn mailbox() -> (Mailbox, Inbox) {
    let (letters, letters_out) = mpsc::channel(LETTERS_MAX);
    let (gone, gone_out) = mpsc::unbounded_channel();
    (Mailbox { letters, gone }, Inbox { letters: letters_out, gone: gone_out })
}

impl Mailbox {
    /// Waits for room. Whether the driver still lives.
    pub(crate) async fn send(&self, letter: Letter) -> bool {
        self.letters.send(letter).await.is_ok()
    }

    /// Sends what asks, and waits for the answer; `None` if the driver has ended.
    pub(crate) async fn ask<T>(&self, letter: impl FnOnce(oneshot::Sender<T>) -> Letter) -> Option<T> {
        let (asker, answer) = oneshot::channel();
        if self.send(letter(asker)).await { answer.await.ok() } else { None }
    }

    /// Tells that a client went away.
    pub(crate) fn gone(&self, ticket: Ticket) {
        // A driver that has ended has forgotten the client already.
        self.gone.send(ticket).ok();
    }
}
