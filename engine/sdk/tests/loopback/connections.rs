//! Clients that stay: they call actions, and hear of events.

use std::sync::Arc;

use bytes::Bytes;
use parking_lot::Mutex;
use protocol::wire::{Headers, ToClientKind, ToServer, ToServerKind};
use sdk::{Action, Actions, Actor, ActorError, Connection, Context, Event, Registry, RunnerOptions};
use serde_json::{Value, json};

use crate::engine::{Engine, Socket, actor};
use crate::test;

const SAY: Action<String, usize> = Action::new("say");
const SAID: Event<String> = Event::new("said");
const WHISPER: Event<String> = Event::new("whisper");

#[derive(Clone, Default)]
struct Room(Arc<Mutex<Vec<String>>>);

impl Actor for Room {
    type State = ();

    fn actions(on: &mut Actions<Self>) {
        on.action(SAY, Self::say);
    }

    async fn on_connect(&self, ctx: &Context<()>, connection: &Connection) -> Result<(), ActorError> {
        assert!(
            ctx.connections().iter().all(|other| other.id() != connection.id()),
            "not before it is let in"
        );
        let name: Option<String> = connection.params()?;
        match name {
            Some(name) if name == "nobody" => Err(ActorError::user("not_you", "Go away.")),
            name => {
                self.0.lock().push(format!("+{}", name.unwrap_or_default()));
                Ok(())
            }
        }
    }

    async fn on_disconnect(&self, ctx: &Context<()>, connection: &Connection) {
        assert!(ctx.connections().iter().all(|other| other.id() != connection.id()), "not after it has left");
        let name = connection.params::<Option<String>>().unwrap().unwrap_or_default();
        self.0.lock().push(format!("-{name}"));
    }
}

impl Room {
    async fn say(self: Arc<Self>, ctx: Context<()>, text: String) -> Result<usize, ActorError> {
        ctx.broadcast(SAID, &text)?;
        if let Some(caller) = ctx.connection() {
            caller.send(WHISPER, &"heard".to_owned())?;
        }
        Ok(ctx.connections().len())
    }
}

async fn room() -> (Engine, Socket, Room) {
    let (engine, room) = (Engine::listen().await, Room::default());
    let held = room.clone();
    let registry = Registry::builder().actor("room", move || held.clone()).build().unwrap();
    let (_, shutdown) = sdk::shutdown();
    let options = RunnerOptions::new(engine.endpoint());
    drop(runtime::spawn("runner under test", async move { registry.run(options, shutdown).await }));
    let mut socket = engine.session().await;
    socket.start(actor(1), "room").await;
    socket.nothing_stored().await;
    socket.events().await;
    (engine, socket, room)
}

async fn connect(socket: &mut Socket, number: u32, header: Option<(&str, &str)>) {
    let mut headers = Headers::new();
    if let Some((name, value)) = header {
        headers.append(name, value);
    }
    let open = ToClientKind::WebSocketOpen { actor_id: actor(1), path: "/connect".to_owned(), headers };
    socket.tunnel(number, open).await;
}

async fn say(socket: &mut Socket, number: u32, body: Value) {
    let data = Bytes::from(json!({ "body": body }).to_string());
    socket.tunnel(number, ToClientKind::WebSocketMessage { data, binary: false }).await;
}

/// The next piece of any connection, by number.
async fn piece(socket: &mut Socket) -> (u32, ToServerKind) {
    match socket.recv().await {
        ToServer::TunnelMessage(message) => (message.message_id.request_id.to_u32(), message.message_kind),
        other => panic!("instead of a piece came {other:?}"),
    }
}

/// The next thing said on this connection.
async fn heard(socket: &mut Socket, number: u32) -> Value {
    let (on, kind) = piece(socket).await;
    assert_eq!(on, number, "{kind:?}");
    let ToServerKind::WebSocketMessage { data, binary: false } = kind else { panic!("{kind:?}") };
    let said: Value = serde_json::from_slice(&data).unwrap();
    said["body"].clone()
}

/// Lets it in.
async fn connected(socket: &mut Socket, number: u32) {
    let (on, kind) = piece(socket).await;
    assert_eq!((on, kind), (number, ToServerKind::WebSocketOpen { can_hibernate: false }));
    let init = heard(socket, number).await;
    assert_eq!(init["tag"], "Init");
    assert_eq!(init["val"]["actorId"], actor(1).to_string());
    assert_eq!(init["val"]["connectionId"].as_str().unwrap().len(), 32);
}

