//! Datacenters. There is one; the API has room for more.

use serde::{Deserialize, Serialize};

use crate::api::page::Pagination;
use crate::error::ApiError;

/// The name of the one datacenter.
pub const DATACENTER: &str = "default";

/// The number of the one datacenter.
pub const DATACENTER_LABEL: u16 = 1;

/// A datacenter.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, utoipa::ToSchema)]
pub struct Datacenter {
    /// Its number in ids.
    pub label: u16,
    /// Its name.
    pub name: String,
    /// Its public URL, with a slash at the end.
    pub url: String,
}

/// The answer of `GET /datacenters`.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, utoipa::ToSchema)]
pub struct Datacenters {
    /// The datacenters.
    pub datacenters: Vec<Datacenter>,
    /// Always the last page.
    pub pagination: Pagination,
}

impl Datacenters {
    /// The answer of an engine that is reached under this URL.
    pub fn one(public_url: &str) -> Self {
        let url = format!("{}/", public_url.trim_end_matches('/'));
        let datacenter = Datacenter { label: DATACENTER_LABEL, name: DATACENTER.to_owned(), url };
        Self { datacenters: vec![datacenter], pagination: Pagination::default() }
    }
}

/// Refuses every datacenter but the one.
///
/// # Errors
/// `datacenter.not_found`.
pub fn check_datacenter(name: Option<&str>) -> Result<(), ApiError> {
    match name {
        None | Some(DATACENTER) => Ok(()),
        Some(_) => Err(ApiError::DatacenterNotFound),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_answer_reads_as_seen_on_the_wire() {
        let seen = r#"{"datacenters":[{"label":1,"name":"default","url":"http://127.0.0.1:6700/"}],"pagination":{"cursor":null}}"#;
        for url in ["http://127.0.0.1:6700", "http://127.0.0.1:6700/"] {
            assert_eq!(serde_json::to_string(&Datacenters::one(url)).unwrap(), seen);
        }
    }
}
