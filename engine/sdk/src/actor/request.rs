//! A client's request, as the actor sees it.

use bytes::Bytes;
use http::{HeaderMap, HeaderName, HeaderValue, Method, Uri};
use protocol::wire::Headers;
use serde::de::DeserializeOwned;

use super::{AbortSignal, ActorError};

/// A client's request: what followed the actor's id and `/request` in the gateway's path, with its method, headers and whole body
/// (at most 20 MiB).
#[derive(Clone, Debug)]
pub struct Request {
    method: Method,
    target: Uri,
    headers: HeaderMap,
    body: Bytes,
    abort: AbortSignal,
}

/// Why the parts of a tunnelled request are no HTTP request.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum BadRequest {
    #[error("the method {method:?} is none")]
    Method { method: String },
    #[error("the path {path:?} is none")]
    Path { path: String },
    #[error("the header {name:?} is none")]
    Header { name: String },
}

impl Request {
    pub(crate) fn from_wire(
        method: &str,
        path: &str,
        headers: &Headers,
        body: Bytes,
    ) -> Result<Self, BadRequest> {
        let bad_path = || BadRequest::Path { path: path.to_owned() };
        let target: Uri = path.parse().map_err(|_| bad_path())?;
        if target.path_and_query().is_none() {
            return Err(bad_path());
        }
        let method = Method::from_bytes(method.as_bytes())
            .map_err(|_| BadRequest::Method { method: method.to_owned() })?;
        let mut map = HeaderMap::with_capacity(headers.len());
        for (name, value) in headers.iter() {
            let bad = || BadRequest::Header { name: name.to_owned() };
            let key = HeaderName::from_bytes(name.as_bytes()).map_err(|_| bad())?;
            // Tunnelled values are UTF-8 text; HTTP carries any byte but controls.
            map.append(key, HeaderValue::from_bytes(value.as_bytes()).map_err(|_| bad())?);
        }
        Ok(Self { method, target, headers: map, body, abort: AbortSignal::default() })
    }

    /// The same below a part of its path that it begins with.
    pub(crate) fn below(mut self, prefix: &str) -> Self {
        self.shorten(prefix);
        self
    }

    pub(crate) fn shorten(&mut self, prefix: &str) {
        let target = self.target.path_and_query().map_or("/", |target| target.as_str());
        let rest = target.strip_prefix(prefix).unwrap_or(target);
        let rest = if rest.starts_with('/') { rest.to_owned() } else { format!("/{rest}") };
        self.target = rest.parse().expect("a part of a path is one");
    }

    /// Its method.
    #[must_use]
    pub const fn method(&self) -> &Method {
        &self.method
    }

    /// Its path below the actor's `/request`, beginning with `/`.
    #[must_use]
    pub fn path(&self) -> &str {
        self.target.path()
    }

    /// What follows `?` in its path.
    #[must_use]
    pub fn query(&self) -> Option<&str> {
        self.target.query()
    }

    /// Its headers.
    #[must_use]
    pub const fn headers(&self) -> &HeaderMap {
        &self.headers
    }

    /// Its body, empty if it has none.
    #[must_use]
    pub const fn body(&self) -> &Bytes {
        &self.body
    }

    /// Its body, read as JSON.
    ///
    /// # Errors
    /// `user.invalid_json` (status 400) if it is not what is expected.
    pub fn json<T: DeserializeOwned>(&self) -> Result<T, ActorError> {
        serde_json::from_slice(&self.body)
            .map_err(|error| ActorError::user("invalid_json", error.to_string()))
    }

    /// Fires when nobody waits for the answer any more.
    #[must_use]
    pub const fn abort_signal(&self) -> &AbortSignal {
        &self.abort
    }
}
