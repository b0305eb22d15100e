//! Requests to actors.

use std::time::Duration;

use bytes::Bytes;
use host::Options;
use protocol::limits::BODY_BYTES_MAX;
use protocol::wire::{Headers, ToClientKind, ToServerKind};
use runtime::{JoinHandle, TcpStream};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

use crate::support::{Node, Response, Runner, call_with, run, until};

/// An engine with one actor that runs on a runner played by hand.
pub(crate) async fn stage(data: &std::path::Path) -> (Node, Runner, String) {
    stage_with(data, |_| ()).await
}

pub(crate) async fn stage_with(
    data: &std::path::Path,
    change: impl FnOnce(&mut Options),
) -> (Node, Runner, String) {
    let node = Node::start_with(data, change).await;
    node.normal_pool("default").await;
    let actor = node.actor("k").await;
    let (mut runner, _) = Runner::connect(node.address, "r").await;
    runner.start().await;
    (node, runner, actor)
}

fn ask(node: &Node, method: &str, path: String, body: &[u8]) -> JoinHandle<Response> {
    let (address, method, body) = (node.address, method.to_owned(), Bytes::copy_from_slice(body));
    runtime::spawn("client", async move {
        let headers = [("X-Own", "1"), ("cookie", "a=1"), ("origin", "http://page")];
        call_with(address, &method, &path, &headers, body).await
    })
}

#[test]
fn a_request_reaches_its_actor_and_its_answer_the_client() {
    let folder = tempfile::tempdir().unwrap();
    run(async {
        let (node, mut runner, actor) = stage(folder.path()).await;
        let asked = ask(&node, "POST", format!("/gateway/{actor}@token/request/a%20b?y=1&z"), b"body");
        let (id, kind) = runner.request().await;
        let ToClientKind::RequestStart { actor_id, method, path, headers, body, stream } = kind else {
            panic!("{kind:?}");
        };
        assert_eq!((actor_id.as_str(), method.as_str(), stream), (actor.as_str(), "POST", false));
        assert_eq!((path.as_str(), body.as_deref()), ("/request/a%20b?y=1&z", Some(b"body".as_slice())));
        assert_eq!((headers.get("x-own"), headers.get("cookie")), (Some("1"), Some("a=1")));
        let ray = headers.get("x-rivet-ray-id").unwrap().to_owned();
        let answered =
            [("content-type", "text/plain"), ("X-Echo", "2"), ("connection", "close"), ("set-cookie", "s")];
        runner.answer(id, 201, &answered, "answer").await;

        let response = asked.await.unwrap();
        assert_eq!((response.status.as_u16(), &response.body[..]), (201, b"answer".as_slice()));
        let header = |name: &str| response.headers.get(name).and_then(|value| value.to_str().ok());
        assert_eq!((header("x-echo"), header("content-length")), (Some("2"), Some("6")));
        assert_eq!((header("connection"), header("set-cookie")), (None, Some("s")));
        assert_eq!(header("x-rivet-ray-id"), Some(ray.as_str()));
        assert_eq!(header("access-control-allow-origin"), Some("http://page"));
        assert_eq!(header("access-control-allow-credentials"), Some("true"));
        node.stop().await;
    });
}

#[test]
fn a_streamed_answer_arrives_in_parts_and_one_that_breaks_off_is_seen() {
    let folder = tempfile::tempdir().unwrap();
    run(async {
        let (node, mut runner, actor) = stage(folder.path()).await;
        let start = || ToServerKind::ResponseStart {
            status: 200,
            headers: Headers::new(),
            body: Some(Bytes::from_static(b"one ")),
            stream: true,
        };
        let chunk = |text: &'static str, finish| ToServerKind::ResponseChunk { body: text.into(), finish };

        let asked = ask(&node, "GET", format!("/gateway/{actor}/x"), b"");
        let (id, _) = runner.request().await;
        runner.respond(id, 0, start()).await;
        runner.respond(id, 1, chunk("two ", false)).await;
        runner.respond(id, 2, chunk("three", true)).await;
        assert_eq!(&asked.await.unwrap().body[..], b"one two three");

        let mut client = TcpStream::connect(node.address).await.unwrap();
        let request = format!("GET /gateway/{actor}/x HTTP/1.1\r\nhost: h\r\n\r\n");
        client.write_all(request.as_bytes()).await.unwrap();
        let (id, _) = runner.request().await;
        runner.respond(id, 0, start()).await;
        let mut answer = Vec::new();
        while !answer.windows(4).any(|bytes| bytes == b"one ") {
            assert_ne!(client.read_buf(&mut answer).await.unwrap(), 0);
        }
        runner.respond(id, 1, ToServerKind::ResponseAbort).await;
        client.read_to_end(&mut answer).await.ok();
        let answer = String::from_utf8_lossy(&answer);
        assert!(answer.contains("one "), "{answer}");
        assert!(!answer.ends_with("0\r\n\r\n"), "the last chunk must not be told: {answer}");
        at_rest(&node).await;
        node.stop().await;
    });
}

