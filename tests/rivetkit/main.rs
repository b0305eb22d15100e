//! An unmodified RivetKit application on our engine, in both modes: the published packages, nothing of ours patched.
//!
//! Needs npm. `cargo test -p rehearsal-tests --test rivetkit` installs the application's packages (pinned) below the
//! target folder, runs it on node 22 from npm, and counts through RivetKit's own client.

mod recovery;

use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;
use std::time::Duration;

use gates::binaries::{target_folder, workspace};
use gates::platform::Platform;
use gates::process::{Process, free_port};

/// How long the client's script may take.
const SCRIPT: Duration = Duration::from_secs(120);

/// The application with its packages installed.
fn application() -> &'static Path {
    static FOLDER: OnceLock<PathBuf> = OnceLock::new();
    FOLDER.get_or_init(|| {
        let folder = target_folder().join("rivetkit");
        std::fs::create_dir_all(&folder).expect("the target folder is writable");
        for entry in
            std::fs::read_dir(workspace().join("tests/rivetkit/app")).expect("the application is there")
        {
            let source = entry.expect("the application is readable").path();
            let name = source.file_name().expect("a file has a name");
            std::fs::copy(&source, folder.join(name)).expect("the target folder is writable");
        }
        // Scripts of packages are not run, but the one that puts the node binary in place.
        npm(&folder, &["install", "--no-audit", "--no-fund", "--ignore-scripts", "--omit=optional"]);
        npm(&folder, &["rebuild", "node"]);
        folder
    })
}

fn npm(folder: &Path, arguments: &[&str]) {
    let output = Command::new("npm").current_dir(folder).args(arguments).output().expect("npm is installed");
    assert!(output.status.success(), "npm {arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
}

fn node(script: &str, arguments: &[&str], environment: &[(&str, &str)]) -> Process {
    let folder = application();
    let script = folder.join(script).display().to_string();
    let arguments: Vec<&str> = std::iter::once(script.as_str()).chain(arguments.iter().copied()).collect();
    Process::start(&folder.join("node_modules/.bin/node"), &arguments, environment)
}

/// Increments a counter through RivetKit's client and checks each answer; `before` increments were made earlier.
fn count(platform: &Platform, key: &str, before: u64, increments: u64) {
    let url = platform.url();
    let mut client = node("client.mjs", &[key, &increments.to_string()], &[("RIVET_ENDPOINT", &url)]);
    let line = client.line_with("heard", SCRIPT);
    let answer: serde_json::Value = serde_json::from_str(&line).expect("the script prints JSON");
    let expected: Vec<u64> = (before + 1..=before + increments).collect();
    assert_eq!(answer["heard"], serde_json::json!(expected));
    assert_eq!(answer["value"], serde_json::json!(before + increments));
}

/// Says so while a configuration is missing, and ends when the engine has it: the application configures once.
fn wait_for_pool(platform: &Platform) {
    let client = platform.client();
    gates::block_on(async move {
        runtime::timeout(SCRIPT, async {
            while client.runner_configs().await.is_ok_and(|configs| configs.runner_configs.is_empty()) {
                runtime::sleep(Duration::from_millis(100)).await;
            }
        })
        .await
        .expect("the application configures its pool");
    });
}

/// The application in serverless mode, with its pool configured.
fn serverless(platform: &Platform) -> Process {
    let url = platform.url();
    let port = free_port().to_string();
    let application = node("serverless.mjs", &[], &[("RIVET_ENDPOINT", &url), ("PORT", &port)]);
    wait_for_pool(platform);
    application
}

/// The application in normal mode.
fn normal(platform: &Platform) -> Process {
    configure_normal(platform);
    node("normal.mjs", &[], &[("RIVET_ENDPOINT", &platform.url())])
}

#[test]
fn a_rivetkit_application_counts_in_serverless_mode() {
    let mut platform = Platform::start();
    let _application = serverless(&platform);
    count(&platform, "serverless", 0, 20);
    platform.kill_and_start();
    count(&platform, "serverless", 20, 5);
}

#[test]
fn a_rivetkit_application_counts_in_normal_mode() {
    let mut platform = Platform::start();
    let _application = normal(&platform);
    count(&platform, "normal", 0, 20);
    platform.kill_and_start();
    count(&platform, "normal", 20, 5);
}

/// A pool of normal runners has to be named to the engine; RivetKit leaves that to the API.
fn configure_normal(platform: &Platform) {
    let client = platform.client();
    let config = serde_json::from_str(r#"{"datacenters":{"default":{"normal":{}}}}"#).expect("a valid body");
    gates::block_on(async move { client.put_runner_config("default", &config).await })
        .expect("the pool is configured");
}
