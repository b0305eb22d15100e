//! WebSockets of clients to actors.

use std::time::Duration;

use bytes::Bytes;
use futures_util::{SinkExt as _, StreamExt as _};
use protocol::id::ActorId;
use protocol::limits::WEBSOCKET_MESSAGE_BYTES_MAX;
use protocol::wire::{MessageId, ToClientKind, ToServerKind};
use runtime::{JoinHandle, TcpStream};
use tokio::io::AsyncWriteExt as _;
use tokio_tungstenite::tungstenite::client::IntoClientRequest as _;
use tokio_tungstenite::tungstenite::handshake::client::Response;
use tokio_tungstenite::tungstenite::protocol::CloseFrame;
use tokio_tungstenite::tungstenite::{Error, Message};
use tokio_tungstenite::{WebSocketStream, client_async};

use crate::gateway::{at_rest, stage, stage_with};
use crate::support::{Node, Runner, call_with, run};

type Socket = WebSocketStream<TcpStream>;
type Opened = Result<(Socket, Response), Error>;

/// A client that asks for a WebSocket.
fn ask(node: &Node, path: String) -> JoinHandle<Opened> {
    let address = node.address;
    runtime::spawn("client", async move {
        let mut request = format!("ws://{address}{path}").into_client_request().unwrap();
        let headers = request.headers_mut();
        headers.insert("sec-websocket-protocol", "rivet, chat".parse().unwrap());
        headers.insert("x-own", "1".parse().unwrap());
        client_async(request, TcpStream::connect(address).await.unwrap()).await
    })
}

/// The next WebSocket that a runner is asked for.
async fn asked(runner: &mut Runner) -> MessageId {
    let (id, kind) = runner.request().await;
    assert!(matches!(kind, ToClientKind::WebSocketOpen { .. }), "{kind:?}");
    assert_eq!(id.message_index, 0);
    id
}

async fn accept(runner: &mut Runner, id: MessageId) {
    runner.respond(id, 0, ToServerKind::WebSocketOpen { can_hibernate: false }).await;
}

/// An open WebSocket of this actor.
async fn open(node: &Node, runner: &mut Runner, actor: &str) -> (Socket, MessageId) {
    let client = ask(node, format!("/gateway/{actor}/websocket"));
    let id = asked(runner).await;
    accept(runner, id).await;
    (client.await.unwrap().unwrap().0, id)
}

/// What a runner is told next of this WebSocket, under this number.
async fn told(runner: &mut Runner, of: MessageId, index: u16) -> ToClientKind {
    let (id, kind) = runner.request().await;
    assert_eq!((id.request_id, id.message_index), (of.request_id, index), "{kind:?}");
    kind
}

/// Code and reason of the close that a runner is told next.
async fn told_close(runner: &mut Runner, of: MessageId, index: u16) -> (u16, String) {
    match told(runner, of, index).await {
        ToClientKind::WebSocketClose { code, reason } => (code.unwrap(), reason.unwrap()),
        other => panic!("a close was expected: {other:?}"),
    }
}

/// Code and reason of the close that a client reads next.
async fn closed(client: &mut Socket) -> (u16, String) {
    match client.next().await {
        Some(Ok(Message::Close(Some(frame)))) => (frame.code.into(), frame.reason.as_str().to_owned()),
        other => panic!("a close was expected: {other:?}"),
    }
}

fn said(data: &'static str, binary: bool) -> ToServerKind {
    ToServerKind::WebSocketMessage { data: Bytes::from_static(data.as_bytes()), binary }
}

fn close_with(code: u16, reason: &str) -> ToServerKind {
    ToServerKind::WebSocketClose { code: Some(code), reason: Some(reason.to_owned()), hibernate: false }
}

/// The refusal that the client got in place of its WebSocket: status, code, and what it says of it.
fn refusal(opened: Opened) -> (u16, String, serde_json::Value) {
    let Err(Error::Http(response)) = opened else { panic!("a refusal was expected") };
    let code = response.headers()["x-rivet-error"].to_str().unwrap().to_owned();
    let body = serde_json::from_slice(response.body().as_deref().unwrap_or(b"null")).unwrap();
    (response.status().as_u16(), code, body)
}

