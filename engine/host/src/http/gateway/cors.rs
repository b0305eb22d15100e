//! What browsers ask before they call an actor, and want to read in its answers (the Fetch standard, §3.2).

use hyper::header::{
    ACCESS_CONTROL_ALLOW_CREDENTIALS, ACCESS_CONTROL_ALLOW_HEADERS, ACCESS_CONTROL_ALLOW_METHODS,
    ACCESS_CONTROL_ALLOW_ORIGIN, ACCESS_CONTROL_EXPOSE_HEADERS, ACCESS_CONTROL_MAX_AGE,
    ACCESS_CONTROL_REQUEST_HEADERS, ACCESS_CONTROL_REQUEST_METHOD, HeaderMap, HeaderValue, ORIGIN, VARY,
};
use hyper::{Method, StatusCode};

use crate::http::respond::{self, Reply};

/// Seconds a browser may remember a preflight. Upstream's.
const MAX_AGE: HeaderValue = HeaderValue::from_static("86400");
/// Methods an actor may be called with.
const METHODS: HeaderValue = HeaderValue::from_static("GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS");

/// Where a request comes from, if a browser says so.
pub(super) struct Origin(Option<HeaderValue>);

impl Origin {
    pub(super) fn of(headers: &HeaderMap) -> Self {
        Self(headers.get(ORIGIN).cloned())
    }

    /// Lets the page at this origin read the response. Who is no page gets the wildcard.
    pub(super) fn allow(&self, headers: &mut HeaderMap) {
        let origin = self.0.clone();
        let any = origin.is_none();
        headers.insert(ACCESS_CONTROL_ALLOW_ORIGIN, origin.unwrap_or(HeaderValue::from_static("*")));
        headers.insert(ACCESS_CONTROL_EXPOSE_HEADERS, HeaderValue::from_static("*"));
        // With the wildcard, browsers refuse credentials (§3.2.5).
        if any {
            headers.remove(ACCESS_CONTROL_ALLOW_CREDENTIALS);
        } else {
            headers.insert(ACCESS_CONTROL_ALLOW_CREDENTIALS, HeaderValue::from_static("true"));
            headers.append(VARY, HeaderValue::from_static("origin"));
        }
    }
}

/// Whether a browser asks if it may call.
pub(super) fn is_preflight(method: &Method, headers: &HeaderMap) -> bool {
    method == Method::OPTIONS
        && headers.contains_key(ORIGIN)
        && headers.contains_key(ACCESS_CONTROL_REQUEST_METHOD)
}

/// It may.
pub(super) fn preflight(origin: &Origin, asked: &HeaderMap) -> Reply {
    let mut response = respond::empty(StatusCode::NO_CONTENT);
    let headers = response.headers_mut();
    origin.allow(headers);
    headers.insert(ACCESS_CONTROL_ALLOW_METHODS, METHODS);
    let names = asked.get(ACCESS_CONTROL_REQUEST_HEADERS).cloned();
    headers.insert(ACCESS_CONTROL_ALLOW_HEADERS, names.unwrap_or(HeaderValue::from_static("*")));
    headers.insert(ACCESS_CONTROL_MAX_AGE, MAX_AGE);
    response
}
