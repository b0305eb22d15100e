//! Connections of clients: a WebSocket at `/connect` on which actions are called and events are told.
//!
//! Each is a work of its instance, for as long as it is open. What it calls is asked of the machine like every other call.

use std::sync::Arc;

use protocol::connection::{
    ActorSays, ClientSays, Envelope, INCOMING_BYTES_MAX, PARAMS_BYTES_MAX, PARAMS_HEADER, PARAMS_SUBPROTOCOL,
};
use protocol::error::ErrorBody;
use serde_json::Value;
use tokio::sync::mpsc;

use super::Ask;
use crate::actor::connection::{Connection, Out, text};
use crate::actor::context::Core;
use crate::actor::subject::{Boxed, Client};
use crate::actor::{ActorError, WebSocket};
use crate::websocket::Message;

/// A call on a connection.
pub(crate) struct Call {
    pub connection: Connection,
    pub id: u64,
    pub name: String,
    pub args: Value,
}

impl Call {
    /// Tells the client how it went.
    pub(super) fn answer(connection: &Connection, id: u64, outcome: Result<Value, ErrorBody>) {
        connection.say(&text(match outcome {
            Ok(output) => ActorSays::ActionResponse { id, output },
            Err(body) => error(body, Some(id)),
        }));
    }
}

/// One connection, from its WebSocket to its end.
pub(super) async fn serve(client: Box<dyn Client>, core: Arc<Core>, mut socket: WebSocket, exposes: bool) {
    let params = match params(&socket) {
        Ok(params) => params,
        Err(reason) => return socket.close(1003, reason),
    };
    let (connection, mut outbox) = Connection::new(params);
    if let Err(failed) = client.connect(connection.clone()).await {
        protocol::mark!("sdk_connection_refused");
        let body = failed.into_body(exposes).1;
        let reason = format!("{}.{}", body.group, body.code);
        // What cannot be said any more need not be.
        socket.send(&*text(error(body, None))).await.ok();
        return socket.close(1011, &reason);
    }
    // From here on it is one of the actor's, and told of once when it is none.
    let listed = core.enter(&connection);
    let init =
        ActorSays::Init { actor_id: core.actor().to_string(), connection_id: connection.id().to_owned() };
    connection.say(&text(init));
    talk(&connection, &core, &mut socket, &mut outbox).await;
    drop(listed);
    client.disconnect(connection).await;
}

async fn talk(
    connection: &Connection,
    core: &Core,
    socket: &mut WebSocket,
    outbox: &mut mpsc::UnboundedReceiver<Out>,
) {
    loop {
        let out = runtime::select! {
            heard = socket.recv() => match heard {
                Some(message) => {
                    heard_one(connection, core, &message);
                    continue;
                }
                None => return,
            },
            out = outbox.recv() => out.expect("the connection holds a sender of its own"),
        };
        match out {
            Out::Say(text) => {
                let sent = socket.send(&*text).await;
                connection.took(text.len());
                if let Err(failed) = sent {
                    tracing::debug!(err = %failed, "a client did not hear what was said");
                }
            }
            Out::Close { code, reason } => return socket.close(code, &reason),
        }
    }
}

fn heard_one(connection: &Connection, core: &Core, message: &Message) {
    let said = match message.as_text() {
        Some(text) if text.len() <= INCOMING_BYTES_MAX => serde_json::from_str::<Envelope<ClientSays>>(text),
        Some(_) => return refuse(connection, "incoming_too_long", "A message of more than 64 KiB."),
        None => return refuse(connection, "invalid", "Messages are texts."),
    };
    match said.map(|envelope| envelope.body) {
        Ok(ClientSays::ActionRequest { id, name, args }) => {
            core.ask(Ask::Call(Call { connection: connection.clone(), id, name, args }));
        }
        Ok(ClientSays::SubscriptionRequest { event_name, subscribe }) => {
            if !connection.subscribe(event_name, subscribe) {
                refuse(connection, "too_many_subscriptions", "It hears of as many events as it may.");
            }
        }
        Err(error) => refuse(connection, "invalid", &error.to_string()),
    }
}

/// Ends a connection on which something was said that nobody can follow.
fn refuse(connection: &Connection, code: &str, why: &str) {
    protocol::mark!("sdk_connection_unreadable");
    let body = ErrorBody {
        group: "message".to_owned(),
        code: code.to_owned(),
        message: why.to_owned(),
        metadata: None,
    };
    let reason = format!("message.{code}");
    connection.say(&text(error(body, None)));
    connection.close(1011, &reason);
}

fn error(body: ErrorBody, action_id: Option<u64>) -> ActorSays {
    let ErrorBody { group, code, message, metadata } = body;
    ActorSays::Error { group, code, message, metadata, action_id }
}

/// What the client says of itself, by header or by subprotocol.
fn params(socket: &WebSocket) -> Result<Value, &'static str> {
    let header = socket.headers().get(PARAMS_HEADER).map(|value| value.to_str().map(str::to_owned));
    let text = match header {
        Some(text) => text.map_err(|_| "connection.invalid_params")?,
        None => match offered(socket) {
            Some(text) => text.ok_or("connection.invalid_params")?,
            None => return Ok(Value::Null),
        },
    };
    if text.len() > PARAMS_BYTES_MAX {
        return Err("connection.params_too_long");
    }
    serde_json::from_str(&text).map_err(|_| "connection.invalid_params")
}

/// The subprotocol with the parameters, decoded; an inner none is one that cannot be.
fn offered(socket: &WebSocket) -> Option<Option<String>> {
    let lines = socket.headers().get_all(http::header::SEC_WEBSOCKET_PROTOCOL);
    let mut names = lines.iter().filter_map(|line| line.to_str().ok()).flat_map(|line| line.split(','));
    let encoded = names.find_map(|name| name.trim().strip_prefix(PARAMS_SUBPROTOCOL))?;
    let decoded = percent_encoding::percent_decode_str(encoded).decode_utf8();
    Some(decoded.ok().map(std::borrow::Cow::into_owned))
}

/// What an action gave, as a value.
pub(super) async fn called(
    output: Boxed<Result<bytes::Bytes, ActorError>>,
    exposes: bool,
) -> Result<Value, ErrorBody> {
    let outcome = match output.await {
        Ok(output) => serde_json::from_slice(&output).map_err(ActorError::internal),
        Err(error) => Err(error),
    };
    outcome.map_err(|error| error.into_body(exposes).1)
}
