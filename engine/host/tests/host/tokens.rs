//! Tokens over real bytes: what each may do, where it is carried, how it is rotated.

use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::time::Duration;

use bytes::Bytes;
use host::access::{TokenSource, Tokens};
use host::{Engine, OpenError, Options};
use hyper::header::SEC_WEBSOCKET_PROTOCOL;
use runtime::TcpStream;
use serde_json::json;
use tokio_tungstenite::client_async;
use tokio_tungstenite::tungstenite::client::IntoClientRequest as _;

use crate::support::{Node, Response, Runner, call_with, run, until};

const ADMIN: &str = "token-of-admin-1";
const RUNNER: &str = "token-of-runner-1";
const GATEWAY: &str = "token-of-gateway-1";

fn tokens() -> Tokens {
    let text = format!("admin = ['{ADMIN}']\nrunner = ['{RUNNER}']\ngateway = ['{GATEWAY}']");
    Tokens::parse(&text).unwrap()
}

async fn closed(folder: &Path) -> Node {
    Node::start_with(folder, |options| options.tokens = Some(TokenSource::Given(tokens()))).await
}

async fn as_bearer(node: &Node, token: &str, method: &str, path: &str, body: &str) -> Response {
    let bearer = format!("Bearer {token}");
    let headers = [("authorization", bearer.as_str())];
    call_with(node.address, method, path, &headers, Bytes::copy_from_slice(body.as_bytes())).await
}

#[test]
fn a_call_needs_a_token_that_is_for_it() {
    let folder = tempfile::tempdir().unwrap();
    run(async {
        let node = closed(folder.path()).await;
        let unknown = (401, "api.unauthorized".to_owned());
        let forbidden = (403, "api.forbidden".to_owned());
        for path in ["/actors?namespace=default&name=a", "/gateway/x/y", "/nope", "/runners/connect"] {
            let response = node.get(path).await;
            assert_eq!(response.refusal(), unknown, "{path}");
            assert_eq!(response.headers["www-authenticate"], "Bearer", "{path}");
            assert_eq!(response.headers["x-rivet-ray-id"].len(), 30);
            let wrong = as_bearer(&node, "token-of-nobody-1", "GET", path, "").await;
            assert_eq!(
                (wrong.refusal(), wrong.body),
                (unknown.clone(), response.body),
                "no hint what was wrong"
            );
        }
        for path in ["/health", "/metadata"] {
            assert_eq!(node.get(path).await.status, 200, "{path}");
        }
        let config = json!({"datacenters": {"default": {"normal": {}}}}).to_string();
        let actor = json!({"name": "a", "key": "k", "runner_name_selector": "default"}).to_string();
        for (token, method, path, body, expected) in [
            (RUNNER, "PUT", "/runner-configs/default?namespace=default", &config, None),
            (GATEWAY, "PUT", "/runner-configs/default?namespace=default", &config, Some(&forbidden)),
            (RUNNER, "PUT", "/actors?namespace=default", &actor, Some(&forbidden)),
            (GATEWAY, "PUT", "/actors?namespace=default", &actor, None),
            (GATEWAY, "GET", "/actors?namespace=default&name=a&key=k", &String::new(), None),
            (GATEWAY, "GET", "/actors?namespace=default&name=a", &String::new(), Some(&forbidden)),
            (ADMIN, "GET", "/actors?namespace=default&name=a", &String::new(), None),
            (RUNNER, "DELETE", "/runner-configs/default?namespace=default", &String::new(), Some(&forbidden)),
            (ADMIN, "DELETE", "/runner-configs/default?namespace=default", &String::new(), None),
            (ADMIN, "GET", "/nope", &String::new(), Some(&(404, "api.not_found".to_owned()))),
        ] {
            let response = as_bearer(&node, token, method, path, body).await;
            match expected {
                None => assert_eq!(response.status, 200, "{token} {method} {path} {response:?}"),
                Some(refusal) => assert_eq!(response.refusal(), *refusal, "{token} {method} {path}"),
            }
        }
        node.stop().await;
    });
}

#[test]
fn an_actor_is_called_with_a_token_it_does_not_see() {
    let folder = tempfile::tempdir().unwrap();
    run(async {
        let node = closed(folder.path()).await;
        as_bearer(
            &node,
            ADMIN,
            "PUT",
            "/runner-configs/default?namespace=default",
            r#"{"datacenters":{"default":{"normal":{}}}}"#,
        )
        .await;
        let (mut runner, _) = Runner::connect_with(node.address, "r", RUNNER).await;
        let body = r#"{"name":"a","key":"k","runner_name_selector":"default"}"#;
        let made = as_bearer(&node, GATEWAY, "PUT", "/actors?namespace=default", body).await.json();
        let actor = made["actor"]["actor_id"].as_str().unwrap().to_owned();
        runner.start().await;
        let bearer = format!("Bearer {GATEWAY}");
        let own: (&str, &str) = ("authorization", "Bearer of-the-actor");
        for (path, headers, kept) in [
            (format!("/gateway/{actor}/x"), vec![("authorization", bearer.as_str())], None),
            (
                format!("/gateway/{actor}/x"),
                vec![("x-rivet-token", GATEWAY), own],
                Some("Bearer of-the-actor"),
            ),
            (format!("/gateway/{actor}@{GATEWAY}/x"), vec![own], Some("Bearer of-the-actor")),
        ] {
            let calling = call_with(node.address, "GET", &path, &headers, Bytes::new());
            let answering = async {
                let (to, request) = runner.request().await;
                let protocol::wire::ToClientKind::RequestStart { headers, path, .. } = request else {
                    panic!("a request begins: {request:?}");
                };
                assert_eq!((headers.get("authorization"), headers.get("x-rivet-token")), (kept, None));
                assert_eq!(path, "/x");
                runner.answer(to, 200, &[], "ok").await;
            };
            let (response, ()) = futures_util::future::join(calling, answering).await;
            assert_eq!(response.body, "ok");
        }
        let refused =
            call_with(node.address, "GET", &format!("/gateway/{actor}@{RUNNER}/x"), &[], Bytes::new()).await;
        assert_eq!(refused.refusal(), (403, "api.forbidden".to_owned()));
        assert_eq!(refused.headers["x-rivet-error"], "api.forbidden");
        let preflight = [("origin", "http://page"), ("access-control-request-method", "POST")];
        let preflight =
            call_with(node.address, "OPTIONS", &format!("/gateway/{actor}/x"), &preflight, Bytes::new())
                .await;
        assert_eq!(preflight.status, 204, "a browser asks without a token");
        let other =
            call_with(node.address, "OPTIONS", &format!("/gateway/{actor}/x"), &[], Bytes::new()).await;
        assert_eq!(other.refusal(), (401, "api.unauthorized".to_owned()));
        node.stop().await;
    });
}

