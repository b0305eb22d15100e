//! Writing to one socket.

use futures_util::{Sink, SinkExt as _};
use protocol::error::CloseReason;
use protocol::id::RayId;
use tokio_tungstenite::tungstenite::protocol::CloseFrame;
use tokio_tungstenite::tungstenite::protocol::frame::coding::CloseCode;
use tokio_tungstenite::tungstenite::{self, Message};

use super::outbox::{Drain, Outgoing};

/// Writes until the outbox is dropped, a close is written, or the socket fails. Gives the sink back if a close was
/// written.
pub(super) async fn write<S>(mut sink: S, mut drain: Drain, ray: RayId) -> Option<S>
where
    S: Sink<Message, Error = tungstenite::Error> + Unpin,
{
    while let Some(first) = drain.next().await {
        let mut next = Some(first);
        // Frames that wait share a flush.
        while let Some(outgoing) = next {
            match outgoing {
                Outgoing::Frame(frame, _hold) => {
                    if sink.feed(Message::Binary(frame)).await.is_err() {
                        return None;
                    }
                }
                Outgoing::Close(reason) => {
                    return sink.send(close(reason, ray)).await.is_ok().then_some(sink);
                }
            }
            next = drain.ready();
        }
        if sink.flush().await.is_err() {
            return None;
        }
    }
    None
}

fn close(reason: CloseReason, ray: RayId) -> Message {
    let reason_text = reason.text(Some(ray));
    Message::Close(Some(CloseFrame { code: CloseCode::from(reason.code()), reason: reason_text.into() }))
}
