//! The plays in the third world: one seed of each, and what the command line says of what is not there.

use std::process::{Command, Stdio};

use model::fault::Family;
use scenarios::ledger::Ledger;
use scenarios::play::{Play, RunOptions, RunReport, perform};
use scenarios::plays;
use scenarios::world::{World, WorldKind};
use sim::second::Second;

use crate::toy::words;

/// Runs one seed of a play on madsim.
fn run(play: &dyn Play, seed: u64) -> RunReport {
    perform(play, seed, &RunOptions { world: WorldKind::Madsim, ..RunOptions::default() })
}

#[test]
fn every_play_holds_every_law_on_madsim_too() {
    for play in plays() {
        let report = run(*play, 7);
        let name = play.name();
        assert_eq!(
            report.outcome.as_ref().map_err(ToString::to_string),
            Ok(&()),
            "{name}: {:#?}",
            report.notes
        );
        assert!(report.unjudged.is_empty(), "{name}: nothing was shown to {:?}", report.unjudged);
        assert!(report.acknowledged > 0 && report.commits > 0, "{name}: nothing was asked");
        let declared = play.families(WorldKind::Madsim);
        assert!(report.faults.keys().all(|family| declared.contains(family)), "{name}: {:?}", report.faults);
    }
}

#[test]
fn a_run_on_madsim_is_the_same_twice_and_another_seed_is_another_run() {
    let smoke = plays().iter().find(|play| play.name() == "smoke").expect("it is there");
    let [one, again, other] = [3, 3, 4].map(|seed| run(*smoke, seed));
    assert_eq!((one.digest, one.events, one.elapsed), (again.digest, again.events, again.elapsed));
    assert_ne!(one.digest, other.digest);
    let kept = RunOptions { world: WorldKind::Madsim, keep_events: 0..2, ..RunOptions::default() };
    let kept: Vec<_> = perform(*smoke, 3, &kept).kept.into_iter().map(|event| event.text).collect();
    assert!(kept.len() == 2 && kept.contains(&"engine boots (0)".to_owned()), "{kept:?}");
}

#[test]
fn what_a_world_does_not_offer_is_never_allowed() {
    let allowed = Second::seed(1).run(async |world: sim::second::World| {
        let ledgers = [Ledger::new(&world), Ledger::swarm(World::from(&world))];
        ledgers.map(|ledger| ledger.allows(Family::EnginePowerLost) || ledger.allows(Family::StreamCut))
    });
    assert_eq!(allowed.expect("it ends"), [false, false]);
}

/// What a call of the real plays says, and its exit code.
fn said(line: &str) -> (String, i32) {
    let mut rehearse = Command::new(env!("CARGO_BIN_EXE_rehearse"));
    rehearse.args(line.split(' ')).env_remove("NO_COLOR").env_remove("CLICOLOR_FORCE").stdin(Stdio::null());
    words(rehearse.output().expect("cargo builds it before the tests"))
}

#[test]
fn what_madsim_does_not_have_is_refused_in_a_sentence() {
    for (line, what) in [
        ("replay smoke:3 --pin look#0=1", "--pin"),
        ("replay smoke:3 --branch 5ns=7", "--branch"),
        ("replay smoke:3 --schedule fifo", "--schedule"),
        ("replay smoke:3 --strike disk-sync#0=kill", "--strike"),
        ("replay smoke:3 --trace info", "--trace"),
        ("explore --strategy points", "--strategy points"),
        ("explore --bundles found", "--bundles"),
        ("shrink smoke:3", "shrink"),
    ] {
        let (text, code) = said(&format!("{line} --world madsim"));
        assert_eq!(code, 2, "{line}: {text}");
        assert!(text.starts_with(&format!("error: {what} needs decisions and events with names")), "{text}");
    }
}

#[test]
fn a_search_names_what_it_skips_and_a_replay_tells_the_run() {
    let (text, code) = said("explore --world madsim --scenario engine_restart --seeds 1");
    assert_eq!(code, 0, "{text}");
    let skipped = "not on madsim: engine_power_lost (engine_restart): its nodes are killed and restarted";
    assert!(text.contains(skipped), "{text}");
    let (text, code) = said("replay --world madsim smoke:3");
    assert_eq!(code, 0, "{text}");
    assert!(text.contains("  pool configured\n") && text.contains(", the same twice\n"), "{text}");
}

#[test]
fn a_search_in_one_world_does_not_go_on_from_a_report_of_the_other() {
    let path = std::env::temp_dir().join(format!("rehearsal-worlds-{}.json", std::process::id()));
    let search = format!("explore --scenario smoke --seeds 1 --report {}", path.display());
    let (text, code) = said(&format!("{search} --world madsim"));
    assert_eq!(code, 0, "{text}");
    let resumed = said(&format!("explore --scenario smoke --seeds 1 --resume {}", path.display()));
    drop(std::fs::remove_file(&path));
    assert_eq!(resumed.1, 2, "{}", resumed.0);
    let of_another = "a report of another search: smoke by random on madsim, 1 seeds from 0 on";
    assert!(resumed.0.contains(of_another), "{}", resumed.0);
}
