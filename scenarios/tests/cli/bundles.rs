//! Failure bundles and shrinking, on the command line, over the plays of `toy/main.rs`.

use std::path::{Path, PathBuf};

use serde_json::Value;

use crate::toy::{contains, toy, words};

/// A call's words and its exit code.
fn said(arguments: &[&str]) -> (String, i32) {
    words(toy().args(arguments).output().expect("cargo builds it before the tests"))
}

/// A folder that vanishes.
struct Folder(PathBuf);

impl Folder {
    fn new(name: &str) -> Self {
        let path = std::env::temp_dir().join(format!("rehearsal-{name}-{}", std::process::id()));
        std::fs::create_dir_all(&path).expect("a folder");
        Self(path)
    }

    fn path(&self, name: &str) -> String {
        self.0.join(name).to_str().expect("a path in UTF-8").to_owned()
    }

    fn names(&self) -> Vec<String> {
        let entries = std::fs::read_dir(&self.0).expect("it is there");
        let entries = entries.map(|entry| entry.expect("it is there").file_name());
        let mut names: Vec<_> = entries.map(|name| name.into_string().expect("a name in UTF-8")).collect();
        names.sort();
        names
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        drop(std::fs::remove_dir_all(&self.0));
    }
}

fn json(path: impl AsRef<Path>) -> Value {
    serde_json::from_slice(&std::fs::read(path).expect("a file")).expect("JSON")
}

#[test]
fn every_failure_of_a_search_becomes_a_bundle_that_replays() {
    let folder = Folder::new("failures");
    let found = folder.path("found");
    let (text, code) = said(&["explore", "--scenario", "flawed", "--seeds", "20", "--bundles", &found]);
    assert_eq!(code, 1);
    contains(&text, "  bundle: ");
    let mut files: Vec<_> = std::fs::read_dir(&found).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.sort();
    assert_eq!(files.len(), 3, "seeds 3, 10 and 17: {text}");
    let bundle = json(&files[2]);
    assert_eq!((&bundle["scenario"], &bundle["seed"]), (&"flawed".into(), &3.into()));
    assert_eq!(bundle["law"], "no_such_seed");
    assert_eq!(bundle["replay"], "cargo replay flawed:3");
    assert_eq!(bundle["story"][0]["text"], "the curtain rises");
    assert_eq!(bundle["faults"]["nap"], 1);
    let (text, code) = said(&["replay", files[2].to_str().expect("a path in UTF-8")]);
    assert_eq!(code, 1);
    contains(&text, "the curtain rises\n");
    contains(&text, "broken: no_such_seed at 31.000000s");
    contains(&text, ", the same twice, and as in the bundle\n");
}

#[test]
fn a_run_that_is_not_the_bundles_is_told_with_where_it_parts() {
    let folder = Folder::new("parts");
    let found = folder.path("found");
    said(&["explore", "--scenario", "flawed", "--start", "3", "--seeds", "1", "--bundles", &found]);
    let file = std::fs::read_dir(&found).unwrap().next().unwrap().unwrap().path();
    let text = std::fs::read_to_string(&file).unwrap();
    let other = folder.path("other.json");
    let (seed, commit) = (json(&file), json(&file)["commit"].as_str().unwrap().to_owned());
    assert_eq!(seed["seed"], 3);
    std::fs::write(
        &other,
        text.replace("\"seed\": 3", "\"seed\": 10")
            .replace(&format!("\"commit\": \"{commit}\""), "\"commit\": \"d2b4c9f\""),
    )
    .unwrap();
    let (text, code) = said(&["replay", &other]);
    assert_eq!(code, 1);
    contains(&text, "not the bundle's run: equal for 0 events, another one by event ");
    contains(&text, &format!("; the bundle is of commit d2b4c9f, this is {commit}\n"));
}

#[test]
fn what_is_no_bundle_and_where_none_can_be_written_is_wrong_usage() {
    let folder = Folder::new("damaged");
    let file = folder.path("half.json");
    std::fs::write(&file, "{\"format\": \"rehearsal failure\", \"version\": 1").unwrap();
    let later = folder.path("later.json");
    std::fs::write(&later, "{\"format\": \"rehearsal failure\", \"version\": 2}").unwrap();
    for command in ["replay", "shrink"] {
        let (text, code) = said(&[command, &file]);
        assert_eq!(code, 2, "{text}");
        contains(&text, "half.json is no whole failure bundle: EOF while parsing");
        let (text, code) = said(&[command, &later]);
        assert_eq!(code, 2, "{text}");
        contains(&text, "later.json is a failure bundle of version 2, this reads version 1");
        let (text, code) = said(&[command, &folder.path("missing.json")]);
        assert_eq!(code, 2, "{text}");
        contains(&text, "missing.json: No such file");
    }
    let (text, code) = said(&["explore", "--scenario", "calm", "--seeds", "1", "--bundles", &file]);
    assert_eq!(code, 2, "{text}");
    contains(&text, "half.json: ");
    assert!(!text.contains("1 runs"), "nothing was searched");
}

