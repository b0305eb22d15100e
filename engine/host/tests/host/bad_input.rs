//! Input that nobody should send: each gets its typed answer, and nobody else notices.

use std::time::Duration;

use bytes::Bytes;
use serde_json::json;

use crate::support::{Node, call, call_with, raw, run};

#[test]
fn every_bad_call_has_its_typed_refusal() {
    let folder = tempfile::tempdir().unwrap();
    let actor =
        |extra: &str| format!("{{\"name\":\"a\",\"key\":\"k\",\"runner_name_selector\":\"default\"{extra}}}");
    let key = "k".repeat(1025);
    let long_key = format!("{{\"name\":\"a\",\"key\":\"{key}\",\"runner_name_selector\":\"default\"}}");
    let serverless = |url: &str| {
        json!({"datacenters": {"default": {"serverless": {"url": url, "request_lifespan": 900}}}}).to_string()
    };
    let cases = [
        ("GET", "/nope", String::new(), (404, "api.not_found")),
        ("GET", "/", String::new(), (404, "api.not_found")),
        ("GET", "/gateway", String::new(), (404, "api.not_found")),
        ("POST", "/health", String::new(), (404, "api.not_found")),
        ("PATCH", "/actors?namespace=default", String::new(), (404, "api.not_found")),
        ("POST", "/runners/connect", String::new(), (404, "api.not_found")),
        ("PUT", "/actors?namespace=default", "{".to_owned(), (400, "api.bad_request")),
        ("PUT", "/actors?namespace=default", "[]".to_owned(), (400, "api.bad_request")),
        ("PUT", "/actors?namespace=default", "{\"name\":\"a\"}".to_owned(), (400, "api.bad_request")),
        ("PUT", "/actors?namespace=default", actor(",\"nope\":1"), (400, "api.bad_request")),
        ("PUT", "/actors?namespace=default", actor(",\"crash_policy\":\"x\""), (400, "api.bad_request")),
        ("PUT", "/actors?namespace=default", actor(",\"input\":\"*\""), (400, "validation.invalid_input")),
        (
            "PUT",
            "/actors?namespace=default",
            actor(",\"datacenter\":\"mars\""),
            (400, "datacenter.not_found"),
        ),
        ("PUT", "/actors?namespace=default", long_key, (400, "actor.key_too_large")),
        ("PUT", "/actors?namespace=default", actor(""), (400, "actor.no_runner_config_configured")),
        ("PUT", "/actors?namespace=mars", actor(""), (400, "namespace.not_found")),
        ("PUT", "/actors", actor(""), (400, "api.bad_request")),
        ("PUT", "/actors?namespace=default&nope=1", actor(""), (400, "api.bad_request")),
        ("GET", "/actors?namespace=default", String::new(), (400, "validation.invalid_input")),
        ("GET", "/actors?namespace=default&actor_ids=zzz", String::new(), (400, "api.bad_request")),
        ("GET", "/actors?namespace=mars&name=a", String::new(), (400, "namespace.not_found")),
        ("DELETE", "/actors/zzz", String::new(), (400, "api.bad_request")),
        ("DELETE", "/actors/%ff", String::new(), (400, "api.bad_request")),
        ("GET", "/actors/names?namespace=default&limit=0", String::new(), (400, "validation.invalid_input")),
        ("GET", "/runners?namespace=default&runner_ids=zzz", String::new(), (400, "api.bad_request")),
        ("GET", "/runners/names?namespace=mars", String::new(), (400, "namespace.not_found")),
        ("GET", "/runner-configs?namespace=default&variant=x", String::new(), (400, "api.bad_request")),
        ("GET", "/health/fanout?x", String::new(), (400, "api.bad_request")),
        ("GET", "/namespaces?namespace=x", String::new(), (400, "api.bad_request")),
        (
            "POST",
            "/namespaces",
            "{\"name\":\"A B\",\"display_name\":\"x\"}".to_owned(),
            (400, "validation.invalid_input"),
        ),
        ("PUT", "/runner-configs/p?namespace=default", "{}".to_owned(), (400, "api.bad_request")),
        ("PUT", "/runner-configs/p?namespace=default", serverless("ftp://x"), (400, "runner_config.invalid")),
        ("PUT", "/runner-configs/p?namespace=default", serverless("wss://x"), (400, "runner_config.invalid")),
        ("PUT", "/runner-configs/p?namespace=mars", serverless("http://x"), (400, "namespace.not_found")),
        ("DELETE", "/runner-configs/p?namespace=default", String::new(), (400, "runner_config.not_found")),
        ("GET", "/runners/connect?protocol_version=7", String::new(), (400, "api.bad_request")),
        (
            "GET",
            "/runners/connect?protocol_version=8&namespace=default&runner_key=k",
            String::new(),
            (400, "api.bad_request"),
        ),
        (
            "GET",
            "/runners/connect?protocol_version=7&namespace=default&runner_key=k",
            String::new(),
            (400, "api.bad_request"),
        ),
    ];
    run(async {
        let node = Node::start(folder.path()).await;
        for (method, path, body, (status, code)) in cases {
            let response = call(node.address, method, path, &body).await;
            assert_eq!(response.refusal(), (status, code.to_owned()), "{method} {path} {body}");
            assert_eq!(response.headers["x-rivet-ray-id"].len(), 30, "{method} {path}");
        }
        assert_eq!(node.get("/health").await.status, 200);
        node.stop().await;
    });
}

