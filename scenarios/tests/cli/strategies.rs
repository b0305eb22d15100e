//! Strategies, shards, reports: the command line, run as people run it, over the plays of `toy/main.rs`.

use std::path::Path;

use serde_json::Value;

use crate::toy::{folder, halves, json, report, said, timeless};

const SEARCHES: [&str; 5] = [
    "explore --keep-going --scenario calm,flawed,blind --seeds 40",
    "explore --keep-going --scenario calm,flawed,blind --seeds 40 --strategy swarm",
    "explore --keep-going --scenario calm,flawed --seeds 40 --strategy pct:2",
    "explore --keep-going --scenario calm,flawed --seeds 8 --strategy branch",
    "explore --keep-going --strategy points:20 --seeds 3",
];

#[test]
fn every_search_is_the_same_on_any_number_of_threads_and_joined_from_shards() {
    let folder = folder("joined");
    for search in SEARCHES {
        let one = timeless(json(&format!("{search} --jobs 1")));
        for jobs in [2, 4] {
            assert_eq!(timeless(json(&format!("{search} --jobs {jobs}"))), one, "{search} on {jobs} threads");
        }
        let mut reports = String::new();
        // In another order than they are joined.
        for shard in [3, 1, 2] {
            let report = folder.join(format!("{shard}.json"));
            let report = report.display();
            json(&format!("{search} --shard {shard}/3 --report {report}"));
            reports = format!("{report} {reports}");
        }
        assert_eq!(timeless(json(&format!("merge {reports}"))), one, "{search} in shards");
    }
}

#[test]
fn a_search_goes_on_where_it_ended() {
    let folder = folder("resumed");
    let (first, second) = (folder.join("first"), folder.join("second"));
    for search in SEARCHES {
        let all = timeless(json(search));
        let ended = search.replace("--keep-going", "--stop-on-failure");
        let (summary, code) = json(&format!("{ended} --report {}", first.display()));
        if search.contains("flawed") {
            assert_eq!((code, &summary["gave_up"]), (1, &Value::Bool(true)));
        }
        let (first, second) = (first.display(), second.display());
        let resumed = json(&format!("{search} --resume {first} --report {second}"));
        assert_eq!(timeless(resumed), all, "{search}");
        // There is nothing left to do, and it says the same.
        assert_eq!(timeless(json(&format!("{search} --resume {second}"))), all, "{search} again");
    }
}

#[test]
fn a_fault_at_every_point_finds_each_that_breaks_a_law() {
    let (summary, code) = json("explore --strategy points");
    assert_eq!(code, 1);
    let recorded = &summary["points"][0];
    assert_eq!((&recorded["scenario"], &recorded["seed"]), (&"credulous".into(), &0.into()));
    let points = recorded["points"].as_object().unwrap();
    assert_eq!((&points["disk-write"], &points["disk-sync"]), (&3.into(), &3.into()));
    let of = |field: &str| recorded[field].as_u64().unwrap();
    let all: u64 = points.values().map(|count| count.as_u64().unwrap()).sum();
    assert_eq!(all * 7, of("runs") + of("equal") + of("inapplicable"), "none is forgotten");
    assert_eq!(summary["scenarios"][0]["seeds"], of("runs") + 1, "the recorded run, too");
    let failures = summary["failures"].as_array().unwrap();
    let struck: Vec<_> = failures.iter().map(|failure| failure["replay"].as_str().unwrap()).collect();
    let expected = |kind: &'static str| {
        (0..3).map(move |at| format!("cargo replay credulous:0 --strike {kind}#{at}=disk-error"))
    };
    let mut expected: Vec<_> = expected("disk-write").zip(expected("disk-sync")).collect();
    let expected: Vec<_> = expected.drain(..).flat_map(|(write, sync)| [write, sync]).collect();
    assert_eq!(struck, expected);
    let line = struck[3].strip_prefix("cargo ").unwrap();
    let (text, code) = said(line);
    assert_eq!(code, 1);
    assert!(text.contains("broken: words_are_kept"), "{text}");
    assert!(text.contains("struck: disk-error at disk-sync 1 of store\n"), "{text}");
    let (text, code) = said("replay credulous:0 --strike disk-sync#9=disk-error");
    assert_eq!(code, 1, "what does not strike shows nothing");
    assert!(text.contains("to strike, but never did: disk-sync#9=disk-error\n"), "{text}");
    let (text, _) = said("explore --strategy points --keep-going");
    assert!(text.contains(" 3 disk-sync"), "{text}");
}

#[test]
fn pairs_of_faults_are_sampled() {
    let singles = json("explore --keep-going --strategy points").0;
    let pairs = json("explore --keep-going --strategy points:30").0;
    let seeds = |summary: &Value| summary["scenarios"][0]["seeds"].as_u64().unwrap();
    assert_eq!(seeds(&pairs), seeds(&singles) + 30);
    assert_eq!(pairs["points"][0]["pairs"], 30);
    let failures = pairs["failures"].as_array().unwrap().iter();
    let two = failures.filter(|failure| failure["replay"].as_str().unwrap().matches("--strike").count() == 2);
    assert!(two.count() > 0, "one of the two is a disk error now and then");
}

