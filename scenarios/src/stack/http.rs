//! A client of the platform as its users write one: plain HTTP/1.1 over one connection that is kept alive.
//!
//! It is not the SDK's client, so that a misunderstanding of the SDK cannot hide itself from the judges.

use std::time::Duration;

use bytes::Bytes;
use http::{Method, Request, header};
use http_body_util::{BodyExt, Full, Limited};
use hyper::body::Incoming;
use hyper::client::conn::http1::{SendRequest, handshake};
use model::code::ClientCode;
use protocol::error::ErrorBody;
use runtime::TcpStream;

use super::ENGINE_PORT;

/// How long a connection attempt may take. Ours: an engine on the same network answers in milliseconds.
pub const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);

/// Largest response read: 1 MiB, far above any that the plays ask for.
const RESPONSE_MAX: usize = 1 << 20;

/// A connection to the engine, made when it is needed.
pub struct Http {
    sender: Option<SendRequest<Full<Bytes>>>,
}

/// Why there is no good answer: a stable `group.code`, from the platform or from the client's own side.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refusal {
    /// The code.
    pub code: String,
}

impl From<ClientCode> for Refusal {
    fn from(code: ClientCode) -> Self {
        Self { code: code.as_str().to_owned() }
    }
}

impl Http {
    /// Not connected yet.
    #[must_use]
    pub const fn new() -> Self {
        Self { sender: None }
    }

    /// Asks, and reads the whole answer, within `bound`.
    ///
    /// # Errors
    /// [`Refusal`] with the platform's code, or the client's own.
    pub async fn ask(
        &mut self,
        method: Method,
        path: &str,
        body: Bytes,
        bound: Duration,
    ) -> Result<Bytes, Refusal> {
        match runtime::timeout(bound, self.exchange(method, path, body)).await {
            Ok(answer) => answer,
            Err(_elapsed) => {
                self.sender = None;
                Err(ClientCode::TimedOut.into())
            }
        }
    }

    async fn exchange(&mut self, method: Method, path: &str, body: Bytes) -> Result<Bytes, Refusal> {
        let mut sender = self.connected().await?;
        let request = Request::builder()
            .method(method)
            .uri(path)
            .header(header::HOST, "engine")
            .header(header::CONTENT_TYPE, "application/json")
            .body(Full::new(body))
            .expect("paths and headers of plays are valid");
        let response = sender.send_request(request).await.map_err(|_broken| ClientCode::Closed)?;
        let status = response.status();
        let bytes = whole(response.into_body()).await?;
        // Only a connection on which a whole exchange went well is used again.
        self.sender = Some(sender);
        if status.is_success() {
            return Ok(bytes);
        }
        let error: ErrorBody = serde_json::from_slice(&bytes).map_err(|_other| ClientCode::Malformed)?;
        Err(Refusal { code: format!("{}.{}", error.group, error.code) })
    }

    async fn connected(&mut self) -> Result<SendRequest<Full<Bytes>>, Refusal> {
        if let Some(mut kept) = self.sender.take()
            && kept.ready().await.is_ok()
        {
            return Ok(kept);
        }
        let stream = runtime::timeout(CONNECT_TIMEOUT, connect()).await;
        let stream = stream.map_err(|_elapsed| ClientCode::ConnectTimedOut)?;
        let stream = stream.map_err(|error| match error.kind() {
            std::io::ErrorKind::TimedOut => ClientCode::ConnectTimedOut,
            _ => ClientCode::Refused,
        })?;
        let (sender, connection) = handshake(stream).await.map_err(|_broken| ClientCode::Closed)?;
        drop(runtime::spawn("client-connection", async move {
            // How a connection ends is seen by the exchange it broke off.
            drop(connection.await);
        }));
        Ok(sender)
    }
}

impl Default for Http {
    fn default() -> Self {
        Self::new()
    }
}

async fn connect() -> std::io::Result<TcpStream> {
    let addresses = runtime::resolve("engine", ENGINE_PORT).await?;
    let address = addresses.first().copied().ok_or(std::io::ErrorKind::NotFound)?;
    TcpStream::connect(address).await
}

async fn whole(body: Incoming) -> Result<Bytes, Refusal> {
    let body = Limited::new(body, RESPONSE_MAX).collect().await;
    Ok(body.map_err(|_broken| ClientCode::Closed)?.to_bytes())
}
