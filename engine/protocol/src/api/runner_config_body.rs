//! The body of `PUT /runner-configs/{pool}`, and how it becomes a [`RunnerConfig`].

use std::collections::BTreeMap;

use serde::de::IgnoredAny;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use url::Url;

use crate::api::datacenter::{DATACENTER, check_datacenter};
use crate::api::eviction_rate::EvictionRate;
use crate::api::runner_config::{PoolKind, RunnerConfig, ServerlessConfig, Upgrade};
use crate::error::ApiError;
use crate::limits::{
    ACTOR_STOP_THRESHOLD_MS, CONFIG_HEADER_NAME_BYTES_MAX, CONFIG_HEADER_VALUE_BYTES_MAX, CONFIG_HEADERS_MAX,
    CONFIG_URL_BYTES_MAX, DRAIN_GRACE_SECONDS_DEFAULT, IDLE_RUNNERS_MAX, MAX_RUNNERS_DEFAULT,
    METADATA_BYTES_MAX, METADATA_POLL_MS_DEFAULT,
};
use crate::tchar::is_tchar;

/// The body as it came.
#[derive(Debug, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct UpsertRunnerConfig {
    /// By datacenter. One that is not in here loses its configuration.
    pub datacenters: BTreeMap<String, RunnerConfigBody>,
}

/// A pool's configuration as it came: exactly one of `serverless` and `normal`.
#[derive(Debug, Default, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct RunnerConfigBody {
    /// The engine starts its runners.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub serverless: Option<ServerlessBody>,
    /// Its runners connect by themselves.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub normal: Option<UpgradeBody>,
    /// JSON about the pool.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub metadata: Option<Value>,
    /// The older place of the field; the one within the kind wins.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub drain_on_version_upgrade: Option<bool>,
    /// RivetKit 2.2.1 leaves its own option in here, next to the one it sends in `serverless`. Taken and not read.
    #[serde(default, rename = "metadataPollInterval", skip_serializing)]
    pub stray: Option<IgnoredAny>,
}

/// The shared part of both kinds, as it came.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct UpgradeBody {
    /// Whether older versions drain when a newer one connects; yes if not given.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub drain_on_version_upgrade: Option<bool>,
    /// Seconds; 0 if not given.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub actor_eviction_delay: Option<u32>,
    /// Seconds; 0 if not given.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub actor_eviction_period: Option<u32>,
    /// Actors a second; 1 if not given.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub actor_eviction_rate: Option<EvictionRate>,
}

/// A serverless configuration as it came.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ServerlessBody {
    /// The application's base URL.
    pub url: String,
    /// Headers of requests to it.
    #[serde(default)]
    pub headers: Option<BTreeMap<String, String>>,
    /// Seconds a request lives.
    pub request_lifespan: u32,
    /// Actors at once; if not given, what `max_runners` of `slots_per_runner` can host.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max_concurrent_actors: Option<u64>,
    /// Seconds to drain; what fits into the life, at most 1800, if not given.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub drain_grace_period: Option<u32>,
    /// Actors a runner hosts at once; 1 if not given.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub slots_per_runner: Option<u32>,
    /// Runners without need; 0 if not given.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub min_runners: Option<u32>,
    /// Runners at once; 1000 if not given.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max_runners: Option<u32>,
    /// Runners beyond need; 0 if not given.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub runners_margin: Option<u32>,
    /// Milliseconds between looks at the metadata; 10 000 if not given.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub metadata_poll_interval: Option<u64>,
    /// Whether older versions drain when a newer one connects; yes if not given.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub drain_on_version_upgrade: Option<bool>,
    /// Seconds; 0 if not given.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub actor_eviction_delay: Option<u32>,
    /// Seconds; 0 if not given.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub actor_eviction_period: Option<u32>,
    /// Actors a second; 1 if not given.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub actor_eviction_rate: Option<EvictionRate>,
}

impl UpsertRunnerConfig {
    /// The body that configures the one datacenter so.
    pub fn of(config: RunnerConfigBody) -> Self {
        Self { datacenters: BTreeMap::from([(DATACENTER.to_owned(), config)]) }
    }

    /// The configuration of the one datacenter; none when the map is empty, which removes the one there is.
    ///
    /// # Errors
    /// `datacenter.not_found` for another datacenter, and those of [`RunnerConfigBody::into_config`].
    pub fn into_config(mut self) -> Result<Option<RunnerConfig>, ApiError> {
        let own = self.datacenters.remove(DATACENTER);
        check_datacenter(self.datacenters.keys().next().map(String::as_str))?;
        own.map(RunnerConfigBody::into_config).transpose()
    }
}

impl RunnerConfigBody {
    /// Checks the configuration and fills in what was not given.
    ///
    /// # Errors
    /// `runner_config.invalid`, with what is wrong.
    pub fn into_config(self) -> Result<RunnerConfig, ApiError> {
        let drain = self.drain_on_version_upgrade;
        let kind = match (self.serverless, self.normal) {
            (Some(body), None) => PoolKind::Serverless(body.into_config(drain)?),
            (None, Some(body)) => PoolKind::Normal(body.into_upgrade(drain)),
            _ => return Err(invalid("exactly one of `serverless` and `normal` must be given")),
        };
        let metadata = self.metadata;
        if metadata.as_ref().is_some_and(|metadata| metadata.to_string().len() > METADATA_BYTES_MAX) {
            return Err(invalid(format!("`metadata` must have at most {METADATA_BYTES_MAX} bytes")));
        }
        Ok(RunnerConfig { kind, metadata })
    }
}

