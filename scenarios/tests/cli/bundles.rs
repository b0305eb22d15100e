//! Failure bundles and shrinking, on the command line, over the plays of `toy/main.rs`.

use std::path::{Path, PathBuf};

use crate::toy::{contains, folder, read, said, within};

/// The files of a folder, by name.
fn files(folder: impl AsRef<Path>) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(folder).expect("it is there");
    let mut files: Vec<_> = entries.map(|entry| entry.expect("it is there").path()).collect();
    files.sort();
    files
}

#[test]
fn every_failure_of_a_search_becomes_a_bundle_that_replays() {
    let folder = folder("failures");
    let found = within(&folder, "found");
    let (text, code) = said(&format!("explore --scenario flawed --seeds 20 --bundles {found}"));
    assert_eq!(code, 1);
    contains(&text, "  bundle: ");
    let files = files(&found);
    assert_eq!(files.len(), 3, "seeds 3, 10 and 17: {text}");
    let bundle = read(&files[2]);
    assert_eq!((&bundle["scenario"], &bundle["seed"]), (&"flawed".into(), &3.into()));
    assert_eq!(bundle["law"], "no_such_seed");
    assert_eq!(bundle["replay"], "cargo replay flawed:3");
    assert_eq!(bundle["story"][0]["text"], "the curtain rises");
    assert_eq!(bundle["faults"]["nap"], 1);
    let (text, code) = said(&format!("replay {}", files[2].display()));
    assert_eq!(code, 1);
    contains(&text, "the curtain rises\n");
    contains(&text, "broken: no_such_seed at 31.000000s");
    contains(&text, ", the same twice, and as in the bundle\n");
}

#[test]
fn a_run_that_is_not_the_bundles_is_told_with_where_it_parts() {
    let folder = folder("parts");
    let found = within(&folder, "found");
    said(&format!("explore --scenario flawed --start 3 --seeds 1 --bundles {found}"));
    let file = &files(&found)[0];
    let text = std::fs::read_to_string(file).unwrap();
    let other = within(&folder, "other.json");
    let (seed, commit) = (read(file), read(file)["commit"].as_str().unwrap().to_owned());
    assert_eq!(seed["seed"], 3);
    std::fs::write(
        &other,
        text.replace("\"seed\": 3", "\"seed\": 10")
            .replace(&format!("\"commit\": \"{commit}\""), "\"commit\": \"d2b4c9f\""),
    )
    .unwrap();
    let (text, code) = said(&format!("replay {other}"));
    assert_eq!(code, 1);
    contains(&text, "not the bundle's run: equal for 0 events, another one by event ");
    contains(&text, &format!("; the bundle is of commit d2b4c9f, this is {commit}\n"));
}

#[test]
fn what_is_no_bundle_and_where_none_can_be_written_is_wrong_usage() {
    let folder = folder("damaged");
    let file = within(&folder, "half.json");
    std::fs::write(&file, "{\"format\": \"rehearsal failure\", \"version\": 1").unwrap();
    let later = within(&folder, "later.json");
    std::fs::write(&later, "{\"format\": \"rehearsal failure\", \"version\": 2}").unwrap();
    for command in ["replay", "shrink"] {
        let (text, code) = said(&format!("{command} {file}"));
        assert_eq!(code, 2, "{text}");
        contains(&text, "half.json is no whole failure bundle: EOF while parsing");
        let (text, code) = said(&format!("{command} {later}"));
        assert_eq!(code, 2, "{text}");
        contains(&text, "later.json is a failure bundle of version 2, this reads version 1");
        let (text, code) = said(&format!("{command} {}", within(&folder, "missing.json")));
        assert_eq!(code, 2, "{text}");
        contains(&text, "missing.json: No such file");
    }
    let (text, code) = said(&format!("explore --scenario calm --seeds 1 --bundles {file}"));
    assert_eq!(code, 2, "{text}");
    contains(&text, "half.json: ");
    assert!(!text.contains("1 runs"), "nothing was searched");
}