#[test]
fn a_client_is_let_in_after_its_actor_and_both_hear_each_other_until_it_closes() {
    let folder = tempfile::tempdir().unwrap();
    run(async {
        let (node, mut runner, actor) = stage(folder.path()).await;
        let client = ask(&node, format!("/gateway/{actor}@token/websocket/a?b=c"));
        let (id, kind) = runner.request().await;
        let ToClientKind::WebSocketOpen { actor_id, path, headers } = kind else { panic!("{kind:?}") };
        assert_eq!((actor_id, path.as_str()), (actor.parse::<ActorId>().unwrap(), "/websocket/a?b=c"));
        assert_eq!((headers.get("x-own"), headers.get("upgrade")), (Some("1"), Some("websocket")));
        let ray = headers.get("x-rivet-ray-id").unwrap().to_owned();
        assert!(!client.is_finished(), "its actor has not accepted");
        accept(&mut runner, id).await;
        let (mut client, response) = client.await.unwrap().unwrap();
        assert_eq!(response.headers()["sec-websocket-protocol"], "rivet");
        assert_eq!(response.headers()["x-rivet-ray-id"], ray);

        client.send(Message::text("one")).await.unwrap();
        client.send(Message::binary("two")).await.unwrap();
        let message =
            |data: &'static str, binary| ToClientKind::WebSocketMessage { data: data.into(), binary };
        assert_eq!(told(&mut runner, id, 1).await, message("one", false));
        assert_eq!(told(&mut runner, id, 2).await, message("two", true));
        runner.respond(id, 1, said("three", false)).await;
        runner.respond(id, 2, said("four", true)).await;
        assert_eq!(client.next().await.unwrap().unwrap(), Message::text("three"));
        assert_eq!(client.next().await.unwrap().unwrap(), Message::binary("four"));

        client.close(Some(CloseFrame { code: 4000.into(), reason: "bye".into() })).await.unwrap();
        assert_eq!(told_close(&mut runner, id, 3).await, (4000, "bye".to_owned()));
        assert_eq!(closed(&mut client).await, (4000, "bye".to_owned()));
        assert!(client.next().await.is_none(), "the connection ends in order");
        at_rest(&node).await;
        node.stop().await;
    });
}

#[test]
fn an_actor_closes_in_its_own_words_as_far_as_frames_carry_them() {
    let folder = tempfile::tempdir().unwrap();
    run(async {
        let (node, mut runner, actor) = stage(folder.path()).await;
        let none = ToServerKind::WebSocketClose { code: None, reason: None, hibernate: false };
        let cases = [
            (close_with(4001, "enough"), (4001, "enough")),
            (none, (1000, "")),
            (close_with(1006, "abnormal"), (1011, "abnormal")),
        ];
        for (close, (code, reason)) in cases {
            let (mut client, id) = open(&node, &mut runner, &actor).await;
            runner.respond(id, 1, said("last words", false)).await;
            runner.respond(id, 2, close).await;
            assert_eq!(client.next().await.unwrap().unwrap(), Message::text("last words"));
            assert_eq!(closed(&mut client).await, (code, reason.to_owned()));
            at_rest(&node).await;
        }
        node.stop().await;
    });
}

#[test]
fn a_runner_that_vanishes_and_a_client_that_vanishes_are_told_to_the_other() {
    let folder = tempfile::tempdir().unwrap();
    run(async {
        let (node, mut runner, actor) = stage(folder.path()).await;
        let (client, id) = open(&node, &mut runner, &actor).await;
        drop(client);
        assert_eq!(told_close(&mut runner, id, 1).await, (1011, "ws.downstream_closed".to_owned()));
        let (mut client, _) = open(&node, &mut runner, &actor).await;
        drop(runner);
        let (code, reason) = closed(&mut client).await;
        let (reason, ray) = reason.split_once('#').unwrap();
        assert_eq!((code, reason, ray.len()), (1011, "actor.lost", 30));
        node.stop().await;
    });
}

