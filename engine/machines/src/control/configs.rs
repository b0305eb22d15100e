//! Runner configurations: stored, listed, deleted, with what that means for a pool's streams.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Bound;

use protocol::api;
use protocol::error::ApiError;

use super::Control;
use super::effect::Answer;
use super::input::Page;
use super::pool::PoolKey;
use super::step::Step;

impl Control {
    /// Stores a pool's configuration. Whoever configures a pool says that it can be used: what failed before is
    /// tried again at once. Streams to another endpoint are replaced.
    pub(super) fn upsert_runner_config(
        &mut self,
        step: &mut Step,
        namespace: &str,
        pool: String,
        config: api::RunnerConfig,
    ) -> Result<Answer, ApiError> {
        let key = PoolKey { namespace: self.namespace(namespace)?, name: pool };
        let pool = self.pool_mut(&key);
        let before = pool.config.replace(config);
        let after = pool.config.as_ref();
        let endpoint_config_changed = match (&before, after) {
            (Some(before), Some(after)) => before.endpoint_differs(after),
            (None, _) | (_, None) => true,
        };
        if endpoint_config_changed {
            pool.error = None;
        }
        self.recover(step, &key);
        if before.as_ref() != self.pools[&key].config.as_ref() {
            step.changed(key.record());
        }
        self.reconfigured(step, &key);
        Ok(Answer::RunnerConfigStored { endpoint_config_changed })
    }

    /// Deletes a pool's configuration: its streams are drained, its actors stay.
    pub(super) fn delete_runner_config(
        &mut self,
        step: &mut Step,
        namespace: &str,
        pool: String,
    ) -> Result<Answer, ApiError> {
        let key = PoolKey { namespace: self.namespace(namespace)?, name: pool };
        let pool = self.pools.get_mut(&key).filter(|pool| pool.config.is_some());
        let pool = pool.ok_or(ApiError::RunnerConfigNotFound)?;
        pool.config = None;
        pool.error = None;
        step.changed(key.record());
        self.recover(step, &key);
        self.reconfigured(step, &key);
        Ok(Answer::RunnerConfigDeleted)
    }

    /// The new streams are requested before the old ones are drained.
    fn reconfigured(&mut self, step: &mut Step, key: &PoolKey) {
        let outdated = self.outdated(key);
        let current = self.pools[key].active.len() - outdated.len();
        self.open_streams(step, key, current);
        for stream in outdated {
            self.replace_stream(step, stream, "outdated");
        }
        step.pools.insert(key.clone());
    }

    /// A page of configurations, in alphabetical order.
    pub(super) fn list_runner_configs(
        &self,
        namespace: &str,
        pools: &[String],
        page: &Page,
    ) -> Result<Answer, ApiError> {
        let namespace = self.namespace(namespace)?;
        let only: BTreeSet<&String> = pools.iter().collect();
        let after = PoolKey { namespace, name: page.cursor.clone().unwrap_or_default() };
        let mut rest = self
            .pools
            .range((Bound::Excluded(after), Bound::Unbounded))
            .take_while(|(key, _)| key.namespace == namespace)
            .filter(|(key, _)| only.is_empty() || only.contains(&key.name))
            .filter_map(|(key, pool)| {
                let config = pool.config.clone()?;
                let runner_pool_error = pool.error.clone();
                let entry = api::RunnerConfigEntry { config, protocol_version: None, runner_pool_error };
                Some((key.name.clone(), entry))
            });
        let configs: BTreeMap<_, _> = rest.by_ref().take(page.limit).collect();
        let more = rest.next().is_some();
        let next = configs.last_key_value().filter(|_| more).map(|(name, _)| name.clone());
        Ok(Answer::RunnerConfigs(configs, next))
    }
}
