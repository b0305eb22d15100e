//! Clients' WebSockets through the tunnel, and their client's end.

use bytes::Bytes;
use futures_util::{SinkExt, StreamExt};
use http::HeaderMap;
use protocol::error::CloseReason;
use protocol::wire::{ActorState, Event, Headers, ToClientKind, ToServer, ToServerKind};
use runtime::TcpListener;
use sdk::{Client, ClientError, CloseInfo, Message, SendError};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio_tungstenite::tungstenite::Message as Content;
use tokio_tungstenite::tungstenite::handshake::server::{ErrorResponse, Request, Response};
use tokio_tungstenite::tungstenite::protocol::CloseFrame;

use crate::engine::{Socket, actor};
use crate::session::{echo, running};
use crate::test;

async fn open(socket: &mut Socket, number: u32, path: &str) {
    let (actor_id, path, headers) = (actor(1), format!("/websocket{path}"), Headers::new());
    socket.tunnel(number, ToClientKind::WebSocketOpen { actor_id, path, headers }).await;
}

async fn say(socket: &mut Socket, number: u32, data: &'static [u8], binary: bool) {
    let data = Bytes::from_static(data);
    socket.tunnel(number, ToClientKind::WebSocketMessage { data, binary }).await;
}

/// The next piece of this WebSocket, which must have this index.
async fn piece(socket: &mut Socket, number: u32, index: u16) -> ToServerKind {
    match socket.recv().await {
        ToServer::TunnelMessage(message) => {
            assert_eq!(message.message_id.request_id.to_u32(), number);
            assert_eq!(message.message_id.message_index, index, "{message:?}");
            message.message_kind
        }
        other => panic!("instead of a piece of a WebSocket came {other:?}"),
    }
}

const OPENED: ToServerKind = ToServerKind::WebSocketOpen { can_hibernate: false };

fn said(data: &'static [u8], binary: bool) -> ToServerKind {
    ToServerKind::WebSocketMessage { data: Bytes::from_static(data), binary }
}

fn closed(code: u16, reason: &str) -> ToServerKind {
    ToServerKind::WebSocketClose { code: Some(code), reason: Some(reason.to_owned()), hibernate: false }
}

fn end(code: u16, reason: &str) -> CloseInfo {
    CloseInfo { code, reason: reason.to_owned() }
}

#[test]
fn what_is_said_is_heard_in_order_and_the_clients_close_ends_it() {
    test(async {
        let (_engine, _run, mut socket, probe) = running("talker").await;
        open(&mut socket, 1, "/a?b").await;
        open(&mut socket, 2, "/").await;
        assert_eq!(piece(&mut socket, 1, 0).await, OPENED);
        assert_eq!(piece(&mut socket, 2, 0).await, OPENED);
        say(&mut socket, 1, b"one", false).await;
        say(&mut socket, 1, b"\xff", true).await;
        assert_eq!(piece(&mut socket, 1, 1).await, said(b"one", false));
        assert_eq!(piece(&mut socket, 1, 2).await, said(b"\xff", true));
        say(&mut socket, 2, b"other", false).await;
        assert_eq!(piece(&mut socket, 2, 1).await, said(b"other", false));
        // Requests are answered meanwhile.
        socket.request(3, actor(1), "GET", "/", "").await;
        assert_eq!(socket.answer(3).await.body, "ok");
        let close = ToClientKind::WebSocketClose { code: Some(4000), reason: Some("bye".to_owned()) };
        socket.tunnel(1, close).await;
        // Nothing is said on it any more; the other one goes on.
        say(&mut socket, 1, b"late", false).await;
        say(&mut socket, 2, b"more", false).await;
        assert_eq!(piece(&mut socket, 2, 2).await, said(b"more", false));
        assert_eq!(*probe.ends.lock(), [end(4000, "bye")]);
    });
}