pub(crate) async fn at_rest(node: &Node) {
    until("the gateway is at rest", || async {
        node.view.gateway().await.filter(|view| view.waiting + view.forwarded + view.watched == 0)
    })
    .await;
}

#[test]
fn a_client_that_leaves_is_forgotten_and_the_runner_told() {
    let folder = tempfile::tempdir().unwrap();
    run(async {
        let (node, mut runner, actor) = stage(folder.path()).await;
        let mut client = TcpStream::connect(node.address).await.unwrap();
        let request = format!("GET /gateway/{actor}/x HTTP/1.1\r\nhost: h\r\n\r\n");
        client.write_all(request.as_bytes()).await.unwrap();
        let (id, _) = runner.request().await;
        drop(client);
        let (aborted, kind) = runner.request().await;
        assert_eq!((aborted.request_id, kind), (id.request_id, ToClientKind::RequestAbort));
        at_rest(&node).await;
        // An answer that comes all the same is nobody's.
        runner.answer(id, 200, &[], "late").await;
        let asked = ask(&node, "GET", format!("/gateway/{actor}/y"), b"");
        let (id, _) = runner.request().await;
        runner.answer(id, 200, &[], "own").await;
        assert_eq!(&asked.await.unwrap().body[..], b"own");
        node.stop().await;
    });
}

#[test]
fn each_way_to_fail_has_its_code() {
    let folder = tempfile::tempdir().unwrap();
    run(async {
        let (node, mut runner, actor) = stage(folder.path()).await;
        let unknown = "0".repeat(26) + "al00";
        let cases = [
            (format!("/gateway/{unknown}/x"), (404, "actor.not_found")),
            ("/gateway/zzz/x".to_owned(), (400, "api.bad_request")),
            (format!("/gateway/{actor}//x"), (404, "guard.no_route")),
        ];
        for (path, (status, code)) in cases {
            let response = node.get(&path).await;
            assert_eq!(response.refusal(), (status, code.to_owned()), "{path}");
            assert_eq!(response.headers["x-rivet-error"], code);
            assert_eq!(response.headers["access-control-allow-origin"], "*");
        }
        let asked = ask(&node, "POST", format!("/gateway/{actor}/x"), b"");
        let (id, _) = runner.request().await;
        runner.respond(id, 0, ToServerKind::ResponseAbort).await;
        assert_eq!(asked.await.unwrap().refusal().1, "guard.tunnel_request_aborted");
        let asked = ask(&node, "POST", format!("/gateway/{actor}/x"), b"");
        let (id, _) = runner.request().await;
        runner.answer(id, 101, &[], "").await;
        assert_eq!(asked.await.unwrap().refusal(), (502, "guard.invalid_response".to_owned()));
        let headers = [("connection", "Upgrade"), ("upgrade", "websocket")];
        let path = format!("/gateway/{actor}/websocket");
        let response = call_with(node.address, "GET", &path, &headers, Bytes::new()).await;
        assert_eq!(response.refusal(), (400, "guard.invalid_request".to_owned()));
        at_rest(&node).await;
        node.stop().await;
    });
}

#[test]
fn an_answer_that_is_too_large_costs_its_own_request_only() {
    let folder = tempfile::tempdir().unwrap();
    run(async {
        let (node, mut runner, actor) = stage(folder.path()).await;
        let large = ask(&node, "GET", format!("/gateway/{actor}/large"), b"");
        let (id, _) = runner.request().await;
        let body = Bytes::from(vec![b'x'; 2 * BODY_BYTES_MAX]);
        let start = |body, stream| ToServerKind::ResponseStart {
            status: 200,
            headers: Headers::new(),
            body: Some(body),
            stream,
        };
        runner.respond(id, 0, start(body.clone(), false)).await;
        let (aborted, kind) = runner.request().await;
        assert_eq!((aborted.request_id, kind), (id.request_id, ToClientKind::RequestAbort));
        assert_eq!(large.await.unwrap().refusal(), (502, "guard.response_body_too_large".to_owned()));

        let mut client = TcpStream::connect(node.address).await.unwrap();
        let request = format!("GET /gateway/{actor}/x HTTP/1.1\r\nhost: h\r\n\r\n");
        client.write_all(request.as_bytes()).await.unwrap();
        let (id, _) = runner.request().await;
        runner.respond(id, 0, start(Bytes::from_static(b"one "), true)).await;
        runner.respond(id, 1, ToServerKind::ResponseChunk { body, finish: true }).await;
        let mut answer = Vec::new();
        client.read_to_end(&mut answer).await.ok();
        assert!(!answer.ends_with(b"0\r\n\r\n"), "it is broken off");
        assert_eq!(runner.request().await.1, ToClientKind::RequestAbort);

        let small = ask(&node, "GET", format!("/gateway/{actor}/small"), b"");
        let (id, _) = runner.request().await;
        runner.answer(id, 200, &[], "small").await;
        assert_eq!(&small.await.unwrap().body[..], b"small");
        at_rest(&node).await;
        node.stop().await;
    });
}

