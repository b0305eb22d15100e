//! A server for applications that have none of their own.

use std::io;
use std::pin::pin;
use std::time::Duration;

use hyper::server::conn::http1;
use protocol::limits::RUNNER_LOST_THRESHOLD_MS;
use runtime::http::Timer;
use runtime::{JoinHandle, TcpListener, TcpStream};

use super::Serverless;
use crate::shutdown::{Shutdown, shutdown};

/// How long a client may take for the head of a request. hyper's default.
const HEAD_TIMEOUT: Duration = Duration::from_secs(30);

/// How long connections may take to end after every runner has. Ours: nothing of use is under way then.
const LINGER: Duration = Duration::from_secs(1);

/// How long what was sent may stay unacknowledged. Ours: the lost threshold. An engine that went without a word before
/// it knew the runner of its stream cannot tell it anything: only the stream's own pings find out.
const PEER_TIMEOUT: Duration = Duration::from_millis(RUNNER_LOST_THRESHOLD_MS);

/// Wait after a failed accept: the system is out of something, and asking again at once would only spin.
const ACCEPT_PAUSE: Duration = Duration::from_millis(50);

impl Serverless {
    /// Serves until the shutdown that this endpoint was made with asks to stop; then every runner drains while
    /// `/health` still answers, and then the connections end. When it returns, nothing of it runs any more.
    pub async fn serve(&self, listener: TcpListener) {
        let mut connections = Vec::new();
        let (close, closing) = shutdown();
        let mut drained = pin!(async {
            self.0.shutdown.draining().await;
            self.drained().await;
        });
        loop {
            let accepted = runtime::select! {
                () = &mut drained => break,
                accepted = listener.accept() => accepted,
            };
            connections.retain(|task: &JoinHandle<()>| !task.is_finished());
            match accepted {
                Ok((stream, _)) => {
                    let connection = serve_connection(self.clone(), stream, closing.clone());
                    connections.push(runtime::spawn("serverless connection", connection));
                }
                Err(error) => pause(&error).await,
            }
        }
        drop(listener);
        close.drain();
        for connection in connections {
            // One that panicked has said so.
            connection.await.ok();
        }
    }
}

async fn pause(error: &io::Error) {
    protocol::mark!("sdk_accept_failed");
    tracing::warn!(err = %error, "cannot accept a connection");
    runtime::sleep(ACCEPT_PAUSE).await;
}

async fn serve_connection(service: Serverless, stream: TcpStream, closing: Shutdown) {
    match stream.set_user_timeout(Some(PEER_TIMEOUT)) {
        Ok(()) => {}
        // Where a socket has no such bound its own is longer: a runner whose engine went without a word stays longer.
        Err(error) if error.kind() == io::ErrorKind::Unsupported => {}
        Err(error) => {
            tracing::debug!(err = %error, "a connection broke before it began");
            return;
        }
    }
    let mut connection = pin!(
        http1::Builder::new()
            .timer(Timer)
            .header_read_timeout(HEAD_TIMEOUT)
            // hyper's reads the host's clock.
            .auto_date_header(false)
            .serve_connection(stream, service)
    );
    let ended = runtime::select! {
        ended = &mut connection => Some(ended),
        () = closing.draining() => None,
    };
    let ended = match ended {
        Some(ended) => Ok(ended),
        None => {
            connection.as_mut().graceful_shutdown();
            runtime::timeout(LINGER, connection).await
        }
    };
    match ended {
        Ok(Ok(())) => {}
        Ok(Err(error)) => tracing::debug!(err = %error, "a connection broke"),
        Err(_) => tracing::debug!("a connection was cut off at shutdown"),
    }
}
