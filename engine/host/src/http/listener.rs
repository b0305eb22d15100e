//! Accepting connections.

use std::sync::Arc;

use runtime::TcpListener;
use tokio::sync::Semaphore;

use super::connection;
use crate::engine::core::Core;
use crate::halt::{Alive, Halt};

/// Accepts until `drain` is given or the core ends. More connections than allowed wait in the backlog.
/// Each connection holds `client` while it lives.
pub(crate) async fn listen(core: Core, listener: Arc<TcpListener>, drain: Halt, client: Alive) {
    let room = Arc::new(Semaphore::new(core.limits.connections_max));
    loop {
        let accepted = async {
            let place = Arc::clone(&room).acquire_owned().await.expect("the semaphore is never closed");
            (place, listener.accept().await)
        };
        let (place, accepted) = runtime::select! {
            () = core.halt.given() => return,
            () = drain.given() => return,
            accepted = accepted => accepted,
        };
        match accepted {
            Ok((stream, _peer)) => {
                let (core, drain, client) = (core.clone(), drain.clone(), client.clone());
                drop(runtime::spawn("http connection", async move {
                    connection::serve(core, stream, drain).await;
                    drop((place, client));
                }));
            }
            Err(error) => {
                protocol::mark!("accept_failed");
                tracing::warn!(%error, "cannot accept a connection");
                runtime::select! {
                    () = core.halt.given() => return,
                    () = runtime::sleep(core.limits.accept_pause) => {}
                }
            }
        }
    }
}
