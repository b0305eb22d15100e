//! What an application says of itself: `GET {url}/metadata`, read and told to the control plane.
//!
//! How long it may take, and when it is asked again, is decided there.

use std::collections::BTreeMap;

use machines::control::input::AppFacts;
use protocol::api::{AppMetadata, NameMetadata};
use protocol::error::{ServerlessMetadataError, UserText};
use protocol::id::FetchId;
use protocol::limits::ACTOR_NAMES_BYTES_MAX;

use crate::control::Letter;
use crate::engine::core::Core;
use crate::halt::Halt;
use crate::outbound::{self, DialError, Dialler, SendError};

/// Bytes of an answer that are read. Ours: what is kept of actor names, twice, for what JSON is around them.
const ANSWER_BYTES_MAX: usize = 2 * ACTOR_NAMES_BYTES_MAX;

/// Asks as a task that ends with the answer, at `close`, or with the core.
pub(crate) fn fetch(
    core: &Core,
    fetch: FetchId,
    url: String,
    headers: BTreeMap<String, String>,
    close: Halt,
) {
    let core = core.clone();
    drop(runtime::spawn("metadata", async move {
        let told = runtime::select! {
            () = close.given() => return,
            () = core.halt.given() => return,
            told = ask(&core.dialler, &url, &headers) => told,
        };
        tracing::debug!(?fetch, told = told.is_ok(), "metadata asked for");
        core.control.send(Letter::Metadata { fetch, told }).await;
    }));
}

async fn ask(
    dialler: &Dialler,
    url: &str,
    headers: &BTreeMap<String, String>,
) -> Result<AppFacts, ServerlessMetadataError> {
    let request = outbound::get(url, "/metadata", headers, "*/*");
    let request = request.map_err(|_| ServerlessMetadataError::InvalidRequest {})?;
    let (response, _connection) = outbound::send(dialler, request).await.map_err(|error| match error {
        SendError::Dial(DialError::Url(_) | DialError::Forbidden { .. }) => {
            ServerlessMetadataError::InvalidRequest {}
        }
        SendError::Dial(DialError::Resolve { .. } | DialError::Connect { .. } | DialError::Secure { .. })
        | SendError::Http(_) => ServerlessMetadataError::RequestFailed {},
    })?;
    let status_code = response.status().as_u16();
    let (body, broke_off) = outbound::beginning(response.into_body(), ANSWER_BYTES_MAX).await;
    if broke_off {
        return Err(ServerlessMetadataError::RequestFailed {});
    }
    if status_code != 200 {
        return Err(ServerlessMetadataError::NonSuccessStatus { status_code, body: text(&body) });
    }
    read(&body)
}

/// What an answer tells.
fn read(body: &[u8]) -> Result<AppFacts, ServerlessMetadataError> {
    let Ok(json) = serde_json::from_slice::<serde_json::Value>(body) else {
        return Err(ServerlessMetadataError::InvalidResponseJson { body: text(body) });
    };
    let said = |field: &str| UserText::from(json[field].as_str().unwrap_or_default());
    let (runtime, version) = (said("runtime"), said("version"));
    let Ok(metadata) = serde_json::from_value::<AppMetadata>(json) else {
        return Err(ServerlessMetadataError::InvalidResponseSchema { runtime, version });
    };
    if let Some(version) = metadata.envoy_protocol_version {
        return Err(ServerlessMetadataError::InvalidEnvoyProtocolVersion { version });
    }
    let shown = |(name, told): (String, NameMetadata)| (name, told.metadata.to_string());
    Ok(AppFacts {
        runtime_version: metadata.version,
        version: metadata.runner.and_then(|runner| runner.version),
        actor_names: metadata.actor_names.into_iter().map(shown).collect(),
    })
}

fn text(body: &[u8]) -> UserText {
    UserText::new(&String::from_utf8_lossy(body))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_rivetkit_says_is_understood() {
        let seen = br#"{"runtime":"rivetkit","version":"2.2.1","runner":{"kind":{"serverless":{}},"version":3},"actorNames":{"counter":{"metadata":{"icon":"x"}}}}"#;
        let facts = read(seen).unwrap();
        assert_eq!((facts.runtime_version.as_str(), facts.version), ("2.2.1", Some(3)));
        assert_eq!(facts.actor_names["counter"], r#"{"icon":"x"}"#);
    }

    #[test]
    fn what_is_wrong_with_an_answer_is_told_apart() {
        assert!(matches!(read(b"<html>"), Err(ServerlessMetadataError::InvalidResponseJson { .. })));
        let foreign =
            ServerlessMetadataError::InvalidResponseSchema { runtime: "x".into(), version: "".into() };
        assert_eq!(read(br#"{"runtime":"x"}"#), Err(foreign));
        let newer = br#"{"runtime":"rivetkit","version":"2.3.19","envoyProtocolVersion":8}"#;
        assert_eq!(read(newer), Err(ServerlessMetadataError::InvalidEnvoyProtocolVersion { version: 8 }));
    }
}