#[test]
fn an_actor_refuses_closes_and_has_no_websockets_at_all() {
    test(async {
        let (_engine, _run, mut socket, _) = running("talker").await;
        open(&mut socket, 1, "/refuse").await;
        assert_eq!(piece(&mut socket, 1, 0).await, closed(4003, "not you"));
        open(&mut socket, 2, "/bye").await;
        assert_eq!(piece(&mut socket, 2, 0).await, OPENED);
        assert_eq!(piece(&mut socket, 2, 1).await, said(b"bye", false));
        assert_eq!(piece(&mut socket, 2, 2).await, closed(4000, "done"));
        let (actor_id, path, headers) = (actor(9), "/".to_owned(), Headers::new());
        socket.tunnel(3, ToClientKind::WebSocketOpen { actor_id, path, headers }).await;
        assert_eq!(piece(&mut socket, 3, 0).await, closed(1011, "runner.actor_not_found"));
        open(&mut socket, 4, " no path").await;
        assert_eq!(piece(&mut socket, 4, 0).await, closed(1011, "request.invalid"));
        open(&mut socket, 5, "s/elsewhere").await;
        assert_eq!(piece(&mut socket, 5, 0).await, closed(1011, "actor.not_found"));

        let (_engine, _run, mut socket, _) = echo().await;
        open(&mut socket, 1, "/").await;
        assert_eq!(piece(&mut socket, 1, 0).await, closed(1011, "actor.websocket_unsupported"));
    });
}

#[test]
fn an_actor_that_stops_has_closed_its_websockets_before() {
    test(async {
        let (_engine, _run, mut socket, probe) = running("talker").await;
        open(&mut socket, 1, "/").await;
        assert_eq!(piece(&mut socket, 1, 0).await, OPENED);
        open(&mut socket, 2, "/wait").await;
        // Both have it: a request that came later was answered.
        socket.request(3, actor(1), "GET", "/", "").await;
        assert_eq!(socket.answer(3).await.status, 200);
        socket.stop(actor(1)).await;
        assert_eq!(piece(&mut socket, 1, 1).await, closed(1000, "actor.stopped"));
        // Its client was not let in: it may be tried elsewhere.
        assert_eq!(piece(&mut socket, 2, 0).await, closed(1011, "runner.actor_not_found"));
        let events = socket.events().await;
        assert!(matches!(events[0].inner, Event::ActorStateUpdate { state: ActorState::Stopped { .. } }));
        let stopped = end(1000, "actor.stopped");
        assert_eq!(*probe.ends.lock(), [stopped.clone(), stopped]);
    });
}

#[test]
fn a_websocket_is_over_with_its_session() {
    test(async {
        let (engine, _run, mut socket, probe) = running("talker").await;
        open(&mut socket, 1, "/").await;
        assert_eq!(piece(&mut socket, 1, 0).await, OPENED);
        socket.close(CloseReason::GoingAway).await;
        let mut socket = engine.session().await;
        // The same name on the next session is another one.
        open(&mut socket, 1, "/").await;
        assert_eq!(piece(&mut socket, 1, 0).await, OPENED);
        say(&mut socket, 1, b"again", false).await;
        assert_eq!(piece(&mut socket, 1, 1).await, said(b"again", false));
        assert_eq!(*probe.ends.lock(), [end(1006, "ws.disconnected")]);
    });
}

#[test]
fn an_actor_that_does_not_read_loses_its_own_websocket_only() {
    test(async {
        let (_engine, _run, mut socket, probe) = running("talker").await;
        open(&mut socket, 1, "/deaf").await;
        assert_eq!(piece(&mut socket, 1, 0).await, OPENED);
        for _ in 0..4096 + 1 {
            say(&mut socket, 1, b"x", false).await;
        }
        assert_eq!(piece(&mut socket, 1, 1).await, closed(1011, "guard.websocket_pending_limit_reached"));
        open(&mut socket, 2, "/").await;
        assert_eq!(piece(&mut socket, 2, 0).await, OPENED);
        // Who reads may read more than may wait.
        for index in 1..=4096 + 1 {
            say(&mut socket, 2, b"x", false).await;
            assert_eq!(piece(&mut socket, 2, index).await, said(b"x", false));
        }
        assert_eq!(*probe.ends.lock(), [end(1011, "guard.websocket_pending_limit_reached")]);
    });
}

