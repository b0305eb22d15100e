//! A serverless application under test, and the HTTP client that plays the engine towards it.

use std::net::SocketAddr;

use bytes::Bytes;
use http::{Method, Request, Response};
use http_body_util::{BodyExt, Empty};
use hyper::body::Incoming;
use protocol::wire::{ToServerlessServer, decode_payload};
use runtime::{JoinHandle, TcpListener, TcpStream};
use sdk::{Serverless, ServerlessOptions, Stop};

use crate::actors::Probe;
use crate::engine::Engine;

pub(crate) struct App {
    pub(crate) address: SocketAddr,
    pub(crate) service: Serverless,
    pub(crate) stop: Stop,
    pub(crate) task: JoinHandle<()>,
}

/// An event stream, read by the engine.
pub(crate) struct Events {
    body: Incoming,
    text: String,
    connection: JoinHandle<()>,
}

pub(crate) async fn app(probe: &Probe, options: ServerlessOptions) -> App {
    let listener = TcpListener::bind("127.0.0.1:0".parse().unwrap()).await.unwrap();
    let address = listener.local_addr().unwrap();
    let (stop, shutdown) = sdk::shutdown();
    let service = Serverless::new(probe.registry(), options, shutdown);
    let serving = service.clone();
    let task = runtime::spawn("application under test", async move { serving.serve(listener).await });
    App { address, service, stop, task }
}

impl App {
    /// The headers of a start for this engine.
    pub(crate) fn start(engine: &Engine) -> Vec<(&'static str, String)> {
        vec![
            ("x-rivet-endpoint", format!("{}/", engine.endpoint())),
            ("x-rivet-total-slots", "1".into()),
            ("x-rivet-runner-name", "default".into()),
            ("x-rivet-namespace-name", "default".into()),
            ("x-rivet-namespace-id", "default".into()),
            ("accept", "text/event-stream".into()),
        ]
    }

    async fn send(
        &self,
        method: Method,
        path: &str,
        headers: &[(&'static str, String)],
    ) -> (Response<Incoming>, JoinHandle<()>) {
        let stream = TcpStream::connect(self.address).await.unwrap();
        let (mut sender, connection) = hyper::client::conn::http1::handshake(stream).await.unwrap();
        let connection = runtime::spawn("test connection", async move { connection.await.unwrap_or(()) });
        let mut request = Request::builder().method(method).uri(path).header("host", "app");
        for (name, value) in headers {
            request = request.header(*name, value);
        }
        let response = sender.send_request(request.body(Empty::<Bytes>::new()).unwrap()).await.unwrap();
        (response, connection)
    }

    /// Asks for a whole answer.
    pub(crate) async fn ask(
        &self,
        method: Method,
        path: &str,
        headers: &[(&'static str, String)],
    ) -> Response<String> {
        let (response, _) = self.send(method, path, headers).await;
        let (parts, body) = response.into_parts();
        let body = body.collect().await.unwrap().to_bytes();
        Response::from_parts(parts, String::from_utf8(body.to_vec()).unwrap())
    }

    pub(crate) async fn get(&self, path: &str) -> Response<String> {
        self.ask(Method::GET, path, &[]).await
    }

    /// Opens an event stream.
    pub(crate) async fn open(&self, engine: &Engine) -> Events {
        let (response, connection) = self.send(Method::GET, "/api/rivet/start", &Self::start(engine)).await;
        assert_eq!(response.status(), 200);
        assert_eq!(response.headers()["content-type"], "text/event-stream");
        assert_eq!(response.headers()["transfer-encoding"], "chunked");
        Events { body: response.into_body(), text: String::new(), connection }
    }
}

impl Events {
    /// The next event, without the blank line at its end; none when the stream has ended in order.
    pub(crate) async fn next(&mut self) -> Option<String> {
        loop {
            if let Some((event, rest)) = self.text.split_once("\n\n") {
                let event = event.to_owned();
                self.text = rest.to_owned();
                return Some(event);
            }
            let frame = self.body.frame().await?.unwrap();
            self.text.push_str(std::str::from_utf8(&frame.into_data().unwrap()).unwrap());
        }
    }

    /// The event that names the runner, after any pings.
    pub(crate) async fn init(&mut self) -> ToServerlessServer {
        loop {
            let event = self.next().await.expect("the stream is open");
            if event != PING {
                return decode_payload(event.strip_prefix("data: ").unwrap()).unwrap();
            }
        }
    }

    /// Reads to the end: the events that came.
    pub(crate) async fn rest(&mut self) -> Vec<String> {
        let mut events = Vec::new();
        while let Some(event) = self.next().await {
            events.push(event);
        }
        events
    }

    /// Closes it from this side.
    pub(crate) fn close(self) {
        self.connection.abort();
    }
}

/// A ping, without the blank line at its end.
pub(crate) const PING: &str = "event: ping\ndata: ";
