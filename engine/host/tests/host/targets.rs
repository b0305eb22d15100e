//! Where the engine sends requests of its own: over TLS to whom it trusts, never where it must not.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use futures_util::FutureExt as _;
use rcgen::{BasicConstraints, CertificateParams, IsCa, Issuer, KeyPair};
use runtime::{TcpListener, TcpStream};
use serde_json::{Value, json};
use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _};
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::ServerConfig;
use tokio_rustls::rustls::crypto::ring;
use tokio_rustls::rustls::pki_types::PrivateKeyDer;

use crate::support::{Node, run, until};

const METADATA: &str = r#"{"runtime":"rivetkit","version":"2.2.1","runner":{"kind":{"serverless":{}},"version":1},"actorNames":{}}"#;

/// A certificate authority of the test, in a file, and a server that it vouches for under a name.
fn authority(folder: &Path, name: &str) -> (PathBuf, TlsAcceptor) {
    let mut params = CertificateParams::new(Vec::new()).unwrap();
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    let key = KeyPair::generate().unwrap();
    let path = folder.join(format!("authority-of-{name}.pem"));
    std::fs::write(&path, params.self_signed(&key).unwrap().pem()).unwrap();
    let issuer = Issuer::new(params, key);
    let key = KeyPair::generate().unwrap();
    let certificate =
        CertificateParams::new(vec![name.to_owned()]).unwrap().signed_by(&key, &issuer).unwrap();
    let server = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(
            vec![certificate.der().clone()],
            PrivateKeyDer::try_from(key.serialize_der()).unwrap(),
        )
        .unwrap();
    (path, TlsAcceptor::from(Arc::new(server)))
}

async fn listen() -> (TcpListener, u16) {
    let listener = TcpListener::bind("127.0.0.1:0".parse().unwrap()).await.unwrap();
    let port = listener.local_addr().unwrap().port();
    (listener, port)
}

/// Reads the head of a request and answers it.
async fn answer<S: AsyncRead + AsyncWrite + Unpin>(mut stream: S, answer: &str) -> String {
    let (mut head, mut byte) = (Vec::new(), [0]);
    while !head.ends_with(b"\r\n\r\n") {
        stream.read_exact(&mut byte).await.unwrap();
        head.push(byte[0]);
    }
    stream.write_all(answer.as_bytes()).await.unwrap();
    stream.flush().await.unwrap();
    // Whoever asked closes.
    stream.read_to_end(&mut Vec::new()).await.ok();
    String::from_utf8(head).unwrap()
}

fn whole(body: &str) -> String {
    format!("HTTP/1.1 200 OK\r\ncontent-length: {}\r\n\r\n{body}", body.len())
}

/// What the engine finds under a URL.
async fn check(node: &Node, url: &str) -> Value {
    node.post("/runner-configs/serverless-health-check?namespace=default", &json!({"url": url})).await.json()
}

async fn pool(node: &Node, url: &str) {
    let config = json!({"url": url, "request_lifespan": 900});
    let body = json!({"datacenters": {"default": {"serverless": config}}});
    assert_eq!(node.put("/runner-configs/default?namespace=default", &body).await.status, 200, "{url}");
}

/// The error of the one pool, once it has one.
async fn pool_error(node: &Node) -> Value {
    until("the pool has an error", async || {
        let configs = node.get("/runner-configs?namespace=default").await.json();
        let entry = &configs["runner_configs"]["default"]["datacenters"]["default"];
        Some(entry["runner_pool_error"].clone()).filter(|error| !error.is_null())
    })
    .await
}

#[test]
fn an_application_behind_tls_is_reached_if_its_authority_is_trusted() {
    let folder = tempfile::tempdir().unwrap();
    run(async {
        let (path, server) = authority(folder.path(), "localhost");
        let (_, impostor) = authority(folder.path(), "elsewhere");
        let (a, b) = (folder.path().join("a"), folder.path().join("b"));
        let trusting = Node::start_with(&a, |options| options.ca_file = Some(path.clone())).await;
        let wary = Node::start(&b).await;
        let (listener, port) = listen().await;
        let url = format!("https://localhost:{port}/api/rivet");
        let accept = async |server: &TlsAcceptor| server.accept(listener.accept().await.unwrap().0).await;

        let serve = async { answer(accept(&server).await.unwrap(), &whole(METADATA)).await };
        let (told, head) = futures_util::future::join(check(&trusting, &url), serve).await;
        assert_eq!(told, json!({"success": {"version": "2.2.1"}}));
        assert!(head.starts_with("GET /api/rivet/metadata HTTP/1.1\r\n"), "{head}");
        assert!(head.contains(&format!("host: localhost:{port}\r\n")), "{head}");

        let failed = json!({"failure": {"error": {"request_failed": {}}}});
        let (told, accepted) = futures_util::future::join(check(&wary, &url), accept(&server)).await;
        assert_eq!((told, accepted.is_err()), (failed.clone(), true), "nobody vouches for it");
        let (told, accepted) = futures_util::future::join(check(&trusting, &url), accept(&impostor)).await;
        assert_eq!((told, accepted.is_err()), (failed.clone(), true), "it is another one's");
        let numeric = format!("https://127.0.0.1:{port}/");
        let (told, accepted) = futures_util::future::join(check(&trusting, &numeric), accept(&server)).await;
        assert_eq!((told, accepted.is_err()), (failed.clone(), true), "it is known by another name");
        let plain =
            async { drop(listener.accept().await.unwrap().0.write_all(b"HTTP/1.1 200 OK\r\n\r\n").await) };
        let (told, ()) = futures_util::future::join(check(&trusting, &url), plain).await;
        assert_eq!(told, failed, "it speaks no TLS");
        trusting.stop().await;
        wary.stop().await;
    });
}

