//! What the control plane's driver is told.

use bytes::Bytes;
use machines::control::effect::Answer;
use machines::control::input::{Call, StreamEnd};
use protocol::error::ApiError;
use protocol::id::{ActorId, ConnId, RunnerId, RunnerKey, StreamId};
use protocol::view::ControlView;
use protocol::wire::ToServer;
use tokio::sync::{mpsc, oneshot};

/// Letters that may wait. Ours: senders wait beyond it.
const LETTERS_MAX: usize = 1024;

/// Where the answer to an API call goes.
pub(crate) type Asker = oneshot::Sender<Result<Answer, ApiError>>;

/// One thing to know.
#[derive(Debug)]
pub(crate) enum Letter {
    /// An API call, and the input of the actor it may create.
    Api { call: Box<Call>, input: Option<Bytes>, asker: Asker },
    /// The gateway holds requests for this actor.
    Watch { actor: ActorId },
    /// It holds none any more.
    Unwatch { actor: ActorId },
    /// A runner opened a socket.
    SocketOpened { conn: ConnId, namespace: String, key: RunnerKey },
    /// Its frame, of any kind but a tunnel message.
    Frame { conn: ConnId, message: Box<ToServer> },
    /// Its frame is none.
    FrameInvalid { conn: ConnId },
    /// It is gone; its last letter.
    SocketClosed { conn: ConnId },
    /// A serverless stream was answered in order.
    StreamOpened { stream: StreamId },
    /// Its Init.
    StreamInit { stream: StreamId, runner: RunnerId },
    /// Any other event of it.
    StreamPing { stream: StreamId },
    /// Its end; its last letter.
    StreamEnded { stream: StreamId, end: StreamEnd },
    /// How things stand, please.
    View(oneshot::Sender<ControlView>),
}

/// Where letters go in.
#[derive(Clone, Debug)]
pub(crate) struct Mailbox(mpsc::Sender<Letter>);

/// Where they come out.
#[derive(Debug)]
pub(crate) struct Inbox(pub(super) mpsc::Receiver<Letter>);

pub(crate) fn mailbox() -> (Mailbox, Inbox) {
    let (letters, letters_out) = mpsc::channel(LETTERS_MAX);
    (Mailbox(letters), Inbox(letters_out))
}

impl Mailbox {
    /// Waits for room. Whether the driver still lives.
    pub(crate) async fn send(&self, letter: Letter) -> bool {
        self.0.send(letter).await.is_ok()
    }

    /// Room for one letter; `None` if the driver has ended.
    pub(crate) async fn room(&self) -> Option<Room<'_>> {
        self.0.reserve().await.ok().map(Room)
    }
}

/// Room for one letter.
#[derive(Debug)]
pub(crate) struct Room<'a>(mpsc::Permit<'a, Letter>);

impl Room<'_> {
    pub(crate) fn send(self, letter: Letter) {
        self.0.send(letter);
    }
}
