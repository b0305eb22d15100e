//! One socket to the engine, from its dial to its end: one task that opens it, reads it and writes it.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use futures_util::stream::{SplitSink, SplitStream};
use futures_util::{SinkExt, StreamExt};
use machines::runner::input::CloseClass;
use protocol::error::CloseReason;
use protocol::id::ConnId;
use protocol::limits::FRAME_BYTES_MAX;
use protocol::wire::{self, ToServer};
use runtime::JoinHandle;
use runtime::tls::Stream;
use tokio::sync::{Semaphore, mpsc, oneshot};
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::protocol::frame::coding::CloseCode;
use tokio_tungstenite::tungstenite::protocol::{CloseFrame, WebSocketConfig};
use tokio_tungstenite::tungstenite::{self, Message};

use super::{Event, Target, upgrade};
use crate::instance::Hold;

/// Frames read and not yet dealt with at most; the engine is held back beyond.
const UNREAD_MAX: usize = 64;

/// How long an orderly close waits for the engine's own close frame, so that what was sent before is read there. Ours;
/// the engine answers a close at once.
const CLOSE_LINGER: Duration = Duration::from_secs(1);

/// A socket, seen from its session. Dropping it cuts it off.
pub(super) struct Socket {
    outgoing: mpsc::UnboundedSender<Outgoing>,
    cut: oneshot::Sender<()>,
}

enum Outgoing {
    Frame(Bytes, Option<Hold>),
    Close,
}

type Outgoings = SplitSink<WebSocketStream<Stream>, Message>;
type Incoming = SplitStream<WebSocketStream<Stream>>;

impl Socket {
    /// Begins to dial. `Dialled` or `Closed` follows on `events`.
    pub(super) fn open(
        conn: ConnId,
        target: Target,
        events: mpsc::UnboundedSender<Event>,
    ) -> (Self, JoinHandle<()>) {
        let (outgoing, queue) = mpsc::unbounded_channel();
        let (cut, is_cut) = oneshot::channel();
        let task = runtime::spawn("runner socket", async move {
            let class = live(conn, &target, &events, queue, is_cut).await;
            // A session that has ended does not want to know.
            drop(events.send(Event::Closed { conn, class }));
        });
        (Self { outgoing, cut }, task)
    }

    /// Queues a message. A payload's room is given back when it was written.
    pub(super) fn send(&self, message: &ToServer, hold: Option<Hold>) {
        // A socket that has ended says `Closed` by itself.
        drop(self.outgoing.send(Outgoing::Frame(wire::encode(message), hold)));
    }

    /// Closes in order, after everything queued before.
    pub(super) fn close(&self) {
        drop(self.outgoing.send(Outgoing::Close));
    }

    /// Cuts it off.
    pub(super) fn cut(self) {
        self.cut.send(()).ok();
    }
}

/// The whole life of a socket: why it ended.
async fn live(
    conn: ConnId,
    target: &Target,
    events: &mpsc::UnboundedSender<Event>,
    mut queue: mpsc::UnboundedReceiver<Outgoing>,
    mut is_cut: oneshot::Receiver<()>,
) -> CloseClass {
    let opened = runtime::select! {
        _ = &mut is_cut => return CloseClass::Retry,
        // Nothing is sent before the dial is known to have succeeded: this is a close, or the session's end.
        _ = queue.recv() => return CloseClass::Retry,
        opened = dial(target) => opened,
    };
    let socket = match opened {
        Ok(socket) => socket,
        Err(class) => return class,
    };
    if events.send(Event::Dialled { conn }).is_err() {
        return CloseClass::Retry;
    }
    let (mut sink, mut stream) = socket.split();
    let mut reading = Box::pin(read(conn, &mut stream, events));
    runtime::select! {
        _ = &mut is_cut => return CloseClass::Retry,
        class = &mut reading => return class,
        written = write(&mut sink, &mut queue) => match written {
            Ok(()) => {}
            Err(error) => {
                tracing::debug!(?conn, err = %error, "the runner socket broke on write");
                return CloseClass::Retry;
            }
        },
    }
    // What the engine still says is of no use, but unread it would make the kernel cut off what was sent.
    runtime::timeout(CLOSE_LINGER, reading).await.unwrap_or(CloseClass::Retry)
}