#[test]
fn a_runner_connects_with_its_token_in_the_subprotocol() {
    let folder = tempfile::tempdir().unwrap();
    run(async {
        let node = closed(folder.path()).await;
        let dial = async |protocols: &'static str| {
            let address = node.address;
            let url =
                format!("ws://{address}/runners/connect?protocol_version=7&namespace=default&runner_key=k");
            let mut request = url.into_client_request().unwrap();
            request.headers_mut().insert(SEC_WEBSOCKET_PROTOCOL, protocols.parse().unwrap());
            let stream = TcpStream::connect(address).await.unwrap();
            match client_async(request, stream).await {
                Ok(_) => 101,
                Err(tokio_tungstenite::tungstenite::Error::Http(refused)) => refused.status().as_u16(),
                Err(error) => panic!("{error}"),
            }
        };
        assert_eq!(dial("rivet").await, 401);
        assert_eq!(dial("rivet, rivet_token.token-of-nobody-1").await, 401);
        assert_eq!(dial("rivet, rivet_token.token-of-gateway-1").await, 403);
        assert_eq!(dial("rivet, rivet_token.token-of-runner-1").await, 101);
        assert_eq!(dial("rivet, rivet_token.token-of-admin-1").await, 101);
        node.stop().await;
    });
}

#[test]
fn tokens_are_rotated_while_the_engine_runs() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("tokens.toml");
    let write = |text: &str| {
        // Another file under the name, as careful editors do it.
        let fresh = folder.path().join("fresh");
        std::fs::write(&fresh, text).unwrap();
        std::fs::set_permissions(&fresh, std::fs::Permissions::from_mode(0o600)).unwrap();
        std::fs::rename(&fresh, &path).unwrap();
    };
    write("admin = ['old-token-of-admin']");
    run(async {
        let data = folder.path().join("data");
        let node = Node::start_with(&data, |options| {
            options.tokens = Some(TokenSource::File(path.clone()));
            options.tokens_interval = Duration::from_millis(5);
        });
        let node = node.await;
        let status =
            async |token: &str| as_bearer(&node, token, "GET", "/namespaces", "").await.status.as_u16();
        let (old, new) = ("old-token-of-admin", "new-token-of-admin");
        assert_eq!((status(old).await, status(new).await), (200, 401));
        write(&format!("admin = ['{old}', '{new}']"));
        until("the new one counts", async || (status(new).await == 200).then_some(())).await;
        assert_eq!(status(old).await, 200, "both count");
        write("admin = [");
        write(&format!("admin = ['{new}']"));
        until("the old one is gone", async || (status(old).await == 401).then_some(())).await;
        assert_eq!(status(new).await, 200);
        node.stop().await;
    });
}

#[test]
fn without_tokens_nobody_but_this_machine_is_listened_to() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("tokens.toml");
    run(async {
        let open = async |change: &dyn Fn(&mut Options)| {
            let mut options = Options::new(folder.path().join("data"));
            (options.bind, options.public_url) =
                ("0.0.0.0:0".parse().unwrap(), Some("http://engine".to_owned()));
            change(&mut options);
            Engine::open(options).await.map(drop)
        };
        let refused = open(&|_| ()).await.unwrap_err();
        assert!(matches!(refused, OpenError::Insecure { .. }), "{refused}");
        assert!(refused.to_string().contains("--tokens"), "{refused}");
        open(&|options| options.insecure = true).await.unwrap();
        open(&|options| options.tokens = Some(TokenSource::Given(tokens()))).await.unwrap();
        let from_file = |options: &mut Options| options.tokens = Some(TokenSource::File(path.clone()));
        assert!(matches!(open(&from_file).await, Err(OpenError::Tokens(_))), "there is no such file");
        std::fs::write(&path, format!("admin = ['{ADMIN}']")).unwrap();
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o644)).unwrap();
        let exposed = open(&from_file).await.unwrap_err().to_string();
        assert!(exposed.contains("has mode 644") && exposed.contains("chmod 600"), "{exposed}");
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o600)).unwrap();
        open(&from_file).await.unwrap();
    });
}
