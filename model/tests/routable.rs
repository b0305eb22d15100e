//! The law of being served again, seen to hold and seen to break.

use std::time::Duration;

use model::{ClientId, Evidence, Executed, History, Judgement, Kind, Law, Outcome};
use protocol::time::Mono;

const ADD: Kind = Kind::Increment { by: 1 };
const PROBE: Kind = Kind::Call("probe");

fn seconds(seconds: u64) -> Mono {
    Mono::ZERO + Duration::from_secs(seconds)
}

const fn ok() -> Outcome {
    Outcome::Acknowledged { value: 1 }
}

/// Operations of one client on one key, each begun and ended at a second; healed at 30 s, due at 50 s.
fn ops(ops: impl IntoIterator<Item = (Kind, u64, u64, Outcome)>) -> Evidence {
    let mut history = History::new();
    for (kind, invoked, ended, outcome) in ops {
        let id = history.invoke(ClientId(0), "a", kind, seconds(invoked), Duration::from_secs(10));
        history.end(id, seconds(ended), outcome);
    }
    let (healed, recovery) = (Some(seconds(30)), Duration::from_secs(20));
    Evidence { history, healed, recovery, end: seconds(100), ..Evidence::default() }
}

fn holds(evidence: &Evidence) {
    assert_eq!(Law::RoutableAgain.check(evidence), Judgement::Held);
}

#[track_caller]
fn breaks(evidence: &Evidence, text: &str) {
    let Judgement::Broken(broken) = Law::RoutableAgain.check(evidence) else { panic!("the law is broken") };
    assert!(broken.text.contains(text), "{broken}");
}

#[test]
fn after_healing_everybody_is_served() {
    let unhealed = Evidence { healed: None, ..ops([(PROBE, 5, 6, ok())]) };
    assert_eq!(Law::RoutableAgain.check(&unhealed), Judgement::NotJudged);
    breaks(&ops([(PROBE, 5, 6, ok())]), "of 0 operations begun since then");
    holds(&ops([(PROBE, 31, 50, ok()), (PROBE, 50, 51, ok())]));
    breaks(&ops([(PROBE, 31, 51, ok())]), "of 1 operations begun since then");
}

#[test]
fn once_everybody_was_due_nobody_fails() {
    let failed = |at| {
        let code = "client.closed".to_owned();
        (PROBE, at, at + 1, Outcome::Failed { code, executed: Executed::Maybe })
    };
    holds(&ops([(PROBE, 31, 32, ok()), failed(49), (PROBE, 50, 51, ok())]));
    breaks(&ops([(PROBE, 31, 32, ok()), failed(50)]), "#1 of \"a\" failed although everything was healed");
}

#[test]
fn a_counter_is_served_by_an_increment_and_later_ones_must_ask() {
    let (add, read) = (|at| (ADD, at, at + 1, ok()), |at| (Kind::Read, at, at + 1, ok()));
    breaks(&ops([add(5), read(31), read(50)]), "of 0 increments begun since then");
    holds(&ops([add(5), add(31), read(50)]));
    breaks(&ops([add(5), add(31), read(49)]), "nobody asked for \"a\" after");
}
