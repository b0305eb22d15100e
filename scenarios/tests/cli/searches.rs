//! Searches and replays on the command line.

use std::io::{BufRead, BufReader};
use std::process::{Command, Stdio};

use serde_json::Value;

use crate::toy::{contains, json, said, timeless, toy};

#[test]
fn a_search_that_finds_nothing_passes() {
    let (summary, code) = json("explore --scenario calm --seeds 30 --start 5");
    assert_eq!((code, &summary["passed"]), (0, &Value::Bool(true)), "{summary:#}");
    let calm = &summary["scenarios"][0];
    assert_eq!(calm["seeds"], 30);
    assert_eq!(calm["operations"], 3_000);
    assert_eq!(calm["virtual_seconds"], 1_800.0);
    assert_eq!(calm["faults"]["nap"]["seeds_with_effect"], 30);
    let (text, code) = said("explore --scenario calm --seeds 30");
    assert_eq!(code, 0);
    contains(&text, "30 runs in ");
    contains(&text, " never; --marks names those\n");
    contains(&said("explore --scenario calm --seeds 1 --marks").0, " never: ");
    contains(&text, "nothing failed");
    assert!(!text.contains('\u{1b}'), "no colours into a pipe");
}

#[test]
fn the_outcome_is_the_same_on_any_number_of_threads() {
    let one = json("explore --scenario calm,flawed --seeds 200 --jobs 1");
    for jobs in [2, 8] {
        let many = json(&format!("explore --scenario calm,flawed --seeds 200 --jobs {jobs}"));
        assert_eq!(timeless(many), timeless(one.clone()));
    }
    assert_eq!(one.1, 1);
    assert_eq!(one.0["failures"].as_array().unwrap().len(), 10);
    assert_eq!(one.0["scenarios"][1]["seeds"], 67, "it ended with the tenth failure, seed 66");
}

#[test]
fn a_failure_is_told_with_the_line_that_replays_it() {
    let (text, code) = said("explore --scenario flawed --seeds 5");
    assert_eq!(code, 1);
    contains(&text, "flawed:3 no_such_seed at 31.000000s: the seed is three above a multiple of seven\n");
    contains(&text, "  replay: cargo replay flawed:3\n");
    contains(&text, "1 failed");
    let (summary, _) = json("explore --scenario flawed --seeds 100 --stop-on-failure");
    assert_eq!(summary["failures"].as_array().unwrap().len(), 1);
    let (summary, _) = json("explore --scenario flawed --seeds 100 --keep-going");
    assert_eq!(summary["failures"].as_array().unwrap().len(), 14);
    assert_eq!(summary["failures"][1]["seed"], 10);
    assert_eq!(summary["failures"][1]["law"], "no_such_seed");
}

#[test]
fn a_replay_tells_the_story_and_proves_the_digest() {
    let (text, code) = said("replay flawed:3");
    assert_eq!(code, 1);
    contains(&text, "     0.000000000  the curtain rises\n");
    contains(&text, "broken: no_such_seed at 31.000000s");
    contains(&text, ", the same twice\n");
    assert!(!text.contains("the middle of the play"), "no trace unless it is asked for");
    contains(&said("replay flawed:3 --trace info").0, "the middle of the play");
    let (found, _) = json("explore --scenario flawed --seeds 5");
    let digest = found["failures"][0]["digest"].as_str().unwrap();
    let (told, _) = json(&format!("replay flawed:3 --digest {digest}"));
    assert_eq!(told["digest"], digest);
    assert_eq!(told["expected_digest"], Value::Null);
    assert_eq!(told["broken"]["law"], "no_such_seed");
    assert_eq!(said("replay flawed:4").1, 0);
    let (text, code) = said("replay flawed:4 --digest 1");
    assert_eq!(code, 1, "{text}");
    contains(&text, "the digest was expected to be 00000000000000000000000000000001");
}

#[test]
fn pins_change_a_run_and_those_that_meet_nothing_are_told() {
    assert_eq!(json("replay calm:1 --pin commits#0=7").0["commits"], 7);
    assert_eq!(json("replay calm:1 --pin commits#0=8").0["commits"], 8);
    let (told, _) = json("replay calm:1 --pin meteor#0=1");
    assert_eq!(told["unmatched_pins"][0], "meteor#0");
}

