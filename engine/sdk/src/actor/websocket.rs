//! A client's WebSocket, as the actor has it.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use http::HeaderMap;
use machines::runner::WebSocketEvent;
use parking_lot::Mutex;
use protocol::error::WebSocketEnd;
use protocol::id::{GatewayId, RequestId};
use protocol::wire::ToServerKind;
use tokio::sync::mpsc;

use super::{AbortSignal, Request};
use crate::instance::Voice;
use crate::websocket::{CloseInfo, Message, SendError};

/// A client's WebSocket. The client is let in by [`WebSocket::accept`], or by the first thing the actor does with it;
/// closed before that, it is refused. It lives no longer than the actor's generation and the runner's session with the
/// engine. Dropped, it is closed with 1000.
///
/// What the client says waits until it is received: 16 MiB or 4096 messages, beyond which the WebSocket is closed. So do
/// messages to a client that does not read.
#[derive(Debug)]
pub struct WebSocket {
    request: Request,
    id: (GatewayId, RequestId),
    voice: Voice,
    inbox: mpsc::UnboundedReceiver<Message>,
    accepted: AtomicBool,
    end: End,
}

/// How it ended, known to both sides.
#[derive(Clone, Debug, Default)]
struct End(Arc<(Mutex<Option<CloseInfo>>, AbortSignal)>);

/// A WebSocket, seen from its session.
#[derive(Debug)]
pub(crate) struct Remote {
    inbox: mpsc::UnboundedSender<Message>,
    end: End,
}

impl WebSocket {
    pub(crate) fn new(request: Request, id: (GatewayId, RequestId), voice: Voice) -> (Self, Remote) {
        // The machine bounds what waits in it.
        let (sender, inbox) = mpsc::unbounded_channel();
        let end = End::default();
        let remote = Remote { inbox: sender, end: end.clone() };
        (Self { request, id, voice, inbox, accepted: AtomicBool::new(false), end }, remote)
    }

    /// The same below a part of its path that it begins with.
    pub(crate) fn below(mut self, prefix: &str) -> Self {
        self.request.shorten(prefix);
        self
    }

    /// The path below the actor's `/websocket`, beginning with `/`.
    #[must_use]
    pub fn path(&self) -> &str {
        self.request.path()
    }

    /// What follows `?` in its path.
    #[must_use]
    pub fn query(&self) -> Option<&str> {
        self.request.query()
    }

    /// The headers that the client asked with.
    #[must_use]
    pub const fn headers(&self) -> &HeaderMap {
        self.request.headers()
    }

    /// Lets the client in. Again: nothing.
    pub fn accept(&self) {
        if !self.accepted.swap(true, Ordering::AcqRel) {
            self.say(WebSocketEvent::Accept);
        }
    }

    /// The client's next message; none when the WebSocket is over and everything before was received. Dropping the future
    /// loses nothing.
    pub async fn recv(&mut self) -> Option<Message> {
        self.accept();
        let message = self.inbox.recv().await?;
        self.say(WebSocketEvent::Took { bytes: message.len() });
        Some(message)
    }

    /// Sends a message. Waits while the engine does not read what this runner has said before.
    ///
    /// # Errors
    /// [`SendError`]. Without one the message is on its way; only an answer tells that it arrived.
    pub async fn send(&self, message: impl Into<Message>) -> Result<(), SendError> {
        let message = message.into();
        message.check()?;
        self.open()?;
        self.accept();
        let (data, binary) = message.into_wire();
        let hold = self.voice.hold(data.len()).await;
        self.open()?;
        self.voice.websocket(self.id, ToServerKind::WebSocketMessage { data, binary }, Some(hold));
        Ok(())
    }

    /// Closes it, after what was sent before. The reason is cut to 123 bytes; a code that no close may carry becomes 1011
    /// for the client. On one that is over: nothing.
    pub fn close(&self, code: u16, reason: &str) {
        let info = CloseInfo::new(Some(code), Some(reason));
        let (code, reason) = (Some(code), Some(info.reason.clone()));
        if self.end.set(info) {
            let close = ToServerKind::WebSocketClose { code, reason, hibernate: false };
            self.voice.websocket(self.id, close, None);
        }
    }

    /// Refuses it: this actor takes none.
    pub(crate) fn unsupported(&self) {
        protocol::mark!("sdk_websocket_unsupported");
        let end = WebSocketEnd::Unsupported;
        self.close(end.code(), end.as_str());
    }

    /// Waits until it is over, and tells how.
    pub async fn closed(&self) -> CloseInfo {
        let (info, signal) = &*self.end.0;
        signal.aborted().await;
        info.lock().clone().expect("the signal is fired when it has ended")
    }

    fn open(&self) -> Result<(), SendError> {
        self.end.0.0.lock().clone().map_or(Ok(()), |info| Err(SendError::Closed(info)))
    }

    fn say(&self, event: WebSocketEvent) {
        self.voice.websocket_event(self.id, event);
    }
}

impl Drop for WebSocket {
    fn drop(&mut self) {
        self.close(1000, "");
    }
}

impl End {
    /// Whether it is the first.
    fn set(&self, end: CloseInfo) -> bool {
        let (info, signal) = &*self.0;
        let mut info = info.lock();
        if info.is_some() {
            return false;
        }
        *info = Some(end);
        drop(info);
        signal.fire();
        true
    }
}

impl Remote {
    /// Gives a client's message to the actor, which may have dropped its end.
    pub(crate) fn deliver(&self, message: Message) {
        self.inbox.send(message).ok();
    }

    /// It is over: whatever was delivered is still there to be received.
    pub(crate) fn close(self, end: CloseInfo) {
        self.end.set(end);
    }
}