async fn closed(socket: &mut Socket, number: u32) -> (u16, String) {
    match piece(socket).await {
        (on, ToServerKind::WebSocketClose { code, reason, .. }) if on == number => {
            (code.unwrap(), reason.unwrap())
        }
        other => panic!("instead of a close came {other:?}"),
    }
}

fn call(id: u64, name: &str, args: Value) -> Value {
    json!({ "tag": "ActionRequest", "val": { "id": id, "name": name, "args": args } })
}

fn listen(subscribe: bool) -> Value {
    json!({ "tag": "SubscriptionRequest", "val": { "eventName": "said", "subscribe": subscribe } })
}

#[test]
fn who_has_asked_for_an_event_hears_of_it_and_the_caller_hears_its_answer_after() {
    test(async {
        let (_engine, mut socket, _) = room().await;
        connect(&mut socket, 1, Some(("x-rivet-conn-params", r#""anna""#))).await;
        connected(&mut socket, 1).await;
        connect(&mut socket, 2, Some(("sec-websocket-protocol", "rivet, rivet_conn_params.%22ben%22"))).await;
        connected(&mut socket, 2).await;
        say(&mut socket, 2, listen(true)).await;
        say(&mut socket, 2, call(7, "say", json!(["hello"]))).await;
        let event = json!({ "tag": "Event", "val": { "name": "said", "args": "hello" } });
        assert_eq!(heard(&mut socket, 2).await, event);
        let whisper = json!({ "tag": "Event", "val": { "name": "whisper", "args": "heard" } });
        assert_eq!(heard(&mut socket, 2).await, whisper);
        let answer = json!({ "tag": "ActionResponse", "val": { "id": 7, "output": 2 } });
        assert_eq!(heard(&mut socket, 2).await, answer);
        // Called by somebody who does not stay, and no more for whoever does not want to hear it.
        say(&mut socket, 2, listen(false)).await;
        say(&mut socket, 2, call(8, "nothing", Value::Null)).await;
        let error = heard(&mut socket, 2).await;
        assert_eq!(error["val"]["code"], "action_not_found");
        assert_eq!(error["val"]["actionId"], 8);
        socket.request_at(3, actor(1), "POST", "/action/say", r#"{"args":"anybody?"}"#).await;
        assert_eq!(socket.answer(3).await.body, r#"{"output":2}"#);
    });
}

#[test]
fn an_actor_knows_who_comes_and_goes_and_whom_it_refused() {
    test(async {
        let (_engine, mut socket, room) = room().await;
        connect(&mut socket, 1, Some(("x-rivet-conn-params", r#""nobody""#))).await;
        assert_eq!(piece(&mut socket).await.1, ToServerKind::WebSocketOpen { can_hibernate: false });
        assert_eq!(heard(&mut socket, 1).await["val"]["code"], "not_you");
        assert_eq!(closed(&mut socket, 1).await, (1011, "user.not_you".to_owned()));
        connect(&mut socket, 2, Some(("x-rivet-conn-params", "{"))).await;
        assert_eq!(closed(&mut socket, 2).await, (1003, "connection.invalid_params".to_owned()));
        connect(&mut socket, 3, Some(("x-rivet-conn-params", r#""cleo""#))).await;
        connected(&mut socket, 3).await;
        socket.tunnel(3, ToClientKind::WebSocketClose { code: Some(1000), reason: None }).await;
        connect(&mut socket, 4, None).await;
        connected(&mut socket, 4).await;
        say(&mut socket, 4, json!({ "tag": "Nonsense" })).await;
        assert_eq!(heard(&mut socket, 4).await["val"]["code"], "invalid");
        assert_eq!(closed(&mut socket, 4).await, (1011, "message.invalid".to_owned()));
        socket.request_at(5, actor(1), "POST", "/action/say", r#"{"args":"who is there?"}"#).await;
        assert_eq!(socket.answer(5).await.body, r#"{"output":0}"#);
        assert_eq!(*room.0.lock(), ["+cleo", "-cleo", "+", "-"]);
    });
}
