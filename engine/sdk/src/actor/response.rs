//! What an actor answers.

use bytes::Bytes;
use http::header::{CONNECTION, CONTENT_LENGTH, CONTENT_TYPE, TRANSFER_ENCODING};
use http::{HeaderMap, HeaderName, HeaderValue, StatusCode};
use protocol::limits::BODY_BYTES_MAX;
use protocol::wire::{ERROR_HEADER, Headers, ToServerKind};
use serde::Serialize;

/// An actor's answer to a client.
#[derive(Clone, Debug, Default)]
pub struct Response {
    status: StatusCode,
    headers: HeaderMap,
    body: Bytes,
    /// The code of an answer that is the runner's own, not an actor's.
    code: Option<&'static str>,
}

/// No actor can set it: the gateway believes what it says.
const ERROR: HeaderName = HeaderName::from_static(ERROR_HEADER);

impl Response {
    /// Status 200 with this body and no content type.
    pub fn new(body: impl Into<Bytes>) -> Self {
        Self { body: body.into(), ..Self::default() }
    }

    /// Status 200 with this text.
    pub fn text(text: impl Into<String>) -> Self {
        Self::new(text.into()).typed("text/plain; charset=utf-8")
    }

    /// Status 200 with this value as JSON. A value that JSON cannot hold (a map whose keys are no texts) becomes
    /// status 500.
    pub fn json<T: Serialize + ?Sized>(value: &T) -> Self {
        match serde_json::to_vec(value) {
            Ok(body) => Self::new(body).typed("application/json"),
            Err(error) => Self::text(format!("the answer is no JSON: {error}")).with_status(500),
        }
    }

    /// What an action gave, which is JSON.
    pub(crate) fn output(output: &[u8]) -> Self {
        let body = [b"{\"output\":", output, b"}"].concat();
        Self::new(body).typed("application/json")
    }

    /// The same with another status; one that HTTP does not know becomes 500.
    #[must_use]
    pub fn with_status(mut self, status: u16) -> Self {
        self.status = StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        self
    }

    /// The same with one more header line.
    #[must_use]
    pub fn with_header(mut self, name: HeaderName, value: HeaderValue) -> Self {
        self.headers.append(name, value);
        self
    }

    /// Its status.
    #[must_use]
    pub const fn status(&self) -> StatusCode {
        self.status
    }

    /// Its headers.
    #[must_use]
    pub const fn headers(&self) -> &HeaderMap {
        &self.headers
    }

    /// Its body.
    #[must_use]
    pub const fn body(&self) -> &Bytes {
        &self.body
    }

    fn typed(self, content_type: &'static str) -> Self {
        self.with_header(CONTENT_TYPE, HeaderValue::from_static(content_type))
    }

    /// The same, or status 500 if its body is beyond what one frame carries.
    pub(crate) fn within_limits(self) -> Self {
        if self.body.len() <= BODY_BYTES_MAX {
            return self;
        }
        protocol::mark!("sdk_response_too_large");
        Self::text(format!("an answer of {} bytes: at most {BODY_BYTES_MAX}", self.body.len()))
            .with_status(500)
    }

    /// The same as an answer of the runner's own, with this code.
    pub(crate) const fn of_runner(mut self, code: &'static str) -> Self {
        self.code = Some(code);
        self
    }

    /// The message that answers the whole request. The runner sets `content-length`, as RivetKit's does; header values
    /// that are no UTF-8 are left out, since the protocol carries texts, and so is what only a runner may say.
    pub(crate) fn into_wire(self) -> ToServerKind {
        let mut headers = Headers::new();
        for (name, value) in &self.headers {
            if [CONTENT_LENGTH, TRANSFER_ENCODING, CONNECTION, ERROR].contains(name) {
                continue;
            }
            if let Ok(value) = std::str::from_utf8(value.as_bytes()) {
                headers.append(name.as_str(), value);
            }
        }
        if let Some(code) = self.code {
            headers.set(ERROR.as_str(), code);
        }
        headers.set(CONTENT_LENGTH.as_str(), self.body.len().to_string());
        ToServerKind::ResponseStart {
            status: self.status.as_u16(),
            headers,
            body: (!self.body.is_empty()).then_some(self.body),
            stream: false,
        }
    }
}
