//! Namespaces: whose actors they are.

use serde::{Deserialize, Serialize};

use crate::api::check_filter;
use crate::api::page::{PageQuery, Pagination};
use crate::api::query::{Query, parse_ids};
use crate::error::ApiError;
use crate::id::NamespaceId;
use crate::limits::{DISPLAY_NAME_BYTES_MAX, NAMESPACE_NAME_BYTES_MAX};
use crate::time::Wall;

/// A namespace.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, utoipa::ToSchema)]
pub struct Namespace {
    /// Its id.
    pub namespace_id: NamespaceId,
    /// Its name, unique.
    pub name: String,
    /// Its name for people.
    pub display_name: String,
    /// When it was created, wall clock milliseconds.
    pub create_ts: Wall,
}

/// The answer of `POST /namespaces`.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, utoipa::ToSchema)]
pub struct NamespaceAnswer {
    /// The new one.
    pub namespace: Namespace,
}

/// The answer of `GET /namespaces`.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, utoipa::ToSchema)]
pub struct Namespaces {
    /// The namespaces.
    pub namespaces: Vec<Namespace>,
    /// Where the next page begins.
    pub pagination: Pagination,
}

/// The body of `POST /namespaces`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct CreateNamespace {
    /// A DNS label.
    pub name: String,
    /// For people.
    pub display_name: String,
}

impl CreateNamespace {
    /// Checks both names.
    ///
    /// # Errors
    /// `validation.invalid_input` when the name is no DNS label (RFC 1035 §2.3.1, digits first allowed as in RFC 1123
    /// §2.1) in lower case, or the display name is empty or too long.
    pub fn check(&self) -> Result<(), ApiError> {
        let label = self.name.as_bytes();
        let inner = |byte: &u8| matches!(byte, b'0'..=b'9' | b'a'..=b'z' | b'-');
        let edge = |byte: Option<&u8>| byte.is_some_and(u8::is_ascii_alphanumeric);
        let sound = edge(label.first()) && edge(label.last()) && label.iter().all(inner);
        if !sound || label.len() > NAMESPACE_NAME_BYTES_MAX {
            let reason =
                format!("name must be a DNS label in lower case of 1 to {NAMESPACE_NAME_BYTES_MAX} bytes");
            return Err(ApiError::ValidationInvalidInput { reason });
        }
        if self.display_name.is_empty() || self.display_name.len() > DISPLAY_NAME_BYTES_MAX {
            let reason = format!("display_name must have 1 to {DISPLAY_NAME_BYTES_MAX} bytes");
            return Err(ApiError::ValidationInvalidInput { reason });
        }
        Ok(())
    }
}

/// The query of `GET /namespaces`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct NamespacesQuery {
    /// Only the one of this name.
    pub name: Option<String>,
    /// Only these; all if empty.
    pub namespace_ids: Vec<NamespaceId>,
    /// Which page.
    pub page: PageQuery,
}

impl NamespacesQuery {
    /// Reads the text behind the `?`.
    ///
    /// # Errors
    /// `api.bad_request` or `validation.invalid_input` for fields that are unknown, doubled or malformed.
    pub fn parse(text: &str) -> Result<Self, ApiError> {
        let mut query = Query::new(text);
        let name = query.take("name")?;
        let ids = query.take_list("namespace_ids", "namespace_id")?;
        let page = PageQuery::take(&mut query)?;
        query.finish()?;
        check_filter("namespace_ids", &ids)?;
        Ok(Self { name, namespace_ids: parse_ids(&ids)?, page })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_dns_labels() {
        let check = |name: &str| CreateNamespace { name: name.into(), display_name: "d".into() }.check();
        for good in ["a", "default", "a-b", "0a", &"a".repeat(63)] {
            assert_eq!(check(good), Ok(()), "{good}");
        }
        for bad in ["", "-a", "a-", "A", "a.b", "ü", &"a".repeat(64)] {
            assert!(check(bad).is_err(), "{bad}");
        }
    }
}
