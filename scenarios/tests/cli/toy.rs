//! Calls of the toy binary, and what they say.

use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use serde_json::Value;

pub(crate) fn toy() -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_toy"));
    command.env_remove("NO_COLOR").env_remove("CLICOLOR_FORCE").stdin(Stdio::null());
    command
}

pub(crate) fn call(arguments: &str) -> Output {
    toy().args(arguments.split_whitespace()).output().expect("cargo builds it before the tests")
}

/// All of what was said, and the exit code.
pub(crate) fn words(output: Output) -> (String, i32) {
    let text = [output.stdout, output.stderr].concat();
    let text = String::from_utf8(text).expect("what is said is text");
    (text, output.status.code().expect("it ended by itself"))
}

/// What a call says, and its exit code.
pub(crate) fn said(arguments: &str) -> (String, i32) {
    words(call(arguments))
}

/// What it answers in JSON, and its exit code.
pub(crate) fn json(arguments: &str) -> (Value, i32) {
    let output = call(&format!("{arguments} --json"));
    let answer = serde_json::from_slice(&output.stdout);
    let (text, code) = words(output);
    (answer.unwrap_or_else(|_| panic!("{arguments}: no JSON and nothing else, but {text}")), code)
}

#[track_caller]
pub(crate) fn contains(text: &str, part: &str) {
    assert!(text.contains(part), "no {part:?} in:\n{text}");
}

/// The same search without what depends on the host's time and on how it was parted.
pub(crate) fn timeless((mut summary, code): (Value, i32)) -> (Value, i32) {
    for field in ["wall_seconds", "jobs", "shards"] {
        summary[field] = Value::Null;
    }
    for scenario in summary["scenarios"].as_array_mut().expect("a list") {
        scenario["seeds_per_second"] = Value::Null;
        scenario["virtual_seconds_per_second"] = Value::Null;
    }
    (summary, code)
}

/// What is in a file of JSON.
pub(crate) fn read(path: impl AsRef<Path>) -> Value {
    serde_json::from_slice(&std::fs::read(path).expect("a file")).expect("JSON")
}

/// Writes the report of a search, and returns where.
pub(crate) fn report(folder: &Path, name: &str, search: &str) -> String {
    let path = within(folder, name);
    said(&format!("{search} --report {path}"));
    path
}

/// Writes the reports of both halves of a search, and returns where.
pub(crate) fn halves(folder: &Path, search: &str) -> [String; 2] {
    [("one", 1), ("two", 2)].map(|(name, shard)| report(folder, name, &format!("{search} --shard {shard}/2")))
}

/// A file of a folder, as a call names it.
pub(crate) fn within(folder: &Path, name: &str) -> String {
    folder.join(name).display().to_string()
}

/// A folder of one test, empty.
pub(crate) fn folder(test: &str) -> PathBuf {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join(test);
    drop(std::fs::remove_dir_all(&folder));
    std::fs::create_dir_all(&folder).expect("the target folder is writable");
    folder
}
