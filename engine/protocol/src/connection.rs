//! What a client's connection and its actor say to each other, as JSON texts on a WebSocket, as upstream has it: a body
//! with a tag.

use serde::{Deserialize, Serialize};
use serde_json::Value;

/// Header with the connection's parameters, as JSON: for clients that can send headers.
pub const PARAMS_HEADER: &str = "x-rivet-conn-params";

/// Beginning of a subprotocol that carries the parameters, as percent-encoded JSON: for those that cannot.
pub const PARAMS_SUBPROTOCOL: &str = "rivet_conn_params.";

/// Parameters of a connection, encoded. Upstream's.
pub const PARAMS_BYTES_MAX: usize = 4096;

/// What a client says in one message. Upstream's.
pub const INCOMING_BYTES_MAX: usize = 64 * 1024;

/// What a client says.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "tag", content = "val")]
pub enum ClientSays {
    /// Calls an action; one `ActionResponse` or `Error` with this id follows.
    ActionRequest {
        /// Chosen by the client.
        id: u64,
        /// Which action.
        name: String,
        /// What it is called with.
        #[serde(default)]
        args: Value,
    },
    /// Wants to hear of an event, or no more.
    #[serde(rename_all = "camelCase")]
    SubscriptionRequest {
        /// Which event.
        event_name: String,
        /// Whether to hear of it.
        subscribe: bool,
    },
}

/// What an actor says.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "tag", content = "val")]
pub enum ActorSays {
    /// The connection is open: the first message of all.
    #[serde(rename_all = "camelCase")]
    Init {
        /// The actor.
        actor_id: String,
        /// The connection.
        connection_id: String,
    },
    /// What an action gave.
    ActionResponse {
        /// As it was called.
        id: u64,
        /// What it gave.
        output: Value,
    },
    /// What went wrong: with a call, or with the connection.
    #[serde(rename_all = "camelCase")]
    Error {
        /// Group of the code.
        group: String,
        /// For programs.
        code: String,
        /// For people.
        message: String,
        /// More, for programs.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        metadata: Option<Value>,
        /// Of which call; none: of the connection.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        action_id: Option<u64>,
    },
    /// Something happened.
    Event {
        /// Which event.
        name: String,
        /// What is known of it.
        args: Value,
    },
}

/// One message.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Envelope<T> {
    /// What is said.
    pub body: T,
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn messages_look_as_they_do_upstream() {
        let call = json!({"body": {"tag": "ActionRequest", "val": {"id": 1, "name": "add", "args": [5]}}});
        let read: Envelope<ClientSays> = serde_json::from_value(call).unwrap();
        assert_eq!(read.body, ClientSays::ActionRequest { id: 1, name: "add".into(), args: json!([5]) });
        let listen =
            json!({"body": {"tag": "SubscriptionRequest", "val": {"eventName": "said", "subscribe": true}}});
        let read: Envelope<ClientSays> = serde_json::from_value(listen).unwrap();
        assert_eq!(read.body, ClientSays::SubscriptionRequest { event_name: "said".into(), subscribe: true });
        let body = ActorSays::Init { actor_id: "a".into(), connection_id: "c".into() };
        let init = serde_json::to_value(Envelope { body }).unwrap();
        assert_eq!(init, json!({"body": {"tag": "Init", "val": {"actorId": "a", "connectionId": "c"}}}));
    }
}
