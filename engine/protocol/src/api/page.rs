//! Pages of a list.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::api::query::Query;
use crate::error::ApiError;
use crate::id::ActorId;
use crate::limits::{PAGE_ITEMS_DEFAULT, PAGE_ITEMS_MAX};
use crate::time::Wall;

/// Where the next page of an answer begins.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize, utoipa::ToSchema)]
pub struct Pagination {
    /// Opaque to callers; null if nothing more is known.
    pub cursor: Option<String>,
}

/// Which page is asked for.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct PageQuery {
    /// At most so many items: 1 to [`PAGE_ITEMS_MAX`].
    pub limit: usize,
    /// The cursor of the page before.
    pub cursor: Option<String>,
}

/// Where a page of actors begins: behind this one. Two actors may be created in the same millisecond, so the time
/// alone would skip or repeat one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ActorCursor {
    /// When it was created.
    pub create_ts: Wall,
    /// The actor.
    pub actor_id: ActorId,
}

impl Default for PageQuery {
    fn default() -> Self {
        Self { limit: PAGE_ITEMS_DEFAULT, cursor: None }
    }
}

impl PageQuery {
    /// Takes `limit` and `cursor`.
    ///
    /// # Errors
    /// `api.bad_request` when one does not read, `validation.invalid_input` for a limit out of bounds.
    pub fn take(query: &mut Query) -> Result<Self, ApiError> {
        let limit = query.take_parsed("limit")?.unwrap_or(PAGE_ITEMS_DEFAULT);
        if !(1..=PAGE_ITEMS_MAX).contains(&limit) {
            let reason = format!("limit must be 1 to {PAGE_ITEMS_MAX}");
            return Err(ApiError::ValidationInvalidInput { reason });
        }
        Ok(Self { limit, cursor: query.take("cursor")? })
    }
}

impl fmt::Display for ActorCursor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}", self.create_ts.0, self.actor_id)
    }
}

impl FromStr for ActorCursor {
    type Err = ApiError;

    fn from_str(text: &str) -> Result<Self, ApiError> {
        let parts = text.split_once('.').and_then(|(create_ts, actor_id)| {
            Some(Self { create_ts: Wall(create_ts.parse().ok()?), actor_id: actor_id.parse().ok()? })
        });
        parts.ok_or_else(|| ApiError::ValidationInvalidInput { reason: "no cursor of this list".into() })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::Code;

    #[test]
    fn limits_are_bounded() {
        let page = |text: &str| PageQuery::take(&mut Query::new(text));
        assert_eq!(page(""), Ok(PageQuery { limit: 100, cursor: None }));
        assert_eq!(page("limit=1000&cursor=c"), Ok(PageQuery { limit: 1000, cursor: Some("c".into()) }));
        assert_eq!(page("limit=0").unwrap_err().kind(), Code::ValidationInvalidInput);
        assert_eq!(page("limit=1001").unwrap_err().kind(), Code::ValidationInvalidInput);
        assert_eq!(page("limit=-1").unwrap_err().kind(), Code::ApiBadRequest);
    }

    #[test]
    fn an_actor_cursor_comes_back() {
        let cursor = ActorCursor { create_ts: Wall(17), actor_id: ActorId::from_entropy([3; 16]) };
        assert_eq!(cursor.to_string().parse(), Ok(cursor));
        assert!("17".parse::<ActorCursor>().is_err());
        assert!("17.zzz".parse::<ActorCursor>().is_err());
    }
}
