//! What `/start` is asked with, and whether this application may be asked so.

use http::HeaderMap;
use protocol::error::ApiError;

use crate::endpoint::Endpoint;
use crate::run;

/// A start as the engine asks for it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Start {
    /// The engine to connect to.
    pub endpoint: Endpoint,
    /// The header as it came: duplicates are joined by a comma.
    pub endpoint_text: String,
    /// Name of the namespace.
    pub namespace: String,
    /// Name of the pool.
    pub pool: String,
    /// Credentials for the engine.
    pub token: Option<String>,
    /// Slots of the runner.
    pub total_slots: u32,
}

/// Reads the headers of a start.
pub(super) fn read(headers: &HeaderMap) -> Result<Start, ApiError> {
    let endpoint_text = required(headers, "x-rivet-endpoint")?;
    let pool = match optional(headers, "x-rivet-runner-name")? {
        Some(pool) => pool,
        // What newer engines call it.
        None => optional(headers, "x-rivet-pool-name")?.ok_or_else(|| missing("x-rivet-runner-name"))?,
    };
    let namespace = required(headers, "x-rivet-namespace-name")?;
    let token = optional(headers, "x-rivet-token")?;
    let total_slots = match optional(headers, "x-rivet-total-slots")? {
        None => 1,
        Some(text) => text.parse().ok().filter(|slots| *slots > 0).ok_or_else(|| {
            let reason = format!("x-rivet-total-slots header is {text:?}, not a number above 0");
            ApiError::RequestInvalid { reason }
        })?,
    };
    let first = endpoint_text.split(',').next().unwrap_or_default().trim();
    let endpoint = first
        .parse()
        .map_err(|error| ApiError::RequestInvalid { reason: format!("x-rivet-endpoint header: {error}") })?;
    run::check(&namespace, &pool, token.as_deref())
        .map_err(|error| ApiError::RequestInvalid { reason: error.to_string() })?;
    Ok(Start { endpoint, endpoint_text, namespace, pool, token, total_slots })
}

/// Refuses a start for another engine or namespace than the application is configured with. The start it gives back
/// connects to the endpoint that matched, whichever came first.
pub(super) fn expect(
    mut start: Start,
    endpoint: Option<&Endpoint>,
    namespace: Option<&str>,
) -> Result<Start, ApiError> {
    if let Some(expected) = endpoint {
        let expected_key = normal(&expected.to_string());
        let mut matching = start.endpoint_text.split(',').filter(|received| normal(received) == expected_key);
        let Some(matched) = matching.find_map(|received| received.trim().parse().ok()) else {
            return Err(ApiError::ConfigEndpointMismatch {
                expected: expected.to_string(),
                received: start.endpoint_text,
            });
        };
        let matched: Endpoint = matched;
        start.endpoint = matched.trusting_as(expected);
    }
    match namespace {
        Some(expected) if expected != start.namespace => Err(ApiError::ConfigNamespaceMismatch {
            expected: expected.to_owned(),
            received: start.namespace,
        }),
        Some(_) | None => Ok(start),
    }
}

/// An endpoint as it is compared: without final slash, with one name for the loopback.
fn normal(text: &str) -> String {
    let text = text.trim().trim_end_matches('/');
    let Ok(url) = url::Url::parse(text) else {
        return text.to_owned();
    };
    let loopback = match url.host() {
        Some(url::Host::Ipv4(address)) => address.is_loopback() || address.is_unspecified(),
        Some(url::Host::Ipv6(address)) => address.is_loopback() || address.is_unspecified(),
        Some(url::Host::Domain(_)) | None => false,
    };
    let host = if loopback { "localhost" } else { url.host_str().unwrap_or_default() };
    let port = url.port_or_known_default().unwrap_or_default();
    format!("{}://{host}:{port}{}", url.scheme(), url.path().trim_end_matches('/'))
}

fn required(headers: &HeaderMap, name: &'static str) -> Result<String, ApiError> {
    optional(headers, name)?.ok_or_else(|| missing(name))
}

/// A header's value; one that is empty counts as missing.
fn optional(headers: &HeaderMap, name: &'static str) -> Result<Option<String>, ApiError> {
    let Some(value) = headers.get(name) else {
        return Ok(None);
    };
    let text = value
        .to_str()
        .map_err(|_| ApiError::RequestInvalid { reason: format!("{name} header is no text") })?;
    let text = text.trim();
    Ok((!text.is_empty()).then(|| text.to_owned()))
}

