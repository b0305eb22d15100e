//! What an application says about itself, below its base URL (`/api/rivet` by default): `/health` and `/metadata`.
//!
//! Applications are newer and older than the engine, so unknown fields are passed over.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::api::actor::NameMetadata;

/// The answer of `GET /health`.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct AppHealth {
    /// `ok`.
    pub status: String,
    /// What it was built with; `rivetkit` for compatible ones.
    pub runtime: String,
    /// Version of that.
    pub version: String,
}

/// The answer of `GET /metadata`.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct AppMetadata {
    /// What it was built with; `rivetkit` for compatible ones.
    pub runtime: String,
    /// Version of that.
    pub version: String,
    /// How it runs actors.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub runner: Option<AppRunner>,
    /// The actors it can host, by name.
    #[serde(default)]
    pub actor_names: BTreeMap<String, NameMetadata>,
    /// Given by applications that speak the envoy protocol instead of the runner protocol.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub envoy_protocol_version: Option<u16>,
}

/// How an application runs actors.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct AppRunner {
    /// Who starts its runners.
    pub kind: AppRunnerKind,
    /// Version of the application; higher ones replace lower ones.
    #[serde(default)]
    pub version: Option<u32>,
}

/// Who starts the runners of an application.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum AppRunnerKind {
    /// The engine.
    Serverless {},
    /// Itself.
    Normal {},
}

impl AppMetadata {
    /// Whether it speaks the runner protocol.
    pub const fn speaks_runner_protocol(&self) -> bool {
        self.envoy_protocol_version.is_none()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rivetkits_metadata_comes_back_the_same() {
        let seen = r#"{"runtime":"rivetkit","version":"2.2.1","runner":{"kind":{"serverless":{}},"version":1},"actorNames":{"counter":{"metadata":{}}}}"#;
        let metadata: AppMetadata = serde_json::from_str(seen).unwrap();
        assert_eq!(serde_json::to_string(&metadata).unwrap(), seen);
        assert!(metadata.speaks_runner_protocol());
        assert_eq!(metadata.runner.as_ref().map(|runner| runner.kind), Some(AppRunnerKind::Serverless {}));
    }

    #[test]
    fn newer_applications_are_understood() {
        let newer =
            r#"{"runtime":"rivetkit","version":"2.3.19","envoyProtocolVersion":8,"envoy":{"kind":{}}}"#;
        let metadata: AppMetadata = serde_json::from_str(newer).unwrap();
        assert!(!metadata.speaks_runner_protocol());
    }
}
