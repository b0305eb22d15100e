//! `POST /runner-configs/serverless-health-check`: whether an application answers, before a pool is configured with it.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::api::runner_config_body::{check_headers, normal_url};
use crate::error::{ApiError, ServerlessMetadataError};

/// The body as it came.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct CheckEndpoint {
    /// The application's base URL.
    pub url: String,
    /// Headers of the request.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub headers: Option<BTreeMap<String, String>>,
}

/// Whom to ask: within the bounds of a configuration.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Endpoint {
    /// The application's base URL.
    pub url: String,
    /// Headers of the request.
    pub headers: BTreeMap<String, String>,
}

/// The answer.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum EndpointChecked {
    /// It answers.
    Success {
        /// Version of what it was built with.
        version: String,
    },
    /// It does not.
    Failure {
        /// Why.
        error: ServerlessMetadataError,
    },
}

impl CheckEndpoint {
    /// Checks the body, as that of a configuration is.
    ///
    /// # Errors
    /// `runner_config.invalid`.
    pub fn into_endpoint(self) -> Result<Endpoint, ApiError> {
        let headers = self.headers.unwrap_or_default();
        check_headers(&headers)?;
        Ok(Endpoint { url: normal_url(&self.url)?, headers })
    }
}

impl From<Result<String, ServerlessMetadataError>> for EndpointChecked {
    fn from(told: Result<String, ServerlessMetadataError>) -> Self {
        match told {
            Ok(version) => Self::Success { version },
            Err(error) => Self::Failure { error },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::api::read;
    use crate::error::Code;

    #[test]
    fn answers_read_as_seen_on_the_wire() {
        let good = EndpointChecked::from(Ok("2.2.1".to_owned()));
        assert_eq!(serde_json::to_string(&good).unwrap(), r#"{"success":{"version":"2.2.1"}}"#);
        let bad = EndpointChecked::from(Err(ServerlessMetadataError::RequestFailed {}));
        assert_eq!(serde_json::to_string(&bad).unwrap(), r#"{"failure":{"error":{"request_failed":{}}}}"#);
    }

    #[test]
    fn what_no_configuration_may_hold_is_not_asked() {
        let endpoint =
            |body: &str| read::<CheckEndpoint>(body.as_bytes()).and_then(CheckEndpoint::into_endpoint);
        assert_eq!(endpoint(r#"{"url":"http://app:8080/api"}"#).unwrap().url, "http://app:8080/api");
        assert_eq!(endpoint(r#"{"url":"ftp://app"}"#).unwrap_err().kind(), Code::RunnerConfigInvalid);
        let header = endpoint(r#"{"url":"http://app","headers":{"a b":"c"}}"#);
        assert_eq!(header.unwrap_err().kind(), Code::RunnerConfigInvalid);
        assert_eq!(endpoint(r#"{"url":"http://app","nope":1}"#).unwrap_err().kind(), Code::ApiBadRequest);
    }
}
