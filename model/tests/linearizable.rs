//! The counter's checker against a search that tries every order, against correct histories and corrupted ones.

use std::collections::BTreeSet;
use std::time::Duration;

use model::counter::{self, Falsehood};
use model::{ClientId, Executed, History, Kind, Op, Outcome};
use proptest::prelude::*;
use proptest::sample::Index;
use protocol::time::Mono;

/// An operation as a generator makes it.
#[derive(Clone, Debug)]
struct Draft {
    invoked: u64,
    ended: u64,
    kind: Kind,
    outcome: Outcome,
}

fn acknowledged(value: u64) -> Outcome {
    Outcome::Acknowledged { value }
}

fn failed(executed: Executed) -> Outcome {
    Outcome::Failed { code: "guard.tunnel_response_closed".to_owned(), executed }
}

fn history(mut drafts: Vec<Draft>) -> History {
    drafts.sort_by_key(|draft| draft.invoked);
    let mut history = History::new();
    let mut ids = Vec::new();
    for draft in &drafts {
        ids.push(history.invoke(ClientId(0), "count", draft.kind, Mono(draft.invoked), Duration::ZERO));
    }
    for (draft, id) in drafts.into_iter().zip(ids) {
        if draft.outcome != Outcome::Open {
            history.end(id, Mono(draft.ended), draft.outcome);
        }
    }
    history
}

fn judge(history: &History) -> Result<(), Falsehood> {
    counter::check(&history.ops().iter().collect::<Vec<_>>())
}

/// Wing and Gong's search: takes any operation that no other one wholly precedes, until all acknowledged are taken.
fn linearizable(ops: &[&Op], taken: &mut BTreeSet<usize>, count: u64) -> bool {
    let must = |op: &Op| op.acknowledged();
    if ops.iter().enumerate().all(|(index, op)| taken.contains(&index) || !must(op)) {
        return true;
    }
    for (index, op) in ops.iter().enumerate() {
        let preceded = ops.iter().enumerate().any(|(other, before)| {
            !taken.contains(&other) && must(before) && before.ended.is_some_and(|ended| ended < op.invoked)
        });
        if preceded || taken.contains(&index) || !(must(op) || op.ambiguous()) {
            continue;
        }
        let after = match op.kind {
            Kind::Increment { by } => count + by,
            Kind::Read => count,
            Kind::Create | Kind::Call(_) => unreachable!("not generated"),
        };
        if op.value().is_some_and(|value| value != after) {
            continue;
        }
        taken.insert(index);
        if linearizable(ops, taken, after) {
            return true;
        }
        taken.remove(&index);
    }
    false
}

fn any_draft() -> impl Strategy<Value = Draft> {
    let kind = prop_oneof![3 => (1u64..=3).prop_map(|by| Kind::Increment { by }), 1 => Just(Kind::Read)];
    let outcome = prop_oneof![
        5 => (0u64..8).prop_map(acknowledged),
        2 => Just(failed(Executed::Maybe)),
        1 => Just(failed(Executed::No)),
        1 => Just(Outcome::Open),
    ];
    (0u64..12, 0u64..8, kind, outcome).prop_map(|(invoked, took, kind, outcome)| Draft {
        invoked,
        ended: invoked + took,
        kind,
        outcome,
    })
}