#[test]
fn verification_finds_and_names_what_differs() {
    let (text, code) = said("explore --scenario calm --seeds 70 --verify");
    assert_eq!(code, 0, "{text}");
    contains(&text, "70 runs, each three times, in ");

    let (text, code) = said("explore --scenario forgetful --seeds 1 --verify");
    assert_eq!(code, 1);
    contains(&text, "forgetful:0 two runs in one process differ, first in [event ");
    contains(&text, " at 31s: note: ");

    let (text, code) = said("explore --scenario homesick --seeds 40 --verify --stop-on-failure");
    assert_eq!(code, 1);
    contains(&text, "homesick:0 a run in this process and one in a fresh process differ, first in [event ");
    contains(&text, " at 31s: note: ");
    assert_eq!(said("explore --scenario homesick --seeds 40").1, 0, "unseen without --verify");
    assert_eq!(said("replay homesick:0").1, 0, "unseen in one process");
    let line = "explore --scenario homesick --start 0 --seeds 1 --verify";
    contains(&text, &format!("  replay: cargo {line}\n"));
    contains(&said(line).0, "homesick:0 a run in this process and one in a fresh process differ");
    assert_eq!(said("replay forgetful:0").1, 1, "a replay runs twice");
}

#[test]
fn a_run_that_falls_is_blamed_itself_and_the_others_are_verified() {
    let (summary, code) = json("explore --scenario calm,absent,homesick --seeds 3 --verify");
    assert_eq!(code, 1);
    let laws = |play| {
        let failures = summary["failures"].as_array().unwrap().iter();
        failures
            .filter(|failure| failure["scenario"] == play)
            .map(|failure| &failure["law"])
            .collect::<Vec<_>>()
    };
    assert!(laws("calm").is_empty(), "{summary:#}");
    assert_eq!(laws("absent"), ["the_run_ends"; 3], "it falls everywhere");
    assert_eq!(laws("homesick"), ["determinism"; 3], "what ran beside it is compared all the same");

    let (summary, code) = json("explore --scenario calm,deserter --seeds 4 --verify");
    assert_eq!(code, 1);
    let failures = summary["failures"].as_array().unwrap();
    assert_eq!(failures.len(), 1, "{summary:#}");
    assert_eq!((&failures[0]["scenario"], &failures[0]["seed"]), (&"deserter".into(), &2.into()));
    assert_eq!(failures[0]["replay"], "cargo explore --scenario deserter --start 2 --seeds 1 --verify");
}

#[test]
fn a_batch_that_shows_nothing_falls_short() {
    let (text, code) = said("explore --scenario spared --seeds 20");
    assert_eq!(code, 1);
    contains(&text, "spared: the fault meteor was on in 20 runs, and nobody ever felt it");
    assert_eq!(said("explore --scenario spared --seeds 19").1, 0, "too few runs to judge");
    let (text, code) = said("explore --scenario blind --seeds 3");
    assert_eq!(code, 1);
    contains(&text, "blind: the law nothing_left had nothing to judge in 3 runs, blind:0 the first");
    contains(&said("replay blind:0").0, "laws with nothing to judge: nothing_left\nevery other law holds\n");
}

#[test]
fn a_run_that_fails_by_itself_is_a_failure() {
    let (text, code) = said("explore --scenario clumsy --seeds 1");
    assert_eq!(code, 1);
    contains(&text, "clumsy:0 nobody_panics at 31.000000s: ");
    contains(&text, "stumbles over the carpet");
    let (text, code) = said("explore --scenario absent,calm --seeds 2");
    assert_eq!(code, 1);
    contains(&text, "absent:1 the_run_ends at 0.000000s: the run itself panicked: nobody came");
    contains(&text, "2 failed");
}

#[test]
fn nonsense_is_refused_with_exit_code_two() {
    for nonsense in [
        "",
        "explore --seeds 0",
        "explore --seeds 5 --for 5s",
        "explore --for 5",
        "explore --for 0s",
        "explore --jobs 0",
        "explore --scenario nobody",
        "explore --keep-going --stop-on-failure",
        "explore --start yesterday",
        "replay smoke",
        "replay nobody:1",
        "replay calm:1 --trace loud",
        "replay calm:1 --digest z",
        "replay calm:1 --pin x",
        "perform",
    ] {
        let (text, code) = said(nonsense);
        assert_eq!(code, 2, "{nonsense:?}: {text}");
    }
    contains(&said("replay nobody:1").0, "no scenario is called \"nobody\"; there are calm, flawed, ");
}

