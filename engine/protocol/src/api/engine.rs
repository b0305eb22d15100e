//! What the engine says about itself.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::api::datacenter::{DATACENTER, DATACENTER_LABEL};
use crate::error::ApiError;
use crate::wire::PROTOCOL_VERSION;

/// The answer of `GET /health`, given only when everything answers.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, utoipa::ToSchema)]
pub struct EngineHealth {
    /// `engine`.
    pub runtime: String,
    /// `ok`.
    pub status: String,
    /// The engine's version.
    pub version: String,
}

/// The answer of `GET /metadata`. RivetKit's client looks in it for another endpoint to use, and finds none.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, utoipa::ToSchema)]
pub struct EngineMetadata {
    /// `engine`.
    pub runtime: String,
    /// The engine's version.
    pub version: String,
    /// The commit it was built from.
    pub git_sha: Option<String>,
    /// When it was built.
    pub build_timestamp: Option<String>,
    /// The compiler.
    pub rustc_version: Option<String>,
    /// Where it was built.
    pub rustc_host: Option<String>,
    /// What for.
    pub cargo_target: Option<String>,
    /// How.
    pub cargo_profile: Option<String>,
    /// The runner protocol it speaks.
    pub runner_protocol_version: u16,
}

/// The answer of `GET /health/fanout`: the health of every datacenter. There is one.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, utoipa::ToSchema)]
pub struct HealthFanout {
    /// The datacenters.
    pub datacenters: Vec<DatacenterHealth>,
}

/// The health of a datacenter.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, utoipa::ToSchema)]
pub struct DatacenterHealth {
    /// Its number in ids.
    pub datacenter_label: u16,
    /// Its name.
    pub datacenter_name: String,
    /// Whether everything of it answers.
    pub status: HealthStatus,
    /// How long the answer took, in milliseconds.
    pub rtt_ms: Option<u64>,
    /// What it says.
    pub response: Option<EngineHealth>,
    /// Why it does not answer.
    pub error: Option<String>,
}

/// Whether everything answers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum HealthStatus {
    /// It does.
    Ok,
    /// It does not.
    Error,
}

impl HealthFanout {
    /// The answer of the one datacenter, which took so long to find out how it does.
    pub fn one(health: Result<EngineHealth, ApiError>, rtt: Duration) -> Self {
        let (status, response, error) = match health {
            Ok(health) => (HealthStatus::Ok, Some(health), None),
            Err(error) => (HealthStatus::Error, None, Some(error.to_string())),
        };
        let rtt_ms = response.as_ref().map(|_| u64::try_from(rtt.as_millis()).unwrap_or(u64::MAX));
        let (datacenter_label, datacenter_name) = (DATACENTER_LABEL, DATACENTER.to_owned());
        let health = DatacenterHealth { datacenter_label, datacenter_name, status, rtt_ms, response, error };
        Self { datacenters: vec![health] }
    }
}

impl EngineHealth {
    /// The answer of a healthy engine of this version.
    pub fn ok(version: &str) -> Self {
        Self { runtime: "engine".to_owned(), status: "ok".to_owned(), version: version.to_owned() }
    }
}

impl EngineMetadata {
    /// The answer of an engine of this version that knows nothing about its build.
    pub fn new(version: &str) -> Self {
        Self {
            runtime: "engine".to_owned(),
            version: version.to_owned(),
            git_sha: None,
            build_timestamp: None,
            rustc_version: None,
            rustc_host: None,
            cargo_target: None,
            cargo_profile: None,
            runner_protocol_version: PROTOCOL_VERSION,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn health_reads_as_seen_on_the_wire() {
        let json = serde_json::to_string(&EngineHealth::ok("2.3.19")).unwrap();
        assert_eq!(json, r#"{"runtime":"engine","status":"ok","version":"2.3.19"}"#);
        let sick = HealthFanout::one(Err(ApiError::GuardServiceUnavailable), Duration::from_millis(3));
        let json = serde_json::to_string(&sick.datacenters[0]).unwrap();
        assert_eq!(
            json,
            r#"{"datacenter_label":1,"datacenter_name":"default","status":"error","rtt_ms":null,"response":null,"error":"Service unavailable"}"#
        );
    }
}
