//! Pools: their runner configurations.

use std::collections::BTreeMap;

use machines::control::effect::Answer;
use machines::control::input::Call;
use protocol::api::{
    self, CheckEndpoint, DATACENTER, Endpoint, EndpointChecked, Pagination, RunnerConfigDatacenters,
    RunnerConfigEntry, RunnerConfigStored, RunnerConfigs, RunnerConfigsQuery, UpsertRunnerConfig,
};
use protocol::error::ApiError;

use super::{ask, page};
use crate::engine::core::Core;
use crate::http::openapi::{InNamespace, InPages, Refusal};
use crate::http::respond::{self, Reply};

/// `GET /runner-configs`.
#[utoipa::path(get, path = "/runner-configs", operation_id = "list_runner_configs", tag = "pools",
    params(InNamespace, InPages, ("runner_names" = Option<String>, Query, description = "These pools, at most 100, with commas between"), ("variant" = Option<String>, Query, description = "Pools of this kind: normal or serverless")),
    responses((status = 200, description = "As asked", body = RunnerConfigs), Refusal))]
pub(in crate::http) async fn list(core: &Core, query: &str) -> Result<Reply, ApiError> {
    let RunnerConfigsQuery { namespace, runner_names, variant, page: asked } =
        RunnerConfigsQuery::parse(query)?;
    let call = Call::ListRunnerConfigs { namespace, pools: runner_names, variant, page: page(asked) };
    match ask(core, call, None).await? {
        Answer::RunnerConfigs(configs, cursor) => {
            let runner_configs = configs.into_iter().map(|(pool, entry)| (pool, shown(entry))).collect();
            Ok(respond::json(&RunnerConfigs { runner_configs, pagination: Pagination { cursor } }))
        }
        other => unreachable!("the question was another: {other:?}"),
    }
}

/// `PUT /runner-configs/{pool}`. A body without datacenters removes the configuration.
#[utoipa::path(put, path = "/runner-configs/{pool}", operation_id = "put_runner_config", tag = "pools",
    params(("pool" = String, Path, description = "Name of the pool"), InNamespace),
    request_body = UpsertRunnerConfig,
    responses((status = 200, description = "As asked", body = RunnerConfigStored), Refusal))]
pub(in crate::http) async fn put(
    core: &Core,
    query: &str,
    pool: &str,
    body: &[u8],
) -> Result<Reply, ApiError> {
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
#[utoipa::path(delete, path = "/runner-configs/{pool}", operation_id = "delete_runner_config", tag = "pools",
    params(("pool" = String, Path, description = "Name of the pool"), InNamespace),
    responses((status = 200, description = "As asked", body = api::Done), Refusal))]
pub(in crate::http) async fn delete(core: &Core, query: &str, pool: &str) -> Result<Reply, ApiError> {
    remove(core, api::require_namespace(query)?, pool.to_owned()).await?;
    Ok(respond::json(&api::Done {}))
}

/// `POST /runner-configs/serverless-health-check`: whether an application answers under this URL, before it is configured.
#[utoipa::path(post, path = "/runner-configs/serverless-health-check", operation_id = "check_endpoint", tag = "pools",
    params(InNamespace),
    request_body = CheckEndpoint,
    responses((status = 200, description = "As asked", body = EndpointChecked), Refusal))]
pub(in crate::http) async fn check(core: &Core, query: &str, body: &[u8]) -> Result<Reply, ApiError> {
    api::require_namespace(query)?;
    let Endpoint { url, headers } = api::read::<CheckEndpoint>(body)?.into_endpoint()?;
    match ask(core, Call::CheckEndpoint { url, headers }, None).await? {
        Answer::Endpoint(told) => Ok(respond::json(&EndpointChecked::from(told))),
        other => unreachable!("the question was another: {other:?}"),
    }
}

/// `POST /runner-configs/{pool}/refresh-metadata`. The body, if there is one, is `{}`.
#[utoipa::path(post, path = "/runner-configs/{pool}/refresh-metadata", operation_id = "refresh_metadata", tag = "pools",
    params(("pool" = String, Path, description = "Name of the pool"), InNamespace),
    request_body = Option<api::Done>,
    responses((status = 200, description = "As asked", body = api::Done), Refusal))]
pub(in crate::http) async fn refresh(
    core: &Core,
    query: &str,
    pool: &str,
    body: &[u8],
) -> Result<Reply, ApiError> {
    let namespace = api::require_namespace(query)?;
    if !body.is_empty() {
        api::read::<api::Done>(body)?;
    }
    match ask(core, Call::RefreshMetadata { namespace, pool: pool.to_owned() }, None).await? {
        Answer::MetadataRefreshed => Ok(respond::json(&api::Done {})),
        other => unreachable!("the question was another: {other:?}"),
    }
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
