//! The configuration of a pool, as it is kept and shown.

use std::collections::BTreeMap;
use std::str::FromStr;
use std::time::Duration;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::api::check_filter;
use crate::api::eviction_rate::EvictionRate;
use crate::api::page::{PageQuery, Pagination};
use crate::api::query::Query;
use crate::error::{ApiError, RunnerPoolError};
use crate::limits::METADATA_POLL_MS_MIN;

/// A pool's configuration: checked, with every default filled in.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, utoipa::ToSchema)]
pub struct RunnerConfig {
    /// How its runners come to be.
    #[serde(flatten)]
    pub kind: PoolKind,
    /// JSON about the pool, shown and never read.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub metadata: Option<Value>,
}

/// How the runners of a pool come to be.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum PoolKind {
    /// They connect by themselves.
    Normal(Upgrade),
    /// The engine starts them by HTTP requests.
    Serverless(ServerlessConfig),
}

/// A kind of pool, as a filter names it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum PoolVariant {
    /// `normal`.
    Normal,
    /// `serverless`.
    Serverless,
}

impl PoolVariant {
    /// Whether this configuration is of the kind.
    pub const fn is_of(self, config: &RunnerConfig) -> bool {
        match (&config.kind, self) {
            (PoolKind::Normal(_), Self::Normal) | (PoolKind::Serverless(_), Self::Serverless) => true,
            (PoolKind::Normal(_), Self::Serverless) | (PoolKind::Serverless(_), Self::Normal) => false,
        }
    }
}

impl FromStr for PoolVariant {
    type Err = ApiError;

    fn from_str(text: &str) -> Result<Self, ApiError> {
        match text {
            "normal" => Ok(Self::Normal),
            "serverless" => Ok(Self::Serverless),
            _ => Err(ApiError::ApiBadRequest { reason: "`variant` is `normal` or `serverless`".to_owned() }),
        }
    }
}

/// What happens to a runner that shall go.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, utoipa::ToSchema)]
pub struct Upgrade {
    /// Whether older versions drain when a newer one connects.
    pub drain_on_version_upgrade: bool,
    /// Seconds before a draining runner's actors begin to leave.
    pub actor_eviction_delay: u32,
    /// Seconds within which they leave.
    pub actor_eviction_period: u32,
    /// Actors a second that leave.
    pub actor_eviction_rate: EvictionRate,
}

/// How the engine starts runners.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, utoipa::ToSchema)]
pub struct ServerlessConfig {
    /// The application's base URL, http or https; requests go to paths below it.
    pub url: String,
    /// Headers of those requests.
    pub headers: BTreeMap<String, String>,
    /// Seconds a request lives.
    pub request_lifespan: u32,
    /// Actors of this pool at once.
    pub max_concurrent_actors: u64,
    /// Seconds a runner has to drain before its request ends; less than its life.
    pub drain_grace_period: u32,
    /// Actors a runner hosts at once; at least 1.
    pub slots_per_runner: u32,
    /// Runners to keep without need.
    pub min_runners: u32,
    /// Runners at once; 0 starts none.
    pub max_runners: u32,
    /// Runners to keep beyond need.
    pub runners_margin: u32,
    /// Milliseconds between two looks at the application's metadata, as configured.
    pub metadata_poll_interval: u64,
    /// What happens to a runner that shall go.
    #[serde(flatten)]
    pub upgrade: Upgrade,
}

impl Default for Upgrade {
    /// Drain at once. The API's default.
    fn default() -> Self {
        Self {
            drain_on_version_upgrade: true,
            actor_eviction_delay: 0,
            actor_eviction_period: 0,
            actor_eviction_rate: EvictionRate::default(),
        }
    }
}

impl ServerlessConfig {
    /// Where requests to the application go, and with which headers.
    pub const fn endpoint(&self) -> (&String, &BTreeMap<String, String>) {
        (&self.url, &self.headers)
    }

    /// The interval of metadata polls that is kept to: the configured one, but not below the engine's shortest.
    pub fn poll_interval(&self) -> Duration {
        Duration::from_millis(self.metadata_poll_interval.max(METADATA_POLL_MS_MIN))
    }

    /// How long a runner may drain before its request ends.
    pub const fn drain_grace(&self) -> Duration {
        Duration::from_secs(self.drain_grace_period as u64)
    }

    /// Life of a request.
    pub const fn lifespan(&self) -> Duration {
        Duration::from_secs(self.request_lifespan as u64)
    }
}

impl RunnerConfig {
    /// A pool whose runners connect by themselves, with every default.
    pub fn normal() -> Self {
        Self { kind: PoolKind::Normal(Upgrade::default()), metadata: None }
    }

    /// The serverless part.
    pub const fn serverless(&self) -> Option<&ServerlessConfig> {
        match &self.kind {
            PoolKind::Serverless(config) => Some(config),
            PoolKind::Normal(_) => None,
        }
    }

    /// What happens to a runner that shall go.
    pub const fn upgrade(&self) -> &Upgrade {
        match &self.kind {
            PoolKind::Serverless(config) => &config.upgrade,
            PoolKind::Normal(upgrade) => upgrade,
        }
    }

    /// Whether requests to the application go elsewhere, or with other headers, than with `other`.
    pub fn endpoint_differs(&self, other: &Self) -> bool {
        self.serverless().map(ServerlessConfig::endpoint)
            != other.serverless().map(ServerlessConfig::endpoint)
    }
}

/// A pool's configuration in an answer, with how the pool does.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, utoipa::ToSchema)]
pub struct RunnerConfigEntry {
    /// The configuration.
    #[serde(flatten)]
    pub config: RunnerConfig,
    /// The envoy protocol the application speaks; null for one that speaks the runner protocol.
    pub protocol_version: Option<u16>,
    /// Why its runners cannot be started; left out if they can.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub runner_pool_error: Option<RunnerPoolError>,
}

/// A pool's configurations in an answer.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, utoipa::ToSchema)]
pub struct RunnerConfigDatacenters {
    /// By datacenter.
    pub datacenters: BTreeMap<String, RunnerConfigEntry>,
}

/// The answer of `GET /runner-configs`.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, utoipa::ToSchema)]
pub struct RunnerConfigs {
    /// By pool name.
    pub runner_configs: BTreeMap<String, RunnerConfigDatacenters>,
    /// Where the next page begins.
    pub pagination: Pagination,
}

/// The answer of `PUT /runner-configs/{pool}`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, utoipa::ToSchema)]
pub struct RunnerConfigStored {
    /// Whether URL or headers differ from before.
    pub endpoint_config_changed: bool,
}

/// The query of `GET /runner-configs`.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct RunnerConfigsQuery {
    /// Name of the namespace.
    pub namespace: String,
    /// Only these pools; all if empty.
    pub runner_names: Vec<String>,
    /// Only pools of this kind.
    pub variant: Option<PoolVariant>,
    /// Which page.
    pub page: PageQuery,
}

impl RunnerConfigsQuery {
    /// Reads the text behind the `?`.
    ///
    /// # Errors
    /// `api.bad_request` or `validation.invalid_input` for fields that are unknown, doubled, missing or malformed.
    pub fn parse(text: &str) -> Result<Self, ApiError> {
        let mut query = Query::new(text);
        let namespace = query.require("namespace")?;
        let runner_names = query.take_list("runner_names", "runner_name")?;
        let variant = query.take_parsed("variant")?;
        let page = PageQuery::take(&mut query)?;
        query.finish()?;
        check_filter("runner_names", &runner_names)?;
        Ok(Self { namespace, runner_names, variant, page })
    }
}
