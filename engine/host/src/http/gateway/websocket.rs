//! A request that becomes a WebSocket: forwarded as any other, and once its actor accepts, served until one side closes.
//!
//! The client is not let in before its actor has accepted: until then every failure is an answer with its status. What
//! is to be said, and when it is over, is decided by the gateway; here frames become messages and messages frames.

use bytes::Bytes;
use futures_util::stream::{SplitSink, SplitStream};
use futures_util::{SinkExt as _, StreamExt as _};
use hyper::body::Incoming;
use hyper::upgrade::OnUpgrade;
use hyper::{Method, Request};
use hyper_util::rt::TokioIo;
use protocol::error::{ApiError, WebSocketEnd};
use protocol::id::{ActorId, RayId, Ticket};
use protocol::limits::WEBSOCKET_MESSAGE_BYTES_MAX;
use tokio::sync::mpsc;
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::protocol::{CloseFrame, Role, WebSocketConfig};
use tokio_tungstenite::tungstenite::{Error, Message};

use super::{ask, headers};
use crate::budget::Room;
use crate::engine::core::Core;
use crate::gateway::{self, ClientRequest, Down, Ending, Letter, Line, Said, Up, Wants};
use crate::http::body::Client;
use crate::http::connect::{handshake, switch};
use crate::http::respond::Reply;
use crate::sockets;
use crate::sockets::connection::{Socket, linger};

/// Buffers of one socket, each way. Ours: most clients say little, and there are many of them.
const BUFFER_BYTES: usize = 4 * 1024;

/// Messages that are written before the gateway hears of it. Ours: enough to share a flush, little enough to let the next
/// ones come meanwhile.
const BATCH_MAX: u32 = 64;

type Sink = SplitSink<Socket, Message>;
type Stream = SplitStream<Socket>;

fn limits() -> WebSocketConfig {
    WebSocketConfig::default()
        .read_buffer_size(BUFFER_BYTES)
        .write_buffer_size(BUFFER_BYTES)
        .max_message_size(Some(WEBSOCKET_MESSAGE_BYTES_MAX))
        .max_frame_size(Some(WEBSOCKET_MESSAGE_BYTES_MAX))
}

/// Answers with the upgrade once the actor has accepted, and starts the task that serves the client.
///
/// # Errors
/// `guard.invalid_request` for what is no handshake, or what a request to the actor fails with.
pub(super) async fn open(
    core: &Core,
    mut request: Request<Incoming>,
    (actor, path): (ActorId, String),
    ray: RayId,
) -> Result<Reply, ApiError> {
    let invalid = |reason: &str| ApiError::GuardInvalidRequest { reason: reason.to_owned() };
    if request.method() != Method::GET {
        return Err(invalid("a WebSocket is asked for with GET"));
    }
    let accept = handshake(request.headers()).map_err(invalid)?;
    let response = switch(accept, request.headers());
    core.door.conceal(request.headers_mut());
    let headers = headers::to_actor(request.headers(), 0, ray)?;
    let upgrade = hyper::upgrade::on(&mut request);
    let asked = ClientRequest {
        actor,
        method: Method::GET.as_str().to_owned(),
        path,
        headers,
        body: Bytes::new(),
        _room: Room::default(),
        wants: Wants::WebSocket,
    };
    let mut client = Client::new(core.gateway.clone(), core.serial.ticket());
    match ask(core, &client, Box::new(asked)).await {
        gateway::Reply::Open(line) => {
            drop(runtime::spawn("client websocket", serve(core.clone(), upgrade, client, line, ray)));
            Ok(response)
        }
        gateway::Reply::Failed(error) => {
            client.served();
            Err(error)
        }
        gateway::Reply::Whole(_) | gateway::Reply::Streamed(..) => unreachable!("it asked for no response"),
    }
}

