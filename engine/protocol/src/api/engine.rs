//! What the engine says about itself.

use serde::{Deserialize, Serialize};

use crate::wire::PROTOCOL_VERSION;

/// The answer of `GET /health`, given only when everything answers.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct EngineHealth {
    /// `engine`.
    pub runtime: String,
    /// `ok`.
    pub status: String,
    /// The engine's version.
    pub version: String,
}

/// The answer of `GET /metadata`. RivetKit's client looks in it for another endpoint to use, and finds none.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
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
    }
}
