//! The engine's HTTP API and the application's own documents, as types.
//!
//! Bodies and queries are strict: an unknown field is refused. A body type is what came in; what it is turned into
//! ([`ActorSpec`], [`RunnerConfig`]) has been checked, and is what the rest of the platform works with. All of it is
//! JSON: some shapes need a self-describing format and cannot be read back from another one.

pub mod actor;
pub mod actor_query;
pub mod app;
pub mod create_actor;
pub mod datacenter;
pub mod endpoint;
pub mod engine;
pub mod eviction_rate;
pub mod kv;
pub mod namespace;
pub mod page;
pub mod query;
pub mod runner;
pub mod runner_config;
pub mod runner_config_body;
pub(crate) mod schema;

pub use actor::{Actor, ActorAnswer, Actors, CrashPolicy, NameMetadata, Names};
pub use actor_query::{
    ActorsFilter, ActorsQuery, NamesQuery, parse_actor_id, parse_namespace, require_namespace,
};
pub use app::{AppHealth, AppMetadata, AppRunner, AppRunnerKind};
pub use create_actor::{ActorSpec, CreateActor};
pub use datacenter::{DATACENTER, Datacenter, Datacenters};
pub use endpoint::{CheckEndpoint, Endpoint, EndpointChecked};
pub use engine::{DatacenterHealth, EngineHealth, EngineMetadata, HealthFanout, HealthStatus};
pub use eviction_rate::EvictionRate;
pub use kv::{KvValue, parse_kv_key};
pub use namespace::{CreateNamespace, Namespace, NamespaceAnswer, Namespaces, NamespacesQuery};
pub use page::{ActorCursor, PageQuery, Pagination};
pub use query::Query;
pub use runner::{Runner, RunnerNames, Runners, RunnersQuery};
pub use runner_config::{
    PoolKind, PoolVariant, RunnerConfig, RunnerConfigDatacenters, RunnerConfigEntry, RunnerConfigStored,
    RunnerConfigs, RunnerConfigsQuery, ServerlessConfig, Upgrade,
};
pub use runner_config_body::{RunnerConfigBody, ServerlessBody, UpgradeBody, UpsertRunnerConfig};

/// An empty JSON object: the answer of calls that have nothing to say, and the body of one that has nothing to ask.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize, utoipa::ToSchema,
)]
#[serde(deny_unknown_fields)]
pub struct Done {}

/// Reads a JSON body.
///
/// # Errors
/// `api.bad_request`, with the place, when it is not the JSON of a `T`.
pub fn read<T: serde::de::DeserializeOwned>(body: &[u8]) -> Result<T, crate::error::ApiError> {
    serde_json::from_slice(body)
        .map_err(|error| crate::error::ApiError::ApiBadRequest { reason: error.to_string() })
}

/// Refuses a filter of more than [`LIST_FILTER_MAX`](crate::limits::LIST_FILTER_MAX) values.
///
/// # Errors
/// `validation.invalid_input`, which names the field.
pub fn check_filter<T>(field: &str, values: &[T]) -> Result<(), crate::error::ApiError> {
    let max = crate::limits::LIST_FILTER_MAX;
    if values.len() > max {
        let reason = format!("{} values of `{field}`: at most {max}", values.len());
        return Err(crate::error::ApiError::ValidationInvalidInput { reason });
    }
    Ok(())
}

/// Refuses a name that is empty or longer than [`NAME_BYTES_MAX`](crate::limits::NAME_BYTES_MAX).
///
/// # Errors
/// `validation.invalid_input`, which says what the name is of.
pub fn check_name(what: &str, name: &str) -> Result<(), crate::error::ApiError> {
    let max = crate::limits::NAME_BYTES_MAX;
    if name.is_empty() || name.len() > max {
        let reason = format!("{what} of {} bytes: must have 1 to {max}", name.len());
        return Err(crate::error::ApiError::ValidationInvalidInput { reason });
    }
    Ok(())
}