#[test]
fn until_it_is_let_in_a_client_gets_an_answer_with_a_status() {
    let folder = tempfile::tempdir().unwrap();
    run(async {
        let (node, mut runner, actor) = stage_with(folder.path(), |options| {
            options.gateway.open_timeout = Duration::from_millis(100);
            options.gateway.retry_delay = Duration::from_millis(10);
        })
        .await;
        let path = format!("/gateway/{actor}/websocket");
        let client = ask(&node, path.clone());
        let id = asked(&mut runner).await;
        runner.respond(id, 0, close_with(4003, "not you")).await;
        let (status, code, body) = refusal(client.await.unwrap());
        assert_eq!((status, code.as_str()), (502, "guard.websocket_closed_before_open"));
        let expected = serde_json::json!({"close_code": 4003, "close_reason": "not you"});
        assert!(body.is_null() || body["metadata"] == expected, "{body}");

        let client = ask(&node, path.clone());
        let id = asked(&mut runner).await;
        let (status, code, _) = refusal(client.await.unwrap());
        assert_eq!((status, code.as_str()), (504, "guard.websocket_open_timeout"));
        assert_eq!(told_close(&mut runner, id, 1).await, (1011, "guard.websocket_open_timeout".to_owned()));

        let (status, code, _) =
            refusal(ask(&node, format!("/gateway/{}al00/x", "0".repeat(26))).await.unwrap());
        assert_eq!((status, code.as_str()), (404, "actor.not_found"));

        // Sent back, it is tried again.
        for reason in ["runner.actor_not_found", "envoy.actor_not_found#ray", "Actor not found"] {
            let client = ask(&node, path.clone());
            let id = asked(&mut runner).await;
            runner.respond(id, 0, close_with(1011, reason)).await;
            let again = asked(&mut runner).await;
            accept(&mut runner, again).await;
            let (mut client, _) = client.await.unwrap().unwrap();
            runner.respond(again, 1, close_with(1000, "")).await;
            assert_eq!(closed(&mut client).await.0, 1000);
        }
        at_rest(&node).await;
        node.stop().await;
    });
}

#[test]
fn a_message_that_is_not_carried_ends_its_own_websocket_only() {
    let folder = tempfile::tempdir().unwrap();
    run(async {
        let (node, mut runner, actor) = stage(folder.path()).await;
        let (mut client, id) = open(&node, &mut runner, &actor).await;
        let largest = Bytes::from(vec![b'x'; WEBSOCKET_MESSAGE_BYTES_MAX]);
        client.send(Message::Binary(largest.clone())).await.unwrap();
        let message = ToClientKind::WebSocketMessage { data: largest, binary: true };
        assert!(told(&mut runner, id, 1).await == message, "the largest message passes");
        // A masked text frame of so many bytes, which do not come.
        let mut head = vec![0x81, 0xff];
        head.extend((WEBSOCKET_MESSAGE_BYTES_MAX as u64 + 1).to_be_bytes());
        head.extend([0; 4]);
        client.get_mut().write_all(&head).await.unwrap();
        let too_large = |(code, reason): (u16, String)| {
            assert_eq!((code, reason.split('#').next()), (1009, Some("ws.message_too_large")));
        };
        too_large(told_close(&mut runner, id, 2).await);
        too_large(closed(&mut client).await);

        let (mut client, id) = open(&node, &mut runner, &actor).await;
        client.get_mut().write_all(&[0x81, 0x81, 0, 0, 0, 0, 0xff]).await.unwrap();
        assert_eq!(told_close(&mut runner, id, 1).await, (1007, "ws.invalid_text".to_owned()));
        assert_eq!(closed(&mut client).await.0, 1007);

        let (mut client, id) = open(&node, &mut runner, &actor).await;
        let data = Bytes::from(vec![b'x'; WEBSOCKET_MESSAGE_BYTES_MAX + 1]);
        runner.respond(id, 1, ToServerKind::WebSocketMessage { data, binary: true }).await;
        too_large(told_close(&mut runner, id, 1).await);
        too_large(closed(&mut client).await);

        let (mut client, id) = open(&node, &mut runner, &actor).await;
        let data = Bytes::from_static(b"\xff");
        runner.respond(id, 1, ToServerKind::WebSocketMessage { data, binary: false }).await;
        assert_eq!(told_close(&mut runner, id, 1).await.0, 1007);
        assert_eq!(closed(&mut client).await.0, 1007);
        at_rest(&node).await;
        node.stop().await;
    });
}

