//! The start-up life cycle in every order ([`orders`]), beside a second, simple statement of it ([`random`]), and what
//! has a number in it as scripts.

mod orders;
mod random;

use std::time::Duration;

use protocol::id::Ticket;
use protocol::time::{Mono, Now, Wall};

use super::face::{GRACE, GRACE_MIN};
use super::{Cause, Effect, End, Input, Mode, Refusal, Standing, Startup};

fn at(millis: u64) -> Now {
    Now { mono: Mono(millis * 1_000_000), wall: Wall(0) }
}

fn step(machine: &mut Startup, now: Now, input: Input) -> Vec<Effect> {
    let mut out = Vec::new();
    machine.handle(now, input, &mut out);
    out
}

/// A runner that runs.
fn running() -> Startup {
    let mut machine = Startup::new();
    let start = Input::Start { ticket: Ticket(1), mode: Mode::Runner };
    assert_eq!(step(&mut machine, at(0), start), [Effect::Create { attempt: 1 }]);
    let begun = Effect::Begin { attempt: 1, mode: Mode::Runner };
    assert_eq!(step(&mut machine, at(0), Input::Created { attempt: 1 }), [begun]);
    let told = Effect::Told { ticket: Ticket(1), outcome: Ok(()) };
    assert_eq!(step(&mut machine, at(0), Input::Began { attempt: 1 }), [told]);
    machine
}

fn drain(grace: Option<Duration>) -> Input {
    Input::Drain { ticket: Some(Ticket(9)), grace }
}

#[test]
fn the_grace_is_the_applications_then_the_engines_then_half_an_hour() {
    let announced = Duration::from_secs(90);
    for (given, told, expected) in [
        (None, None, GRACE),
        (None, Some(announced), announced),
        (Some(Duration::from_secs(5)), Some(announced), Duration::from_secs(5)),
        (Some(Duration::ZERO), None, GRACE_MIN),
    ] {
        let mut machine = running();
        if let Some(stop_threshold) = told {
            step(&mut machine, at(0), Input::Announced { stop_threshold });
        }
        assert_eq!(step(&mut machine, at(7), drain(given)), [Effect::DrainService { attempt: 1 }]);
        let (by, why) = machine.next_deadline().unwrap();
        assert_eq!((by.since(at(7).mono), why), (expected, "drain grace"));
        let before = Now { mono: Mono(by.0 - 1), ..at(0) };
        assert_eq!(step(&mut machine, before, Input::Tick), []);
        let due = Now { mono: by, ..at(0) };
        assert_eq!(step(&mut machine, due, Input::Tick), [Effect::StopService { attempt: 1 }]);
        assert_eq!(machine.next_deadline(), None);
        let finished = Input::Finished { attempt: 1, cause: None };
        assert_eq!(step(&mut machine, due, finished), [Effect::Destroy { attempt: 1 }]);
        let ended = Effect::Ended { ticket: Ticket(9), end: End::Overdue };
        assert_eq!(step(&mut machine, due, Input::Gone { attempt: 1, cause: None }), [ended]);
    }
}

#[test]
fn the_configuration_is_open_before_an_attempt_and_between_two() {
    let mut machine = Startup::new();
    assert_eq!(machine.configurable(), Ok(()));
    step(&mut machine, at(0), Input::Prepare { ticket: Ticket(1) });
    assert_eq!(machine.configurable(), Err(Refusal::Configured));
    step(&mut machine, at(0), Input::Gone { attempt: 1, cause: Some(Cause::StartFailed) });
    assert_eq!(machine.configurable(), Ok(()), "the next attempt reads it anew");
    step(&mut machine, at(0), Input::Prepare { ticket: Ticket(2) });
    step(&mut machine, at(0), Input::Gone { attempt: 2, cause: Some(Cause::BinaryNotFound) });
    assert_eq!(machine.configurable(), Err(Refusal::Failed(Cause::BinaryNotFound)));
    step(&mut machine, at(0), drain(None));
    assert_eq!(machine.configurable(), Err(Refusal::ShutDown));
}

#[test]
fn what_goes_by_itself_takes_the_rest_with_it() {
    let mut machine = running();
    let gone = Input::Gone { attempt: 1, cause: Some(Cause::EngineExited) };
    assert_eq!(step(&mut machine, at(0), gone), [Effect::StopService { attempt: 1 }]);
    assert_eq!(step(&mut machine, at(0), Input::Finished { attempt: 1, cause: None }), []);
    assert_eq!(machine.standing(), Standing::Failed(Cause::EngineExited));

    let mut machine = running();
    let rejected = Cause::Rejected { code: "ws.unauthorized" };
    let finished = Input::Finished { attempt: 1, cause: Some(rejected.clone()) };
    assert_eq!(step(&mut machine, at(0), finished), [Effect::Destroy { attempt: 1 }]);
    step(&mut machine, at(0), Input::Gone { attempt: 1, cause: None });
    assert_eq!(machine.standing(), Standing::Failed(rejected));
}
