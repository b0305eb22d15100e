//! The table of codes: what an HTTP caller can be told.
//!
//! Groups, codes, statuses and metadata are Rivet's wherever it has the error; its clients read them.

use std::fmt;
use std::str::FromStr;

use crate::error::body::ErrorBody;
use crate::error::codes::codes;
use crate::error::metadata::ServerlessMetadataError;
use crate::id::ActorId;
use crate::limits::{ACTOR_INPUT_BYTES_MAX, ACTOR_KEY_BYTES_MAX};

codes! {
    /// No such actor, or it was destroyed.
    ActorNotFound = "actor" "not_found" 404 "The actor does not exist or was destroyed.";
    /// Another actor of this name has the key.
    ActorDuplicateKey {
        /// The one that has it.
        existing_actor_id: ActorId,
        /// The key.
        key: String,
    } = "actor" "duplicate_key" 400 "Actor key '{key}' already in use for actor '{existing_actor_id}'";
    /// The pool that shall host the actor is not configured.
    ActorNoRunnerConfig {
        /// Name of the namespace.
        namespace: String,
        /// Name of the pool.
        pool_name: String,
    } = "actor" "no_runner_config_configured" 400
        "No runner config named '{pool_name}' in namespace '{namespace}'.";
    /// The actor's KV does not hold the key.
    ActorKvKeyNotFound = "actor" "kv_key_not_found" 400 "The KV of the actor does not hold this key.";
    /// The actor's input is too large.
    ActorInputTooLarge {
        /// The bound in bytes.
        max_size: usize,
    } = "actor" "input_too_large" 400 "Actor input too large: at most {max_size} bytes.";
    /// The actor's key is empty.
    ActorEmptyKey = "actor" "empty_key" 400 "Actor key must not be empty.";
    /// The actor's key is too large.
    ActorKeyTooLarge {
        /// The bound in bytes.
        max_size: usize,
        /// The key's size in bytes.
        key_size: usize,
    } = "actor" "key_too_large" 400 "Actor key of {key_size} bytes: at most {max_size}.";

    /// No such namespace.
    NamespaceNotFound = "namespace" "not_found" 400 "The namespace does not exist.";
    /// Another namespace has the name.
    NamespaceNameNotUnique = "namespace" "name_not_unique" 400 "Another namespace has this name.";
    /// No such datacenter.
    DatacenterNotFound = "datacenter" "not_found" 400 "The datacenter does not exist.";

    /// A runner configuration that cannot be kept.
    RunnerConfigInvalid {
        /// Why.
        reason: String,
    } = "runner_config" "invalid" 400 "Invalid runner config: {reason}";
    /// No such runner configuration.
    RunnerConfigNotFound = "runner_config" "not_found" 400 "No such runner config.";

    /// The pool is not configured, or the engine does not start its runners.
    ServerlessRunnerPoolNotFound = "serverless_runner_pool" "not_found" 400
        "No serverless runner config of this name.";
    /// The pool's application does not tell its metadata.
    ServerlessRunnerPoolFailedToFetchMetadata {
        /// Why.
        reason: ServerlessMetadataError,
    } = "serverless_runner_pool" "failed_to_fetch_metadata" 400 "Failed to fetch metadata: {reason}";

    /// No such path or method.
    ApiNotFound = "api" "not_found" 404 "The requested resource was not found";
    /// Path, query or body cannot be read.
    ApiBadRequest {
        /// Why.
        reason: String,
    } = "api" "bad_request" 400 "Bad request: {reason}";
    /// No token that is known came with the request.
    ApiUnauthorized = "api" "unauthorized" 401 "Authentication required";
    /// The token is known, and not for this.
    ApiForbidden = "api" "forbidden" 403 "The token does not allow this";
    /// A request that can be read and makes no sense.
    ValidationInvalidInput {
        /// Why.
        reason: String,
    } = "validation" "invalid_input" 400 "Invalid input: {reason}";

    /// The actor did not become ready in time.
    GuardActorReadyTimeout {
        /// The actor.
        actor_id: ActorId,
    } = "guard" "actor_ready_timeout" 503
        "Timed out waiting for actor to become ready. Is a runner of its pool connected and has it room?";
    /// The actor waits for a runner, and starting runners of its pool fails. The status is Rivet's: an error of the
    /// application's deployment, not of the engine.
    GuardActorRunnerFailed {
        /// The actor.
        actor_id: ActorId,
    } = "guard" "actor_runner_failed" 400 "Actor's runner pool is experiencing errors.";
    /// The actor stopped while the request waited for it; nothing was executed.
    GuardActorStoppedWhileWaiting {
        /// The actor.
        actor_id: ActorId,
    } = "guard" "actor_stopped_while_waiting" 503 "Actor stopped while the request waited for it.";
    /// The gateway takes no more requests.
    GuardServiceUnavailable = "guard" "service_unavailable" 503 "Service unavailable";
    /// The request as a whole took too long.
    GuardRequestTimeout {
        /// The bound.
        timeout_ms: u64,
    } = "guard" "request_timeout" 504 "Request timed out after {timeout_ms} ms";
    /// The actor has the request, and did not begin to answer in time.
    GuardGatewayResponseStartTimeout {
        /// The bound.
        timeout_ms: u64,
    } = "guard" "gateway_response_start_timeout" 504 "The actor did not begin to answer within {timeout_ms} ms.";
    /// The runner gave the request up.
    GuardTunnelRequestAborted = "guard" "tunnel_request_aborted" 503 "The actor aborted the request.";
    /// The runner's socket closed while the request was with the actor; it may have been executed.
    GuardTunnelResponseClosed = "guard" "tunnel_response_closed" 503
        "The connection to the actor closed before it answered.";
    /// Each attempt to reach the actor failed without the request being executed.
    GuardRetryAttemptsExceeded {
        /// How many there were.
        attempts: u32,
    } = "guard" "retry_attempts_exceeded" 502 "No attempt of {attempts} reached the actor.";
    /// The request's body is too large.
    GuardRequestBodyTooLarge {
        /// The bound in bytes.
        limit: usize,
    } = "guard" "request_body_too_large" 413 "Request body too large: at most {limit} bytes.";
    /// The response's body is too large.
    GuardResponseBodyTooLarge {
        /// The bound in bytes.
        limit: usize,
    } = "guard" "response_body_too_large" 502 "Response body too large: at most {limit} bytes.";
    /// The actor answered with something that is no HTTP response.
    GuardInvalidResponse {
        /// What is wrong with it.
        reason: String,
    } = "guard" "invalid_response" 502 "Invalid response from the actor: {reason}";
    /// The actor has the WebSocket, and did not accept it in time.
    GuardWebsocketOpenTimeout {
        /// The bound.
        timeout_ms: u64,
    } = "guard" "websocket_open_timeout" 504 "The actor did not accept the WebSocket within {timeout_ms} ms.";
    /// The actor refused the WebSocket.
    GuardWebsocketClosedBeforeOpen {
        /// The code it closed with.
        close_code: u16,
        /// The reason it gave.
        close_reason: String,
    } = "guard" "websocket_closed_before_open" 502
        "The actor closed the WebSocket before it was open: {close_code} {close_reason}";
    /// The request cannot be forwarded as it is.
    GuardInvalidRequest {
        /// Why.
        reason: String,
    } = "guard" "invalid_request" 400 "Invalid request: {reason}";
    /// No such path below the gateway.
    GuardNoRoute = "guard" "no_route" 404 "No route for this request.";

    /// The engine failed. What it was is in its log, under the ray id.
    CoreInternalError = "core" "internal_error" 500 "Internal error";
    /// The engine takes no writes, or none that make its store larger.
    CoreReadOnly {
        /// Why, and what to do.
        reason: String,
    } = "core" "read_only" 503 "The engine takes no writes: {reason}.";

    /// A serverless application was started with headers it cannot use.
    RequestInvalid {
        /// Why.
        reason: String,
    } = "request" "invalid" 400 "Invalid request: {reason}";
    /// A serverless application was started for another engine than it is configured with.
    ConfigEndpointMismatch {
        /// The configured one.
        expected: String,
        /// The one in the request.
        received: String,
    } = "config" "endpoint_mismatch" 400 "Endpoint mismatch: expected '{expected}', got '{received}'";
    /// A serverless application was started for another namespace than it is configured with.
    ConfigNamespaceMismatch {
        /// The configured one.
        expected: String,
        /// The one in the request.
        received: String,
    } = "config" "namespace_mismatch" 400 "Namespace mismatch: expected '{expected}', got '{received}'";
    /// The application is shutting down.
    RegistryShutDown = "registry" "shut_down" 503 "The application is shutting down.";
}