#[test]
fn what_an_actor_says_of_itself_is_not_what_the_platform_says() {
    let folder = tempfile::tempdir().unwrap();
    run(async {
        let (node, mut runner, actor) = stage(folder.path()).await;
        let asked = ask(&node, "POST", format!("/gateway/{actor}/x"), b"");
        let (id, _) = runner.request().await;
        runner.answer(id, 503, &[("x-rivet-error", "shop.actor_not_found")], "mine").await;
        let response = asked.await.unwrap();
        assert_eq!((response.status.as_u16(), &response.body[..]), (503, b"mine".as_slice()));
        assert_eq!(response.headers.get("x-rivet-error"), None);
        // The two that a runner says are believed: the request comes again.
        for code in ["runner.actor_not_found", "envoy.actor_not_found"] {
            let asked = ask(&node, "POST", format!("/gateway/{actor}/x"), b"");
            let (id, _) = runner.request().await;
            runner.answer(id, 503, &[("x-rivet-error", code)], "").await;
            let (again, _) = runner.request().await;
            runner.answer(again, 200, &[], "done").await;
            assert_eq!(&asked.await.unwrap().body[..], b"done");
        }
        node.stop().await;
    });
}

#[test]
fn a_client_that_does_not_read_gives_its_place_up() {
    let folder = tempfile::tempdir().unwrap();
    run(async {
        let (node, mut runner, actor) = stage_with(folder.path(), |options| {
            options.limits.connections_max = 1;
            options.limits.write_timeout = Duration::from_millis(200);
        })
        .await;
        let mut client = TcpStream::connect(node.address).await.unwrap();
        let request = format!("GET /gateway/{actor}/x HTTP/1.1\r\nhost: h\r\n\r\n");
        client.write_all(request.as_bytes()).await.unwrap();
        let (id, _) = runner.request().await;
        let body = Some(Bytes::from(vec![b'x'; BODY_BYTES_MAX]));
        let start = ToServerKind::ResponseStart { status: 200, headers: Headers::new(), body, stream: false };
        runner.respond(id, 0, start).await;
        assert_eq!(node.get("/health").await.status, 200, "there is a place for others");
        drop(client);
        node.stop().await;
    });
}

#[test]
fn bodies_have_so_much_room_together() {
    let folder = tempfile::tempdir().unwrap();
    run(async {
        let (node, mut runner, actor) = stage_with(folder.path(), |options| {
            options.limits.bodies_bytes_max = 10 * 1024;
        })
        .await;
        let path = format!("/gateway/{actor}/x");
        let first = ask(&node, "POST", path.clone(), &[b'x'; 6 * 1024]);
        let (id, _) = runner.request().await;
        let second = ask(&node, "POST", path.clone(), &[b'x'; 6 * 1024]).await.unwrap();
        assert_eq!(second.refusal(), (503, "guard.service_unavailable".to_owned()));
        runner.answer(id, 200, &[], "").await;
        assert_eq!(first.await.unwrap().status, 200);
        let third = ask(&node, "POST", path, &[b'x'; 6 * 1024]);
        let (id, _) = runner.request().await;
        runner.answer(id, 200, &[], "").await;
        assert_eq!(third.await.unwrap().status, 200);
        node.stop().await;
    });
}

#[test]
fn a_browser_may_ask_before_it_calls() {
    let folder = tempfile::tempdir().unwrap();
    run(async {
        let node = Node::start(folder.path()).await;
        let headers = [
            ("origin", "http://page"),
            ("access-control-request-method", "POST"),
            ("access-control-request-headers", "x-own"),
        ];
        let path = format!("/gateway/{}al00/x", "0".repeat(26));
        let response = call_with(node.address, "OPTIONS", &path, &headers, Bytes::new()).await;
        assert_eq!(response.status, 204);
        assert_eq!(response.headers["access-control-allow-origin"], "http://page");
        assert_eq!(response.headers["access-control-allow-headers"], "x-own");
        assert_eq!(response.headers["access-control-max-age"], "86400");
        node.stop().await;
    });
}
