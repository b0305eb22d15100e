//! Where an engine is.

use std::fmt;
use std::str::FromStr;

use http::Uri;
use http::uri::{Authority, PathAndQuery, Scheme};
use protocol::limits::CONFIG_URL_BYTES_MAX;

/// Base URL of an engine: `http://host[:port][/path]`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Endpoint {
    authority: Authority,
    /// Without the final slash.
    path: String,
}

/// Why a text is no endpoint.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum EndpointError {
    /// It is no absolute URL.
    #[error("{text:?} is no URL like http://127.0.0.1:6420")]
    Malformed {
        /// The text.
        text: String,
    },
    /// It is longer than [`CONFIG_URL_BYTES_MAX`], so that whatever is joined to it is a URL too.
    #[error("an endpoint of {length} bytes: at most {CONFIG_URL_BYTES_MAX}")]
    TooLong {
        /// Its length in bytes.
        length: usize,
    },
    /// Its scheme is not `http` or `ws`.
    #[error("an endpoint's scheme is http, not {scheme}")]
    Scheme {
        /// The scheme.
        scheme: String,
    },
    /// It carries a query or credentials.
    #[error("an endpoint carries no query and no credentials: {text:?}")]
    Extra {
        /// The text.
        text: String,
    },
}

impl Endpoint {
    /// The URL of a path (beginning with `/`, already encoded) below it.
    ///
    /// # Errors
    /// If that is no URL: it is too long (64 KiB), or not encoded.
    pub(crate) fn join(&self, path: &str, query: Option<&str>) -> Result<Uri, http::Error> {
        let target = match query {
            Some(query) => format!("{}{path}?{query}", self.path),
            None => format!("{}{path}", self.path),
        };
        Uri::builder().scheme(Scheme::HTTP).authority(self.authority.clone()).path_and_query(target).build()
    }

    /// Host and port, as `Host` headers carry them.
    pub(crate) fn authority(&self) -> &str {
        self.authority.as_str()
    }
}

impl FromStr for Endpoint {
    type Err = EndpointError;

    fn from_str(text: &str) -> Result<Self, EndpointError> {
        let malformed = || EndpointError::Malformed { text: text.to_owned() };
        if text.len() > CONFIG_URL_BYTES_MAX {
            return Err(EndpointError::TooLong { length: text.len() });
        }
        let parts = text.parse::<Uri>().map_err(|_| malformed())?.into_parts();
        let scheme = parts.scheme.ok_or_else(malformed)?;
        if !matches!(scheme.as_str(), "http" | "ws") {
            return Err(EndpointError::Scheme { scheme: scheme.to_string() });
        }
        let authority = parts.authority.ok_or_else(malformed)?;
        let path = parts.path_and_query.unwrap_or_else(|| PathAndQuery::from_static("/"));
        if path.query().is_some() || authority.as_str().contains('@') {
            return Err(EndpointError::Extra { text: text.to_owned() });
        }
        if authority.host().is_empty() {
            return Err(malformed());
        }
        Ok(Self { authority, path: path.path().trim_end_matches('/').to_owned() })
    }
}

impl fmt::Display for Endpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "http://{}{}", self.authority, self.path)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_are_joined_below_the_base() {
        let plain: Endpoint = "http://127.0.0.1:6420/".parse().unwrap();
        let actors = plain.join("/actors", Some("a=1")).unwrap();
        assert_eq!(actors.to_string(), "http://127.0.0.1:6420/actors?a=1");
        let below: Endpoint = "http://engine:80/base/".parse().unwrap();
        assert_eq!(below.join("/health", None).unwrap().to_string(), "http://engine:80/base/health");
        assert_eq!(below.to_string(), "http://engine:80/base");
        assert!(plain.join(&format!("/{}", "a".repeat(70_000)), None).is_err());
    }

    #[test]
    fn what_is_no_endpoint_is_told_apart() {
        let parse = |text: &str| text.parse::<Endpoint>().unwrap_err();
        assert!(matches!(parse("engine"), EndpointError::Malformed { .. }));
        assert!(matches!(parse("/actors"), EndpointError::Malformed { .. }));
        assert_eq!(parse("https://a"), EndpointError::Scheme { scheme: "https".into() });
        assert!(matches!(parse("http://user@a"), EndpointError::Extra { .. }));
        assert!(matches!(parse("http://a/?q=1"), EndpointError::Extra { .. }));
        assert!(matches!(parse(&format!("http://a/{}", "a".repeat(9000))), EndpointError::TooLong { .. }));
    }
}