#[test]
fn a_shrunk_run_is_exactly_what_breaks_the_law() {
    let folder = Folder::new("shrunk");
    let mut told = Vec::new();
    for jobs in ["1", "3"] {
        let out = folder.path(&format!("{jobs}.json"));
        let (text, code) = said(&["shrink", "stormy:5", "--out", &out, "--jobs", jobs]);
        assert_eq!(code, 0, "{text}");
        contains(&text, "stormy:5 dry_feet at 31.000000s: of 1 storms and 2 operations\n");
        contains(&text, "  faults: 10 → 1: spare/storm#6\n");
        contains(&text, "  operations: 20 → 2: skip/a#4, skip/a#7\n");
        contains(&text, "  clients: 2 → 1\n");
        contains(&text, "; nothing more can go\n");
        let calm = ["clock/*", "commits", "skip/*", "spare/*", "wind/*"];
        let calm = calm.map(|streams| format!(" --pin '{streams}#*'")).concat();
        let pins = " --pin 'absent/b#0=1' --pin 'skip/a#4=0' --pin 'skip/a#7=0' --pin 'spare/storm#6=0'";
        contains(&text, &format!("  replay: cargo replay stormy:5{calm}{pins}\n"));
        told.push((json(&out), text.lines().find(|line| line.contains(" runs in ")).unwrap().to_owned()));
    }
    assert_eq!(told[0].0, told[1].0, "whatever the number of threads");
    let runs = |line: &str| line.split(' ').next().unwrap().to_owned();
    assert_eq!(runs(&told[0].1), runs(&told[1].1));
    let bundle = &told[0].0;
    assert_eq!(bundle["law"], "dry_feet");
    assert_eq!(bundle["decisions"][0]["stream"], "storm/how", "what was decided of faults is in it");
    let file = folder.path("1.json");
    contains(&said(&["replay", &file]).0, ", the same twice, and as in the bundle\n");
    let (text, code) = said(&["shrink", &file, "--out", &folder.path("again.json")]);
    assert_eq!(code, 0, "{text}");
    contains(&text, "  faults: 1 → 1: spare/storm#6\n");
    assert_eq!(json(folder.path("again.json")), *bundle, "it cannot be shrunk any further");
    assert_eq!(folder.names(), ["1.json", "3.json", "again.json"]);
}

#[test]
fn what_does_not_fail_or_is_not_the_same_twice_is_not_shrunk() {
    let (text, code) = said(&["shrink", "calm:1"]);
    assert_eq!(code, 1);
    contains(&text, "calm:1: the run breaks no law: there is nothing to shrink\n");
    let (text, code) = said(&["shrink", "stormy:5", "--pin", "spare/storm#6=1"]);
    assert_eq!(code, 1);
    contains(&text, "stormy:5: the run breaks no law");
    let (text, code) = said(&["shrink", "moody:3"]);
    assert_eq!(code, 1);
    contains(
        &text,
        "the run cannot be shrunk, since it is not the same twice: two runs in one process differ",
    );
}

#[test]
fn where_no_bundle_can_be_written_nothing_is_shrunk() {
    let folder = Folder::new("nowhere");
    let (text, code) = said(&["shrink", "stormy:5", "--out", &folder.path("missing/small.json")]);
    assert_eq!(code, 2, "{text}");
    contains(&text, "missing/small.json: No such file");
    assert!(!text.contains(" runs in "), "nothing was run: {text}");
    let (text, code) = said(&["shrink", "stormy:5", "--out", &folder.path("small")]);
    assert_eq!(code, 2, "{text}");
    contains(&text, "the name of a bundle ends in .json");
}

#[test]
fn the_law_of_a_bundle_is_the_one_that_counts() {
    let folder = Folder::new("law");
    let found = folder.path("found");
    said(&["explore", "--scenario", "flawed", "--start", "3", "--seeds", "1", "--bundles", &found]);
    let file = std::fs::read_dir(&found).unwrap().next().unwrap().unwrap().path();
    let other = folder.path("other.json");
    let text = std::fs::read_to_string(&file).unwrap();
    std::fs::write(&other, text.replace("\"law\": \"no_such_seed\"", "\"law\": \"dry_feet\"")).unwrap();
    let (text, code) = said(&["shrink", &other, "--out", &folder.path("small.json")]);
    assert_eq!(code, 1, "{text}");
    contains(&text, "the bundle broke dry_feet, and this run breaks no_such_seed: it is another failure");
    let (text, code) = said(&["replay", &other]);
    assert_eq!(code, 1, "{text}");
    contains(&text, "the bundle broke dry_feet; this run, the same to the last event, breaks no_such_seed; ");
    assert!(!text.contains("as in the bundle"), "{text}");
}

#[test]
fn a_shrunk_run_whose_bundle_is_not_written_is_told_all_the_same() {
    let folder = Folder::new("full");
    // Through this file it would be written.
    std::fs::create_dir(folder.path("small.json.new")).unwrap();
    let (text, code) = said(&["shrink", "stormy:5", "--out", &folder.path("small.json")]);
    assert_eq!(code, 2, "{text}");
    contains(&text, "  replay: cargo replay stormy:5 ");
    contains(&text, "small.json: Is a directory");
}
