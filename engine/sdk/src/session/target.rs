//! Which engine a session speaks to, and as whom.

use http::Uri;
use protocol::id::RunnerKey;
use protocol::wire::PROTOCOL_VERSION;

use crate::client::Client;
use crate::endpoint::Endpoint;

/// Which engine, and as whom.
#[derive(Clone, Debug)]
pub(crate) struct Target {
    /// The engine.
    pub endpoint: Endpoint,
    /// Name of the namespace.
    pub namespace: String,
    /// Name of the pool.
    pub pool: String,
    /// Identity over reconnects.
    pub key: RunnerKey,
    /// Version of the application.
    pub version: u32,
    /// Credentials.
    pub token: Option<String>,
}

impl Target {
    /// The URL of the runner socket.
    pub(crate) fn url(&self) -> Uri {
        let query = url::form_urlencoded::Serializer::new(String::new())
            .append_pair("protocol_version", &PROTOCOL_VERSION.to_string())
            .append_pair("namespace", &self.namespace)
            .append_pair("runner_key", self.key.as_str())
            .finish();
        self.endpoint
            .join("/runners/connect", Some(&query))
            .expect("names, keys and endpoints are short texts")
    }

    /// A client of the same engine and namespace, with the same credentials.
    pub(crate) fn client(&self) -> Client {
        Client::new(self.endpoint.clone(), self.namespace.clone(), self.token.clone())
    }
}

/// A key that no other runner has: a random UUID (RFC 9562 §5.4).
pub(crate) fn fresh_key() -> RunnerKey {
    let mut bytes: [u8; 16] = runtime::entropy::bytes("runner/key");
    bytes[6] = bytes[6] & 0x0f | 0x40;
    bytes[8] = bytes[8] & 0x3f | 0x80;
    let hex: String = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
    let uuid = format!("{}-{}-{}-{}-{}", &hex[..8], &hex[8..12], &hex[12..16], &hex[16..20], &hex[20..]);
    RunnerKey::new(uuid).expect("a UUID has 36 characters")
}