#[test]
fn a_swarm_leaves_families_out_of_about_half_of_the_seeds() {
    let (summary, code) = json("explore --scenario calm --seeds 200 --strategy swarm");
    assert_eq!(code, 0, "{summary:#}");
    let calm = &summary["scenarios"][0];
    assert_eq!(calm["seeds_drawn"], 200);
    let drawn = calm["faults"]["nap"]["seeds_drawn"].as_u64().unwrap();
    assert!((60..=140).contains(&drawn), "{drawn}");
    assert_eq!(calm["faults"]["nap"]["seeds"], drawn);
    assert!(said("explore --scenario calm --seeds 50 --strategy swarm").0.contains("not left out"));
    let plain = json("explore --scenario calm --seeds 20").0;
    assert_eq!(plain["scenarios"][0]["seeds_drawn"], 0);
    assert_eq!(plain["scenarios"][0]["faults"]["nap"]["seeds"], 20);
}

#[test]
fn whatever_found_a_failure_one_line_shows_it_again() {
    for (strategy, flag) in [("swarm", " --swarm"), ("pct:2", " --schedule pct:2:"), ("branch", " --branch ")]
    {
        let search =
            format!("explore --scenario flawed --start 3 --seeds 1 --keep-going --strategy {strategy}");
        let (summary, _) = json(&search);
        let last = summary["failures"].as_array().unwrap().last().unwrap();
        let line = last["replay"].as_str().unwrap().strip_prefix("cargo ").unwrap();
        assert!(line.contains(flag), "{line}");
        let (shown, code) = json(&format!("{line} --digest {}", last["digest"].as_str().unwrap()));
        assert_eq!((code, &shown["expected_digest"]), (1, &Value::Null), "{line}");
        assert_eq!(shown["broken"]["law"], "no_such_seed");
    }
}

#[test]
fn every_strategy_can_be_verified_in_fresh_processes() {
    for strategy in ["swarm", "pct", "branch"] {
        let search = format!("explore --scenario calm --seeds 4 --verify --strategy {strategy}");
        let (summary, code) = json(&search);
        assert_eq!(code, 0, "{strategy}: {summary:#}");
        let (text, code) = said(&search.replace("calm", "homesick"));
        assert_eq!(code, 1);
        assert!(
            text.contains("a run in this process and one in a fresh process differ"),
            "{strategy}: {text}"
        );
    }
    let (summary, _) = json("explore --strategy points --keep-going --verify");
    let laws = summary["failures"].as_array().unwrap().iter().map(|failure| &failure["law"]);
    assert!(laws.into_iter().all(|law| law == "words_are_kept"), "{summary:#}");
}

#[test]
fn reports_that_do_not_belong_together_are_refused() {
    let folder = folder("strangers");
    let search = "explore --scenario calm --seeds 10";
    let [one, two] = halves(&folder, search);
    let other = report(&folder, "other", "explore --scenario calm --seeds 11 --shard 2/2");
    let third = report(&folder, "third", &format!("{search} --shard 2/3"));
    assert_eq!(said(&format!("merge {one} {two}")).1, 0);
    let (text, code) = said(&format!("merge {one}"));
    assert_eq!(code, 1);
    assert!(text.contains("a shard is missing: 2/2"), "{text}");
    for (strange, why) in [
        (format!("merge {one} {one}"), "shard 1/2 is in another report, too"),
        (format!("merge {one} {other}"), "a report of another search: calm by random, 11 seeds from 0 on"),
        (format!("merge {one} {third}"), "a report of another search"),
        (format!("{search} --resume {one}"), "a report of another search"),
        (format!("merge {one} {}", folder.display()), "Is a directory"),
        (
            format!("merge {}", Path::new(env!("CARGO_MANIFEST_DIR")).join("Cargo.toml").display()),
            "not a report",
        ),
        ("explore --strategy guess".to_owned(), "a strategy is random, swarm"),
        ("explore --shard 3/2".to_owned(), "a shard is NUMBER/COUNT"),
        ("explore --shard 1/18446744073709551615".to_owned(), "of 65536 at most"),
        (
            "explore --strategy points --scenario credulous,calm".to_owned(),
            "calm is not made for one fault at every point: whoever such a fault fells would not come back; those made \
             for it are credulous",
        ),
        (
            format!("explore --scenario calm --seeds 1 --report {}/no/report", folder.display()),
            "No such file",
        ),
        (format!("explore --scenario calm --seeds 1 --report {}", folder.display()), "is a directory"),
        ("shrink stormy:5 --out small".to_owned(), "the name of a bundle ends in .json"),
        ("replay calm:1 --strike timer#1=meteor".to_owned(), "no fault is called \"meteor\""),
        ("replay calm:1 --branch 1s=2".to_owned(), "a branch is"),
        ("replay calm:1 --schedule lifo".to_owned(), "a schedule is"),
    ] {
        let (text, code) = said(&strange);
        assert_eq!(code, 2, "{strange}: {text}");
        assert!(text.contains(why), "{strange}: {text}");
        assert!(!text.contains(" runs in "), "nothing was searched: {text}");
    }
    let joined = folder.join("joined").display().to_string();
    said(&format!("merge {one} {two} --report {joined}"));
    assert_eq!(timeless(json(&format!("merge {joined}"))), timeless(json(search)));
}
