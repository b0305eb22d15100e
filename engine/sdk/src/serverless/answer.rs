//! The answers of the endpoint, but for the event stream itself.

use std::collections::BTreeMap;

use http::header::{
    ACCESS_CONTROL_ALLOW_CREDENTIALS, ACCESS_CONTROL_ALLOW_HEADERS, ACCESS_CONTROL_ALLOW_METHODS,
    ACCESS_CONTROL_ALLOW_ORIGIN, ACCESS_CONTROL_EXPOSE_HEADERS, ACCESS_CONTROL_MAX_AGE,
    ACCESS_CONTROL_REQUEST_HEADERS, CACHE_CONTROL, CONTENT_TYPE, ORIGIN, VARY,
};
use http::{HeaderMap, HeaderValue, Response, StatusCode};
use protocol::api::{AppHealth, AppMetadata, AppRunner, AppRunnerKind, NameMetadata};
use protocol::error::{ApiError, ErrorBody};
use serde::Serialize;

use super::Body;
use crate::pool::{Pool, Standing};
use crate::registry::Registry;

/// What applications of this protocol call their runtime: engines look for it.
const RUNTIME: &str = "rivetkit";

/// Ours.
const VERSION: &str = env!("CARGO_PKG_VERSION");

/// How long a browser may remember what it was allowed, in seconds. Upstream's.
const MAX_AGE: &str = "86400";

/// `/health`: what every application says, and how its pool stands.
#[derive(Serialize)]
struct Health {
    #[serde(flatten)]
    app: AppHealth,
    #[serde(skip_serializing_if = "Option::is_none")]
    pool: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pool_error: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    error: Option<ErrorBody>,
}

pub(super) fn banner() -> Response<Body> {
    text(StatusCode::OK, "This is an actor application. Its engine talks to it here.\n")
}

pub(super) fn not_found() -> Response<Body> {
    text(StatusCode::NOT_FOUND, "Not found\n")
}

pub(super) fn no_content() -> Response<Body> {
    with(StatusCode::NO_CONTENT, None, Body::whole(""))
}

/// Never waits: an engine that is being told about the pool asks at the same time.
pub(super) fn health(pool: Option<&Pool>, stale: bool) -> Response<Body> {
    let standing = pool.map(Pool::standing);
    let (pool, pool_error, status) = match standing {
        None => (None, None, StatusCode::OK),
        Some(Standing::Idle | Standing::Pending) => (Some("pending"), None, StatusCode::OK),
        Some(Standing::Configured) => (Some("configured"), None, StatusCode::OK),
        Some(Standing::Failing(error)) => (Some("failing"), Some(error.to_string()), StatusCode::OK),
        Some(Standing::Fatal(error)) => {
            (Some("failed"), Some(error.to_string()), StatusCode::SERVICE_UNAVAILABLE)
        }
        Some(Standing::Stopped) => (Some("stopped"), None, StatusCode::OK),
    };
    let (word, status) = match (status, stale) {
        (StatusCode::OK, true) => ("engine_ping_stale", StatusCode::SERVICE_UNAVAILABLE),
        (StatusCode::OK, false) => ("ok", status),
        _ => ("pool_failed", status),
    };
    json(status, &Health { app: app(word), pool, pool_error, error: None })
}

/// `/health` of an application that is not up.
pub(crate) fn unwell(status: u16, word: &str, error: Option<ErrorBody>) -> Response<Body> {
    let status = StatusCode::from_u16(status).expect("health has two statuses");
    json(status, &Health { app: app(word), pool: None, pool_error: None, error })
}

/// An error that is no API's.
pub(crate) fn refusal(status: StatusCode, error: &ErrorBody) -> Response<Body> {
    json(status, error)
}

fn app(word: &str) -> AppHealth {
    AppHealth { status: word.to_owned(), runtime: RUNTIME.to_owned(), version: VERSION.to_owned() }
}

pub(super) fn metadata(registry: &Registry, version: u32) -> Response<Body> {
    let empty = || NameMetadata { metadata: serde_json::Value::Object(serde_json::Map::new()) };
    let actor_names: BTreeMap<_, _> = registry.names().map(|name| (name.to_owned(), empty())).collect();
    let metadata = AppMetadata {
        runtime: RUNTIME.to_owned(),
        version: VERSION.to_owned(),
        runner: Some(AppRunner { kind: AppRunnerKind::Serverless {}, version: Some(version) }),
        actor_names,
        envoy_protocol_version: None,
    };
    json(StatusCode::OK, &metadata)
}

pub(crate) fn error(error: &ApiError) -> Response<Body> {
    let status = StatusCode::from_u16(error.status()).expect("the table of codes holds statuses");
    json(status, &error.body())
}

pub(super) fn stream(body: Body) -> Response<Body> {
    let mut response = with(StatusCode::OK, Some("text/event-stream"), body);
    response.headers_mut().insert(CACHE_CONTROL, HeaderValue::from_static("no-cache"));
    response
}

/// What a browser needs to be allowed everything, as upstream allows it.
pub(crate) fn allow_origin(asked: &HeaderMap, answer: &mut HeaderMap) {
    let echo = |name| asked.get(name).cloned().unwrap_or(HeaderValue::from_static("*"));
    answer.insert(ACCESS_CONTROL_ALLOW_ORIGIN, echo(ORIGIN));
    answer.insert(ACCESS_CONTROL_ALLOW_CREDENTIALS, HeaderValue::from_static("true"));
    answer.insert(ACCESS_CONTROL_EXPOSE_HEADERS, HeaderValue::from_static("*"));
    answer.insert(ACCESS_CONTROL_ALLOW_HEADERS, echo(ACCESS_CONTROL_REQUEST_HEADERS));
    let methods = HeaderValue::from_static("GET, POST, PUT, DELETE, PATCH, OPTIONS");
    answer.insert(ACCESS_CONTROL_ALLOW_METHODS, methods);
    answer.insert(ACCESS_CONTROL_MAX_AGE, HeaderValue::from_static(MAX_AGE));
    answer.insert(VARY, HeaderValue::from_static("Origin"));
}

fn text(status: StatusCode, text: &'static str) -> Response<Body> {
    with(status, Some("text/plain; charset=utf-8"), Body::whole(text))
}

fn json<T: Serialize>(status: StatusCode, value: &T) -> Response<Body> {
    let body = serde_json::to_vec(value).expect("our own documents are JSON");
    with(status, Some("application/json"), Body::whole(body))
}

fn with(status: StatusCode, content_type: Option<&'static str>, body: Body) -> Response<Body> {
    let mut response = Response::new(body);
    *response.status_mut() = status;
    if let Some(content_type) = content_type {
        response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static(content_type));
    }
    response
}
