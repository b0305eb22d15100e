//! Pools: their runner configurations.

use std::collections::BTreeMap;

use machines::control::effect::Answer;
use machines::control::input::Call;
use protocol::api::{
    self, DATACENTER, Pagination, RunnerConfigDatacenters, RunnerConfigEntry, RunnerConfigStored,
    RunnerConfigs, RunnerConfigsQuery, UpsertRunnerConfig,
};
use protocol::error::ApiError;

use super::{ask, page};
use crate::engine::core::Core;
use crate::http::respond::{self, Reply};

/// `GET /runner-configs`.
pub(super) async fn list(core: &Core, query: &str) -> Result<Reply, ApiError> {
    let RunnerConfigsQuery { namespace, runner_names, page: asked } = RunnerConfigsQuery::parse(query)?;
    let call = Call::ListRunnerConfigs { namespace, pools: runner_names, page: page(asked) };
    match ask(core, call, None).await? {
        Answer::RunnerConfigs(configs, cursor) => {
            let runner_configs = configs.into_iter().map(|(pool, entry)| (pool, shown(entry))).collect();
            Ok(respond::json(&RunnerConfigs { runner_configs, pagination: Pagination { cursor } }))
        }
        other => unreachable!("the question was another: {other:?}"),
    }
}

/// `PUT /runner-configs/{pool}`. A body without datacenters removes the configuration.
pub(super) async fn put(core: &Core, query: &str, pool: &str, body: &[u8]) -> Result<Reply, ApiError> {
    let namespace = api::require_namespace(query)?;
    api::check_name("pool name", pool)?;
    let pool = pool.to_owned();
    let Some(config) = api::read::<UpsertRunnerConfig>(body)?.into_config()? else {
        remove(core, namespace, pool).await?;
        return Ok(respond::json(&RunnerConfigStored { endpoint_config_changed: true }));
    };
    match ask(core, Call::UpsertRunnerConfig { namespace, pool, config }, None).await? {
        Answer::RunnerConfigStored { endpoint_config_changed } => {
            Ok(respond::json(&RunnerConfigStored { endpoint_config_changed }))
        }
        other => unreachable!("the question was another: {other:?}"),
    }
}

/// `DELETE /runner-configs/{pool}`.
pub(super) async fn delete(core: &Core, query: &str, pool: &str) -> Result<Reply, ApiError> {
    remove(core, api::require_namespace(query)?, pool.to_owned()).await?;
    Ok(respond::json(&api::Done {}))
}

async fn remove(core: &Core, namespace: String, pool: String) -> Result<(), ApiError> {
    match ask(core, Call::DeleteRunnerConfig { namespace, pool }, None).await? {
        Answer::RunnerConfigDeleted => Ok(()),
        other => unreachable!("the question was another: {other:?}"),
    }
}

fn shown(entry: RunnerConfigEntry) -> RunnerConfigDatacenters {
    RunnerConfigDatacenters { datacenters: BTreeMap::from([(DATACENTER.to_owned(), entry)]) }
}
