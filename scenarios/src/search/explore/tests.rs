use std::sync::mpsc::sync_channel;

use protocol::time::Mono;

use super::*;

/// A play of which a report is made without a world.
struct Paper;

impl Play for Paper {
    fn name(&self) -> &'static str {
        "paper"
    }

    fn about(&self) -> &'static str {
        "it exists on paper only"
    }

    fn run(&self, seed: u64, _: &RunOptions) -> RunReport {
        panic!("{seed} is not run")
    }
}

fn done(crew: &Crew<'static>, number: u64) -> Done<'static> {
    let broken = Broken { law: "a_law", at: Mono::ZERO, place: None, text: String::new() };
    let turn = crew.turns.get(number).expect("there are so many");
    Done { why: Some(broken.into()), ..crew.run(turn, &mut None) }
}

#[test]
fn what_was_done_beyond_a_hole_is_told_when_a_search_is_cut_off() {
    static PLAYS: [&dyn Play; 1] = [&Paper];
    static INTERRUPTED: AtomicBool = AtomicBool::new(true);
    let plan: &'static Plan<'static> = Box::leak(Box::new(Plan {
        plays: &PLAYS,
        start: Start(0),
        limit: Limit::Seeds(1_000),
        strategy: Strategy::Random,
        shard: Shard::WHOLE,
        before: Before::default(),
        jobs: NonZeroUsize::MIN,
        failures_max: 3,
        verify: None,
        interrupted: &INTERRUPTED,
    }));
    let crew = Crew::new(plan, runtime::now());
    let (sender, receiver) = sync_channel(8);
    for batch in [64..66, 0..1, 32..34] {
        let first = batch.start;
        sender.send((first, batch.map(|number| done(&crew, number)).collect())).unwrap();
    }
    drop(sender);
    let mut findings = crew.findings();
    crew.fold(&receiver, &mut findings, &mut |_, _, _| {});
    let seeds: Vec<_> = findings.failures.iter().map(|failed| failed.seed).collect();
    assert_eq!(seeds, [0, 32, 33], "in the order of the runs, until there are too many");
    assert!(findings.gave_up);
    assert_eq!(findings.done.count(), 3, "what was thrown away is yet to be done");
}