#[test]
fn a_client_that_does_not_read_costs_its_own_websocket_only() {
    let folder = tempfile::tempdir().unwrap();
    run(async {
        let (node, mut runner, actor) = stage_with(folder.path(), |options| {
            options.gateway.websocket_bytes_max = 3 * 1024 * 1024;
        })
        .await;
        let (slow, slow_id) = open(&node, &mut runner, &actor).await;
        let (mut quick, quick_id) = open(&node, &mut runner, &actor).await;
        let data = Bytes::from(vec![b'x'; 1024 * 1024]);
        // More than the kernel keeps for two ends of a loopback connection, and the bound.
        let message = || ToServerKind::WebSocketMessage { data: data.clone(), binary: true };
        for index in 1..=20 {
            runner.respond(slow_id, index, message()).await;
        }
        // Who reads may read more than may wait.
        for index in 1..=6 {
            runner.respond(quick_id, index, message()).await;
            assert_eq!(quick.next().await.unwrap().unwrap().len(), data.len());
        }
        let end = told_close(&mut runner, slow_id, 1).await;
        assert_eq!(end, (1011, "guard.websocket_pending_limit_reached".to_owned()));
        drop(slow);
        drop(quick);
        assert_eq!(told_close(&mut runner, quick_id, 1).await.0, 1011);
        at_rest(&node).await;
        node.stop().await;
    });
}

#[test]
fn a_client_that_answers_no_ping_is_given_up_and_one_that_does_is_kept() {
    let folder = tempfile::tempdir().unwrap();
    run(async {
        let (node, mut runner, actor) = stage_with(folder.path(), |options| {
            options.gateway.websocket_ping = Duration::from_millis(20);
            options.gateway.websocket_timeout = Duration::from_millis(200);
        })
        .await;
        let (mut live, live_id) = open(&node, &mut runner, &actor).await;
        let reading = runtime::spawn("a client that reads", async move {
            loop {
                match live.next().await.unwrap().unwrap() {
                    Message::Text(text) => return text,
                    other => assert!(other.is_ping(), "{other:?}"),
                }
            }
        });
        let (silent, silent_id) = open(&node, &mut runner, &actor).await;
        assert_eq!(told_close(&mut runner, silent_id, 1).await, (1011, "ws.timed_out".to_owned()));
        runner.respond(live_id, 1, said("still there?", false)).await;
        assert_eq!(reading.await.unwrap().as_str(), "still there?");
        drop(silent);
        node.stop().await;
    });
}

#[test]
fn an_engine_that_stops_sends_its_clients_away() {
    let folder = tempfile::tempdir().unwrap();
    run(async {
        let (node, mut runner, actor) = stage(folder.path()).await;
        let (mut client, _) = open(&node, &mut runner, &actor).await;
        let stopping = runtime::spawn("stop", node.stop());
        let (code, reason) = closed(&mut client).await;
        assert_eq!((code, reason.split('#').next()), (1011, Some("ws.going_away")));
        drop((client, runner));
        stopping.await.unwrap();
    });
}

#[test]
fn websockets_are_counted_and_what_is_no_handshake_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    run(async {
        let (node, mut runner, actor) =
            stage_with(folder.path(), |options| options.gateway.websockets_max = 1).await;
        let (client, _) = open(&node, &mut runner, &actor).await;
        let page = node.get("/metrics").await;
        let page = String::from_utf8(page.body.to_vec()).unwrap();
        assert!(page.contains("rehearsal_gateway_websockets 1"), "{page}");
        let path = format!("/gateway/{actor}/websocket");
        let (status, code, _) = refusal(ask(&node, path.clone()).await.unwrap());
        assert_eq!((status, code.as_str()), (503, "guard.service_unavailable"));
        drop(client);
        let headers = [("connection", "Upgrade"), ("upgrade", "websocket"), ("sec-websocket-version", "13")];
        for method in ["POST", "GET"] {
            let response = call_with(node.address, method, &path, &headers, Bytes::new()).await;
            assert_eq!(
                response.refusal(),
                (400, "guard.invalid_request".to_owned()),
                "{method} without a key"
            );
        }
        node.stop().await;
    });
}