impl UpgradeBody {
    fn into_upgrade(self, older_place: Option<bool>) -> Upgrade {
        let default = Upgrade::default();
        let drain = self.drain_on_version_upgrade.or(older_place);
        Upgrade {
            drain_on_version_upgrade: drain.unwrap_or(default.drain_on_version_upgrade),
            actor_eviction_delay: self.actor_eviction_delay.unwrap_or(default.actor_eviction_delay),
            actor_eviction_period: self.actor_eviction_period.unwrap_or(default.actor_eviction_period),
            actor_eviction_rate: self.actor_eviction_rate.unwrap_or(default.actor_eviction_rate),
        }
    }
}

impl ServerlessBody {
    fn into_config(self, older_place: Option<bool>) -> Result<ServerlessConfig, ApiError> {
        let url = normal_url(&self.url)?;
        let headers = self.headers.unwrap_or_default();
        check_headers(&headers)?;
        if self.slots_per_runner == Some(0) {
            return Err(invalid("`slots_per_runner` must be at least 1"));
        }
        let upgrade = UpgradeBody {
            drain_on_version_upgrade: self.drain_on_version_upgrade,
            actor_eviction_delay: self.actor_eviction_delay,
            actor_eviction_period: self.actor_eviction_period,
            actor_eviction_rate: self.actor_eviction_rate,
        };
        let max_runners = self.max_runners.unwrap_or(MAX_RUNNERS_DEFAULT);
        let (min_runners, runners_margin) = (self.min_runners.unwrap_or(0), self.runners_margin.unwrap_or(0));
        if min_runners.saturating_add(runners_margin) > IDLE_RUNNERS_MAX {
            let reason = "`min_runners` and `runners_margin` together must be at most";
            return Err(invalid(format!("{reason} {IDLE_RUNNERS_MAX}")));
        }
        let slots_per_runner = self.slots_per_runner.unwrap_or(1);
        // What all its runners can host.
        let hosted = u64::from(max_runners) * u64::from(slots_per_runner);
        Ok(ServerlessConfig {
            url,
            headers,
            request_lifespan: self.request_lifespan,
            max_concurrent_actors: self.max_concurrent_actors.unwrap_or(hosted),
            drain_grace_period: drain_grace(self.request_lifespan, self.drain_grace_period)?,
            slots_per_runner,
            min_runners,
            max_runners,
            runners_margin,
            metadata_poll_interval: self.metadata_poll_interval.unwrap_or(METADATA_POLL_MS_DEFAULT),
            upgrade: upgrade.into_upgrade(older_place),
        })
    }
}

/// A grace that was given must fit into the request's life and the time an actor has to stop. One that was not given
/// takes at most half the life: RivetKit 2.2.1 sends a life of 900 s and no grace, and must be served.
fn drain_grace(lifespan: u32, given: Option<u32>) -> Result<u32, ApiError> {
    if lifespan == 0 {
        return Err(invalid("`request_lifespan` must be at least 1"));
    }
    let Some(grace) = given else { return Ok(DRAIN_GRACE_SECONDS_DEFAULT.min(lifespan / 2)) };
    if grace >= lifespan {
        let reason = "`drain_grace_period` must be less than `request_lifespan`";
        return Err(invalid(format!("{reason} ({grace}s >= {lifespan}s)")));
    }
    if u64::from(grace) * 1000 > ACTOR_STOP_THRESHOLD_MS {
        let most = ACTOR_STOP_THRESHOLD_MS / 1000;
        return Err(invalid(format!("`drain_grace_period` must be at most {most}s")));
    }
    Ok(grace)
}

/// The URL as it is requested, with paths appended: its host in the form of the DNS.
pub(super) fn normal_url(text: &str) -> Result<String, ApiError> {
    if text.len() > CONFIG_URL_BYTES_MAX {
        return Err(invalid(format!("`url` must have at most {CONFIG_URL_BYTES_MAX} bytes")));
    }
    let url = Url::parse(text).map_err(|error| invalid(format!("`url`: {error}")))?;
    if !matches!(url.scheme(), "http" | "https") || url.host().is_none() {
        return Err(invalid("`url` must be an http or https URL with a host"));
    }
    if url.query().is_some() || url.fragment().is_some() {
        return Err(invalid("`url` must have no query and no fragment: paths are appended to it"));
    }
    let mut normal = String::from(url);
    if normal.ends_with('/') && !text.trim_end().ends_with('/') {
        normal.pop();
    }
    Ok(normal)
}

pub(super) fn check_headers(headers: &BTreeMap<String, String>) -> Result<(), ApiError> {
    if headers.len() > CONFIG_HEADERS_MAX {
        return Err(invalid(format!("{} headers: at most {CONFIG_HEADERS_MAX}", headers.len())));
    }
    for (name, value) in headers {
        if name.is_empty() || name.len() > CONFIG_HEADER_NAME_BYTES_MAX || !name.bytes().all(is_tchar) {
            let reason =
                format!("a header name must be a token of 1 to {CONFIG_HEADER_NAME_BYTES_MAX} bytes");
            return Err(invalid(reason));
        }
        let visible = value.bytes().all(|byte| matches!(byte, b'\t' | b' '..=b'~'));
        if value.len() > CONFIG_HEADER_VALUE_BYTES_MAX || !visible {
            let most = CONFIG_HEADER_VALUE_BYTES_MAX;
            return Err(invalid(format!(
                "the header `{name}` must have a value of at most {most} visible bytes"
            )));
        }
    }
    Ok(())
}

fn invalid(reason: impl Into<String>) -> ApiError {
    ApiError::RunnerConfigInvalid { reason: reason.into() }
}
