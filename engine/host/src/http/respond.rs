//! Responses.

use bytes::Bytes;
use hyper::header::{CONTENT_TYPE, HeaderName, HeaderValue, WWW_AUTHENTICATE};
use hyper::{Response, StatusCode};
use protocol::error::ApiError;
use protocol::id::RayId;
use protocol::wire::ERROR_HEADER;
use serde::Serialize;
use tokio::sync::mpsc;

use super::body::Answer;

/// Every response names its ray.
const RAY: HeaderName = HeaderName::from_static("x-rivet-ray-id");
/// An error of the gateway names its code; an actor's answer never does.
pub(super) const ERROR: HeaderName = HeaderName::from_static(ERROR_HEADER);

/// A response of this server.
pub(super) type Reply = Response<Answer>;

/// An empty response.
pub(super) fn empty(status: StatusCode) -> Reply {
    let mut response = Response::new(Answer::Whole(Bytes::new()));
    *response.status_mut() = status;
    response
}

/// 200 with what comes in pieces.
pub(super) fn pieces(pieces: mpsc::Receiver<Bytes>) -> Reply {
    of(Answer::Pieces(pieces), "application/octet-stream")
}

/// 200 with compact JSON.
pub(super) fn json<T: Serialize>(value: &T) -> Reply {
    with_json(StatusCode::OK, value)
}

/// The error as API callers read it.
pub(super) fn error(error: &ApiError) -> Reply {
    let status = StatusCode::from_u16(error.status()).expect("codes carry statuses of HTTP");
    let mut response = with_json(status, &error.body());
    if status == StatusCode::UNAUTHORIZED {
        // RFC 9110 §15.5.2.
        response.headers_mut().insert(WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
    }
    response
}

/// The error as clients of actors read it: from the header, where a body may be the actor's.
pub(super) fn gateway_error(failure: &ApiError) -> Reply {
    let mut response = error(failure);
    response.headers_mut().insert(ERROR, HeaderValue::from_static(failure.code()));
    response
}

/// Names the ray.
pub(super) fn with_ray(mut response: Reply, ray: RayId) -> Reply {
    let value = HeaderValue::from_str(ray.as_str()).expect("an id is visible text");
    response.headers_mut().insert(RAY, value);
    response
}

/// 200 with text of this kind.
pub(super) fn text(kind: &'static str, text: impl Into<Bytes>) -> Reply {
    of(Answer::Whole(text.into()), kind)
}

fn with_json<T: Serialize>(status: StatusCode, value: &T) -> Reply {
    let body = serde_json::to_vec(value).expect("API types are JSON");
    let mut response = of(Answer::Whole(body.into()), "application/json");
    *response.status_mut() = status;
    response
}

/// 200 with a body of this kind.
fn of(body: Answer, kind: &'static str) -> Reply {
    let mut response = Response::new(body);
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static(kind));
    response
}
