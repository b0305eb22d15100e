//! Runners as the API shows them.

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::api::page::{PageQuery, Pagination};
use crate::api::query::Query;
use crate::error::ApiError;
use crate::id::{NamespaceId, RunnerId, RunnerKey};
use crate::time::Wall;

/// A runner. All fields are always there; times are wall clock milliseconds or null.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Runner {
    /// Its id.
    pub runner_id: RunnerId,
    /// Its namespace.
    pub namespace_id: NamespaceId,
    /// Where it is connected.
    pub datacenter: String,
    /// The pool it belongs to.
    pub name: String,
    /// What it calls itself.
    pub key: RunnerKey,
    /// Version of its application.
    pub version: u32,
    /// How many actors it hosts at most.
    pub total_slots: u32,
    /// How many more it has room for.
    pub remaining_slots: u32,
    /// When it first connected.
    pub create_ts: Wall,
    /// Since when it drains.
    pub drain_ts: Option<Wall>,
    /// When it was gone for good.
    pub stop_ts: Option<Wall>,
    /// When it last gave a sign of life.
    pub last_ping_ts: Wall,
    /// When it last connected.
    pub last_connected_ts: Option<Wall>,
    /// Time between the last ping and its pong, in milliseconds.
    pub last_rtt: u32,
    /// JSON about it, shown and never read.
    pub metadata: Option<Value>,
}

/// The answer of `GET /runners`.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Runners {
    /// The runners.
    pub runners: Vec<Runner>,
    /// Where the next page begins.
    pub pagination: Pagination,
}

/// The query of `GET /runners`.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct RunnersQuery {
    /// Name of the namespace.
    pub namespace: String,
    /// Only those of this pool.
    pub name: Option<String>,
    /// Which page.
    pub page: PageQuery,
}

impl RunnersQuery {
    /// Reads the text behind the `?`.
    ///
    /// # Errors
    /// `api.bad_request` or `validation.invalid_input` for fields that are unknown, doubled, missing or malformed.
    pub fn parse(text: &str) -> Result<Self, ApiError> {
        let mut query = Query::new(text);
        let namespace = query.require("namespace")?;
        let name = query.take("name")?;
        let page = PageQuery::take(&mut query)?;
        query.finish()?;
        Ok(Self { namespace, name, page })
    }
}
