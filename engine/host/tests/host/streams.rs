//! Serverless streams, against an application played by hand.

use protocol::wire::{ToServerlessServer, encode_payload};
use runtime::{TcpListener, TcpStream};
use serde_json::json;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

use crate::support::{Node, Response, Runner, run, until};

/// An application that has been asked to start a runner.
struct Start {
    stream: TcpStream,
    head: String,
}

impl Start {
    async fn of(listener: &TcpListener) -> Self {
        let (mut stream, _) = listener.accept().await.unwrap();
        let (mut head, mut byte) = (Vec::new(), [0]);
        while !head.ends_with(b"\r\n\r\n") {
            stream.read_exact(&mut byte).await.unwrap();
            head.push(byte[0]);
        }
        Self { stream, head: String::from_utf8(head).unwrap() }
    }

    async fn write(&mut self, text: &str) {
        self.stream.write_all(text.as_bytes()).await.unwrap();
    }

    async fn begin(&mut self) {
        self.write("HTTP/1.1 200 OK\r\ncontent-type: text/event-stream; charset=utf-8\r\n\r\n").await;
    }
}

async fn application() -> (TcpListener, String) {
    let listener = TcpListener::bind("127.0.0.1:0".parse().unwrap()).await.unwrap();
    let url = format!("http://{}/api/rivet", listener.local_addr().unwrap());
    (listener, url)
}

async fn configure(node: &Node, url: &str) -> Response {
    let serverless = json!({
        "url": url, "headers": {"x-configured": "1"}, "max_runners": 10, "request_lifespan": 900, "slots_per_runner": 4,
    });
    let body = json!({"datacenters": {"default": {"serverless": serverless}}});
    node.put("/runner-configs/default?namespace=default", &body).await
}

#[test]
fn a_runner_is_started_by_a_request_that_stays_open() {
    let folder = tempfile::tempdir().unwrap();
    run(async {
        let node = Node::start(folder.path()).await;
        let (listener, url) = application().await;
        configure(&node, &url).await;
        node.actor("k").await;
        let mut start = Start::of(&listener).await;
        let mut lines = start.head.lines();
        assert_eq!(lines.next(), Some("GET /api/rivet/start HTTP/1.1"));
        let mut headers: Vec<_> = lines.filter(|line| !line.is_empty()).map(str::to_lowercase).collect();
        headers.sort();
        let expected = [
            "accept: text/event-stream".to_owned(),
            format!("host: {}", listener.local_addr().unwrap()),
            concat!("user-agent: rehearsalengine/", env!("CARGO_PKG_VERSION")).to_owned(),
            "x-configured: 1".to_owned(),
            format!("x-rivet-endpoint: http://{}/", node.address),
            "x-rivet-namespace-id: default".to_owned(),
            "x-rivet-namespace-name: default".to_owned(),
            "x-rivet-runner-name: default".to_owned(),
            "x-rivet-total-slots: 4".to_owned(),
        ];
        assert_eq!(headers, expected);

        start.begin().await;
        let (mut runner, runner_id) = Runner::connect(node.address, "serverless").await;
        let init = encode_payload(&ToServerlessServer::Init { runner_id, runner_protocol_version: 7 });
        let (one, two) = init.split_at(10);
        // One event in two writes; that any cut is read is a property of the parser.
        start.write(&format!("data: {one}")).await;
        start.write(&format!("{two}\n\nevent: ping\ndata: \n\n")).await;
        runner.start().await;
        until("the pool has its stream", || async {
            node.view.control().await?.pools.iter().any(|pool| pool.streams == 1).then_some(())
        })
        .await;
        node.stop().await;
        let mut rest = Vec::new();
        start.stream.read_to_end(&mut rest).await.ok();
    });
}

#[test]
fn each_way_a_start_fails_is_shown() {
    let folder = tempfile::tempdir().unwrap();
    run(async {
        let node = Node::start(folder.path()).await;
        let (listener, url) = application().await;
        configure(&node, &url).await;
        let actor = node.actor("k").await;
        let boom = "b".repeat(600);
        let answers = [
            (
                format!("HTTP/1.1 500 Oh\r\ncontent-length: 600\r\n\r\n{boom}"),
                json!({"serverless_http_error": {"status_code": 500, "body": boom[..512]}}),
            ),
            (
                "HTTP/1.1 200 OK\r\ncontent-type: text/html\r\ncontent-length: 0\r\n\r\n".to_owned(),
                json!({"serverless_connection_error": {"message": "the answer is no text/event-stream"}}),
            ),
        ];
        for (answer, expected) in answers {
            let mut start = Start::of(&listener).await;
            start.write(&answer).await;
            until("the error is shown", || async {
                let error = node.shown(&actor).await["error"]["runner_pool_error"].clone();
                (error == expected).then_some(())
            })
            .await;
        }
        let mut start = Start::of(&listener).await;
        start.begin().await;
        start.write("data: *\n\n").await;
        until("the error is shown", || async {
            let error = node.shown(&actor).await["error"]["runner_pool_error"].clone();
            error.get("serverless_invalid_sse_payload").map(drop)
        })
        .await;
        drop(listener);
        until("the error is shown", || async {
            let error = node.shown(&actor).await["error"]["runner_pool_error"].clone();
            let message = error["serverless_connection_error"]["message"].as_str()?.to_owned();
            message.contains("refused").then_some(())
        })
        .await;
        node.stop().await;
    });
}