#[test]
fn plays_and_laws_are_listed() {
    let (text, code) = said("list");
    assert_eq!(code, 0);
    contains(&text, "  calm       nothing happens\n");
    contains(&text, "  one_committing_generation  ");
    let (listing, _) = json("list");
    assert_eq!(listing["scenarios"][1]["name"], "flawed");
}

#[test]
fn a_search_ends_when_its_time_is_over() {
    let (summary, code) = json("explore --scenario calm,flawed --for 300ms --keep-going");
    assert_eq!(code, 1, "{summary:#}");
    let seeds: Vec<u64> =
        summary["scenarios"].as_array().unwrap().iter().map(|each| each["seeds"].as_u64().unwrap()).collect();
    assert!(seeds[0] > 10 && seeds[0].abs_diff(seeds[1]) <= 1, "each play has its share: {seeds:?}");
    assert!(summary["wall_seconds"].as_f64().unwrap() < 20.0);
}

#[test]
fn an_interrupted_search_tells_what_it_has_done() {
    let mut search = toy();
    search.args(["explore", "--scenario", "flawed", "--for", "30s", "--keep-going"]).stdout(Stdio::piped());
    let mut search = search.spawn().unwrap();
    let mut lines = BufReader::new(search.stdout.take().unwrap()).lines().map(Result::unwrap);
    contains(&lines.next().unwrap(), "flawed:3 ");
    let interrupt = Command::new("kill").args(["-INT", &search.id().to_string()]).status().unwrap();
    assert!(interrupt.success());
    let last = lines.last().unwrap();
    contains(&last, ", then ended by Ctrl-C: ");
    assert_eq!(search.wait().unwrap().code(), Some(130));
}

#[test]
#[expect(clippy::disallowed_methods, reason = "a real process is waited for on a real thread")]
fn an_interrupted_search_has_not_passed() {
    let mut search = toy();
    search.args(["explore", "--scenario", "calm", "--for", "30s", "--json"]).stdout(Stdio::piped());
    let mut search = search.spawn().unwrap();
    // Its signals are taken over within milliseconds; before that it would end without a word.
    std::thread::sleep(std::time::Duration::from_secs(2));
    let interrupt = Command::new("kill").args(["-INT", &search.id().to_string()]).status().unwrap();
    assert!(interrupt.success());
    let summary: Value = serde_json::from_reader(search.stdout.take().unwrap()).unwrap();
    assert_eq!((&summary["passed"], &summary["interrupted"]), (&false.into(), &true.into()));
    assert_eq!(search.wait().unwrap().code(), Some(130));
}

#[test]
fn a_search_ends_when_nobody_reads_it_any_more() {
    let mut search = toy();
    search.args(["explore", "--scenario", "flawed", "--for", "1h", "--keep-going"]).stdout(Stdio::piped());
    let mut search = search.spawn().unwrap();
    let mut line = String::new();
    BufReader::new(search.stdout.take().unwrap()).read_line(&mut line).unwrap();
    contains(&line, "flawed:3 ");
    assert_eq!(search.wait().unwrap().code(), Some(1));
}

#[test]
fn a_search_whose_report_cannot_be_written_any_more_tells_what_it_found() {
    let folder = std::env::temp_dir().join(format!("rehearsal-vanished-{}", std::process::id()));
    std::fs::create_dir_all(&folder).unwrap();
    let report = folder.join("report");
    let mut search = toy();
    search.args(["explore", "--scenario", "flawed", "--for", "2s", "--keep-going", "--report"]).arg(&report);
    let mut search = search.stdout(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap();
    let mut lines = BufReader::new(search.stdout.take().unwrap()).lines().map(Result::unwrap);
    contains(&lines.next().unwrap(), "flawed:3 ");
    std::fs::remove_dir_all(folder).unwrap();
    contains(&lines.last().unwrap(), " failed");
    assert_eq!(search.wait().unwrap().code(), Some(2));
}