#[test]
fn a_runner_is_started_over_tls() {
    let folder = tempfile::tempdir().unwrap();
    run(async {
        let (path, server) = authority(folder.path(), "localhost");
        let data = folder.path().join("a");
        let node = Node::start_with(&data, |options| options.ca_file = Some(path.clone())).await;
        let (listener, port) = listen().await;
        pool(&node, &format!("https://localhost:{port}/app")).await;
        node.actor("k").await;
        let started = async {
            loop {
                let mut stream = server.accept(listener.accept().await.unwrap().0).await.unwrap();
                let mut head = vec![0; 64];
                let length = stream.read(&mut head).await.unwrap();
                if String::from_utf8_lossy(&head[..length]).starts_with("GET /app/start ") {
                    let begin = "HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\n\r\ndata: *\n\n";
                    stream.write_all(begin.as_bytes()).await.unwrap();
                    stream.flush().await.unwrap();
                    return stream;
                }
            }
        };
        let stream = started.await;
        // The event was read over TLS, or nobody would know that it means nothing.
        assert!(pool_error(&node).await.get("serverless_invalid_sse_payload").is_some());
        drop(stream);
        node.stop().await;
    });
}

#[test]
fn private_targets_are_dialled_only_where_they_are_allowed() {
    let folder = tempfile::tempdir().unwrap();
    run(async {
        let strict = Node::start_with(folder.path(), |options| options.private_targets = Some(false)).await;
        let (listener, port) = listen().await;
        let refused = json!({"failure": {"error": {"invalid_request": {}}}});
        for url in [
            format!("http://127.0.0.1:{port}/"),
            format!("http://localhost:{port}/"),
            format!("https://localhost:{port}/"),
            format!("http://[::ffff:127.0.0.1]:{port}/"),
            format!("http://2130706433:{port}/"),
            "http://10.0.0.1/".to_owned(),
            "http://169.254.169.254/latest".to_owned(),
            "http://0.0.0.0/".to_owned(),
        ] {
            assert_eq!(check(&strict, &url).await, refused, "{url}");
        }
        pool(&strict, &format!("http://127.0.0.1:{port}/")).await;
        strict.actor("k").await;
        let error = pool_error(&strict).await;
        let message = error["serverless_connection_error"]["message"].as_str().unwrap_or_default();
        assert!(message.contains("127.0.0.1 is a loopback or private address"), "{error}");
        assert!(listener.accept().now_or_never().is_none(), "nobody was dialled");
        strict.stop().await;
        // Where the engine itself listens on loopback they are, by default; a metadata service never is.
        let node = Node::start(&folder.path().join("other")).await;
        let serve = async { answer(listener.accept().await.unwrap().0, &whole(METADATA)).await };
        let url = format!("http://localhost:{port}/");
        let (told, _) = futures_util::future::join(check(&node, &url), serve).await;
        assert_eq!(told, json!({"success": {"version": "2.2.1"}}));
        assert_eq!(check(&node, "http://169.254.169.254/").await, refused);
        node.stop().await;
    });
}

#[test]
fn a_redirect_is_an_error_of_the_pool_and_nobody_follows_it() {
    let folder = tempfile::tempdir().unwrap();
    run(async {
        let node = Node::start(folder.path()).await;
        let ((listener, port), (trap, elsewhere)) = (listen().await, listen().await);
        pool(&node, &format!("http://127.0.0.1:{port}/")).await;
        node.actor("k").await;
        let redirect = format!(
            "HTTP/1.1 307 Go\r\nlocation: http://127.0.0.1:{elsewhere}/\r\ncontent-length: 0\r\n\r\n"
        );
        let serving = runtime::spawn("application", async move {
            loop {
                let stream: TcpStream = listener.accept().await.unwrap().0;
                answer(stream, &redirect).await;
            }
        });
        let expected = json!({"serverless_http_error": {"status_code": 307, "body": ""}});
        assert_eq!(pool_error(&node).await, expected);
        assert!(trap.accept().now_or_never().is_none(), "nobody went there");
        serving.abort();
        node.stop().await;
    });
}
