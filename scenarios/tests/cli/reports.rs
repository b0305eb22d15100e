//! Reports of searches and of their shards, on the command line, over the plays of `toy/main.rs`.

use serde_json::Value;

use crate::toy::{folder, halves, json, read, report, said};

/// Writes a report anew, with something else in it.
fn altered(path: &str, alter: impl Fn(&mut Value)) -> String {
    let mut report = read(path);
    alter(&mut report);
    let path = format!("{path}-altered");
    std::fs::write(&path, report.to_string()).expect("a file");
    path
}

#[track_caller]
fn refuses(call: &str, why: &str) {
    let (text, code) = said(call);
    assert_eq!(code, 2, "{call}: {text}");
    assert!(text.contains(why), "{call}: no {why:?} in {text}");
}

#[test]
fn every_shard_sees_every_play_and_passes_where_nothing_fails() {
    let folder = folder("shards");
    for (strategy, runs) in [("random", 1), ("swarm", 1), ("pct", 1), ("branch", 9)] {
        let search =
            format!("explore --scenario calm,homesick,forgetful,deserter --seeds 10 --strategy {strategy}");
        let mut reports = String::new();
        for shard in ["1/2", "2/2"] {
            let report = folder.join(format!("{strategy}-{}", &shard[..1])).display().to_string();
            let (summary, code) = json(&format!("{search} --shard {shard} --report {report}"));
            assert_eq!((code, &summary["passed"]), (0, &true.into()), "{strategy} {shard}: {summary:#}");
            let scenarios = summary["scenarios"].as_array().unwrap();
            let seeds: Vec<_> = scenarios.iter().map(|each| each["seeds"].as_u64().unwrap()).collect();
            assert_eq!(seeds, [5 * runs; 4], "{strategy} {shard}");
            reports = format!("{reports} {report}");
        }
        let (summary, code) = json(&format!("merge{reports}"));
        assert_eq!((code, &summary["passed"]), (0, &true.into()), "{strategy}: {summary:#}");
    }
    let search = "explore --scenario calm,flawed --seeds 14 --keep-going";
    let codes = [1, 2, 3].map(|shard| said(&format!("{search} --shard {shard}/3")).1);
    assert_eq!(codes, [1, 1, 0], "seeds 3 and 10 fail: the first and the second shard's");
    let empty = said("explore --scenario calm --seeds 1 --shard 2/2");
    assert_eq!(empty.1, 0, "a part may have nothing to do: {}", empty.0);
}

#[test]
fn a_report_of_other_code_or_of_a_search_told_otherwise_is_refused_with_what_differs() {
    let folder = folder("code");
    let search = "explore --strategy points --keep-going";
    let [one, two] = halves(&folder, search);
    let (text, code) = said(&format!("merge {one} {two}"));
    assert_eq!(code, 1, "its failures: {text}");
    // Debug builds know no commit.
    let whole = read(&one);
    let commit = whole["search"]["commit"].as_str().unwrap();
    assert_eq!(text.contains("see yourself that their code is one"), commit == "unknown", "{text}");

    for (field, value, told) in [
        ("commit", Value::from("d2b4c9f"), ", commit d2b4c9f"),
        ("verified", true.into(), "shard 2/2, verified, commit "),
        ("hosted", false.into(), ", built without --cfg madsim; this is credulous by points"),
    ] {
        let other = altered(&two, |report| report["search"][field] = value.clone());
        refuses(&format!("merge {one} {other}"), told);
        refuses(&format!("{search} --shard 2/2 --resume {other}"), told);
    }
    let pointless = altered(&two, |report| report["recorded"][0]["points"]["timer"] = 1.into());
    let faulty = altered(&one, |report| report["tallies"][0]["declared"] = Value::from(vec!["meteor"]));
    for (shard, (other, why)) in [
        ("1/2", (faulty, "other code: its scenarios declare other faults")),
        ("2/2", (pointless.clone(), "other code: its scenarios have other points")),
    ] {
        refuses(&format!("{search} --shard {shard} --resume {other}"), why);
    }
    refuses(&format!("merge {one} {pointless}"), "other code: its scenarios have other points");
}

#[test]
fn a_damaged_report_is_refused_with_what_is_wrong() {
    let folder = folder("damage");
    let search = "explore --scenario calm,flawed --seeds 10";
    let whole = report(&folder, "whole", search);
    let number = |text: &str| serde_json::from_str::<Value>(text).expect("JSON");
    for (pointer, value, why) in [
        ("/parts", "[]", "it has no parts"),
        ("/tallies", "[]", "it has not one tally for each scenario"),
        ("/search/scenarios", "[]", "it has not one tally for each scenario"),
        ("/parts/0/done", "[[5,3]]", "what was done is no set of runs"),
        ("/parts/0/done", "[[0,21]]", "what was done is no set of runs"),
        ("/parts/0/done", "[[0,5]]", "its tallies are not of the runs that were done"),
        ("/parts/0/shard/of", "18446744073709551615", "its parts are no shards of one search"),
        ("/parts/0/shard/number", "2", "its parts are no shards of one search"),
        ("/failures", "[]", "its tallies do not count its failures"),
    ] {
        let torn = altered(&whole, |report| {
            *report.pointer_mut(pointer).unwrap_or_else(|| panic!("nothing at {pointer}")) = number(value);
        });
        refuses(&format!("merge {torn}"), &format!("a damaged report: {why}"));
        refuses(&format!("{search} --resume {torn}"), &format!("a damaged report: {why}"));
    }
    let twice = altered(&whole, |report| {
        let part = report["parts"][0].clone();
        report["parts"].as_array_mut().unwrap().push(part);
    });
    refuses(&format!("merge {twice}"), "a damaged report: a shard is in it twice, or out of order");
    let old = altered(&whole, |report| report["version"] = 1.into());
    refuses(&format!("merge {old}"), "a report of version 1, this is 2");
}

#[test]
fn a_shard_that_ended_without_a_word_was_not_ended_by_ctrl_c() {
    let folder = folder("gone");
    let search = "explore --scenario calm --seeds 10";
    let [one, two] = halves(&folder, search);
    let two = altered(&two, |report| report["parts"][0]["state"] = "going".into());
    let (text, code) = said(&format!("merge {one} {two}"));
    assert_eq!(code, 1, "{text}");
    assert!(text.contains("a shard ended without a word: 2/2; --resume goes on from its report"), "{text}");
    assert!(!text.contains("Ctrl-C"), "{text}");
    let (summary, _) = json(&format!("merge {one} {two}"));
    assert_eq!((&summary["interrupted"], &summary["passed"]), (&false.into(), &false.into()));
    assert_eq!(summary["shards_unfinished"][0], "2/2");
    let (text, code) = said(&format!("{search} --shard 2/2 --resume {two} --report {two}"));
    assert_eq!(code, 0, "{text}");
    assert_eq!(said(&format!("merge {one} {two}")).1, 0, "it went on, and ended");
}

#[test]
fn pairs_that_nobody_has_time_for_cost_nothing() {
    let (text, code) = said("explore --strategy points:4294967295 --stop-on-failure");
    assert_eq!(code, 1, "{text}");
    assert!(text.contains(" 4294967295 "), "{text}");
}
