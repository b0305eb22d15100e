//! Serverless streams, against an application played by hand.

use host::access::{TokenSource, Tokens};
use protocol::wire::{ToServerlessServer, encode_payload};
use runtime::{TcpListener, TcpStream};
use serde_json::json;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

use crate::support::{Node, Response, Runner, call_with, run, until};

/// An application that has been asked to start a runner.
struct Start {
    stream: TcpStream,
    head: String,
}

impl Start {
    /// The next one; whoever asks for its metadata is told that there is none.
    async fn of(listener: &TcpListener) -> Self {
        loop {
            let mut asked = Self::asked(listener).await;
            if asked.head.starts_with("GET /api/rivet/start ") {
                return asked;
            }
            assert!(asked.head.starts_with("GET /api/rivet/metadata "), "{}", asked.head);
            asked.write("HTTP/1.1 404 Gone\r\ncontent-length: 4\r\n\r\ngone").await;
        }
    }

    async fn asked(listener: &TcpListener) -> Self {
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
        assert!(!start.head.to_lowercase().contains("x-rivet-token"), "there is none: {}", start.head);
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

#[test]
fn callers_learn_whether_an_application_answers() {
    let folder = tempfile::tempdir().unwrap();
    run(async {
        let node = Node::start(folder.path()).await;
        let (listener, url) = application().await;
        let check = async || {
            let body = json!({"url": url, "headers": {"x-mine": "1"}});
            node.post("/runner-configs/serverless-health-check?namespace=default", &body).await.json()
        };
        let answer = async |answer: &str| {
            let mut asked = Start::asked(&listener).await;
            assert!(asked.head.starts_with("GET /api/rivet/metadata "), "{}", asked.head);
            assert!(asked.head.contains("x-mine: 1"), "{}", asked.head);
            asked
                .write(&format!("HTTP/1.1 200 OK\r\ncontent-length: {}\r\n\r\n{answer}", answer.len()))
                .await;
        };
        let good = r#"{"runtime":"rivetkit","version":"2.2.1","runner":{"kind":{"serverless":{}},"version":1},"actorNames":{}}"#;
        let (told, ()) = tokio::join!(check(), answer(good));
        assert_eq!(told, json!({"success": {"version": "2.2.1"}}));
        let (told, ()) = tokio::join!(check(), answer("<html>"));
        assert_eq!(told, json!({"failure": {"error": {"invalid_response_json": {"body": "<html>"}}}}));
        drop(listener);
        assert_eq!(check().await, json!({"failure": {"error": {"request_failed": {}}}}));
        let unknown = node.post("/runner-configs/nope/refresh-metadata?namespace=default", &json!({})).await;
        assert_eq!(unknown.refusal(), (400, "serverless_runner_pool.not_found".to_owned()));
        node.stop().await;
    });
}

#[test]
fn a_runner_is_started_with_the_first_token_for_runners() {
    let folder = tempfile::tempdir().unwrap();
    let text = "admin = ['token-of-admin-1']\nrunner = ['token-of-runner-2', 'token-of-runner-1']";
    run(async {
        let node = Node::start_with(folder.path(), |options| {
            options.tokens = Some(TokenSource::Given(Tokens::parse(text).unwrap()));
        });
        let node = node.await;
        let (listener, url) = application().await;
        let admin = [("x-rivet-token", "token-of-admin-1")];
        let config =
            json!({"datacenters": {"default": {"serverless": {"url": url, "request_lifespan": 900}}}});
        let path = "/runner-configs/default?namespace=default";
        call_with(node.address, "PUT", path, &admin, config.to_string().into()).await;
        let actor = json!({"name": "a", "key": "k", "runner_name_selector": "default"});
        call_with(node.address, "PUT", "/actors?namespace=default", &admin, actor.to_string().into()).await;
        let mut start = Start::of(&listener).await;
        let token = start.head.lines().find_map(|line| line.strip_prefix("x-rivet-token: "));
        assert_eq!(token, Some("token-of-runner-2"));
        assert!(!start.head.contains("token-of-admin-1"), "{}", start.head);
        start.begin().await;
        // With it the runner is let in.
        Runner::connect_with(node.address, "serverless", "token-of-runner-2").await;
        node.stop().await;
    });
}
