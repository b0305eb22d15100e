//! Which headers pass.

use hyper::header::{
    CONNECTION, CONTENT_LENGTH, HeaderMap, HeaderName, HeaderValue, PROXY_AUTHENTICATE, TE, TRAILER,
    TRANSFER_ENCODING, UPGRADE,
};
use protocol::error::ApiError;
use protocol::id::RayId;
use protocol::limits::MAP_ENTRIES_MAX;
use protocol::wire::Headers;

use crate::http::respond;

/// Headers of a response that speak of the connection to the actor, not of ours (RFC 9110 §7.6.1).
const HOP_BY_HOP: [HeaderName; 8] = [
    CONNECTION,
    HeaderName::from_static("keep-alive"),
    HeaderName::from_static("proxy-connection"),
    PROXY_AUTHENTICATE,
    TE,
    TRAILER,
    TRANSFER_ENCODING,
    UPGRADE,
];

/// The client's headers as the actor sees them: all of them, as upstream does, but how the body was framed.
///
/// # Errors
/// `guard.invalid_request` for a value that is no UTF-8, or too many fields.
pub(super) fn to_actor(headers: &HeaderMap, body: usize, ray: RayId) -> Result<Headers, ApiError> {
    let mut passed = Headers::new();
    for (name, value) in headers {
        if *name == TRANSFER_ENCODING {
            passed.set(CONTENT_LENGTH.as_str(), body.to_string());
            continue;
        }
        let Ok(value) = std::str::from_utf8(value.as_bytes()) else {
            return Err(ApiError::GuardInvalidRequest {
                reason: format!("the header `{name}` is not utf-8"),
            });
        };
        passed.append(name.as_str(), value);
    }
    passed.set("x-rivet-ray-id", ray.as_str());
    if passed.len() > MAP_ENTRIES_MAX {
        return Err(ApiError::GuardInvalidRequest { reason: "too many headers".to_owned() });
    }
    Ok(passed)
}

/// The actor's headers as the client sees them, without what only the gateway may say. The length of a body is said by
/// the server; only the answer to HEAD has none to count.
///
/// # Errors
/// `guard.invalid_response` for what cannot be a header.
pub(super) fn to_client(headers: &Headers, is_head: bool) -> Result<HeaderMap, ApiError> {
    let mut passed = HeaderMap::new();
    for (name, value) in headers.iter() {
        let invalid = || ApiError::GuardInvalidResponse { reason: format!("the header {name:?}") };
        let field: HeaderName = name.parse().map_err(|_| invalid())?;
        let value = HeaderValue::from_bytes(value.as_bytes()).map_err(|_| invalid())?;
        let ours = field == respond::ERROR || (field == CONTENT_LENGTH && !is_head);
        if ours || HOP_BY_HOP.contains(&field) {
            continue;
        }
        passed.append(field, value);
    }
    Ok(passed)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ray() -> RayId {
        RayId::from_entropy([1; 16])
    }

    #[test]
    fn the_actor_sees_everything_but_the_framing() {
        let mut headers = HeaderMap::new();
        for (name, value) in
            [("host", "h"), ("cookie", "a=1"), ("cookie", "b=2"), ("connection", "keep-alive")]
        {
            headers.append(HeaderName::from_static(name), HeaderValue::from_static(value));
        }
        headers.append(TRANSFER_ENCODING, HeaderValue::from_static("chunked"));
        headers.append("x-rivet-ray-id", HeaderValue::from_static("forged"));
        let passed = to_actor(&headers, 7, ray()).unwrap();
        assert_eq!(passed.get("cookie"), Some("a=1; b=2"));
        assert_eq!((passed.get("host"), passed.get("connection")), (Some("h"), Some("keep-alive")));
        assert_eq!((passed.get("content-length"), passed.get("transfer-encoding")), (Some("7"), None));
        assert_eq!(passed.get("x-rivet-ray-id"), Some(ray().as_str()));
        headers.append("x-bad", HeaderValue::from_bytes(b"\xff").unwrap());
        assert!(to_actor(&headers, 7, ray()).is_err());
    }

    #[test]
    fn the_client_sees_everything_but_the_hop() {
        let mut headers = Headers::new();
        for (name, value) in
            [("content-length", "2"), ("Keep-Alive", "5"), ("transfer-encoding", "chunked"), ("X-Echo", "1")]
        {
            headers.append(name, value);
        }
        headers.append("X-Rivet-Error", "guard.forged");
        let passed = to_client(&headers, false).unwrap();
        assert_eq!(passed.len(), 1);
        assert_eq!(passed["x-echo"], "1");
        assert_eq!(to_client(&headers, true).unwrap()[CONTENT_LENGTH], "2");
        headers.append("bad name", "1");
        assert!(to_client(&headers, false).is_err());
    }
}
