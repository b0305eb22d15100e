//! The request of a serverless stream.

use bytes::Bytes;
use http_body_util::Empty;
use hyper::Request;
use hyper::header::{HeaderName, HeaderValue};
use machines::control::effect::StreamTarget;

use crate::access::{Secret, TOKEN};
use crate::outbound;

/// `GET {url}/start`, with what the application needs to reach this engine. The error is for people.
pub(super) fn start(
    target: &StreamTarget,
    public_url: &str,
    token: Option<&Secret>,
) -> Result<Request<Empty<Bytes>>, String> {
    let mut request = outbound::get(&target.url, "/start", &target.headers, "text/event-stream")?;
    let endpoint = format!("{}/", public_url.trim_end_matches('/'));
    let slots = target.slots.to_string();
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
        request.headers_mut().insert(HeaderName::from_static(name), value);
    }
    if let Some(token) = token {
        let mut value = HeaderValue::from_str(token.expose()).expect("a token is visible text");
        value.set_sensitive(true);
        request.headers_mut().insert(TOKEN, value);
    }
    Ok(request)
}
