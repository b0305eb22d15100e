//! What an engine prints when nobody looks.

use gates::binaries::Binaries;
use gates::platform::READY;
use gates::process::Process;

/// Serves for a moment with `arguments` and returns every line it printed.
fn printed(arguments: &[&str]) -> Vec<String> {
    let folder = tempfile::tempdir().expect("the temporary folder is writable");
    let data = folder.path().display().to_string();
    let mut all = vec!["serve", "--bind", "127.0.0.1:0", "--data", &data, "--log", "info"];
    all.extend(arguments);
    let mut process = Process::start(&Binaries::built().engine(), &all, &[]);
    process.line_with("rehearsal-engine listening", READY);
    process.terminate();
    assert!(process.wait().success());
    process.rest()
}

#[test]
fn lines_in_a_pipe_have_no_colours() {
    let lines = printed(&[]);
    assert!(lines.iter().any(|line| line.contains("INFO")), "it logs: {lines:?}");
    assert!(!lines.concat().contains('\u{1b}'), "an escape in {lines:?}");
}

#[test]
fn json_logs_are_one_object_a_line() {
    let lines = printed(&["--log-format", "json"]);
    let (said, logged): (Vec<String>, Vec<String>) =
        lines.into_iter().partition(|line| line.starts_with("rehearsal-engine listening"));
    assert_eq!(said.len(), 1, "{said:?}");
    assert!(!logged.is_empty(), "it logs");
    for line in logged {
        let object: serde_json::Value = serde_json::from_str(&line).expect("JSON");
        assert!(object["level"].is_string(), "{line}");
    }
}