impl ApiError {
    /// `group.code`.
    pub const fn code(&self) -> &'static str {
        self.kind().as_str()
    }

    /// The HTTP status.
    pub const fn status(&self) -> u16 {
        self.kind().status()
    }

    /// The HTTP body.
    pub fn body(&self) -> ErrorBody {
        ErrorBody {
            group: self.kind().group().to_owned(),
            code: self.kind().code().to_owned(),
            message: self.to_string(),
            metadata: self.metadata(),
        }
    }

    /// The refusal of an actor key of this size.
    pub const fn key_too_large(key_size: usize) -> Self {
        Self::ActorKeyTooLarge { max_size: ACTOR_KEY_BYTES_MAX, key_size }
    }

    /// The refusal of a larger actor input.
    pub const fn input_too_large() -> Self {
        Self::ActorInputTooLarge { max_size: ACTOR_INPUT_BYTES_MAX }
    }
}

/// A text is no known `group.code`.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("no code of this platform: {text:?}")]
pub struct UnknownCode {
    /// The text.
    pub text: String,
}

impl FromStr for Code {
    type Err = UnknownCode;

    fn from_str(text: &str) -> Result<Self, UnknownCode> {
        let known = Self::ALL.iter().find(|code| code.as_str() == text);
        known.copied().ok_or_else(|| UnknownCode { text: text.to_owned() })
    }
}

