//! The routes of a serverless application.

use http::{Method, Request, StatusCode};
use http_body_util::BodyExt;
use protocol::api::{AppHealth, AppMetadata, AppRunnerKind};
use sdk::{Serverless, ServerlessOptions};

use crate::actors::Probe;
use crate::endpoint::{App, app};
use crate::engine::Engine;
use crate::test;

#[test]
fn the_documents_are_those_an_engine_looks_for() {
    test(async {
        let app = app(&Probe::new(), ServerlessOptions { version: 3, ..ServerlessOptions::default() }).await;
        for path in ["/api/rivet/metadata", "/metadata"] {
            let metadata: AppMetadata = serde_json::from_str(app.get(path).await.body()).unwrap();
            assert_eq!(metadata.runtime, "rivetkit");
            let runner = metadata.runner.as_ref().unwrap();
            assert_eq!((runner.kind, runner.version), (AppRunnerKind::Serverless {}, Some(3)));
            assert_eq!(
                metadata.actor_names.keys().collect::<Vec<_>>(),
                ["bomb", "broken", "echo", "saver", "talker"]
            );
            assert!(metadata.speaks_runner_protocol());
        }
        let health = app.get("/api/rivet/health").await;
        let health: AppHealth = serde_json::from_str(health.body()).unwrap();
        assert_eq!((health.status.as_str(), health.runtime.as_str()), ("ok", "rivetkit"));
        assert_eq!(app.get("/api/rivet").await.status(), StatusCode::OK);
    });
}

#[test]
fn what_is_not_there_is_not_found_and_browsers_are_let_in() {
    test(async {
        let app = app(&Probe::new(), ServerlessOptions::default()).await;
        assert_eq!(app.get("/api/rivet/nothing").await.status(), StatusCode::NOT_FOUND);
        assert_eq!(app.ask(Method::POST, "/api/rivet/health", &[]).await.status(), StatusCode::NOT_FOUND);
        let headers = [("origin", "https://a.example".to_owned())];
        let allowed = app.ask(Method::OPTIONS, "/api/rivet/start", &headers).await;
        assert_eq!(allowed.status(), StatusCode::NO_CONTENT);
        assert_eq!(allowed.headers()["access-control-allow-origin"], "https://a.example");
        assert!(!allowed.headers().contains_key("date"), "hyper's clock is not ours");
    });
}

#[test]
fn a_start_that_cannot_be_is_refused_with_its_reason() {
    test(async {
        let (engine, other) = (Engine::listen().await, Engine::listen().await);
        let options = ServerlessOptions {
            endpoint: Some(engine.endpoint()),
            namespace: Some("default".into()),
            ..ServerlessOptions::default()
        };
        let app = app(&Probe::new(), options).await;
        let changed = |name: &str, value: &str| {
            let mut headers = App::start(&engine);
            headers.retain(|(known, _)| *known != name);
            if !value.is_empty() {
                let name = ["x-rivet-endpoint", "x-rivet-total-slots", "x-rivet-namespace-name"]
                    .into_iter()
                    .find(|known| *known == name)
                    .unwrap();
                headers.push((name, value.to_owned()));
            }
            headers
        };
        let elsewhere = other.endpoint().to_string();
        let cases = [
            (changed("x-rivet-endpoint", ""), r#""code":"invalid""#),
            (changed("x-rivet-runner-name", ""), "x-rivet-runner-name header is required"),
            (changed("x-rivet-total-slots", "-1"), r#""group":"request","code":"invalid""#),
            (changed("x-rivet-endpoint", &elsewhere), r#""group":"config","code":"endpoint_mismatch""#),
            (changed("x-rivet-namespace-name", "prod"), r#""group":"config","code":"namespace_mismatch""#),
        ];
        for (headers, said) in cases {
            let refused = app.ask(Method::GET, "/api/rivet/start", &headers).await;
            assert_eq!(refused.status(), StatusCode::BAD_REQUEST, "{}", refused.body());
            assert!(refused.body().contains(said), "{} lacks {said}", refused.body());
        }
        assert_eq!(app.service.runners(), 0);
    });
}

#[test]
fn only_so_many_runners_are_started() {
    test(async {
        let engine = Engine::listen().await;
        let options = ServerlessOptions { runners_max: 1, ..ServerlessOptions::default() };
        let app = app(&Probe::new(), options).await;
        let _first = app.open(&engine).await;
        let second = app.ask(Method::GET, "/api/rivet/start", &App::start(&engine)).await;
        assert_eq!(second.status(), StatusCode::SERVICE_UNAVAILABLE);
        assert!(second.body().contains("service_unavailable"), "{}", second.body());
    });
}

#[test]
fn a_router_of_somebody_else_mounts_the_endpoint() {
    test(async {
        let (_stop, shutdown) = sdk::shutdown();
        let options = ServerlessOptions::default();
        let serverless = Serverless::new(Probe::new().registry(), options, shutdown);
        let mut router = axum::Router::new()
            .route("/", axum::routing::get(async || "mine"))
            .nest_service("/api/rivet", serverless);
        for (path, expected) in [("/", "mine"), ("/api/rivet/health", r#""status":"ok""#)] {
            let request = Request::get(path).body(axum::body::Body::empty()).unwrap();
            let answer = tower_service::Service::call(&mut router, request).await.unwrap();
            assert_eq!(answer.status(), 200, "{path}");
            let body = answer.into_body().collect().await.unwrap().to_bytes();
            assert!(String::from_utf8_lossy(&body).contains(expected), "{body:?}");
        }
    });
}
