//! Runner configurations: stored, listed, deleted, with what that means for a pool's streams.

use std::collections::BTreeSet;
use std::ops::Bound;

use protocol::api;
use protocol::error::ApiError;

use super::Control;
use super::effect::Answer;
use super::input::Page;
use super::pool::{Pool, PoolKey};
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
        let key = PoolKey { namespace: self.namespace(namespace)?, name: pool.into() };
        let pool = self.pool_mut(&key);
        let before = pool.config.replace(config);
        let after = pool.config.as_ref();
        let endpoint_config_changed = match (&before, after) {
            (Some(before), Some(after)) => before.endpoint_differs(after),
            (None, _) | (_, None) => true,
        };
        if endpoint_config_changed {
            self.forget_health(step, &key);
        }
        self.recover(step, &key);
        if before.as_ref() != self.pools[&key].config.as_ref() {
            step.changed(key.record());
        }
        self.poll_configured(step, &key, endpoint_config_changed);
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
        let key = PoolKey { namespace: self.namespace(namespace)?, name: pool.into() };
        let pool = self.pools.get_mut(&key).filter(|pool| pool.config.is_some());
        let pool = pool.ok_or(ApiError::RunnerConfigNotFound)?;
        pool.config = None;
        step.changed(key.record());
        self.forget_health(step, &key);
        self.poll_configured(step, &key, true);
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
        if self.pools[key].serverless().is_none() {
            self.name_all(key);
        }
        step.pools.insert(key.clone());
    }

    /// A page of configurations, in alphabetical order.
    pub(super) fn list_runner_configs(
        &self,
        namespace: &str,
        pools: &[String],
        variant: Option<api::PoolVariant>,
        page: &Page,
    ) -> Result<Answer, ApiError> {
        let namespace = self.namespace(namespace)?;
        let after = page.cursor.clone().unwrap_or_default();
        let entry = |key: &PoolKey, pool: &Pool| {
            let config =
                pool.config.as_ref().filter(|config| variant.is_none_or(|it| it.is_of(config)))?.clone();
            let runner_pool_error = pool.health.error().cloned();
            let entry = api::RunnerConfigEntry { config, protocol_version: None, runner_pool_error };
            Some((key.name.to_string(), entry))
        };
        let (configs, next) = if pools.is_empty() {
            let start = PoolKey { namespace, name: after.into() };
            let behind = self.pools.range((Bound::Excluded(start), Bound::Unbounded));
            let here = behind.take_while(|(key, _)| key.namespace == namespace);
            page.cut(here.filter_map(|(key, pool)| entry(key, pool)), |(name, _)| name.clone())
        } else {
            let only: BTreeSet<&String> = pools.iter().filter(|name| **name > after).collect();
            let behind = only.into_iter().filter_map(|name| {
                let key = PoolKey { namespace, name: name.as_str().into() };
                entry(&key, self.pools.get(&key)?)
            });
            page.cut(behind, |(name, _)| name.clone())
        };
        Ok(Answer::RunnerConfigs(configs.into_iter().collect(), next))
    }
}
