//! Listing runners: newest first, runners of one millisecond by their ids.

use std::cmp::Reverse;

use protocol::error::ApiError;
use protocol::id::{NamespaceId, RunnerId};
use protocol::time::Wall;

use super::Control;
use super::effect::Answer;
use super::input::Page;
use super::pool::PoolKey;
use super::runner::Runner;

impl Control {
    /// A page of runners. This looks at all runners of the namespace or pool: it is for people.
    pub(super) fn list_runners(
        &self,
        namespace: &str,
        pool: Option<&str>,
        page: &Page,
    ) -> Result<Answer, ApiError> {
        let namespace = self.namespace(namespace)?;
        let after = page.cursor.as_deref().map(parse).transpose()?;
        let mut runners = self.runners_of(namespace, pool);
        runners.sort_by_key(|runner| position(runner));
        let mut rest =
            runners.into_iter().filter(|runner| after.is_none_or(|after| position(runner) > after));
        let page: Vec<&Runner> = rest.by_ref().take(page.limit).collect();
        let more = rest.next().is_some();
        let next = page.last().filter(|_| more);
        let next = next.map(|last| format!("{}.{}", last.record.created.0, last.record.id));
        Ok(Answer::Runners(page.into_iter().map(super::show::runner).collect(), next))
    }

    fn runners_of(&self, namespace: NamespaceId, pool: Option<&str>) -> Vec<&Runner> {
        match pool {
            Some(name) => {
                let key = PoolKey { namespace, name: name.to_owned() };
                let ids = self.pools.get(&key).into_iter().flat_map(|pool| &pool.runners);
                ids.map(|id| &self.runners[id]).collect()
            }
            None => self.runners.values().filter(|runner| runner.record.namespace == namespace).collect(),
        }
    }
}

const fn position(runner: &Runner) -> (Reverse<Wall>, RunnerId) {
    (Reverse(runner.record.created), runner.record.id)
}

fn parse(cursor: &str) -> Result<(Reverse<Wall>, RunnerId), ApiError> {
    let parts = cursor.split_once('.');
    let position =
        parts.and_then(|(created, id)| Some((Reverse(Wall(created.parse().ok()?)), id.parse().ok()?)));
    position.ok_or_else(|| ApiError::ValidationInvalidInput { reason: "no cursor of this list".into() })
}
