//! Where an engine is.

use std::fmt;
use std::net::IpAddr;
use std::str::FromStr;

use http::Uri;
use http::uri::{Authority, PathAndQuery, Scheme};
use percent_encoding::percent_decode_str;
use protocol::limits::CONFIG_URL_BYTES_MAX;
use runtime::http::SecureConnector;
use runtime::tls::{Roots, Trust};

/// Base URL of an engine: `http://host[:port][/path]`, or `https` for TLS on real sockets. Clones share what they trust.
#[derive(Clone, Debug)]
pub struct Endpoint {
    secure: bool,
    authority: Authority,
    /// Without the final slash.
    path: String,
    trust: Trust,
}

/// An endpoint with what may be written into its URL: `scheme://[namespace[:token]@]host…`, percent-encoded.
#[derive(Clone, PartialEq, Eq)]
pub struct Located {
    /// The engine.
    pub endpoint: Endpoint,
    /// Name of the namespace, if it is there.
    pub namespace: Option<String>,
    /// Credentials, if they are there.
    pub token: Option<String>,
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
    /// Its scheme is none of `http`, `https`, `ws` and `wss`.
    #[error("an endpoint's scheme is http or https, not {scheme}")]
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
        let scheme = if self.secure { Scheme::HTTPS } else { Scheme::HTTP };
        Uri::builder().scheme(scheme).authority(self.authority.clone()).path_and_query(target).build()
    }

    /// The same place, where servers with these roots are trusted too, beside those that this machine trusts.
    #[must_use]
    pub fn trusting(mut self, roots: Roots) -> Self {
        self.trust = Trust::new(roots);
        self
    }

    /// The same place, trusted as another endpoint is.
    pub(crate) fn trusting_as(mut self, other: &Self) -> Self {
        self.trust = other.trust.clone();
        self
    }

    /// What it is dialled with.
    pub(crate) fn connector(&self) -> SecureConnector {
        SecureConnector(self.trust.clone())
    }

    /// The port it is dialled at.
    pub(crate) fn port(&self) -> u16 {
        self.authority.port_u16().unwrap_or(if self.secure { 443 } else { 80 })
    }

    /// Whether it is on this machine: `localhost` and names below it (RFC 6761 §6.3), loopback and unspecified addresses.
    pub(crate) fn is_loopback(&self) -> bool {
        let host = self.authority.host().trim_start_matches('[').trim_end_matches(']');
        match host.parse::<IpAddr>() {
            Ok(address) => address.is_loopback() || address.is_unspecified(),
            Err(_) => host == "localhost" || host.ends_with(".localhost"),
        }
    }

    /// Whether it is dialled with TLS.
    pub(crate) const fn is_secure(&self) -> bool {
        self.secure
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
        let secure = match scheme.as_str() {
            "http" | "ws" => false,
            "https" | "wss" => true,
            other => return Err(EndpointError::Scheme { scheme: other.to_owned() }),
        };
        let authority = parts.authority.ok_or_else(malformed)?;
        let path = parts.path_and_query.unwrap_or_else(|| PathAndQuery::from_static("/"));
        if path.query().is_some() || authority.as_str().contains('@') {
            return Err(EndpointError::Extra { text: text.to_owned() });
        }
        if authority.host().is_empty() {
            return Err(malformed());
        }
        let path = path.path().trim_end_matches('/').to_owned();
        Ok(Self { secure, authority, path, trust: Trust::default() })
    }
}

impl FromStr for Located {
    type Err = EndpointError;

    fn from_str(text: &str) -> Result<Self, EndpointError> {
        // The text may hold a token: it is in no error.
        let malformed = || EndpointError::Malformed { text: "…".to_owned() };
        let (scheme, rest) = text.split_once("://").ok_or_else(malformed)?;
        let end = rest.find(['/', '?', '#']).unwrap_or(rest.len());
        let Some((user, _)) = rest[..end].rsplit_once('@') else {
            return Ok(Self { endpoint: text.parse()?, namespace: None, token: None });
        };
        let decoded = |text: &str| {
            let decoded = percent_decode_str(text).decode_utf8().map_err(|_| malformed())?;
            Ok::<_, EndpointError>((!decoded.is_empty()).then(|| decoded.into_owned()))
        };
        let (namespace, token) = user.split_once(':').unwrap_or((user, ""));
        let endpoint = format!("{scheme}://{}", &rest[user.len() + 1..]).parse()?;
        Ok(Self { endpoint, namespace: decoded(namespace)?, token: decoded(token)? })
    }
}

/// Without the token.
impl fmt::Debug for Located {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Located")
            .field("endpoint", &self.endpoint)
            .field("namespace", &self.namespace)
            .finish_non_exhaustive()
    }
}

/// Two are one if they are one place, whoever is trusted there.
impl PartialEq for Endpoint {
    fn eq(&self, other: &Self) -> bool {
        (self.secure, &self.authority, &self.path) == (other.secure, &other.authority, &other.path)
    }
}

impl Eq for Endpoint {}

impl fmt::Display for Endpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let scheme = if self.secure { "https" } else { "http" };
        write!(f, "{scheme}://{}{}", self.authority, self.path)
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
    fn tls_keeps_its_scheme_and_its_port() {
        let secure: Endpoint = "wss://engine.example/base".parse().unwrap();
        assert_eq!(secure.join("/health", None).unwrap().to_string(), "https://engine.example/base/health");
        assert_eq!((secure.port(), secure.is_secure(), secure.is_loopback()), (443, true, false));
        assert_ne!(secure, "http://engine.example/base".parse().unwrap());
    }

    #[test]
    fn this_machine_has_many_names() {
        for (text, expected) in [
            ("http://127.9.8.7:1", true),
            ("http://[::1]:1", true),
            ("http://0.0.0.0:1", true),
            ("http://a.localhost", true),
            ("http://localhost.example", false),
            ("http://10.0.0.1", false),
        ] {
            assert_eq!(text.parse::<Endpoint>().unwrap().is_loopback(), expected, "{text}");
        }
    }

    #[test]
    fn what_is_no_endpoint_is_told_apart() {
        let parse = |text: &str| text.parse::<Endpoint>().unwrap_err();
        assert!(matches!(parse("engine"), EndpointError::Malformed { .. }));
        assert!(matches!(parse("/actors"), EndpointError::Malformed { .. }));
        assert_eq!(parse("ftp://a"), EndpointError::Scheme { scheme: "ftp".into() });
        assert!(matches!(parse("http://user@a"), EndpointError::Extra { .. }));
        assert!(matches!(parse("http://a/?q=1"), EndpointError::Extra { .. }));
        assert!(matches!(parse(&format!("http://a/{}", "a".repeat(9000))), EndpointError::TooLong { .. }));
    }
}
