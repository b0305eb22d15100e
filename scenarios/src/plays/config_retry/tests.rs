use std::collections::BTreeMap;

use sim::Streams;

use crate::play::{Play, RunOptions, perform};
use crate::plays::CONFIG_RETRY;

/// The decisions of a run's troubles, by stream, in their order.
fn decisions(seed: u64, options: RunOptions) -> BTreeMap<String, Vec<u64>> {
    let options = RunOptions { record_streams: vec![Streams::beginning("trouble/api/")], ..options };
    let mut decisions = BTreeMap::<_, Vec<_>>::new();
    for decision in perform(&CONFIG_RETRY, seed, &options).recorded {
        decisions.entry(decision.stream).or_default().push(decision.value);
    }
    decisions
}

#[test]
fn trouble_that_is_left_out_or_spared_moves_no_decision_of_what_follows() {
    assert_eq!(CONFIG_RETRY.name(), "config_retry");
    let spared = ["spare/cold#*", "spare/api#0=1"].iter().map(|text| text.parse::<sim::Override>());
    let spared = RunOptions {
        overrides: spared.collect::<Result<_, _>>().expect("overrides"),
        ..RunOptions::default()
    };
    let swarm = RunOptions { swarm: true, ..RunOptions::default() };
    for seed in 0..6 {
        let troubles = |options| {
            let decisions = decisions(seed, options);
            // The last one is drawn and not begun; a cold one comes before all.
            let hot = decisions["trouble/api/hot_trouble"].len() - 1;
            decisions.get("trouble/api/latency").map_or(0, Vec::len) - hot
        };
        let cold = troubles(RunOptions::default());
        assert!(cold <= 1, "one latency for each trouble");
        assert_eq!(troubles(spared.clone()), cold, "seed {seed}, spared");
        assert_eq!(troubles(swarm.clone()), cold, "seed {seed}, left out");
    }
}
