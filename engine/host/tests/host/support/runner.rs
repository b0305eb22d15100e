//! A runner played by hand, frame by frame.

use std::net::SocketAddr;
use std::time::Duration;

use bytes::Bytes;
use futures_util::{SinkExt as _, StreamExt as _};
use protocol::id::{ActorId, Generation, RunnerId};
use protocol::wire::{
    self, ActorState, Checkpoint, Command, CommandWrapper, Event, EventWrapper, Headers, KvRequest,
    KvRequestData, KvResponseData, MessageId, ToClient, ToClientInit, ToClientKind, ToServer, ToServerInit,
    ToServerKind, ToServerTunnelMessage,
};
use runtime::TcpStream;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::client::IntoClientRequest as _;
use tokio_tungstenite::tungstenite::protocol::WebSocketConfig;
use tokio_tungstenite::{WebSocketStream, client_async_with_config};

/// The runner's end of a socket.
pub(crate) struct Runner {
    socket: WebSocketStream<TcpStream>,
}

impl Runner {
    /// Connects without Init.
    pub(crate) async fn dial(address: SocketAddr, key: &str) -> Self {
        Self::dial_with(address, key, "secret").await
    }

    async fn dial_with(address: SocketAddr, key: &str, token: &str) -> Self {
        let url =
            format!("ws://{address}/runners/connect?protocol_version=7&namespace=default&runner_key={key}");
        let mut request = url.into_client_request().unwrap();
        let offered = format!("rivet, rivet_token.{token}").parse().unwrap();
        request.headers_mut().insert("sec-websocket-protocol", offered);
        let stream = TcpStream::connect(address).await.unwrap();
        // As large as the engine likes.
        let config = WebSocketConfig::default().max_message_size(None).max_frame_size(None);
        let (socket, response) = client_async_with_config(request, stream, Some(config)).await.unwrap();
        assert_eq!(response.headers()["sec-websocket-protocol"], "rivet");
        assert_eq!(response.headers()["x-rivet-ray-id"].len(), 30);
        Self { socket }
    }

    /// Connects and says who it is; passes the barrier of the first ping.
    pub(crate) async fn connect(address: SocketAddr, key: &str) -> (Self, RunnerId) {
        Self::connect_with(address, key, "secret").await
    }

    /// The same, with a token that matters.
    pub(crate) async fn connect_with(address: SocketAddr, key: &str, token: &str) -> (Self, RunnerId) {
        let mut runner = Self::dial_with(address, key, token).await;
        runner.init().await;
        let ToClient::Init(ToClientInit { runner_id, metadata }) = runner.hear().await else {
            panic!("the answer to init comes first");
        };
        assert_eq!(metadata.runner_lost_threshold, 15_000);
        let ToClient::Ping { ts } = runner.hear().await else { panic!("then the barrier") };
        runner.say(&ToServer::Pong { ts }).await;
        (runner, runner_id)
    }

    pub(crate) async fn init(&mut self) {
        let init = ToServerInit {
            name: "default".to_owned(),
            version: 1,
            total_slots: 4,
            prepopulate_actor_names: None,
            metadata: None,
        };
        self.say(&ToServer::Init(init)).await;
    }

    pub(crate) async fn say(&mut self, message: &ToServer) {
        self.say_raw(Message::Binary(wire::encode(message))).await;
    }

    pub(crate) async fn say_raw(&mut self, message: Message) {
        self.socket.send(message).await.unwrap();
    }

    /// The next message of the engine.
    pub(crate) async fn hear(&mut self) -> ToClient {
        match self.socket.next().await {
            Some(Ok(Message::Binary(frame))) => wire::decode(&frame).unwrap(),
            other => panic!("a frame was expected: {other:?}"),
        }
    }

    /// The next message that is no ping; pings are answered.
    pub(crate) async fn next(&mut self) -> ToClient {
        loop {
            match self.hear().await {
                ToClient::Ping { ts } => self.say(&ToServer::Pong { ts }).await,
                ToClient::AckEvents { .. } => {}
                other => return other,
            }
        }
    }

    /// Code and reason of the close that comes next.
    pub(crate) async fn closed(&mut self) -> (u16, String) {
        loop {
            match self.socket.next().await {
                Some(Ok(Message::Close(Some(frame)))) => {
                    return (frame.code.into(), frame.reason.as_str().to_owned());
                }
                Some(Ok(_)) => {}
                other => panic!("a close frame was expected: {other:?}"),
            }
        }
    }

    /// The same, by a runner that goes on talking meanwhile.
    pub(crate) async fn closed_while_talking(&mut self) -> (u16, String) {
        loop {
            // The engine may close while this is written; what it said then is still there to be read.
            self.socket.send(Message::Binary(wire::encode(&ToServer::Pong { ts: 0 }))).await.ok();
            if let Ok(closed) = runtime::timeout(Duration::from_millis(1), self.closed()).await {
                return closed;
            }
        }
    }

    /// Waits for the start of an actor and says that it runs; gives its generation and input.
    pub(crate) async fn start(&mut self) -> (ActorId, Generation, Option<Bytes>) {
        let ToClient::Commands(commands) = self.next().await else { panic!("a command was expected") };
        let [CommandWrapper { checkpoint, inner: Command::StartActor(start) }] = commands.as_slice() else {
            panic!("one start was expected: {commands:?}");
        };
        let running = Event::ActorStateUpdate { state: ActorState::Running };
        self.event(checkpoint.actor_id, checkpoint.generation, 0, running).await;
        (checkpoint.actor_id, checkpoint.generation, start.config.input.clone())
    }

    pub(crate) async fn event(
        &mut self,
        actor_id: ActorId,
        generation: Generation,
        index: i64,
        inner: Event,
    ) {
        let checkpoint = Checkpoint { actor_id, generation, index };
        self.say(&ToServer::Events(vec![EventWrapper { checkpoint, inner }])).await;
    }

    /// A KV request and its answer.
    pub(crate) async fn kv(
        &mut self,
        actor_id: ActorId,
        request_id: u32,
        data: KvRequestData,
    ) -> KvResponseData {
        self.say(&ToServer::KvRequest(KvRequest { actor_id, request_id, data })).await;
        match self.next().await {
            ToClient::KvResponse(response) => {
                assert_eq!(response.request_id, request_id);
                response.data
            }
            other => panic!("a kv answer was expected: {other:?}"),
        }
    }

    /// The next request for an actor.
    pub(crate) async fn request(&mut self) -> (MessageId, ToClientKind) {
        match self.next().await {
            ToClient::TunnelMessage(message) => (message.message_id, message.message_kind),
            other => panic!("a request was expected: {other:?}"),
        }
    }

    pub(crate) async fn respond(&mut self, to: MessageId, index: u16, message_kind: ToServerKind) {
        let message_id = MessageId { message_index: index, ..to };
        self.say(&ToServer::TunnelMessage(ToServerTunnelMessage { message_id, message_kind })).await;
    }

    /// Answers a request whole.
    pub(crate) async fn answer(&mut self, to: MessageId, status: u16, headers: &[(&str, &str)], body: &str) {
        let headers = headers.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
        let start = ToServerKind::ResponseStart {
            status,
            headers: Headers::from_entries(headers).unwrap(),
            body: Some(Bytes::copy_from_slice(body.as_bytes())).filter(|body| !body.is_empty()),
            stream: false,
        };
        self.respond(to, 0, start).await;
    }
}
