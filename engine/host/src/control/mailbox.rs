//! What the control plane's driver is told.

use std::sync::Arc;

use bytes::Bytes;
use machines::control::effect::Answer;
use machines::control::input::{AppFacts, Call, StreamEnd};
use protocol::error::{ApiError, ServerlessMetadataError};
use protocol::id::{ActorId, ConnId, FetchId, Generation, RunnerId, RunnerKey, StreamId};
use protocol::view::{ControlCounts, ControlView};
use protocol::wire::{KvRequestData, KvResponseData, ToServer};
use tokio::sync::{mpsc, oneshot};

use crate::store::Size;
use crate::store::face::Snapshot;

/// Letters that may wait. Ours: senders wait beyond it.
const LETTERS_MAX: usize = 1024;

/// Where the answer to an API call goes. Whoever asked may have gone.
#[derive(Debug)]
pub(crate) enum Asker {
    /// Who waits for what the machine says.
    Machine(oneshot::Sender<Result<Answer, ApiError>>),
    /// Who waits for what is stored.
    Store(oneshot::Sender<Result<KvResponseData, ApiError>>),
}

/// One thing to know.
#[derive(Debug)]
pub(crate) enum Letter {
    /// An API call, and the input of the actor it may create.
    Api { call: Box<Call>, input: Option<Bytes>, asker: oneshot::Sender<Result<Answer, ApiError>> },
    /// A read of an actor's KV for a caller.
    ReadKv {
        namespace: Option<String>,
        actor: ActorId,
        request: KvRequestData,
        asker: oneshot::Sender<Result<KvResponseData, ApiError>>,
    },
    /// The gateway holds requests for this actor.
    Watch { actor: ActorId },
    /// It holds none any more, but WebSockets to the actor are open.
    Observe { actor: ActorId },
    /// It holds none any more.
    Unwatch { actor: ActorId },
    /// A runner does not host what it should.
    Disowned { actor: ActorId, generation: Generation, conn: ConnId },
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
    /// An application was asked for its metadata.
    Metadata { fetch: FetchId, told: Result<AppFacts, ServerlessMetadataError> },
    /// The rows of the store as of the commit that this letter shares, please.
    Snapshot(oneshot::Sender<Arc<dyn Snapshot>>),
    /// How much there is of everything, please; of the store only if it can be read.
    Count(oneshot::Sender<(ControlCounts, Option<Size>)>),
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

impl Asker {
    /// What the machine says.
    pub(super) fn answer(self, answer: Result<Answer, ApiError>) {
        match self {
            Self::Machine(asker) => drop(asker.send(answer)),
            Self::Store(asker) => {
                let refused = answer.expect_err("what is stored is answered from the transaction");
                drop(asker.send(Err(refused)));
            }
        }
    }

    /// What is stored.
    pub(super) fn read(self, stored: KvResponseData) {
        match self {
            Self::Machine(_) => unreachable!("the question was another: {stored:?}"),
            Self::Store(asker) => drop(asker.send(Ok(stored))),
        }
    }
}

impl Mailbox {
    /// Waits for room. Whether the driver still lives.
    pub(crate) async fn send(&self, letter: Letter) -> bool {
        self.0.send(letter).await.is_ok()
    }

    /// Sends what asks, and waits for the answer; `None` if the driver has ended.
    pub(crate) async fn ask<T>(&self, letter: impl FnOnce(oneshot::Sender<T>) -> Letter) -> Option<T> {
        let (asker, answer) = oneshot::channel();
        if self.send(letter(asker)).await { answer.await.ok() } else { None }
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