#[test]
fn a_shrunk_run_is_exactly_what_breaks_the_law() {
    let folder = folder("shrunk");
    let mut told = Vec::new();
    for jobs in ["1", "3"] {
        let out = within(&folder, &format!("{jobs}.json"));
        let (text, code) = said(&format!("shrink stormy:5 --out {out} --jobs {jobs}"));
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
        told.push((read(&out), text.lines().find(|line| line.contains(" runs in ")).unwrap().to_owned()));
    }
    assert_eq!(told[0].0, told[1].0, "whatever the number of threads");
    let runs = |line: &str| line.split(' ').next().unwrap().to_owned();
    assert_eq!(runs(&told[0].1), runs(&told[1].1));
    let bundle = &told[0].0;
    assert_eq!(bundle["law"], "dry_feet");
    assert_eq!(bundle["decisions"][0]["stream"], "storm/how", "what was decided of faults is in it");
    let file = within(&folder, "1.json");
    contains(&said(&format!("replay {file}")).0, ", the same twice, and as in the bundle\n");
    let (text, code) = said(&format!("shrink {file} --out {}", within(&folder, "again.json")));
    assert_eq!(code, 0, "{text}");
    contains(&text, "  faults: 1 → 1: spare/storm#6\n");
    assert_eq!(read(within(&folder, "again.json")), *bundle, "it cannot be shrunk any further");
    assert_eq!(files(&folder), ["1.json", "3.json", "again.json"].map(|name| folder.join(name)));
}

#[test]
fn what_does_not_fail_or_is_not_the_same_twice_is_not_shrunk() {
    let (text, code) = said("shrink calm:1");
    assert_eq!(code, 1);
    contains(&text, "calm:1: the run breaks no law: there is nothing to shrink\n");
    let (text, code) = said("shrink stormy:5 --pin spare/storm#6=1");
    assert_eq!(code, 1);
    contains(&text, "stormy:5: the run breaks no law");
    let (text, code) = said("shrink moody:3");
    assert_eq!(code, 1);
    contains(
        &text,
        "the run cannot be shrunk, since it is not the same twice: two runs in one process differ",
    );
}

#[test]
fn where_no_bundle_can_be_written_nothing_is_shrunk() {
    let folder = folder("nowhere");
    let (text, code) = said(&format!("shrink stormy:5 --out {}", within(&folder, "missing/small.json")));
    assert_eq!(code, 2, "{text}");
    contains(&text, "missing/small.json: No such file");
    assert!(!text.contains(" runs in "), "nothing was run: {text}");
    let (text, code) = said(&format!("shrink stormy:5 --out {}", within(&folder, "small")));
    assert_eq!(code, 2, "{text}");
    contains(&text, "the name of a bundle ends in .json");
}

#[test]
fn the_law_of_a_bundle_is_the_one_that_counts() {
    let folder = folder("law");
    let found = within(&folder, "found");
    said(&format!("explore --scenario flawed --start 3 --seeds 1 --bundles {found}"));
    let file = &files(&found)[0];
    let other = within(&folder, "other.json");
    let text = std::fs::read_to_string(file).unwrap();
    std::fs::write(&other, text.replace("\"law\": \"no_such_seed\"", "\"law\": \"dry_feet\"")).unwrap();
    let (text, code) = said(&format!("shrink {other} --out {}", within(&folder, "small.json")));
    assert_eq!(code, 1, "{text}");
    contains(&text, "the bundle broke dry_feet, and this run breaks no_such_seed: it is another failure");
    let (text, code) = said(&format!("replay {other}"));
    assert_eq!(code, 1, "{text}");
    contains(&text, "the bundle broke dry_feet; this run, the same to the last event, breaks no_such_seed; ");
    assert!(!text.contains("as in the bundle"), "{text}");
}

#[test]
fn a_shrunk_run_whose_bundle_is_not_written_is_told_all_the_same() {
    let folder = folder("full");
    // Through this file it would be written.
    std::fs::create_dir(within(&folder, "small.json.new")).unwrap();
    let (text, code) = said(&format!("shrink stormy:5 --out {}", within(&folder, "small.json")));
    assert_eq!(code, 2, "{text}");
    contains(&text, "  replay: cargo replay stormy:5 ");
    contains(&text, "small.json: Is a directory");
}
