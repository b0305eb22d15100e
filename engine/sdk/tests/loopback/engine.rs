//! The engine's side of a runner socket, played by a test.

use std::net::SocketAddr;
use std::time::Duration;

use bytes::Bytes;
use futures_util::{SinkExt, StreamExt};
use http::HeaderValue;
use protocol::error::CloseReason;
use protocol::id::{ActorId, GatewayId, Generation, RequestId, RunnerId};
use protocol::wire::{
    self, ActorConfig, Checkpoint, Command, CommandWrapper, EventWrapper, Headers, KvRequest, KvRequestData,
    KvResponse, KvResponseData, MessageId, ProtocolMetadata, StartActor, ToClient, ToClientInit,
    ToClientKind, ToClientTunnelMessage, ToServer, ToServerInit, ToServerKind, ToServerTunnelMessage,
};
use runtime::{TcpListener, TcpStream};
use sdk::Endpoint;
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::handshake::server::{ErrorResponse, Request, Response};
use tokio_tungstenite::tungstenite::protocol::CloseFrame;

pub(crate) const RUNNER: [u8; 16] = [7; 16];

pub(crate) fn actor(number: u8) -> ActorId {
    ActorId::from_entropy([number; 16])
}

/// A listening engine.
pub(crate) struct Engine {
    listener: TcpListener,
}

/// One runner's socket.
pub(crate) struct Socket {
    stream: WebSocketStream<TcpStream>,
    /// Path and query of the upgrade.
    pub(crate) target: String,
    pub(crate) subprotocols: String,
}

/// A response, as the gateway sees it.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) headers: Headers,
    pub(crate) body: String,
}

impl Answer {
    /// The answer that a message is, which must be for this number.
    pub(crate) fn of(number: u32, message: ToServerTunnelMessage) -> Self {
        Self::of_kind(numbered(number, message))
    }

    fn of_kind(kind: ToServerKind) -> Self {
        match kind {
            ToServerKind::ResponseStart { status, headers, body, stream } => {
                assert!(!stream, "answers are whole");
                let body = String::from_utf8(body.unwrap_or_default().to_vec()).unwrap();
                assert_eq!(headers.get("content-length"), Some(body.len().to_string().as_str()));
                Self { status, headers, body }
            }
            other => panic!("instead of an answer came {other:?}"),
        }
    }
}

/// What a message of the tunnel says, which must be for this number.
fn numbered(number: u32, message: ToServerTunnelMessage) -> ToServerKind {
    assert_eq!(message.message_id.gateway_id, GatewayId::from_u32(1));
    assert_eq!(message.message_id.request_id, RequestId::from_u32(number));
    assert_eq!(message.message_id.message_index, 0);
    message.message_kind
}

impl Engine {
    pub(crate) async fn listen() -> Self {
        Self::at("127.0.0.1:0".parse().unwrap()).await
    }

    pub(crate) async fn at(address: SocketAddr) -> Self {
        Self { listener: TcpListener::bind(address).await.unwrap() }
    }

    pub(crate) fn endpoint(&self) -> Endpoint {
        format!("http://{}", self.listener.local_addr().unwrap()).parse().unwrap()
    }

    /// Takes the next connection as it is.
    pub(crate) async fn accept_raw(&self) -> TcpStream {
        self.listener.accept().await.unwrap().0
    }

    /// Takes the next runner's socket.
    #[expect(clippy::result_large_err, reason = "the library's callback has this shape")]
    pub(crate) async fn accept(&self) -> Socket {
        let (mut target, mut subprotocols) = (String::new(), String::new());
        let upgrade = |request: &Request, mut response: Response| -> Result<Response, ErrorResponse> {
            target = request.uri().to_string();
            subprotocols = request.headers()["sec-websocket-protocol"].to_str().unwrap().to_owned();
            response.headers_mut().insert("sec-websocket-protocol", HeaderValue::from_static("rivet"));
            Ok(response)
        };
        let stream = self.accept_raw().await;
        let stream = tokio_tungstenite::accept_hdr_async(stream, upgrade).await.unwrap();
        Socket { stream, target, subprotocols }
    }

    /// Takes the next runner's socket and greets it.
    pub(crate) async fn session(&self) -> Socket {
        self.session_with(Some(10_000)).await
    }

    pub(crate) async fn session_with(&self, drain_grace: Option<i64>) -> Socket {
        let mut socket = self.accept().await;
        socket.hello().await;
        socket.greet(drain_grace).await;
        socket
    }
}

impl Socket {
    /// The next message that matters: an engine may do without acknowledgements of commands.
    pub(crate) async fn recv(&mut self) -> ToServer {
        loop {
            match self.recv_any().await {
                ToServer::AckCommands { .. } => {}
                other => return other,
            }
        }
    }

    pub(crate) async fn recv_any(&mut self) -> ToServer {
        loop {
            match self.stream.next().await.expect("the runner's socket is open").unwrap() {
                Message::Binary(frame) => return wire::decode(&frame).unwrap(),
                Message::Ping(_) | Message::Pong(_) => {}
                other => panic!("the runner sent {other:?}"),
            }
        }
    }

    pub(crate) async fn send(&mut self, message: ToClient) {
        self.stream.send(Message::Binary(wire::encode(&message))).await.unwrap();
    }

    pub(crate) async fn send_raw(&mut self, message: Message) {
        self.stream.send(message).await.unwrap();
    }

