//! Stories of a store that fails, fills up and heals, and a random walk over them.

use std::time::Duration;

use machines::durability::{Ask, Durability, Effect, Input, Note, Options, Verdict};
use proptest::prelude::*;
use protocol::error::Code;

use crate::story::Story;
use crate::walk::walk;

fn story(disk_budget: usize) -> Story<Durability> {
    Story::of(Durability::new(Options { disk_budget, ..Options::default() }))
}

fn failed() -> Input {
    Input::Failed { reason: "No space left on device".to_owned() }
}

fn still() -> Input {
    Input::Probed(Err("No space left on device".to_owned()))
}

fn code(verdict: &Verdict) -> &'static str {
    match verdict {
        Verdict::Take => "take",
        Verdict::Ignore => "ignore",
        Verdict::Refuse(error) => {
            assert_eq!(error.kind(), Code::CoreReadOnly);
            "refuse"
        }
        Verdict::FindOnly(error) => {
            assert_eq!(error.kind(), Code::CoreReadOnly);
            "find only"
        }
    }
}

fn judged(machine: &mut Durability) -> [&'static str; 5] {
    let asks = [Ask::Read, Ask::Report, Ask::Shrink, Ask::Grow { bytes: 5_000 }, Ask::Find { bytes: 5_000 }];
    asks.map(|ask| code(&machine.judge(ask)))
}

#[test]
fn a_store_that_fails_is_tried_at_once_then_each_second_and_begins_anew_when_it_heals() {
    let mut story = story(0);
    assert_eq!(judged(&mut story.machine), ["take"; 5]);
    story.feed(failed());
    assert_eq!(judged(&mut story.machine), ["take", "ignore", "refuse", "refuse", "find only"]);
    story.feed(still());
    story.until(1_000);
    story.feed(still());
    story.until(1_500);
    assert_eq!(judged(&mut story.machine), ["take", "ignore", "refuse", "refuse", "find only"]);
    story.until(2_000);
    story.feed(Input::Probed(Ok(())));
    assert_eq!(judged(&mut story.machine), ["take"; 5]);
    story.until(60_000);
    insta::assert_snapshot!(story.told());
}

#[test]
fn a_refusal_says_why_and_what_to_do() {
    let mut story = story(0);
    story.feed(failed());
    let error = story.machine.refusal().unwrap();
    insta::assert_snapshot!(error, @"The engine takes no writes: its store cannot be written (No space left on device). Free room on the disk of its data folder, or replace the disk; it tries every 1000 ms and takes writes again by itself.");
}

#[test]
fn a_full_budget_takes_what_makes_the_store_smaller_and_says_once_how_full_it_is() {
    let mut story = story(100_000);
    for (bytes, notes) in [
        (89_999, vec![]),
        (90_000, vec![Effect::Note(Note::NearlyFull)]),
        (95_000, vec![]),
        (99_500, vec![Effect::Note(Note::Full)]),
        (120_000, vec![]),
        (95_000, vec![Effect::Note(Note::NearlyFull)]),
        (10_000, vec![Effect::Note(Note::Roomy)]),
    ] {
        assert_eq!(story.feed(Input::Stored { bytes }), notes, "{bytes}");
    }
    story.feed(Input::Stored { bytes: 98_000 });
    assert_eq!(judged(&mut story.machine), ["take", "take", "take", "refuse", "find only"]);
    assert_eq!(code(&story.machine.judge(Ask::Grow { bytes: 100 })), "take", "what fits is taken");
}

#[test]
fn what_is_taken_counts_until_the_commit_tells_how_much_it_was() {
    let mut story = story(100_000);
    let mut taken = 0;
    while story.machine.judge(Ask::Grow { bytes: 9_000 }) == Verdict::Take {
        taken += 1;
    }
    assert_eq!(taken, 9, "one transaction does not go beyond the budget");
    story.feed(Input::Stored { bytes: 20_000 });
    assert_eq!(story.machine.judge(Ask::Grow { bytes: 9_000 }), Verdict::Take);
}

#[test]
fn whatever_happens_it_is_tried_within_the_interval_and_writes_once_that_succeeds() {
    let step = prop_oneof![Just(0_u64).prop_map(|_| None), (0_u64..3_000).prop_map(Some),];
    walk(
        "durability.",
        &["durability.over_budget"],
        prop::collection::vec((step, any::<bool>()), 1..20),
        |steps| {
            let mut story = story(0);
            let mut tried = false;
            for (wait, heals) in steps {
                let out = match wait {
                    None if !tried => story.feed(failed()),
                    None => {
                        tried = false;
                        story.feed(if heals { Input::Probed(Ok(())) } else { still() })
                    }
                    Some(_) if tried => {
                        tried = false;
                        story.feed(Input::Busy)
                    }
                    Some(ms) => {
                        let end = story.now.after(Duration::from_millis(ms));
                        let mut all = Vec::new();
                        while let Some((due, _)) =
                            story.machine.next_deadline().filter(|(due, _)| *due <= end.mono)
                        {
                            story.now = story.now.after(due.since(story.now.mono));
                            all.extend(story.feed(Input::Tick));
                        }
                        story.now = end;
                        all
                    }
                };
                tried = tried || out.contains(&Effect::Probe);
                let waits = story.machine.next_deadline().is_some();
                assert_eq!(story.machine.is_read_only(), tried || waits, "who does not write tries or waits");
                assert!(!(tried && waits), "one attempt at a time");
                let writes = out.contains(&Effect::Note(Note::Writable));
                assert!(!writes || (heals && !story.machine.is_read_only()), "it writes once it was healed");
            }
        },
    );
}
