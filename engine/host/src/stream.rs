//! Serverless streams: the request that starts a runner in an application, and the event stream it answers with.
//!
//! [`open`] makes one; what happens on it is told to the control plane's mailbox, its end exactly once and last. How
//! long one may take, and whether another follows, is decided there. [`request`] makes the request, [`sse`] reads the
//! answer.

mod request;
pub mod sse;

use http_body_util::BodyExt as _;
use hyper::Response;
use hyper::body::Incoming;
use machines::control::effect::StreamTarget;
use machines::control::input::StreamEnd;
use protocol::error::cut;
use protocol::id::StreamId;
use protocol::limits::USER_TEXT_BYTES_MAX;
use protocol::wire::{ToServerlessServer, decode_payload};

use crate::control::Letter;
use crate::engine::core::Core;
use crate::halt::Halt;
use crate::outbound;

/// Starts the request as a task that ends with the stream, at `close`, or with the core.
pub(crate) fn open(core: &Core, stream: StreamId, target: StreamTarget, close: Halt) {
    let core = core.clone();
    drop(runtime::spawn("serverless stream", async move {
        tracing::debug!(?stream, pool = %target.pool, "serverless stream requested");
        let end = runtime::select! {
            () = close.given() => StreamEnd::Closed,
            () = core.halt.given() => return,
            end = follow(&core, stream, &target) => end,
        };
        tracing::debug!(?stream, pool = %target.pool, end = end.name(), "serverless stream ended");
        core.control.send(Letter::StreamEnded { stream, end }).await;
    }));
}

/// Requests the stream and tells what comes on it, until it ends.
async fn follow(core: &Core, stream: StreamId, target: &StreamTarget) -> StreamEnd {
    let requested = async {
        let request = request::start(target, &core.public_url, core.door.runner_token().as_ref())?;
        outbound::send(&core.dialler, request).await.map_err(|error| error.to_string())
    };
    let (response, _connection) = match requested.await {
        Ok(answered) => answered,
        Err(message) => return connection(&message),
    };
    let status = response.status().as_u16();
    if status != 200 {
        // What came before it broke off is shown.
        let (body, _) = outbound::beginning(response.into_body(), USER_TEXT_BYTES_MAX).await;
        let body = cut(&String::from_utf8_lossy(&body), USER_TEXT_BYTES_MAX).to_owned();
        return StreamEnd::Http { status, body };
    }
    if !is_event_stream(&response) {
        return connection("the answer is no text/event-stream");
    }
    core.control.send(Letter::StreamOpened { stream }).await;
    read(core, stream, response.into_body()).await
}

async fn read(core: &Core, stream: StreamId, mut body: Incoming) -> StreamEnd {
    let (mut parser, mut events) = (sse::Parser::new(), Vec::new());
    while let Some(frame) = body.frame().await {
        let piece = match frame.map(hyper::body::Frame::into_data) {
            Ok(Ok(piece)) => piece,
            // Trailers.
            Ok(Err(_)) => continue,
            Err(error) => return connection(&outbound::chain(&error)),
        };
        let outcome = parser.feed(&piece, &mut events);
        for event in events.drain(..) {
            let letter = match meaning(stream, &event) {
                Ok(letter) => letter,
                Err(message) => return StreamEnd::Payload { message },
            };
            core.control.send(letter).await;
        }
        if let Err(error) = outcome {
            return StreamEnd::Payload { message: error.to_string() };
        }
    }
    StreamEnd::Clean
}

/// An event with data and no type carries a message; every other one is a sign of life.
fn meaning(stream: StreamId, event: &sse::Event) -> Result<Letter, String> {
    let carries = matches!(event.kind.as_str(), "" | "message") && !event.data.is_empty();
    if !carries {
        return Ok(Letter::StreamPing { stream });
    }
    match decode_payload(&event.data) {
        Ok(ToServerlessServer::Init { runner_id, runner_protocol_version: _ }) => {
            Ok(Letter::StreamInit { stream, runner: runner_id })
        }
        Err(error) => Err(cut(&error.to_string(), USER_TEXT_BYTES_MAX).to_owned()),
    }
}

fn is_event_stream(response: &Response<Incoming>) -> bool {
    let kind = response.headers().get(hyper::header::CONTENT_TYPE).and_then(|kind| kind.to_str().ok());
    let essence = kind.and_then(|kind| kind.split(';').next()).unwrap_or_default();
    essence.trim().eq_ignore_ascii_case("text/event-stream")
}

fn connection(message: &str) -> StreamEnd {
    StreamEnd::Connection { message: cut(message, USER_TEXT_BYTES_MAX).to_owned() }
}
