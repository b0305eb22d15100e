//! Bodies: reading those of requests within their bound, writing those of responses.

use std::pin::Pin;
use std::task::{Context, Poll, ready};

use bytes::{Bytes, BytesMut};
use http_body_util::BodyExt as _;
use hyper::body::{Body, Frame, Incoming, SizeHint};
use protocol::error::ApiError;
use protocol::id::Ticket;
use tokio::sync::mpsc;

use crate::budget::{Budget, Room};
use crate::engine::core::Core;
use crate::gateway::{Mailbox, Piece, Streamed};

/// Reads a whole body. It is counted while it is read, whatever its length was said to be. Of one that is too large the
/// rest is read and thrown away, up to the same bound again: closing at once would reset the connection, and the client
/// would never see why.
///
/// # Errors
/// `guard.request_body_too_large`, `guard.service_unavailable` if the bodies of all requests leave no room for it,
/// `guard.request_timeout` if it does not come, `guard.invalid_request` if it breaks.
pub(super) async fn read(mut body: Incoming, core: &Core) -> Result<Held, ApiError> {
    let (limits, mut room) = (&core.limits, Room::default());
    let limit = limits.body_bytes_max;
    let timeout_ms = u64::try_from(limits.body_timeout.as_millis()).unwrap_or(u64::MAX);
    let read = async {
        let said = body.size_hint().lower();
        let whole = if said > limit as u64 {
            Err(ApiError::GuardRequestBodyTooLarge { limit })
        } else {
            collect(&mut body, limit, &core.bodies, &mut room).await?
        };
        if whole.is_err() {
            // What is thrown away takes none.
            room = Room::default();
            // What was collected has used up the first half.
            let rest = if said > limit as u64 { 2 * limit } else { limit };
            if said <= 2 * limit as u64 {
                collect_nothing(&mut body, rest).await?;
            }
        }
        Ok::<_, hyper::Error>(whole)
    };
    match runtime::timeout(limits.body_timeout, read).await {
        Ok(Ok(whole)) => whole.map(|bytes| Held { bytes, room }),
        Ok(Err(error)) => Err(ApiError::GuardInvalidRequest { reason: error.to_string() }),
        Err(runtime::Elapsed) => Err(ApiError::GuardRequestTimeout { timeout_ms }),
    }
}

/// A body with the room it takes.
#[derive(Debug)]
pub(super) struct Held {
    pub(super) bytes: Bytes,
    pub(super) room: Room,
}

/// The whole body, or why it is not taken.
async fn collect(
    body: &mut Incoming,
    limit: usize,
    budget: &Budget,
    room: &mut Room,
) -> Result<Result<Bytes, ApiError>, hyper::Error> {
    let mut first = Bytes::new();
    let mut all = BytesMut::new();
    while let Some(frame) = body.frame().await {
        let Ok(piece) = frame?.into_data() else { continue };
        if first.len() + all.len() + piece.len() > limit {
            return Ok(Err(ApiError::GuardRequestBodyTooLarge { limit }));
        }
        if !budget.extend(room, piece.len()) {
            protocol::mark!("bodies_full");
            return Ok(Err(ApiError::GuardServiceUnavailable));
        }
        // Most bodies come in one piece, which is kept as it is.
        if first.is_empty() && all.is_empty() {
            first = piece;
            continue;
        }
        if all.is_empty() {
            all.extend_from_slice(&std::mem::take(&mut first));
        }
        all.extend_from_slice(&piece);
    }
    Ok(Ok(if all.is_empty() { first } else { all.freeze() }))
}

async fn collect_nothing(body: &mut Incoming, limit: usize) -> Result<(), hyper::Error> {
    let mut seen = 0;
    while seen <= limit
        && let Some(frame) = body.frame().await
    {
        seen += frame?.data_ref().map_or(0, Bytes::len);
    }
    Ok(())
}

/// The body of a response.
#[derive(Debug)]
pub(super) enum Answer {
    /// All of it, given once.
    Whole(Bytes),
    /// What comes in pieces; its end is to be told from its content.
    Pieces(mpsc::Receiver<Bytes>),
    /// What an actor streams.
    Streamed {
        /// The first part.
        first: Bytes,
        /// The others.
        rest: Streamed,
        /// Tells the gateway if the client leaves.
        client: Client,
        /// Whether the last part was given.
        ended: bool,
    },
}

/// The response was broken off: its connection must not look complete.
#[derive(Debug, thiserror::Error)]
#[error("the response was broken off: {0}")]
pub(super) struct BrokenOff(&'static str);

impl Body for Answer {
    type Data = Bytes;
    type Error = BrokenOff;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, BrokenOff>>> {
        match &mut *self {
            Self::Whole(bytes) => {
                let bytes = std::mem::take(bytes);
                Poll::Ready((!bytes.is_empty()).then(|| Ok(Frame::data(bytes))))
            }
            Self::Pieces(pieces) => {
                pieces.poll_recv(context).map(|piece| piece.map(|bytes| Ok(Frame::data(bytes))))
            }
            Self::Streamed { first, .. } if !first.is_empty() => {
                Poll::Ready(Some(Ok(Frame::data(std::mem::take(first)))))
            }
            Self::Streamed { ended: true, .. } => Poll::Ready(None),
            Self::Streamed { rest, ended, client, .. } => match ready!(rest.0.poll_recv(context)) {
                Some(Ok(Piece { bytes, last })) => {
                    if last {
                        *ended = true;
                        client.served();
                    }
                    Poll::Ready(Some(Ok(Frame::data(bytes))))
                }
                Some(Err(error)) => Poll::Ready(Some(Err(BrokenOff(error.code())))),
                None => Poll::Ready(Some(Err(BrokenOff("it has no end")))),
            },
        }
    }

    fn is_end_stream(&self) -> bool {
        match self {
            Self::Whole(bytes) => bytes.is_empty(),
            Self::Pieces(_) => false,
            Self::Streamed { first, ended, .. } => first.is_empty() && *ended,
        }
    }

    fn size_hint(&self) -> SizeHint {
        match self {
            Self::Whole(bytes) => SizeHint::with_exact(bytes.len() as u64),
            Self::Pieces(_) | Self::Streamed { .. } => SizeHint::default(),
        }
    }
}

/// A client whose request is with the gateway. Dropped before it is served, it tells the gateway so.
#[derive(Debug)]
pub(super) struct Client {
    gateway: Option<Mailbox>,
    ticket: Ticket,
}

impl Client {
    pub(super) fn new(gateway: Mailbox, ticket: Ticket) -> Self {
        Self { gateway: Some(gateway), ticket }
    }

    pub(super) const fn ticket(&self) -> Ticket {
        self.ticket
    }

    /// The gateway has forgotten it by itself.
    pub(super) fn served(&mut self) {
        self.gateway = None;
    }
}

impl Drop for Client {
    fn drop(&mut self) {
        if let Some(gateway) = self.gateway.take() {
            gateway.gone(self.ticket);
        }
    }
}