#[test]
fn bodies_are_counted_however_their_length_is_told() {
    let folder = tempfile::tempdir().unwrap();
    run(async {
        let node = Node::start_with(folder.path(), |options| options.limits.body_bytes_max = 1000).await;
        let other = tempfile::tempdir().unwrap();
        let big = Node::start_with(other.path(), |options| options.limits.body_bytes_max = 3_000_000).await;
        let path = format!("/gateway/{}al00/x", "0".repeat(26));
        let body = Bytes::from(vec![b'x'; 1000]);
        let response = call_with(node.address, "POST", &path, &[], body).await;
        assert_eq!(response.refusal(), (404, "actor.not_found".to_owned()), "the bound itself fits");
        let body = Bytes::from(vec![b'x'; 1001]);
        let response = call_with(node.address, "POST", &path, &[], body.clone()).await;
        assert_eq!(response.refusal(), (413, "guard.request_body_too_large".to_owned()));
        let response = call_with(node.address, "PUT", "/actors?namespace=default", &[], body).await;
        assert_eq!(response.refusal(), (413, "guard.request_body_too_large".to_owned()));
        let large = Bytes::from(vec![b'x'; 4_000_000]);
        let response = call_with(big.address, "POST", &path, &[], large).await;
        assert_eq!(response.refusal(), (413, "guard.request_body_too_large".to_owned()));
        big.stop().await;
        let chunk = format!("{:x}\r\n{}\r\n", 600, "x".repeat(600));
        let head = format!(
            "POST {path} HTTP/1.1\r\nhost: h\r\ntransfer-encoding: chunked\r\nconnection: close\r\n\r\n"
        );
        let answer = raw(node.address, format!("{head}{chunk}{chunk}0\r\n\r\n").as_bytes()).await;
        assert!(answer.starts_with("HTTP/1.1 413 "), "{answer}");
        let answer = raw(node.address, format!("{head}{chunk}0\r\n\r\n").as_bytes()).await;
        assert!(answer.starts_with("HTTP/1.1 404 "), "{answer}");
        node.stop().await;
    });
}

#[test]
fn what_is_no_http_ends_its_own_connection_only() {
    let folder = tempfile::tempdir().unwrap();
    run(async {
        let node = Node::start_with(folder.path(), |options| {
            options.limits.head_timeout = Duration::from_millis(200);
            options.limits.body_timeout = Duration::from_millis(200);
        });
        let node = node.await;
        assert!(raw(node.address, b"\x16\x03\x01 hello\r\n\r\n").await.starts_with("HTTP/1.1 400 "));
        let large = format!("GET / HTTP/1.1\r\nhost: h\r\nx: {}\r\n\r\n", "x".repeat(80_000));
        let answer = raw(node.address, large.as_bytes()).await;
        // Closed before all was read, the kernel may throw the answer away.
        assert!(answer.is_empty() || answer.starts_with("HTTP/1.1 431 "), "{answer}");
        let many = format!("GET / HTTP/1.1\r\nhost: h\r\n{}\r\n", "x: y\r\n".repeat(101));
        assert!(raw(node.address, many.as_bytes()).await.starts_with("HTTP/1.1 431 "));
        // Heads and bodies that never end.
        assert_eq!(raw(node.address, b"GET / HTT").await.split(' ').nth(1).unwrap_or("408"), "408");
        let slow = b"PUT /actors?namespace=default HTTP/1.1\r\nhost: h\r\ncontent-length: 9\r\n\r\n{";
        assert!(raw(node.address, slow).await.starts_with("HTTP/1.1 504 "));
        assert_eq!(node.get("/health").await.status, 200);
        node.stop().await;
    });
}
