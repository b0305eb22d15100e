//! The whole stack where everybody needs a token, and nobody has more than he needs.

use host::access::{TokenSource, Tokens};
use sdk::{ClientError, RunEnd, RunError};

use crate::platform::{Engine, Normal, Serverless, count, counter, test};

const ADMIN: &str = "token-of-admin-1";
const RUNNER: &str = "token-of-runner-1";
const GATEWAY: &str = "token-of-gateway-1";

async fn closed(folder: &std::path::Path) -> Engine {
    let text = format!("admin = ['{ADMIN}']\nrunner = ['{RUNNER}']\ngateway = ['{GATEWAY}']");
    let tokens = TokenSource::Given(Tokens::parse(&text).unwrap());
    Engine::start_with(folder, None, Some(tokens)).await
}

#[test]
fn a_serverless_application_passes_on_the_token_it_was_started_with() {
    test(async {
        let folder = tempfile::tempdir().unwrap();
        let engine = closed(folder.path()).await;
        // Its pool needs a token of its own; its runners connect with what the engine sends them.
        let app = Serverless::start_as(&engine, Some(RUNNER.to_owned())).await;
        let client = engine.client_as(GATEWAY);
        let actor = counter(&client, "one").await;
        for expected in 1..=3 {
            assert_eq!(count(&client, actor).await, expected);
        }
        for token in [None, Some(RUNNER), Some("token-of-nobody-1")] {
            let client = token.map_or_else(|| engine.client(), |token| engine.client_as(token));
            let refused = client.get(actor).await.unwrap_err();
            let expected = if token == Some(RUNNER) { 403 } else { 401 };
            assert!(
                matches!(refused, ClientError::Engine { status, .. } if status == expected),
                "{refused:?}"
            );
        }
        engine.client_as(ADMIN).destroy(actor).await.unwrap();
        app.end().await;
        engine.stop().await;
    });
}

#[test]
fn a_runner_without_the_right_token_is_refused_for_good() {
    test(async {
        let folder = tempfile::tempdir().unwrap();
        let engine = closed(folder.path()).await;
        assert_eq!(Normal::start(&engine).ended().await, Err(RunError::Refused));
        assert_eq!(Normal::start_as(&engine, GATEWAY).ended().await, Err(RunError::Refused));
        let runner = Normal::start_as(&engine, RUNNER);
        let normal = r#"{"datacenters":{"default":{"normal":{}}}}"#;
        let config = serde_json::from_str(normal).unwrap();
        engine.client_as(RUNNER).put_runner_config("default", &config).await.unwrap();
        let client = engine.client_as(GATEWAY);
        let actor = counter(&client, "one").await;
        assert_eq!(count(&client, actor).await, 1);
        assert_eq!(runner.end().await, Ok(RunEnd::Drained));
        engine.stop().await;
    });
}
