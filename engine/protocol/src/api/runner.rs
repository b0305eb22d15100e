//! Runners as the API shows them.

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::api::check_filter;
use crate::api::page::{PageQuery, Pagination};
use crate::api::query::{Query, parse_ids};
use crate::error::ApiError;
use crate::id::{NamespaceId, RunnerId, RunnerKey};
use crate::time::Wall;

/// A runner. All fields are always there; times are wall clock milliseconds or null.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, utoipa::ToSchema)]
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
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, utoipa::ToSchema)]
pub struct Runners {
    /// The runners.
    pub runners: Vec<Runner>,
    /// Where the next page begins.
    pub pagination: Pagination,
}

/// The answer of `GET /runners/names`, in alphabetical order.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, utoipa::ToSchema)]
pub struct RunnerNames {
    /// Names of pools that have runners.
    pub names: Vec<String>,
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
    /// Only these; all if empty.
    pub runner_ids: Vec<RunnerId>,
    /// Whether those that are gone for good are wanted too. They are forgotten, so it makes no difference.
    pub include_stopped: bool,
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
        let ids = query.take_list("runner_ids", "runner_id")?;
        let include_stopped = query.take_parsed("include_stopped")?.unwrap_or(false);
        let page = PageQuery::take(&mut query)?;
        query.finish()?;
        check_filter("runner_ids", &ids)?;
        Ok(Self { namespace, name, runner_ids: parse_ids(&ids)?, include_stopped, page })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::Code;

    const ID: &str = "9i3halmrv1puua7r2mvi49taqjbl00";

    #[test]
    fn every_filter_is_read_and_bounded() {
        let query = format!("namespace=n&name=p&runner_ids={ID}&runner_id={ID}&include_stopped=true&limit=7");
        let query = RunnersQuery::parse(&query).unwrap();
        assert_eq!((query.name.as_deref(), query.runner_ids.len(), query.page.limit), (Some("p"), 2, 7));
        assert!(query.include_stopped);
        let refusal = |text: &str| RunnersQuery::parse(text).unwrap_err().kind();
        assert_eq!(refusal("namespace=n&runner_ids=zzz"), Code::ApiBadRequest);
        assert_eq!(refusal("namespace=n&include_stopped=1"), Code::ApiBadRequest);
        let many = vec![ID; 101].join(",");
        assert_eq!(refusal(&format!("namespace=n&runner_ids={many}")), Code::ValidationInvalidInput);
    }
}
