//! A WebSocket to an actor, as its client has it.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use futures_util::{SinkExt, StreamExt};
use http::header::{CONNECTION, SEC_WEBSOCKET_ACCEPT, SEC_WEBSOCKET_KEY, SEC_WEBSOCKET_VERSION, UPGRADE};
use http::{HeaderMap, HeaderValue, Response, StatusCode};
use hyper::body::Incoming;
use hyper::upgrade::Upgraded;
use hyper_util::rt::TokioIo;
use protocol::limits::WEBSOCKET_MESSAGE_BYTES_MAX;
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite;
use tokio_tungstenite::tungstenite::handshake::derive_accept_key;
use tokio_tungstenite::tungstenite::protocol::{CloseFrame, Role, WebSocketConfig};

use super::ClientError;
use crate::websocket::{CloseInfo, Message, SendError};

/// No close came at all, RFC 6455 §7.4.1.
const ABNORMAL: u16 = 1006;

/// A WebSocket to an actor. Pings are answered while [`WebSocket::recv`] is awaited; the engine gives a client up that
/// answers none for 30 s. Dropped, its connection breaks.
#[derive(Debug)]
pub struct WebSocket {
    stream: WebSocketStream<TokioIo<Upgraded>>,
    end: Option<CloseInfo>,
}

impl WebSocket {
    /// The actor's next message; none when the WebSocket is over. Dropping the future loses nothing.
    pub async fn recv(&mut self) -> Option<Message> {
        while self.end.is_none() {
            match self.stream.next().await {
                Some(Ok(tungstenite::Message::Text(text))) => {
                    return Some(Message::Text(text.as_str().into()));
                }
                Some(Ok(tungstenite::Message::Binary(bytes))) => return Some(Message::Binary(bytes)),
                Some(Ok(tungstenite::Message::Close(frame))) => {
                    self.end = Some(info(frame.as_ref()));
                    // The answer is queued: this writes it.
                    self.stream.flush().await.ok();
                }
                // Answered by the library.
                Some(Ok(
                    tungstenite::Message::Ping(_)
                    | tungstenite::Message::Pong(_)
                    | tungstenite::Message::Frame(_),
                )) => {}
                Some(Err(error)) => self.end = Some(broken(&error.to_string())),
                None => self.end = Some(broken("")),
            }
        }
        None
    }

    /// Sends a message. Waits while the engine, or whoever is before it, does not read.
    ///
    /// # Errors
    /// [`SendError`]. Without one the message is on its way; only an answer tells that it arrived.
    pub async fn send(&mut self, message: impl Into<Message>) -> Result<(), SendError> {
        let message = message.into();
        message.check()?;
        if let Some(end) = &self.end {
            return Err(SendError::Closed(end.clone()));
        }
        let frame = match message {
            Message::Text(text) => tungstenite::Message::text(text),
            Message::Binary(bytes) => tungstenite::Message::Binary(bytes),
        };
        self.stream.send(frame).await.map_err(|error| SendError::Closed(broken(&error.to_string())))
    }

    /// Closes it, and waits for the answer; what comes before that is not received any more. The reason is cut to 123
    /// bytes. On one that is over: nothing.
    pub async fn close(&mut self, code: u16, reason: &str) {
        if self.end.is_some() {
            return;
        }
        let own = CloseInfo::new(Some(code), Some(reason));
        let frame = CloseFrame { code: code.into(), reason: own.reason.clone().into() };
        if self.stream.close(Some(frame)).await.is_ok() {
            while self.recv().await.is_some() {}
        }
        self.end.get_or_insert(own);
    }

    /// How it ended; none while it is open, as far as was received.
    #[must_use]
    pub const fn end(&self) -> Option<&CloseInfo> {
        self.end.as_ref()
    }
}

fn info(frame: Option<&CloseFrame>) -> CloseInfo {
    CloseInfo::new(frame.map(|frame| frame.code.into()), frame.map(|frame| frame.reason.as_str()))
}

fn broken(reason: &str) -> CloseInfo {
    CloseInfo::new(Some(ABNORMAL), Some(reason))
}

/// Makes a request one that wants a WebSocket (RFC 6455 §4.1), and tells what its answer must say. The key comes from our
/// entropy, not from the library's.
pub(super) fn ask(headers: &mut HeaderMap) -> String {
    let key = STANDARD.encode(runtime::entropy::bytes::<16>("client/websocket key"));
    headers.insert(CONNECTION, HeaderValue::from_static("Upgrade"));
    headers.insert(UPGRADE, HeaderValue::from_static("websocket"));
    headers.insert(SEC_WEBSOCKET_VERSION, HeaderValue::from_static("13"));
    headers.insert(SEC_WEBSOCKET_KEY, HeaderValue::from_str(&key).expect("base64 is visible text"));
    derive_accept_key(key.as_bytes())
}

/// The WebSocket that an answer is, if it is the one that was expected.
pub(super) async fn open(response: Response<Incoming>, accept: &str) -> Result<WebSocket, ClientError> {
    let status = response.status();
    let said = response.headers().get(SEC_WEBSOCKET_ACCEPT).map(HeaderValue::as_bytes);
    if status != StatusCode::SWITCHING_PROTOCOLS || said != Some(accept.as_bytes()) {
        let reason = "no answer to a WebSocket's handshake".to_owned();
        return Err(ClientError::Undecodable { status: status.as_u16(), reason });
    }
    let upgraded = hyper::upgrade::on(response)
        .await
        .map_err(|error| ClientError::Broken { source: Box::new(error) })?;
    let config = WebSocketConfig::default()
        .max_message_size(Some(WEBSOCKET_MESSAGE_BYTES_MAX))
        .max_frame_size(Some(WEBSOCKET_MESSAGE_BYTES_MAX));
    let stream = WebSocketStream::from_raw_socket(TokioIo::new(upgraded), Role::Client, Some(config)).await;
    Ok(WebSocket { stream, end: None })
}
