//! The pages for people, against the command line: every option and every field of the JSON is told there.

use serde_json::Value;

use crate::toy::call;

const EXPLORE: &str = include_str!("../../../docs/explore.md");
const REPLAY: &str = include_str!("../../../docs/replay.md");
const STRATEGIES: &str = include_str!("../../../docs/strategies.md");
const SHRINK: &str = include_str!("../../../docs/shrink.md");

/// The long options that the help of a command names.
fn options(command: &str) -> Vec<String> {
    let help = String::from_utf8(call(&format!("{command} --help")).stdout).expect("help is text");
    let words = help.split(|letter: char| !letter.is_ascii_lowercase() && letter != '-');
    let mut options: Vec<_> = words.filter(|word| word.starts_with("--")).map(ToOwned::to_owned).collect();
    options.retain(|option| option.len() > 2 && option != "--help");
    options
}

/// The names of the fields of an object, and of those below it that are not told by name: a list's first, a map's
/// first.
fn fields(object: &Value, below: &[&str]) -> Vec<String> {
    let mut names: Vec<String> = object.as_object().expect("an object").keys().cloned().collect();
    for pointer in below {
        let child = object.pointer(pointer).unwrap_or_else(|| panic!("nothing at {pointer}"));
        names.extend(child.as_object().expect("an object").keys().cloned());
    }
    names
}

#[track_caller]
fn told(page: &str, names: &[String]) {
    assert!(names.len() > 4, "found too little to compare: {names:?}");
    // A list is told with brackets.
    let is_told =
        |name: &&String| page.contains(&format!("`{name}`")) || page.contains(&format!("`{name}[]`"));
    let untold: Vec<_> = names.iter().filter(|name| !is_told(name)).collect();
    assert!(untold.is_empty(), "the page does not tell {untold:?}");
}

#[test]
fn every_option_is_told() {
    let pages = [("explore", EXPLORE), ("replay", REPLAY), ("shrink", SHRINK), ("merge", STRATEGIES)];
    for (command, page) in pages {
        let untold: Vec<_> = options(command).into_iter().filter(|option| !page.contains(option)).collect();
        assert!(untold.is_empty(), "the page of {command} does not tell {untold:?}");
    }
    assert!(options("explore").contains(&"--keep-going".to_owned()));
}

#[test]
fn every_field_is_told() {
    let found =
        serde_json::from_slice(&call("explore --scenario flawed --seeds 5 --json").stdout).expect("JSON");
    told(EXPLORE, &fields(&found, &["/scenarios/0", "/scenarios/0/faults/nap", "/failures/0"]));
    let points = serde_json::from_slice(&call("explore --strategy points --json").stdout).expect("JSON");
    told(EXPLORE, &fields(&points, &["/points/0"]));
    let shown = serde_json::from_slice(&call("replay flawed:3 --json").stdout).expect("JSON");
    told(REPLAY, &fields(&shown, &["/story/0", "/broken"]));
}
