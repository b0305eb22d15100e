//! A client of the HTTP side: one connection per request.

use std::net::SocketAddr;

use bytes::Bytes;
use http_body_util::{BodyExt as _, Full};
use hyper::{Request, StatusCode, header::HeaderMap};
use runtime::TcpStream;
use serde_json::Value;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

/// What came back.
#[derive(Debug)]
pub(crate) struct Response {
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Bytes,
}

impl Response {
    pub(crate) fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or_else(|error| panic!("{error}: {self:?}"))
    }

    /// Status and `group.code` of an error.
    pub(crate) fn refusal(&self) -> (u16, String) {
        let body = self.json();
        let part = |name: &str| body[name].as_str().unwrap_or("?").to_owned();
        (self.status.as_u16(), format!("{}.{}", part("group"), part("code")))
    }
}

pub(crate) async fn get(address: SocketAddr, path: &str) -> Response {
    call(address, "GET", path, "").await
}

pub(crate) async fn call(address: SocketAddr, method: &str, path: &str, body: &str) -> Response {
    call_with(address, method, path, &[], Bytes::copy_from_slice(body.as_bytes())).await
}

pub(crate) async fn call_with(
    address: SocketAddr,
    method: &str,
    path: &str,
    headers: &[(&str, &str)],
    body: Bytes,
) -> Response {
    try_call_with(address, method, path, headers, body).await.unwrap()
}

/// The same, where the connection may break.
pub(crate) async fn try_call_with(
    address: SocketAddr,
    method: &str,
    path: &str,
    headers: &[(&str, &str)],
    body: Bytes,
) -> Result<Response, Box<dyn std::error::Error + Send + Sync>> {
    let stream = TcpStream::connect(address).await?;
    let (mut sender, connection) = hyper::client::conn::http1::handshake(stream).await?;
    let connection = runtime::spawn("test client", connection);
    let mut request = Request::builder().method(method).uri(path).header("host", address.to_string());
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    let response = sender.send_request(request.body(Full::new(body))?).await?;
    let (parts, body) = response.into_parts();
    let body = body.collect().await?.to_bytes();
    drop(sender);
    drop(connection);
    Ok(Response { status: parts.status, headers: parts.headers, body })
}

/// Sends bytes as they are, and gives what comes until the engine closes.
pub(crate) async fn raw(address: SocketAddr, bytes: &[u8]) -> String {
    let mut stream = TcpStream::connect(address).await.unwrap();
    stream.write_all(bytes).await.unwrap();
    let mut answer = Vec::new();
    // A refusal may be followed by a reset, since not all was read.
    stream.read_to_end(&mut answer).await.ok();
    String::from_utf8_lossy(&answer).into_owned()
}
