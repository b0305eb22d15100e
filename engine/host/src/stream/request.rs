//! The request of a serverless stream.

use std::error::Error;

use bytes::Bytes;
use http_body_util::Empty;
use hyper::body::Incoming;
use hyper::client::conn::http1;
use hyper::header::{ACCEPT, HOST, HeaderName, HeaderValue, USER_AGENT};
use hyper::{Request, Response, Uri};
use machines::control::effect::StreamTarget;
use runtime::JoinHandle;

/// Header fields of an answer at most. Ours: an application answers with a handful.
const ANSWER_HEADERS_MAX: usize = 128;

/// The task that moves the bytes of a connection; ends with this.
#[derive(Debug)]
pub(super) struct Connection(JoinHandle<()>);

impl Drop for Connection {
    fn drop(&mut self) {
        self.0.abort();
    }
}

/// Dials the application and sends `GET {url}/start`. The error is for people.
pub(super) async fn send(
    target: &StreamTarget,
    public_url: &str,
) -> Result<(Response<Incoming>, Connection), String> {
    let request = build(target, public_url)?;
    let stream = runtime::http::Connector.dial(request.uri()).await.map_err(|error| chain(&error))?;
    let mut builder = http1::Builder::new();
    builder.max_headers(ANSWER_HEADERS_MAX);
    let (mut sender, connection) = builder.handshake(stream).await.map_err(|error| chain(&error))?;
    let connection = Connection(runtime::spawn("serverless connection", async move {
        // Whoever reads the body hears of the failure too.
        drop(connection.await);
    }));
    let (mut parts, body) = request.into_parts();
    // A server is asked by path; the address is in `host`.
    parts.uri = parts.uri.path_and_query().map_or_else(
        || Uri::from_static("/start"),
        |path| path.as_str().parse().expect("a path of a URI is a URI"),
    );
    let response = sender.send_request(Request::from_parts(parts, body)).await;
    Ok((response.map_err(|error| chain(&error))?, connection))
}

fn build(target: &StreamTarget, public_url: &str) -> Result<Request<Empty<Bytes>>, String> {
    let uri: Uri = format!("{}/start", target.url.trim_end_matches('/'))
        .parse()
        .map_err(|error| format!("the url of the pool cannot be requested: {error}"))?;
    let host = uri.authority().ok_or("the url of the pool names no host")?;
    // Without a user part, which is nobody's business (RFC 9110 §7.2).
    let host = host.as_str().rsplit('@').next().unwrap_or_default();
    let host = HeaderValue::from_str(host).map_err(|error| error.to_string())?;
    let endpoint = format!("{}/", public_url.trim_end_matches('/'));
    let slots = target.slots.to_string();
    let mut request = Request::get(uri).body(Empty::new()).map_err(|error| error.to_string())?;
    let headers = request.headers_mut();
    for (name, value) in &target.headers {
        // As upstream: what cannot be a header is left out.
        if let (Ok(name), Ok(value)) = (name.parse::<HeaderName>(), HeaderValue::from_str(value)) {
            headers.insert(name, value);
        }
    }
    headers.insert(HOST, host);
    headers.insert(ACCEPT, HeaderValue::from_static("text/event-stream"));
    headers
        .insert(USER_AGENT, HeaderValue::from_static(concat!("RehearsalEngine/", env!("CARGO_PKG_VERSION"))));
    let ours = [
        ("x-rivet-endpoint", endpoint.as_str()),
        ("x-rivet-total-slots", slots.as_str()),
        ("x-rivet-runner-name", target.pool.as_str()),
        ("x-rivet-namespace-name", target.namespace.as_str()),
        // The name here too: applications were built against an engine that sends it.
        ("x-rivet-namespace-id", target.namespace.as_str()),
    ];
    for (name, value) in ours {
        let value =
            HeaderValue::from_str(value).map_err(|_| format!("{name}: {value:?} cannot be a header"))?;
        headers.insert(HeaderName::from_static(name), value);
    }
    Ok(request)
}

/// An error with everything below it, as one line.
pub(super) fn chain(error: &dyn Error) -> String {
    let mut text = error.to_string();
    let mut next = error.source();
    while let Some(error) = next {
        text.push_str(": ");
        text.push_str(&error.to_string());
        next = error.source();
    }
    text
}
