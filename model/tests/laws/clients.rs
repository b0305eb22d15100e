//! Laws of what clients say and hear, and of what is left.

use std::collections::BTreeMap;
use std::time::Duration;

use model::{Active, ClientId, Evidence, Executed, Family, History, Kind, Law, Outcome, Rest};

use crate::support::{breaks, failure, heard, holds, ok, op, seconds};

fn with(family: Family, from: u64, until: Option<u64>, history: History) -> Evidence {
    let fault = Active { family, within: None, from: seconds(from), until: until.map(seconds) };
    Evidence { faults: vec![fault], ..heard(history) }
}

#[test]
fn whoever_asks_is_answered_in_time() {
    let law = Law::AnsweredWithinBound;
    holds(law, &heard(op(5, Some(15), ok())));
    breaks(law, &heard(op(5, Some(16), ok())), "took 11s");
    breaks(law, &heard(op(5, None, Outcome::Open)), "was never answered");
    holds(law, &heard(op(95, None, Outcome::Open)));
}

#[test]
fn a_client_that_gave_up_was_not_answered() {
    let law = Law::AnsweredWithinBound;
    let gave_up = || op(5, Some(9), failure("client.timed_out", Executed::Maybe));
    breaks(law, &heard(gave_up()), "was given up, unanswered, after 4s");
    breaks(law, &heard(op(5, Some(9), failure("client.connect_timed_out", Executed::No))), "was given up");
    holds(law, &with(Family::EnginePaused, 1, Some(5), gave_up()));
    breaks(law, &with(Family::EnginePaused, 1, Some(4), gave_up()), "was given up");
    breaks(law, &with(Family::EnginePaused, 10, None, gave_up()), "was given up");
    breaks(law, &with(Family::EngineKilled, 1, None, gave_up()), "was given up");
}

#[test]
fn failures_need_a_fault_that_explains_them() {
    let law = Law::ExplainedFailures;
    let ready = || failure("guard.actor_ready_timeout", Executed::No);
    breaks(law, &heard(op(5, Some(9), ready())), "no fault was on");
    holds(law, &with(Family::EngineKilled, 1, Some(2), op(5, Some(9), ready())));
    holds(law, &with(Family::EngineKilled, 1, None, op(50, Some(59), ready())));
    breaks(law, &with(Family::EngineKilled, 1, Some(2), op(50, Some(59), ready())), "no fault was on");
    breaks(law, &with(Family::EngineKilled, 10, Some(12), op(5, Some(9), ready())), "no fault was on");
    breaks(law, &with(Family::ClientCut, 1, Some(2), op(5, Some(9), ready())), "only client_cut was on");
    let mistake = failure("api.bad_request", Executed::No);
    breaks(law, &with(Family::EngineKilled, 1, None, op(5, Some(9), mistake)), "which no fault explains");
    let unknown = failure("guard.shrugged", Executed::No);
    breaks(law, &with(Family::EngineKilled, 1, None, op(5, Some(9), unknown)), "no known failure");
    let wrong = failure("guard.actor_ready_timeout", Executed::Maybe);
    breaks(law, &with(Family::EngineKilled, 1, None, op(5, Some(9), wrong)), "recorded with executed Maybe");
}

/// A failed operation that began so many milliseconds after the end of a fault.
fn after(family: Family, millis: u64, code: &str, executed: Executed) -> Evidence {
    let mut history = History::new();
    let invoked = seconds(10) + Duration::from_millis(millis);
    let id = history.invoke(ClientId(0), "a", Kind::Read, invoked, Duration::from_secs(10));
    history.end(id, invoked, failure(code, executed));
    with(family, 5, Some(10), history)
}

#[test]
fn an_excuse_lasts_no_longer_than_its_code_can_linger() {
    let law = Law::ExplainedFailures;
    for (family, code, executed, millis) in [
        (Family::EngineKilled, "client.refused", Executed::No, 2_000),
        (Family::EnginePowerLost, "client.closed", Executed::Maybe, 2_000),
        (Family::EnginePowerLost, "client.connect_timed_out", Executed::No, 2_000),
        (Family::EngineStopped, "guard.service_unavailable", Executed::No, 2_000),
        (Family::EnginePaused, "client.timed_out", Executed::Maybe, 0),
        (Family::EngineKilled, "core.internal_error", Executed::Maybe, 0),
        (Family::SocketCut, "guard.tunnel_response_closed", Executed::Maybe, 2_000),
        (Family::SocketSilent, "guard.tunnel_response_closed", Executed::Maybe, 15_000),
        (Family::SocketCut, "guard.actor_ready_timeout", Executed::No, 20_000),
    ] {
        holds(law, &after(family, millis, code, executed));
        breaks(law, &after(family, millis + 1, code, executed), "no fault was on");
    }
}

#[test]
fn a_count_that_goes_back_is_told_with_its_key() {
    let mut history = History::new();
    for at in [1, 3] {
        let kind = Kind::Increment { by: 1 };
        let id = history.invoke(ClientId(0), "tally", kind, seconds(at), Duration::from_secs(10));
        history.end(id, seconds(at + 1), Outcome::Acknowledged { value: 1 });
    }
    let text = "count of \"tally\": increments #0 and #1 were both acknowledged for the step to 1";
    breaks(Law::AcknowledgedIncrements, &heard(history), text);
}

#[test]
fn at_rest_everything_is_as_without_load() {
    let law = Law::NothingLeft;
    let counts =
        |tasks, sockets| BTreeMap::from([("tasks".to_owned(), tasks), ("sockets".to_owned(), sockets)]);
    let rest = |loaded, unloaded| Evidence {
        rest: Some(Rest { at: seconds(90), loaded, unloaded }),
        ..Evidence::default()
    };
    holds(law, &rest(counts(7, 2), counts(7, 2)));
    breaks(law, &rest(counts(8, 2), counts(7, 2)), "left at rest: tasks 8 instead of 7");
    breaks(law, &rest(counts(7, 2), BTreeMap::from([("tasks".to_owned(), 7)])), "sockets 2 instead of 0");
}