/// A history that an honest counter could have produced: each operation takes effect at a moment of its own, an
/// ambiguous one perhaps long after its failure was heard.
fn honest(sizes: u64) -> impl Strategy<Value = Vec<Draft>> {
    let op = (0u64..1000, 0u64..60, 0u64..60, 0u64..400, 1..=sizes, 0u8..10);
    prop::collection::vec(op, 1..120).prop_map(|mut ops| {
        ops.sort_by_key(|(moment, ..)| *moment);
        let mut count = 0;
        let mut drafts = Vec::new();
        for (moment, before, after, late, by, what) in ops {
            let (invoked, ended) = ((moment + 400).saturating_sub(before), moment + 400 + after);
            let increment = Kind::Increment { by };
            let (kind, outcome, invoked, ended) = match what {
                0..=4 => {
                    count += by;
                    (increment, acknowledged(count), invoked, ended)
                }
                5 | 6 => (Kind::Read, acknowledged(count), invoked, ended),
                7 => {
                    count += by;
                    let invoked = invoked - late.min(invoked);
                    (increment, failed(Executed::Maybe), invoked, invoked + after)
                }
                8 => {
                    count += by;
                    (increment, Outcome::Open, invoked - late.min(invoked), ended)
                }
                9 if late % 2 == 0 => (increment, Outcome::Open, invoked, ended),
                _ => (increment, failed(Executed::No), invoked, ended),
            };
            drafts.push(Draft { invoked, ended, kind, outcome });
        }
        drafts
    })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 2000, ..ProptestConfig::default() })]

    #[test]
    fn it_agrees_with_a_search_of_every_order(drafts in prop::collection::vec(any_draft(), 1..7)) {
        let history = history(drafts);
        let ops: Vec<&Op> = history.ops().iter().collect();
        let expected = linearizable(&ops, &mut BTreeSet::new(), 0);
        let verdict = judge(&history);
        prop_assert_eq!(verdict.is_ok(), expected, "{:?}", verdict);
    }

    #[test]
    fn it_agrees_on_histories_that_are_nearly_true(
        drafts in honest(2).prop_map(|drafts| drafts.into_iter().take(7).collect::<Vec<_>>()),
        which in any::<Index>(),
        value in 0u64..10,
    ) {
        let mut drafts = drafts;
        let place = which.index(drafts.len());
        if let Outcome::Acknowledged { .. } = drafts[place].outcome {
            drafts[place].outcome = acknowledged(value);
        }
        let history = history(drafts);
        let ops: Vec<&Op> = history.ops().iter().collect();
        prop_assert_eq!(judge(&history).is_ok(), linearizable(&ops, &mut BTreeSet::new(), 0));
    }
}

proptest! {
    #[test]
    fn an_honest_count_is_never_rejected(drafts in honest(1)) {
        prop_assert_eq!(judge(&history(drafts)), Ok(()));
    }

    #[test]
    fn an_honest_count_in_steps_of_two_sizes_is_never_rejected(drafts in honest(2)) {
        prop_assert_eq!(judge(&history(drafts)), Ok(()));
    }

    #[test]
    fn a_lost_increment_is_found(drafts in honest(1), which in any::<Index>()) {
        // Everything after one acknowledged increment answers as if it had never been; then somebody reads.
        let mut drafts: Vec<_> = drafts.into_iter().filter(|draft| matches!(draft.outcome, Outcome::Acknowledged { .. })).collect();
        let steps: Vec<usize> = (0..drafts.len()).filter(|at| matches!(drafts[*at].kind, Kind::Increment { .. })).collect();
        prop_assume!(!steps.is_empty());
        let lost = *which.get(&steps);
        for draft in &mut drafts[lost + 1..] {
            if let Outcome::Acknowledged { value } = &mut draft.outcome {
                *value -= 1;
            }
        }
        let total = u64::try_from(steps.len()).unwrap();
        drafts.push(Draft { invoked: 10_000, ended: 10_001, kind: Kind::Read, outcome: acknowledged(total - 1) });
        prop_assert!(judge(&history(drafts)).is_err());
    }

    #[test]
    fn a_repeated_increment_is_found(drafts in honest(1), which in any::<Index>()) {
        let mut drafts: Vec<_> = drafts.into_iter().filter(|draft| matches!(draft.outcome, Outcome::Acknowledged { .. })).collect();
        let place = which.index(drafts.len().max(1));
        for draft in drafts.iter_mut().skip(place) {
            if let Outcome::Acknowledged { value } = &mut draft.outcome {
                *value += 1;
            }
        }
        let steps = drafts.iter().filter(|draft| matches!(draft.kind, Kind::Increment { .. })).count();
        let total = u64::try_from(steps).unwrap();
        drafts.push(Draft { invoked: 10_000, ended: 10_001, kind: Kind::Read, outcome: acknowledged(total + 1) });
        prop_assert!(judge(&history(drafts)).is_err());
    }

    #[test]
    fn a_step_answered_twice_is_found(drafts in honest(1), which in any::<Index>()) {
        let mut drafts = drafts;
        let steps: Vec<Draft> = drafts
            .iter()
            .filter(|draft| matches!((draft.kind, &draft.outcome), (Kind::Increment { .. }, Outcome::Acknowledged { .. })))
            .cloned()
            .collect();
        prop_assume!(!steps.is_empty());
        drafts.push(which.get(&steps).clone());
        let verdict = judge(&history(drafts));
        prop_assert!(matches!(verdict, Err(Falsehood::SameStep { .. })), "{:?}", verdict);
    }

    #[test]
    fn a_stale_read_is_found(drafts in honest(1), back in 1u64..5) {
        let highest = drafts.iter().filter_map(|draft| match draft.outcome {
            Outcome::Acknowledged { value } => Some(value),
            Outcome::Failed { .. } | Outcome::Open => None,
        }).max();
        prop_assume!(highest.is_some_and(|highest| highest >= back));
        let mut drafts = drafts;
        let stale = acknowledged(highest.unwrap() - back);
        drafts.push(Draft { invoked: 10_000, ended: 10_001, kind: Kind::Read, outcome: stale });
        prop_assert!(judge(&history(drafts)).is_err());
    }
}

