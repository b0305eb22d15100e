//! The API's description: the same everywhere, and true.

use serde_json::Value;

use crate::support::{Node, call, run};

#[test]
fn the_description_is_served_printed_and_kept_the_same() {
    let folder = tempfile::tempdir().unwrap();
    let kept = include_str!("../../../../docs/openapi.json");
    assert!(host::openapi() == kept, "docs/openapi.json is to be made anew with `rehearsal-engine openapi`");
    let printed =
        std::process::Command::new(env!("CARGO_BIN_EXE_rehearsal-engine")).arg("openapi").output().unwrap();
    assert!(printed.stdout == kept.as_bytes());
    run(async {
        let node = Node::start(folder.path()).await;
        let served = node.get("/openapi.json").await;
        assert_eq!(served.headers["content-type"], "application/json");
        assert!(served.body == kept.as_bytes());
        node.stop().await;
    });
}

/// A path with its parameters filled in, and the query of all its other parameters.
fn target(path: &str, operation: &Value) -> String {
    let mut target =
        path.replace("{actor_id}", &"0".repeat(30)).replace("{key}", "AAAA").replace("{pool}", "p");
    let parameters = operation["parameters"].as_array().cloned().unwrap_or_default();
    let fields: Vec<String> = parameters
        .iter()
        .filter(|parameter| parameter["in"] == "query")
        .map(|parameter| match parameter["name"].as_str().unwrap() {
            "namespace" => "namespace=default".to_owned(),
            "limit" => "limit=1".to_owned(),
            "variant" => "variant=normal".to_owned(),
            name if name.starts_with("include_") => format!("{name}=true"),
            name => format!("{name}={}", "0".repeat(30)),
        })
        .collect();
    if !fields.is_empty() {
        target = format!("{target}?{}", fields.join("&"));
    }
    target
}

#[test]
fn every_call_of_the_description_exists_and_takes_its_fields() {
    let folder = tempfile::tempdir().unwrap();
    let description: Value = serde_json::from_str(&host::openapi()).unwrap();
    run(async {
        let node = Node::start(folder.path()).await;
        let mut calls = 0;
        for (path, methods) in description["paths"].as_object().unwrap() {
            for (method, operation) in methods.as_object().unwrap() {
                let (method, target) = (method.to_uppercase(), target(path, operation));
                let response = call(node.address, &method, &target, "").await;
                let text = String::from_utf8_lossy(&response.body).into_owned();
                assert!(!text.contains("api\",\"code\":\"not_found"), "{method} {target}: {text}");
                assert!(!text.contains("unknown query field"), "{method} {target}: {text}");
                // Nor does it take what is not described.
                let more = if target.contains('?') { '&' } else { '?' };
                let response = call(node.address, &method, &format!("{target}{more}nope=1"), "").await;
                let text = String::from_utf8_lossy(&response.body).into_owned();
                // Whoever asks for health may add what he likes to keep caches away.
                let lenient = path == "/health";
                assert_eq!(
                    text.contains("unknown query field `nope`"),
                    !lenient,
                    "{method} {target}: {text}"
                );
                calls += 1;
            }
        }
        assert_eq!(calls, 23);
        node.stop().await;
    });
}
