//! Runs that found something once, as they are found again: `rehearse replay PLAY:SEED --swarm`.

use scenarios::play::{RunOptions, perform};

/// The play, the seed, whether it leaves fault families out, and what was wrong.
const FOUND: [(&str, u64, bool, &str); 8] = [
    ("alarms", 5781, true, "an alarm was lost that its actor, not the engine, believed set"),
    ("alarms", 6116, true, "the same, with other faults"),
    ("alarms", 1_035_298_279, false, "a lost generation stopped late, and its successor counted as stopped"),
    ("alarms", 2_316_420_630, false, "an alarm was over when it rang, and its start was lost before it ran"),
    (
        "duplicate_runner",
        2_830_272_004,
        false,
        "one twin ended between two looks, and its successor counted as it",
    ),
    ("pool_errors", 777_428, true, "an error was demanded of a request that the engine had taken back"),
    (
        "point_spoil",
        773_374_026,
        false,
        "the endpoint refused a start before it was told to, and nobody felt it",
    ),
    (
        "version_drain",
        2_249_181_263,
        false,
        "a version was overtaken by one that had just died, and the play, which had looked before, never started it anew",
    ),
];

#[test]
fn what_was_found_once_holds() {
    for (name, seed, swarm, what) in FOUND {
        let play = scenarios::plays().iter().find(|play| play.name() == name).expect("a play");
        let report = perform(*play, seed, &RunOptions { swarm, ..RunOptions::default() });
        assert!(report.outcome.is_ok(), "{name}:{seed}, {what}: {:?}", report.outcome);
        let felt: u64 = report.faults.values().sum();
        assert!(felt > 0, "{name}:{seed}, {what}: no fault was felt");
    }
}
