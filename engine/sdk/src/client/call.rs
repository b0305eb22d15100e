//! One exchange with the engine: bytes out, bytes in, typed failures.

use std::time::Duration;

use bytes::Bytes;
use http::header::RETRY_AFTER;
use http::{Request, Response};
use http_body_util::{BodyExt, Full, LengthLimitError, Limited};
use hyper::body::Incoming;
use hyper_util::client::legacy;
use protocol::error::{ErrorBody, cut};
use protocol::limits::{BODY_BYTES_MAX, USER_TEXT_BYTES_MAX};
use runtime::http::SecureConnector;
use serde::Serialize;

use super::ClientError;

/// A JSON body.
pub(super) fn body<T: Serialize>(value: &T) -> Result<Bytes, ClientError> {
    serde_json::to_vec(value).map(Bytes::from).map_err(|_| ClientError::Invalid { what: "the body" })
}

/// Sends a request and reads the whole answer.
pub(super) async fn exchange(
    http: &legacy::Client<SecureConnector, Full<Bytes>>,
    request: Request<Full<Bytes>>,
) -> Result<Response<Bytes>, ClientError> {
    whole(send(http, request).await?).await
}

/// Sends a request and reads the head of the answer.
pub(super) async fn send(
    http: &legacy::Client<SecureConnector, Full<Bytes>>,
    request: Request<Full<Bytes>>,
) -> Result<Response<Incoming>, ClientError> {
    http.request(request).await.map_err(|error| {
        if error.is_connect() {
            ClientError::Unreachable { source: Box::new(error) }
        } else {
            ClientError::Broken { source: Box::new(error) }
        }
    })
}

/// Reads the rest of an answer.
pub(super) async fn whole(response: Response<Incoming>) -> Result<Response<Bytes>, ClientError> {
    let (parts, body) = response.into_parts();
    let body = Limited::new(body, BODY_BYTES_MAX).collect().await.map_err(|source| {
        if source.is::<LengthLimitError>() {
            ClientError::TooLarge { limit: BODY_BYTES_MAX }
        } else {
            ClientError::Broken { source }
        }
    })?;
    Ok(Response::from_parts(parts, body.to_bytes()))
}

/// The error that an answer is.
pub(super) fn refusal(response: &Response<Bytes>) -> ClientError {
    let status = response.status().as_u16();
    match serde_json::from_slice::<ErrorBody>(response.body()) {
        Ok(body) => ClientError::Engine { status, body, retry_after: retry_after(response) },
        Err(_) => {
            let text = String::from_utf8_lossy(response.body());
            ClientError::Undecodable { status, reason: cut(&text, USER_TEXT_BYTES_MAX).to_owned() }
        }
    }
}

/// What `Retry-After` asks for, in its form of seconds (RFC 9110 §10.2.3); dates are passed over.
fn retry_after(response: &Response<Bytes>) -> Option<Duration> {
    let text = response.headers().get(RETRY_AFTER)?.to_str().ok()?;
    text.trim().parse().ok().map(Duration::from_secs)
}
