//! Listing runners: newest first, runners of one millisecond by their ids. One that is gone for good is forgotten.

use std::cmp::Reverse;
use std::collections::BTreeSet;
use std::ops::Bound;

use protocol::error::ApiError;
use protocol::id::{NamespaceId, RunnerId};
use protocol::time::Wall;

use super::Control;
use super::effect::Answer;
use super::input::Page;
use super::pool::PoolKey;
use super::record;

/// Newest first; runners of one millisecond by their ids.
pub(super) type RunnerPosition = (Reverse<Wall>, RunnerId);

impl Control {
    /// A page of runners.
    pub(super) fn list_runners(
        &self,
        namespace: &str,
        pool: Option<&str>,
        ids: &[RunnerId],
        page: &Page,
    ) -> Result<Answer, ApiError> {
        let namespace = self.namespace(namespace)?;
        let after = page.cursor.as_deref().map(parse).transpose()?.map_or(Bound::Unbounded, Bound::Excluded);
        let named;
        let listed = match pool {
            _ if !ids.is_empty() => {
                named = self.named_runners(namespace, pool, ids);
                Some(&named)
            }
            Some(name) => self.pools.get(&PoolKey { namespace, name: name.into() }).map(|pool| &pool.runners),
            None => self.listed_runners.get(&namespace),
        };
        let behind = listed.into_iter().flat_map(|listed| listed.range((after, Bound::Unbounded)));
        let (rows, next) = page.cut(behind, |(Reverse(created), id)| format!("{}.{id}", created.0));
        let runners = rows.into_iter().map(|(_, id)| super::show::runner(&self.runners[id])).collect();
        Ok(Answer::Runners(runners, next))
    }

    /// Those of these runners that are in the namespace, and in the pool if one is named.
    fn named_runners(
        &self,
        namespace: NamespaceId,
        pool: Option<&str>,
        ids: &[RunnerId],
    ) -> BTreeSet<RunnerPosition> {
        let known = ids.iter().filter_map(|id| Some(&self.runners.get(id)?.record));
        let here = known.filter(|it| it.namespace == namespace && pool.is_none_or(|pool| *it.pool == *pool));
        here.map(position).collect()
    }

    /// A page of the names of pools that have runners, in alphabetical order.
    pub(super) fn list_runner_names(&self, namespace: &str, page: &Page) -> Result<Answer, ApiError> {
        let namespace = self.namespace(namespace)?;
        let after = PoolKey { namespace, name: page.cursor.clone().unwrap_or_default().into() };
        let behind = self
            .pools
            .range((Bound::Excluded(after), Bound::Unbounded))
            .take_while(|(key, _)| key.namespace == namespace)
            .filter(|(_, pool)| !pool.runners.is_empty())
            .map(|(key, _)| key.name.to_string());
        let (names, next) = page.cut(behind, String::clone);
        Ok(Answer::RunnerNames(names, next))
    }
}

/// Where a runner is listed.
pub(super) const fn position(runner: &record::Runner) -> RunnerPosition {
    (Reverse(runner.created), runner.id)
}

fn parse(cursor: &str) -> Result<RunnerPosition, ApiError> {
    let parts = cursor.split_once('.');
    let position =
        parts.and_then(|(created, id)| Some((Reverse(Wall(created.parse().ok()?)), id.parse().ok()?)));
    position.ok_or_else(|| ApiError::ValidationInvalidInput { reason: "no cursor of this list".into() })
}
