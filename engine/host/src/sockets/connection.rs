//! One runner socket, from its upgrade to its end.

use std::time::Duration;

use futures_util::StreamExt as _;
use futures_util::stream::{FusedStream as _, SplitSink, SplitStream};
use hyper::upgrade::{OnUpgrade, Upgraded};
use hyper_util::rt::TokioIo;
use protocol::id::{ConnId, RayId, RunnerKey};
use protocol::limits::RUNNER_FRAME_BYTES_MAX;
use protocol::wire::{self, ToServer};
use runtime::JoinHandle;
use tokio::io::AsyncReadExt as _;
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::error::ProtocolError;
use tokio_tungstenite::tungstenite::protocol::{Role, WebSocketConfig};
use tokio_tungstenite::tungstenite::{Error, Message};

use super::{outbox, writer};
use crate::engine::core::Core;
use crate::halt::Halt;
use crate::{control, gateway};

/// Buffers of one socket, each way. Ours: tungstenite's 128 KiB are allocated at once, and most runners say little.
const BUFFER_BYTES: usize = 16 * 1024;

/// What the URL of a socket said.
#[derive(Clone, Debug)]
pub(crate) struct Request {
    pub(crate) namespace: String,
    pub(crate) key: RunnerKey,
    pub(crate) ray: RayId,
}

fn limits() -> WebSocketConfig {
    WebSocketConfig::default()
        .read_buffer_size(BUFFER_BYTES)
        .write_buffer_size(BUFFER_BYTES)
        .max_message_size(Some(RUNNER_FRAME_BYTES_MAX))
        .max_frame_size(Some(RUNNER_FRAME_BYTES_MAX))
}

/// Who ended a socket, and how.
#[derive(Clone, Copy, Debug)]
enum End {
    /// The runner closed.
    Runner,
    /// The engine closed.
    Engine,
    /// The runner does not read.
    Cut,
    /// The connection broke.
    Broken,
    /// Everything ends.
    Core,
}

pub(crate) type Socket = WebSocketStream<TokioIo<Upgraded>>;
type Incoming = SplitStream<Socket>;
type Outgoing = SplitSink<Socket, Message>;

/// Serves the socket that `upgrade` becomes.
pub(crate) async fn serve(core: Core, upgrade: OnUpgrade, request: Request) {
    let upgraded = match upgrade.await {
        Ok(upgraded) => upgraded,
        Err(error) => {
            tracing::debug!(%error, "a runner left before its upgrade");
            return;
        }
    };
    let socket = WebSocketStream::from_raw_socket(TokioIo::new(upgraded), Role::Server, Some(limits())).await;
    let (sink, stream) = socket.split();
    let (conn, cut) = (core.serial.conn(), Halt::new());
    let (outbox, drain) = outbox::outbox(cut.clone());
    core.sockets.enter(conn, outbox);
    let ray = request.ray;
    // Not its key: whoever has that can take the runner's place.
    tracing::debug!(?conn, %ray, namespace = %request.namespace, "runner socket open");
    let opened = control::Letter::SocketOpened { conn, namespace: request.namespace, key: request.key };
    if core.control.send(opened).await {
        let writer = runtime::spawn("runner socket writer", writer::write(sink, drain, ray));
        let end = converse(&core, conn, stream, writer, &cut).await;
        tracing::debug!(?conn, %ray, ?end, "runner socket closed");
    }
    core.sockets.leave(conn);
    core.control.send(control::Letter::SocketClosed { conn }).await;
}

/// Reads and writes until one side ends; answers with who did.
async fn converse(
    core: &Core,
    conn: ConnId,
    mut stream: Incoming,
    mut writer: JoinHandle<Option<Outgoing>>,
    cut: &Halt,
) -> End {
    let end = runtime::select! {
        () = cut.given() => End::Cut,
        () = core.halt.given() => End::Core,
        written = &mut writer => {
            if let Ok(Some(sink)) = written {
                let socket = stream.reunite(sink).expect("both halves are of one socket");
                linger(socket, core.limits.close_timeout).await;
            }
            return End::Engine;
        }
        end = read(core, conn, &mut stream) => end,
    };
    // What is still to be written has no reader.
    writer.abort();
    end
}

/// Reads frames and passes them on, in order, until the runner closes or the socket fails.
async fn read(core: &Core, conn: ConnId, stream: &mut Incoming) -> End {
    while let Some(message) = stream.next().await {
        let taken = match message {
            Ok(Message::Binary(frame)) => match wire::decode::<ToServer>(&frame) {
                Ok(message) => deliver(core, conn, message).await,
                Err(error) => {
                    tracing::info!(?conn, %error, "a frame that does not decode");
                    core.control.send(control::Letter::FrameInvalid { conn }).await
                }
            },
            Ok(Message::Text(_)) => core.control.send(control::Letter::FrameInvalid { conn }).await,
            Ok(Message::Ping(_) | Message::Pong(_)) => true,
            Ok(Message::Close(_)) => {
                // tungstenite has queued the answer; reading on writes it.
                drop(runtime::timeout(core.limits.close_timeout, stream.next()).await);
                return End::Runner;
            }
            Ok(Message::Frame(_)) => unreachable!("tungstenite gives raw frames to writers only"),
            Err(Error::Protocol(ProtocolError::ResetWithoutClosingHandshake)) => return End::Broken,
            Err(Error::Capacity(_) | Error::Protocol(_) | Error::Utf8(_)) => {
                core.control.send(control::Letter::FrameInvalid { conn }).await;
                // Nothing more can be read; the machine closes, and that ends us.
                return std::future::pending().await;
            }
            Err(_) => return End::Broken,
        };
        if !taken {
            // The core ends: either by a close that is on its way to the runner, or at once.
            protocol::mark!("runner_spoke_to_an_ending_core");
            return std::future::pending().await;
        }
    }
    End::Broken
}

/// Whether the core still takes messages.
async fn deliver(core: &Core, conn: ConnId, message: ToServer) -> bool {
    if let ToServer::KvRequest(request) = &message {
        core.metrics.kv(&request.data);
    }
    match message {
        ToServer::TunnelMessage(message) => {
            core.gateway.send(gateway::Letter::Tunnel { conn, message }).await
        }
        message @ (ToServer::Init(_)
        | ToServer::Events(_)
        | ToServer::AckCommands { .. }
        | ToServer::Stopping
        | ToServer::Pong { .. }
        | ToServer::KvRequest(_)) => {
            core.control.send(control::Letter::Frame { conn, message: Box::new(message) }).await
        }
    }
}

/// Gives the other end a moment to see the close; what it still says is not heard.
pub(crate) async fn linger(mut socket: Socket, timeout: Duration) {
    let rest = async {
        if socket.is_terminated() {
            // Bytes that cannot be read as frames: dropping them would reset the connection, and lose the close.
            return discard(socket.into_inner()).await;
        }
        while let Some(Ok(_)) = socket.next().await {}
    };
    if runtime::timeout(timeout, rest).await.is_err() {
        protocol::mark!("socket_close_unanswered");
    }
}

async fn discard(mut socket: TokioIo<Upgraded>) {
    let mut scrap = vec![0; BUFFER_BYTES];
    while let Ok(1..) = socket.read(&mut scrap).await {}
}