/// A client, and the listener of the engine that the test plays.
async fn client() -> (Client, TcpListener) {
    let listener = TcpListener::bind("127.0.0.1:0".parse().unwrap()).await.unwrap();
    let endpoint = format!("http://{}", listener.local_addr().unwrap()).parse().unwrap();
    (Client::new(endpoint, "default", Some("secret".into())), listener)
}

#[test]
#[expect(clippy::result_large_err, reason = "the library's callback has this shape")]
fn a_client_talks_until_one_side_closes() {
    test(async {
        let (client, listener) = client().await;
        let engine = runtime::spawn("engine", async move {
            let mut asked = String::new();
            let note = |request: &Request, response: Response| -> Result<Response, ErrorResponse> {
                asked = format!("{} {:?}", request.uri(), request.headers()["authorization"]);
                Ok(response)
            };
            let stream = listener.accept().await.unwrap().0;
            let mut socket = tokio_tungstenite::accept_hdr_async(stream, note).await.unwrap();
            while let Some(Ok(message)) = socket.next().await {
                if message.is_text() || message.is_binary() {
                    socket.send(Content::Ping(Bytes::new())).await.unwrap();
                    socket.send(message).await.unwrap();
                }
            }
            let stream = listener.accept().await.unwrap().0;
            let mut socket = tokio_tungstenite::accept_async(stream).await.unwrap();
            let frame = CloseFrame { code: 1011.into(), reason: "actor.lost#ray".into() };
            socket.close(Some(frame)).await.unwrap();
            while let Some(Ok(_)) = socket.next().await {}
            asked
        });
        let mut socket = client.websocket(actor(1), "/a?b", HeaderMap::new()).await.unwrap();
        for message in [Message::from("one"), Message::from(Bytes::from_static(b"\xff"))] {
            socket.send(message.clone()).await.unwrap();
            assert_eq!(socket.recv().await, Some(message));
        }
        socket.close(4000, "bye").await;
        assert_eq!(socket.end(), Some(&end(4000, "bye")));

        let mut socket = client.websocket(actor(1), "/", HeaderMap::new()).await.unwrap();
        assert_eq!(socket.recv().await, None);
        assert_eq!(socket.end(), Some(&end(1011, "actor.lost#ray")));
        let error = socket.send("late").await.unwrap_err();
        assert_eq!(error, SendError::Closed(end(1011, "actor.lost#ray")));
        let asked = engine.await.unwrap();
        assert_eq!(asked, format!("/gateway/{}/a?b \"Bearer secret\"", actor(1)));
    });
}

#[test]
fn a_client_that_is_refused_hears_why() {
    test(async {
        let (client, listener) = client().await;
        drop(runtime::spawn("engine", async move {
            let body = r#"{"group":"guard","code":"websocket_closed_before_open","message":"4003 no"}"#;
            let refusal = format!(
                "HTTP/1.1 502 Bad Gateway\r\nx-rivet-error: guard.websocket_closed_before_open\r\n\
                 content-length: {}\r\n\r\n{body}",
                body.len()
            );
            let forged = "HTTP/1.1 101 Switching Protocols\r\nconnection: upgrade\r\nupgrade: websocket\r\n\
                          sec-websocket-accept: forged\r\n\r\n";
            for answer in [refusal.as_str(), forged] {
                let mut stream = listener.accept().await.unwrap().0;
                let mut head = [0; 64];
                stream.read_exact(&mut head).await.unwrap();
                stream.write_all(answer.as_bytes()).await.unwrap();
                let mut rest = Vec::new();
                stream.shutdown().await.unwrap();
                stream.read_to_end(&mut rest).await.ok();
            }
        }));
        let error = client.websocket(actor(1), "/", HeaderMap::new()).await.unwrap_err();
        let ClientError::Engine { status: 502, body, .. } = error else { panic!("{error:?}") };
        assert_eq!(body.code, "websocket_closed_before_open");
        let error = client.websocket(actor(1), "/", HeaderMap::new()).await.unwrap_err();
        assert!(matches!(error, ClientError::Undecodable { status: 101, .. }), "{error:?}");
    });
}