impl fmt::Display for Code {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn every_code_is_told_apart_and_comes_back() {
        let texts: BTreeSet<_> = Code::ALL.iter().map(|code| code.as_str()).collect();
        assert_eq!(texts.len(), Code::ALL.len());
        for code in Code::ALL {
            assert_eq!(code.as_str(), format!("{}.{}", code.group(), code.code()));
            assert_eq!(code.as_str().parse(), Ok(*code));
            assert!((400..600).contains(&code.status()), "{code}");
        }
        assert!("guard.no_such".parse::<Code>().is_err());
    }

    #[test]
    fn a_duplicate_key_reads_as_seen_on_the_wire() {
        let existing_actor_id = "9i3halmrv1puua7r2mvi49taqjbl00".parse().unwrap();
        let error = ApiError::ActorDuplicateKey { existing_actor_id, key: "dup".into() };
        assert_eq!(
            serde_json::to_string(&error.body()).unwrap(),
            r#"{"group":"actor","code":"duplicate_key","message":"Actor key 'dup' already in use for actor '9i3halmrv1puua7r2mvi49taqjbl00'","metadata":{"existing_actor_id":"9i3halmrv1puua7r2mvi49taqjbl00","key":"dup"}}"#
        );
    }

    #[test]
    fn without_metadata_the_body_has_none() {
        let body = serde_json::to_string(&ApiError::ApiNotFound.body()).unwrap();
        assert_eq!(
            body,
            r#"{"group":"api","code":"not_found","message":"The requested resource was not found"}"#
        );
    }
}