fn missing(name: &str) -> ApiError {
    ApiError::RequestInvalid { reason: format!("{name} header is required") }
}

#[cfg(test)]
mod tests {
    use super::*;
    use http::HeaderValue;

    fn headers() -> HeaderMap {
        let mut headers = HeaderMap::new();
        for (name, value) in [
            ("x-rivet-endpoint", "http://127.0.0.1:6420/"),
            ("x-rivet-total-slots", "1"),
            ("x-rivet-runner-name", "default"),
            ("x-rivet-namespace-name", "default"),
            ("x-rivet-namespace-id", "default"),
        ] {
            headers.insert(name, HeaderValue::from_static(value));
        }
        headers
    }

    #[test]
    fn what_an_engine_sends_is_read() {
        let start = read(&headers()).unwrap();
        assert_eq!(start.endpoint.to_string(), "http://127.0.0.1:6420");
        assert_eq!(
            (start.pool.as_str(), start.namespace.as_str(), start.total_slots),
            ("default", "default", 1)
        );
        assert_eq!(start.token, None);
    }

    #[test]
    fn each_missing_header_is_named() {
        for name in ["x-rivet-endpoint", "x-rivet-runner-name", "x-rivet-namespace-name"] {
            for broken in [None, Some("  ")] {
                let mut headers = headers();
                headers.remove(name);
                if let Some(value) = broken {
                    headers.insert(name, HeaderValue::from_static(value));
                }
                let reason = format!("{name} header is required");
                assert_eq!(read(&headers), Err(ApiError::RequestInvalid { reason }));
            }
        }
    }

    #[test]
    fn newer_names_and_defaults_are_taken() {
        let mut headers = headers();
        headers.remove("x-rivet-runner-name");
        headers.remove("x-rivet-total-slots");
        headers.insert("x-rivet-pool-name", HeaderValue::from_static("web"));
        headers.insert("x-rivet-token", HeaderValue::from_static("secret"));
        let start = read(&headers).unwrap();
        assert_eq!(
            (start.pool.as_str(), start.total_slots, start.token.as_deref()),
            ("web", 1, Some("secret"))
        );
    }

    #[test]
    fn nonsense_is_refused() {
        for (name, value) in [
            ("x-rivet-total-slots", "0"),
            ("x-rivet-total-slots", "many"),
            ("x-rivet-endpoint", "ftp://a"),
            ("x-rivet-endpoint", "engine"),
            ("x-rivet-token", "a b"),
        ] {
            let mut headers = headers();
            headers.insert(name, HeaderValue::from_static(value));
            assert!(matches!(read(&headers), Err(ApiError::RequestInvalid { .. })), "{name}: {value}");
        }
    }

    #[test]
    fn another_engine_or_namespace_is_refused() {
        let start = || read(&headers()).unwrap();
        let same: Endpoint = "http://localhost:6420".parse().unwrap();
        assert_eq!(expect(start(), Some(&same), Some("default")), Ok(start()));
        let other: Endpoint = "http://localhost:6421".parse().unwrap();
        assert!(matches!(expect(start(), Some(&other), None), Err(ApiError::ConfigEndpointMismatch { .. })));
        assert!(matches!(expect(start(), None, Some("prod")), Err(ApiError::ConfigNamespaceMismatch { .. })));
    }

    #[test]
    fn of_joined_endpoints_the_one_that_matches_is_dialled() {
        let mut headers = headers();
        let joined = HeaderValue::from_static("http://a:1, http://0.0.0.0:6420/");
        headers.insert("x-rivet-endpoint", joined);
        let start = read(&headers).unwrap();
        let expected: Endpoint = "http://[::1]:6420".parse().unwrap();
        let start = expect(start, Some(&expected), None).unwrap();
        assert_eq!(start.endpoint.to_string(), "http://0.0.0.0:6420");
    }

    #[test]
    fn an_endpoint_with_credentials_matches_nothing() {
        let mut headers = headers();
        let joined = HeaderValue::from_static("http://evil:80, http://user@127.0.0.1:6420");
        headers.insert("x-rivet-endpoint", joined);
        let expected: Endpoint = "http://127.0.0.1:6420".parse().unwrap();
        let refused = expect(read(&headers).unwrap(), Some(&expected), None);
        assert!(matches!(refused, Err(ApiError::ConfigEndpointMismatch { .. })), "{refused:?}");
    }
}