#[test]
fn both_verdicts_are_common_in_what_the_search_is_compared_on() {
    use proptest::strategy::ValueTree;
    use proptest::test_runner::TestRunner;
    let mut runner = TestRunner::deterministic();
    let strategy = prop::collection::vec(any_draft(), 1..7);
    let mut counts = [0u32; 2];
    for _ in 0..2000 {
        let history = history(strategy.new_tree(&mut runner).unwrap().current());
        counts[usize::from(judge(&history).is_ok())] += 1;
    }
    assert!(counts.iter().all(|count| *count > 200), "{counts:?}");
}

#[test]
fn an_ambiguous_increment_may_come_after_its_failure_was_heard_but_not_before_it_was_asked() {
    let late = |invoked| {
        history(vec![
            Draft {
                invoked,
                ended: invoked + 10,
                kind: Kind::Increment { by: 1 },
                outcome: failed(Executed::Maybe),
            },
            Draft { invoked: 500, ended: 510, kind: Kind::Read, outcome: acknowledged(0) },
            Draft { invoked: 600, ended: 610, kind: Kind::Read, outcome: acknowledged(1) },
        ])
    };
    assert_eq!(judge(&late(100)), Ok(()), "its bytes lay somewhere for a while");
    let verdict = judge(&late(700)).unwrap_err();
    assert_eq!(
        verdict.to_string(),
        "before #1 the count rose from 0 to 1 without an acknowledged increment, and the 0 ambiguous increments \
         invoked until then do not add up to it: an increment was repeated, or counted unasked"
    );
}

#[test]
fn the_largest_filler_is_not_always_the_right_one() {
    let maybe =
        |by| Draft { invoked: 1, ended: 2, kind: Kind::Increment { by }, outcome: failed(Executed::Maybe) };
    let read = |at, value| Draft { invoked: at, ended: at, kind: Kind::Read, outcome: acknowledged(value) };
    // 4 = 2 + 2, though the 3 comes first; then the 3 is left for 7, and nothing for 8.
    assert_eq!(judge(&history(vec![maybe(3), maybe(2), maybe(2), read(10, 4), read(20, 7)])), Ok(()));
    let verdict = judge(&history(vec![maybe(3), maybe(2), maybe(2), read(10, 4), read(20, 8)]));
    assert!(matches!(verdict, Err(Falsehood::Unexplained { from: 4, to: 8, .. })), "{verdict:?}");
}
