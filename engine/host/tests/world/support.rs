//! An engine on a node, and a client.

use std::net::SocketAddr;
use std::time::Duration;

use bytes::Bytes;
use host::{Engine, Options};
use http_body_util::{BodyExt as _, Full};
use hyper::Request;
use runtime::TcpStream;
use serde_json::Value;
use sim::{Node, World};

/// Boots an engine on the node `engine`; each restart opens the same folder.
pub(crate) fn engine(world: &World) -> Node {
    engine_with(world, |_| ())
}

/// The same, with options changed.
pub(crate) fn engine_with(world: &World, change: fn(&mut Options)) -> Node {
    let node = world.node("engine");
    node.boot(move || async move {
        let mut options = Options::new("data");
        options.bind = "0.0.0.0:6420".parse().unwrap();
        options.insecure = true;
        options.public_url = Some("http://engine:6420".to_owned());
        options.check_every = 1;
        change(&mut options);
        let engine = Engine::open(options).await.unwrap();
        let asked = async { runtime::signals::terminate().await.unwrap() };
        engine.run(asked).await.unwrap();
    });
    node
}

/// A call and its status and JSON; `None` if the engine did not answer.
pub(crate) async fn call(engine: &Node, method: &str, path: &str, body: &str) -> Option<(u16, Value)> {
    call_as("", engine, method, path, body).await
}

/// The same, with a token.
pub(crate) async fn call_as(
    token: &str,
    engine: &Node,
    method: &str,
    path: &str,
    body: &str,
) -> Option<(u16, Value)> {
    let address = SocketAddr::new(engine.ip(), 6420);
    let asked = async {
        let stream = TcpStream::connect(address).await.ok()?;
        let (mut sender, connection) = hyper::client::conn::http1::handshake(stream).await.ok()?;
        let connection = runtime::spawn("test client", connection);
        let request = Request::builder().method(method).uri(path).header("host", "engine");
        let request = request.header("x-rivet-token", token);
        let request = request.body(Full::new(Bytes::copy_from_slice(body.as_bytes()))).unwrap();
        let response = sender.send_request(request).await.ok()?;
        let status = response.status().as_u16();
        let body = response.into_body().collect().await.ok()?.to_bytes();
        drop(sender);
        drop(connection);
        Some((status, serde_json::from_slice(&body).ok()?))
    };
    runtime::timeout(Duration::from_secs(10), asked).await.ok().flatten()
}

/// Waits until the engine says that it works.
pub(crate) async fn healthy(engine: &Node) {
    while call(engine, "GET", "/health", "").await.is_none_or(|(status, _)| status != 200) {
        runtime::sleep(Duration::from_millis(100)).await;
    }
}

/// Configures a pool.
pub(crate) async fn pool(engine: &Node) {
    let body = r#"{"datacenters":{"default":{"normal":{}}}}"#;
    let answer = call(engine, "PUT", "/runner-configs/default?namespace=default", body).await;
    assert_eq!(answer.unwrap().0, 200);
}

/// Creates the actor of this key; its id if the engine acknowledged it.
pub(crate) async fn actor(engine: &Node, key: &str) -> Option<String> {
    let body =
        format!(r#"{{"name":"a","key":"{key}","runner_name_selector":"default","crash_policy":"sleep"}}"#);
    let (status, answer) = call(engine, "PUT", "/actors?namespace=default", &body).await?;
    (status == 200).then(|| answer["actor"]["actor_id"].as_str().unwrap().to_owned())
}
