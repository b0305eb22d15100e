//! Why an application's metadata cannot be had, as the API shows it.

use serde::{Deserialize, Serialize};

use crate::error::text::UserText;

/// Asking an application for its metadata failed.
#[derive(
    Clone,
    Debug,
    PartialEq,
    Eq,
    PartialOrd,
    Ord,
    Hash,
    Serialize,
    Deserialize,
    thiserror::Error,
    utoipa::ToSchema,
)]
#[serde(rename_all = "snake_case")]
pub enum ServerlessMetadataError {
    /// Its URL or a header cannot be requested.
    #[error("the application cannot be asked with this URL and these headers")]
    InvalidRequest {},
    /// It could not be reached, or broke off.
    #[error("the application could not be reached")]
    RequestFailed {},
    /// It did not answer in time.
    #[error("the application did not answer in time")]
    RequestTimedOut {},
    /// It answered with another status than 200.
    #[error("the application answered {status_code}: {body}")]
    NonSuccessStatus {
        /// The status.
        status_code: u16,
        /// The beginning of the body.
        body: UserText,
    },
    /// Its answer is no JSON.
    #[error("the application's answer is no JSON: {body}")]
    InvalidResponseJson {
        /// The beginning of it.
        body: UserText,
    },
    /// Its answer is JSON, and no metadata.
    #[error("the application's answer is no metadata (runtime {runtime}, version {version})")]
    InvalidResponseSchema {
        /// What it says to have been built with, if it says so.
        runtime: UserText,
        /// The version of that.
        version: UserText,
    },
    /// It speaks the envoy protocol, of this version, and not the runner protocol.
    #[error("the application speaks the envoy protocol {version}, and not the runner protocol")]
    InvalidEnvoyProtocolVersion {
        /// The version.
        version: u16,
    },
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_reads_as_seen_on_the_wire() {
        let read = |error: &ServerlessMetadataError| serde_json::to_string(error).unwrap();
        assert_eq!(read(&ServerlessMetadataError::RequestFailed {}), r#"{"request_failed":{}}"#);
        let refused = ServerlessMetadataError::NonSuccessStatus { status_code: 404, body: "gone".into() };
        assert_eq!(read(&refused), r#"{"non_success_status":{"status_code":404,"body":"gone"}}"#);
    }
}
