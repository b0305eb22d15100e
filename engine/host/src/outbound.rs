//! Requests that the engine sends to applications: how they are addressed, dialled and sent.
//!
//! [`guard`] judges the addresses, [`dial`] connects to what was judged. A redirect is an answer like any other: nobody
//! follows it, since it would lead to where nobody judged. What they are for is next door: [`crate::stream`] starts
//! runners with them, [`crate::metadata`] asks what an application says of itself.

mod dial;
mod guard;

use std::collections::BTreeMap;
use std::error::Error;

use bytes::Bytes;
use http_body_util::{BodyExt as _, Empty};
use hyper::body::Incoming;
use hyper::client::conn::http1;
use hyper::header::{ACCEPT, HOST, HeaderName, HeaderValue, USER_AGENT};
use hyper::{Request, Response, Uri};
use hyper_util::rt::TokioIo;
use runtime::JoinHandle;

pub(crate) use dial::{DialError, Dialler};

/// Header fields of an answer at most. Ours: an application answers with a handful.
const ANSWER_HEADERS_MAX: usize = 128;

/// The task that moves the bytes of a connection; ends with this.
#[derive(Debug)]
pub(crate) struct Connection(JoinHandle<()>);

impl Drop for Connection {
    fn drop(&mut self) {
        self.0.abort();
    }
}

/// `GET {url}{path}` with the configured headers. The error is for people.
pub(crate) fn get(
    url: &str,
    path: &str,
    headers: &BTreeMap<String, String>,
    accept: &'static str,
) -> Result<Request<Empty<Bytes>>, String> {
    let uri: Uri = format!("{}{path}", url.trim_end_matches('/'))
        .parse()
        .map_err(|error| format!("the url of the pool cannot be requested: {error}"))?;
    let host = uri.authority().ok_or("the url of the pool names no host")?;
    // Without a user part, which is nobody's business (RFC 9110 §7.2).
    let host = host.as_str().rsplit('@').next().unwrap_or_default();
    let host = HeaderValue::from_str(host).map_err(|error| error.to_string())?;
    let mut request = Request::get(uri).body(Empty::new()).map_err(|error| error.to_string())?;
    let fields = request.headers_mut();
    for (name, value) in headers {
        // As upstream: what cannot be a header is left out.
        if let (Ok(name), Ok(value)) = (name.parse::<HeaderName>(), HeaderValue::from_str(value)) {
            fields.insert(name, value);
        }
    }
    fields.insert(HOST, host);
    fields.insert(ACCEPT, HeaderValue::from_static(accept));
    fields
        .insert(USER_AGENT, HeaderValue::from_static(concat!("RehearsalEngine/", env!("CARGO_PKG_VERSION"))));
    Ok(request)
}

/// Why a request was not answered.
#[derive(Debug, thiserror::Error)]
pub(crate) enum SendError {
    /// The application was not reached.
    #[error(transparent)]
    Dial(#[from] DialError),
    /// The connection failed; with everything below it, as one line.
    #[error("{0}")]
    Http(String),
}

impl From<hyper::Error> for SendError {
    fn from(error: hyper::Error) -> Self {
        Self::Http(chain(&error))
    }
}

/// Dials the application and sends the request.
///
/// # Errors
/// [`SendError`]; its text is for people.
pub(crate) async fn send(
    dialler: &Dialler,
    request: Request<Empty<Bytes>>,
) -> Result<(Response<Incoming>, Connection), SendError> {
    let stream = TokioIo::new(dialler.dial(request.uri()).await?);
    let mut builder = http1::Builder::new();
    builder.max_headers(ANSWER_HEADERS_MAX);
    let (mut sender, connection) = builder.handshake(stream).await?;
    let connection = Connection(runtime::spawn("outbound connection", async move {
        // Whoever reads the body hears of the failure too.
        drop(connection.await);
    }));
    let (mut parts, body) = request.into_parts();
    // A server is asked by path; the address is in `host`.
    parts.uri = parts.uri.path_and_query().map_or_else(
        || Uri::from_static("/"),
        |path| path.as_str().parse().expect("a path of a URI is a URI"),
    );
    let response = sender.send_request(Request::from_parts(parts, body)).await?;
    Ok((response, connection))
}

/// The body's first bytes: all of them, or so many and a piece beyond; and whether it broke off before.
pub(crate) async fn beginning(mut body: Incoming, bytes: usize) -> (Vec<u8>, bool) {
    let mut start = Vec::new();
    while start.len() < bytes
        && let Some(frame) = body.frame().await
    {
        let Ok(frame) = frame else { return (start, true) };
        if let Ok(piece) = frame.into_data() {
            start.extend_from_slice(&piece);
        }
    }
    (start, false)
}

/// An error with everything below it, as one line.
pub(crate) fn chain(error: &dyn Error) -> String {
    let mut text = error.to_string();
    let mut next = error.source();
    while let Some(error) = next {
        text.push_str(": ");
        text.push_str(&error.to_string());
        next = error.source();
    }
    text
}
