//! What a process logs: JSON that a script can read, a ray for each request, and nothing that is a secret.

use std::io::{BufRead as _, BufReader, Read as _};
use std::os::unix::fs::PermissionsExt as _;
use std::process::{Command, Stdio};

use bytes::Bytes;
use serde_json::Value;

use crate::support::{Runner, call_with, run};

const ADMIN: &str = "s3cret-admin-token-0";
const RUNNER: &str = "s3cret-runner-token-0";

#[test]
fn every_request_is_logged_under_its_ray_and_no_secret_is() {
    let folder = tempfile::tempdir().unwrap();
    let tokens = folder.path().join("tokens.toml");
    std::fs::write(&tokens, format!("admin = ['{ADMIN}']\nrunner = ['{RUNNER}']\n")).unwrap();
    std::fs::set_permissions(&tokens, std::fs::Permissions::from_mode(0o600)).unwrap();
    let mut engine = Command::new(env!("CARGO_BIN_EXE_rehearsal-engine"))
        .args(["serve", "--bind", "127.0.0.1:0", "--log", "trace", "--log-format", "json", "--tokens"])
        .arg(&tokens)
        .arg("--data")
        .arg(folder.path().join("data"))
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut line = String::new();
    BufReader::new(engine.stdout.take().unwrap()).read_line(&mut line).unwrap();
    let address = line.trim().rsplit_once('/').unwrap().1.parse().unwrap();
    let rays = run(async {
        let bearer = format!("Bearer {ADMIN}");
        let actor = "0".repeat(30);
        let mut rays = Vec::new();
        for (method, path, body) in [
            (
                "PUT",
                "/runner-configs/default?namespace=default",
                r#"{"datacenters":{"default":{"normal":{}}}}"#,
            ),
            (
                "PUT",
                "/runner-configs/s?namespace=default",
                r#"{"datacenters":{"default":{"serverless":{"url":"http://127.0.0.1:1","request_lifespan":9,"min_runners":1,"headers":{"x-key":"s3cret-header"}}}}}"#,
            ),
            (
                "PUT",
                "/actors?namespace=default",
                r#"{"name":"a","key":"k","runner_name_selector":"default","input":"czNjcmV0LWlucHV0","crash_policy":"sleep"}"#,
            ),
            ("POST", "/actors?namespace=default", r#"{"s3cret-field":"s3cret-value"}"#),
            ("GET", &format!("/actors/{actor}/kv/keys/s3cretkey?namespace=default&cursor=s3cret-query"), ""),
            ("GET", &format!("/gateway/{actor}@{ADMIN}/s3cret-path?s3cret-query"), "s3cret-body"),
            ("GET", "/gateway/no-id/x", ""),
        ] {
            let headers =
                [("authorization", bearer.as_str()), ("x-rivet-token", RUNNER), ("cookie", "s3cret-cookie")];
            let response = call_with(address, method, path, &headers, Bytes::from(body.to_owned())).await;
            rays.push(response.headers["x-rivet-ray-id"].to_str().unwrap().to_owned());
        }
        Runner::connect_with(address, "s3cret-runner-key", RUNNER).await;
        rays
    });
    engine.kill().unwrap();
    engine.wait().unwrap();
    let mut logged = String::new();
    engine.stderr.take().unwrap().read_to_string(&mut logged).unwrap();
    assert!(!logged.contains("s3cret") && !logged.contains("czNjcmV0"), "{logged}");
    let lines: Vec<Value> = logged.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    for ray in rays {
        let of_ray: Vec<&Value> = lines.iter().filter(|line| line["span"]["ray"] == ray.as_str()).collect();
        let said = |message: &str| of_ray.iter().any(|line| line["fields"]["message"] == message);
        assert!(said("request") && said("response"), "{ray}: {logged}");
        assert!(
            of_ray.iter().all(|line| line["span"]["name"] == "request" && line["span"]["method"].is_string())
        );
    }
}
