//! Clients that wait for their response or their WebSocket, and how it gets to them.

use bytes::Bytes;
use protocol::error::ApiError;
use protocol::id::ActorId;
use protocol::wire::Headers;
use tokio::sync::{mpsc, oneshot};

use super::websocket::{Line, Message, Said};
use crate::budget::Room;

/// Parts of a streamed response that may wait for a client. Ours: one that does not read is cut off beyond it.
pub(super) const PARTS_MAX: usize = 64;

/// A client's request, read whole, as the actor will see it.
#[derive(Debug)]
pub(crate) struct ClientRequest {
    pub(crate) actor: ActorId,
    pub(crate) method: String,
    /// Path with query.
    pub(crate) path: String,
    pub(crate) headers: Headers,
    pub(crate) body: Bytes,
    /// What the body takes, until the request has ended.
    pub(crate) _room: Room,
    pub(crate) wants: Wants,
}

/// What a client wants.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Wants {
    /// A response.
    Response {
        /// Whether its request may be carried out twice.
        safe: bool,
    },
    /// A WebSocket.
    WebSocket,
}

/// The beginning of a response.
#[derive(Debug)]
pub(crate) struct Head {
    pub(crate) status: u16,
    pub(crate) headers: Headers,
    pub(crate) body: Bytes,
}

/// What a client gets.
#[derive(Debug)]
pub(crate) enum Reply {
    /// The whole response.
    Whole(Head),
    /// Its beginning; the rest follows.
    Streamed(Head, Streamed),
    /// Its WebSocket is open.
    Open(Line),
    /// None.
    Failed(ApiError),
}

/// The rest of a response, part by part. Without its last part it was broken off, whether or not an error came.
#[derive(Debug)]
pub(crate) struct Streamed(pub(crate) mpsc::Receiver<Result<Piece, ApiError>>);

/// A part of the rest.
#[derive(Debug)]
pub(crate) struct Piece {
    pub(crate) bytes: Bytes,
    pub(crate) last: bool,
}

impl Streamed {
    pub(super) fn part(bytes: Bytes, more: bool) -> Result<Piece, ApiError> {
        Ok(Piece { bytes, last: !more })
    }
}

/// Where the response of one client goes.
#[derive(Debug)]
pub(super) enum Waiter {
    /// Nothing was sent.
    Fresh(oneshot::Sender<Reply>),
    /// The beginning was sent.
    Begun(mpsc::Sender<Result<Piece, ApiError>>),
}

/// Something that is held until the machine says whose it is.
#[derive(Debug)]
pub(super) enum Part {
    /// The beginning.
    Head(Head),
    /// More of the body.
    Chunk(Bytes),
    /// A message of a WebSocket.
    Message(Message),
    /// The end of one.
    Closed(Said),
}