    /// Whether the runner says nothing for a moment.
    pub(crate) async fn quiet(&mut self) -> bool {
        runtime::timeout(Duration::from_millis(100), self.recv()).await.is_err()
    }

    pub(crate) async fn hello(&mut self) -> ToServerInit {
        match self.recv().await {
            ToServer::Init(init) => init,
            other => panic!("the first frame is {other:?}"),
        }
    }

    pub(crate) async fn greet(&mut self, drain_grace: Option<i64>) {
        self.greet_with(drain_grace, 1_800_000).await;
    }

    pub(crate) async fn greet_with(&mut self, drain_grace: Option<i64>, actor_stop_threshold: i64) {
        self.send(ToClient::Init(ToClientInit {
            runner_id: RunnerId::from_entropy(RUNNER),
            metadata: ProtocolMetadata {
                runner_lost_threshold: 15_000,
                actor_stop_threshold,
                serverless_drain_grace_period: drain_grace,
            },
        }))
        .await;
    }

    pub(crate) async fn start(&mut self, actor: ActorId, name: &str) {
        let config = ActorConfig { name: name.into(), key: Some("k".into()), create_ts: 1, input: None };
        let start = Command::StartActor(StartActor { config, hibernating_requests: Vec::new() });
        self.command(actor, 0, start).await;
    }

    pub(crate) async fn stop(&mut self, actor: ActorId) {
        self.command(actor, 1, Command::StopActor).await;
    }

    async fn command(&mut self, actor_id: ActorId, index: i64, inner: Command) {
        let checkpoint = Checkpoint { actor_id, generation: Generation(1), index };
        self.send(ToClient::Commands(vec![CommandWrapper { checkpoint, inner }])).await;
    }

    pub(crate) async fn events(&mut self) -> Vec<EventWrapper> {
        match self.recv().await {
            ToServer::Events(events) => events,
            other => panic!("instead of events came {other:?}"),
        }
    }

    pub(crate) async fn ack(&mut self, events: &[EventWrapper]) {
        let last_event_checkpoints = events.iter().map(|event| event.checkpoint).collect();
        self.send(ToClient::AckEvents { last_event_checkpoints }).await;
    }

    pub(crate) async fn kv(&mut self) -> KvRequest {
        match self.recv().await {
            ToServer::KvRequest(request) => request,
            other => panic!("instead of a storage request came {other:?}"),
        }
    }

    pub(crate) async fn kv_answer(&mut self, request_id: u32, data: KvResponseData) {
        self.send(ToClient::KvResponse(KvResponse { request_id, data })).await;
    }

    /// Answers an actor that looks for what it has stored that there is nothing.
    pub(crate) async fn nothing_stored(&mut self) {
        let request = self.kv().await;
        assert!(matches!(request.data, KvRequestData::List { .. }), "{request:?}");
        let nothing = KvResponseData::List { keys: Vec::new(), values: Vec::new(), metadata: Vec::new() };
        self.kv_answer(request.request_id, nothing).await;
    }

    /// Sends a request of an actor's own kind to it and gives it this number.
    pub(crate) async fn request(
        &mut self,
        number: u32,
        actor_id: ActorId,
        method: &str,
        path: &str,
        body: &str,
    ) {
        self.request_at(number, actor_id, method, &format!("/request{path}"), body).await;
    }

    /// Sends any request to an actor and gives it this number.
    pub(crate) async fn request_at(
        &mut self,
        number: u32,
        actor_id: ActorId,
        method: &str,
        path: &str,
        body: &str,
    ) {
        let body = (!body.is_empty()).then(|| Bytes::from(body.to_owned()));
        let (method, path, headers) = (method.to_owned(), path.to_owned(), Headers::new());
        let kind = ToClientKind::RequestStart { actor_id, method, path, headers, body, stream: false };
        self.tunnel(number, kind).await;
    }

    pub(crate) async fn tunnel(&mut self, number: u32, message_kind: ToClientKind) {
        let (gateway_id, request_id) = (GatewayId::from_u32(1), RequestId::from_u32(number));
        let message_id = MessageId { gateway_id, request_id, message_index: 0 };
        self.send(ToClient::TunnelMessage(ToClientTunnelMessage { message_id, message_kind })).await;
    }

    /// The next message of the tunnel, which must be for this number.
    pub(crate) async fn tunnelled(&mut self, number: u32) -> ToServerKind {
        match self.recv().await {
            ToServer::TunnelMessage(message) => numbered(number, message),
            other => panic!("instead of a tunnel message came {other:?}"),
        }
    }

    pub(crate) async fn answer(&mut self, number: u32) -> Answer {
        Answer::of_kind(self.tunnelled(number).await)
    }

    /// Closes the socket for this reason.
    pub(crate) async fn close(mut self, reason: CloseReason) {
        let frame = CloseFrame { code: reason.code().into(), reason: reason.as_str().into() };
        self.send_raw(Message::Close(Some(frame))).await;
        while let Some(Ok(_)) = self.stream.next().await {}
    }

    /// The runner's close frame, as code and reason; none if it just goes.
    pub(crate) async fn closed(&mut self) -> Option<(u16, String)> {
        loop {
            match self.stream.next().await {
                Some(Ok(Message::Close(frame))) => {
                    let frame = frame.expect("the runner says why it closes");
                    return Some((frame.code.into(), frame.reason.to_string()));
                }
                Some(Ok(_)) => {}
                Some(Err(_)) | None => return None,
            }
        }
    }
}
