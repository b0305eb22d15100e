//! Requests that arrive in pieces, until they are whole.
//!
//! Our own gateway sends a request as one frame; the protocol lets another one stream it.

use std::collections::BTreeMap;

use bytes::{Bytes, BytesMut};
use protocol::id::{ActorId, ConnId, GatewayId, RequestId};
use protocol::limits::BODY_BYTES_MAX;
use protocol::wire::Headers;

/// Requests in pieces at one time on one runner. Ours: with bodies of the largest size, 1.3 GB.
const UPLOADS_MAX: usize = 64;

/// A request whose body is not whole.
#[derive(Debug)]
pub(super) struct Upload {
    pub actor: ActorId,
    pub method: String,
    pub path: String,
    pub headers: Headers,
    pub body: BytesMut,
}

/// What became of a piece.
#[derive(Debug)]
pub(super) enum Piece {
    /// More is to come, or nobody knows what it belongs to.
    Kept,
    /// The request is whole.
    Whole(Upload, Bytes),
    /// It is larger than the platform carries.
    TooLarge,
}

#[derive(Debug, Default)]
pub(super) struct Uploads(BTreeMap<(ConnId, GatewayId, RequestId), Upload>);

impl Uploads {
    /// Begins one; false if there are too many.
    pub(super) fn begin(
        &mut self,
        conn: ConnId,
        gateway: GatewayId,
        request: RequestId,
        upload: Upload,
    ) -> bool {
        if self.0.len() >= UPLOADS_MAX {
            protocol::mark!("sdk_uploads_full");
            return false;
        }
        self.0.insert((conn, gateway, request), upload);
        true
    }

    pub(super) fn add(
        &mut self,
        conn: ConnId,
        gateway: GatewayId,
        request: RequestId,
        piece: &[u8],
        finish: bool,
    ) -> Piece {
        let id = (conn, gateway, request);
        let Some(mut upload) = self.0.remove(&id) else {
            return Piece::Kept;
        };
        if upload.body.len() + piece.len() > BODY_BYTES_MAX {
            protocol::mark!("sdk_upload_too_large");
            return Piece::TooLarge;
        }
        upload.body.extend_from_slice(piece);
        if finish {
            let body = std::mem::take(&mut upload.body).freeze();
            return Piece::Whole(upload, body);
        }
        self.0.insert(id, upload);
        Piece::Kept
    }

    /// The client gave it up; whether it was one.
    pub(super) fn abort(&mut self, conn: ConnId, gateway: GatewayId, request: RequestId) -> bool {
        self.0.remove(&(conn, gateway, request)).is_some()
    }

    /// The socket is gone, and what was to come on it.
    pub(super) fn forget(&mut self, conn: ConnId) {
        self.0.retain(|(on, _, _), _| *on != conn);
    }
}