async fn dial(target: &Target) -> Result<WebSocketStream<Stream>, CloseClass> {
    let url = target.url();
    let stream = target.endpoint.connector().dial(&url).await.map_err(|error| {
        tracing::debug!(endpoint = %target.endpoint, err = %error, "the engine cannot be dialled");
        CloseClass::Retry
    })?;
    let config = WebSocketConfig::default()
        .max_message_size(Some(FRAME_BYTES_MAX))
        .max_frame_size(Some(FRAME_BYTES_MAX));
    let request = upgrade::request(target, &url);
    match tokio_tungstenite::client_async_with_config(request, stream, Some(config)).await {
        Ok((socket, _)) => Ok(socket),
        Err(error) => {
            let class = upgrade::class(&error);
            tracing::debug!(endpoint = %target.endpoint, err = %error, ?class, "the engine refused the socket");
            Err(class)
        }
    }
}

/// Reads until the socket ends: what its end means.
async fn read(conn: ConnId, stream: &mut Incoming, events: &mpsc::UnboundedSender<Event>) -> CloseClass {
    let room = Arc::new(Semaphore::new(UNREAD_MAX));
    loop {
        let frame = runtime::select! {
            () = events.closed() => return CloseClass::Retry,
            frame = stream.next() => frame,
        };
        let message = match frame {
            Some(Ok(Message::Binary(frame))) => match wire::decode(&frame) {
                Ok(message) => Some(Box::new(message)),
                Err(error) => {
                    protocol::mark!("sdk_frame_invalid");
                    tracing::warn!(?conn, err = %error, "the engine sent a frame that does not decode");
                    None
                }
            },
            Some(Ok(Message::Text(_))) => None,
            // Answered by the library.
            Some(Ok(Message::Ping(_) | Message::Pong(_) | Message::Frame(_))) => continue,
            Some(Ok(Message::Close(frame))) => return meaning(conn, frame.as_ref()),
            Some(Err(error)) => {
                tracing::debug!(?conn, err = %error, "the runner socket broke on read");
                return CloseClass::Retry;
            }
            None => return CloseClass::Retry,
        };
        let permit = Arc::clone(&room).acquire_owned().await.expect("the reader's semaphore is never closed");
        if events.send(Event::Heard { conn, message, permit }).is_err() {
            return CloseClass::Retry;
        }
    }
}

/// Writes what is queued, until a close was written or nobody can queue any more.
async fn write(
    sink: &mut Outgoings,
    queue: &mut mpsc::UnboundedReceiver<Outgoing>,
) -> Result<(), tungstenite::Error> {
    while let Some(outgoing) = queue.recv().await {
        match outgoing {
            Outgoing::Frame(frame, hold) => {
                sink.feed(Message::Binary(frame)).await?;
                drop(hold);
                if queue.is_empty() {
                    sink.flush().await?;
                }
            }
            Outgoing::Close => break,
        }
    }
    let reason = CloseReason::RunnerShutdown;
    let frame = CloseFrame { code: CloseCode::from(reason.code()), reason: reason.as_str().into() };
    sink.send(Message::Close(Some(frame))).await
}

/// What the engine's close frame means.
fn meaning(conn: ConnId, frame: Option<&CloseFrame>) -> CloseClass {
    let text = frame.map_or("", |frame| frame.reason.as_str());
    tracing::debug!(?conn, reason = text, "the engine closed the runner socket");
    match CloseReason::from_text(text) {
        Some(CloseReason::Eviction) => CloseClass::Evicted,
        Some(CloseReason::Unauthorized | CloseReason::InvalidUrl) => CloseClass::Refused,
        Some(CloseReason::NamespaceNotFound) => CloseClass::NamespaceUnknown,
        // Another engine may like the same frames.
        Some(
            CloseReason::ConnectionClosed
            | CloseReason::GoingAway
            | CloseReason::TimedOutWaitingForInit
            | CloseReason::InvalidInitialPacket
            | CloseReason::InvalidPacket
            | CloseReason::TimedOut
            | CloseReason::InternalError
            | CloseReason::RunnerShutdown,
        )
        | None => CloseClass::Retry,
    }
}
