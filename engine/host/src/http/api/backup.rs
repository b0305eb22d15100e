//! The whole store as one stream, while the engine works.

use std::sync::Arc;

use bytes::Bytes;
use protocol::api::Query;
use protocol::error::ApiError;
use tokio::sync::mpsc;

use crate::control::Letter;
use crate::engine::core::Core;
use crate::http::openapi::Refusal;
use crate::http::respond::{self, Reply};
use crate::store::backup::Copying;
use crate::store::face::Fault;

/// Pieces that wait to be sent. Ours: the next is read while one is sent.
const PIECES_MAX: usize = 1;

/// `GET /admin/backup`: everything that was acknowledged before, as it is in one moment.
#[utoipa::path(get, path = "/admin/backup", operation_id = "backup", tag = "engine",
    responses((status = 200, description = "A backup, whole if it ends with its sum", body = String, content_type = "application/octet-stream"), Refusal))]
pub(in crate::http) async fn stream(core: &Core, query: &str) -> Result<Reply, ApiError> {
    Query::new(query).finish()?;
    let Ok(turn) = Arc::clone(&core.copies).try_acquire_owned() else {
        protocol::mark!("backups_at_once");
        return Err(ApiError::GuardServiceUnavailable);
    };
    let snapshot = core.control.ask(Letter::Snapshot).await;
    let snapshot = snapshot.ok_or(ApiError::GuardServiceUnavailable)?;
    let (pieces, rest) = mpsc::channel(PIECES_MAX);
    let core = core.clone();
    drop(runtime::spawn("backup", async move {
        if let Err(fault) = copy(&core, Copying::of(snapshot), pieces).await {
            // The stream ends without the sum that a whole one ends with.
            tracing::error!(%fault, "a backup was cut short");
        }
        drop((turn, core));
    }));
    Ok(respond::pieces(rest))
}

/// Reads and sends piece after piece until the end, or until nobody wants them. The snapshot is gone when it returns: a
/// piece that is being read is waited for, since the store can be opened anew only then.
async fn copy(core: &Core, mut copying: Copying, pieces: mpsc::Sender<Bytes>) -> Result<(), Fault> {
    while !core.halt.is_given() {
        let (next, piece) = runtime::disk::blocking(move || {
            let piece = copying.next();
            (copying, piece)
        })
        .await;
        copying = next;
        let Some(piece) = piece? else { break };
        if pieces.send(piece).await.is_err() {
            protocol::mark!("backup_client_left");
            break;
        }
    }
    Ok(())
}