/// Serves the client until its WebSocket is over. Whichever way this ends, the gateway forgets it.
async fn serve(core: Core, upgrade: OnUpgrade, mut client: Client, line: Line, ray: RayId) {
    let upgraded = runtime::select! {
        () = core.halt.given() => return,
        upgraded = upgrade => upgraded,
    };
    let upgraded = match upgraded {
        Ok(upgraded) => upgraded,
        Err(error) => {
            tracing::debug!(%error, "a client left before its upgrade");
            return;
        }
    };
    let socket = WebSocketStream::from_raw_socket(TokioIo::new(upgraded), Role::Server, Some(limits())).await;
    let (mut sink, mut stream) = socket.split();
    let ticket = client.ticket();
    let Line { mut down, cut, room } = line;
    let ending = runtime::select! {
        () = core.halt.given() => return,
        () = core.going.given() => Some(Ending::Because(WebSocketEnd::GoingAway)),
        () = cut.given() => {
            client.served();
            last(&mut down)
        }
        ending = write(&core, ticket, &mut sink, &mut down) => {
            if ending.is_some() {
                client.served();
            }
            ending
        }
        () = read(&core, ticket, &mut stream, &room) => {
            client.served();
            None
        }
    };
    drop((client, down));
    let Some(ending) = ending else { return };
    let timeout = core.limits.close_timeout;
    let leave = async {
        // One that takes nothing does not take this either.
        let written = runtime::timeout(timeout, sink.send(close(&ending, ray))).await;
        if matches!(written, Ok(Ok(()))) {
            linger(stream.reunite(sink).expect("both halves are of one socket"), timeout).await;
        }
    };
    runtime::select! {
        () = core.halt.given() => {}
        () = leave => {}
    }
}

/// Reads messages and passes them on, in order, until the client closes or its connection fails; the gateway has heard
/// of that then. While there is no room on the way to the runner, nothing is read.
async fn read(core: &Core, ticket: Ticket, stream: &mut Stream, room: &sockets::Room) {
    while let Some(message) = stream.next().await {
        let up = match message {
            Ok(content @ (Message::Text(_) | Message::Binary(_))) => {
                let hold = Some(room.take(content.len()).await);
                Up::Message(gateway::Message { content, hold })
            }
            Ok(Message::Ping(_) | Message::Pong(_)) => Up::Heard,
            Ok(Message::Close(frame)) => {
                let said = frame.map_or(Said { code: None, reason: None }, |frame| Said {
                    code: Some(frame.code.into()),
                    reason: Some(frame.reason.as_str().to_owned()),
                });
                core.gateway.send(Letter::WebSocket { ticket, up: Up::Closed(said) }).await;
                // tungstenite has queued the answer; reading on writes it.
                drop(runtime::timeout(core.limits.close_timeout, stream.next()).await);
                return;
            }
            Ok(Message::Frame(_)) => unreachable!("tungstenite gives raw frames to writers only"),
            // Nothing more can be read after these two; the machine closes, and that ends us.
            Err(Error::Capacity(_)) => Up::Unfit(WebSocketEnd::MessageTooLarge),
            Err(Error::Utf8(_)) => Up::Unfit(WebSocketEnd::InvalidText),
            Err(_) => break,
        };
        let is_last = matches!(up, Up::Unfit(_));
        if !core.gateway.send(Letter::WebSocket { ticket, up }).await || is_last {
            return std::future::pending().await;
        }
    }
    core.gateway.send(Letter::Gone { ticket }).await;
}

/// Writes what comes until a close, which it gives back, or until the connection fails.
async fn write(
    core: &Core,
    ticket: Ticket,
    sink: &mut Sink,
    down: &mut mpsc::UnboundedReceiver<Down>,
) -> Option<Ending> {
    while let Some(first) = down.recv().await {
        let (mut messages, mut bytes) = (0, 0);
        let mut next = Some(first);
        // Messages that wait share a flush.
        while let Some(down_here) = next {
            let frame = match down_here {
                Down::Message(content) => {
                    messages += 1;
                    bytes += content.len();
                    content
                }
                Down::Ping => Message::Ping(Bytes::new()),
                Down::Close(ending) => return Some(ending),
            };
            sink.feed(frame).await.ok()?;
            next = if messages < BATCH_MAX { down.try_recv().ok() } else { None };
        }
        sink.flush().await.ok()?;
        if messages > 0 {
            core.gateway.send(Letter::WebSocket { ticket, up: Up::Took { messages, bytes } }).await;
        }
    }
    // The client has closed: whoever reads ends this.
    std::future::pending().await
}

/// The close that is the last of what waits.
fn last(down: &mut mpsc::UnboundedReceiver<Down>) -> Option<Ending> {
    let rest = std::iter::from_fn(|| down.try_recv().ok());
    rest.filter_map(|down| match down {
        Down::Close(ending) => Some(ending),
        Down::Message(_) | Down::Ping => None,
    })
    .last()
}

fn close(ending: &Ending, ray: RayId) -> Message {
    let (code, reason) = match ending {
        Ending::Said(said) => (said.code(), said.reason().to_owned()),
        Ending::Because(why) => (why.code(), why.text(ray)),
    };
    Message::Close(Some(CloseFrame { code: code.into(), reason: reason.into() }))
}
