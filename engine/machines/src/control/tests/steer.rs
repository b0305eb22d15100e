//! What callers ask of actors that live: sleep, start anew.

use protocol::api::CrashPolicy;
use protocol::error::{ApiError, Code};
use protocol::wire::StopCode;

use super::plane::{Plane, actor};
use crate::control::effect::Answer;
use crate::control::input::Call;

fn sleep(plane: &mut Plane, name: &str) -> Result<Answer, ApiError> {
    plane.call(Call::SleepActor { namespace: Some("default".into()), actor: actor(name) })
}

fn reschedule(plane: &mut Plane, name: &str) -> Result<Answer, ApiError> {
    plane.call(Call::RescheduleActor { namespace: None, actor: actor(name) })
}

#[test]
fn an_actor_sleeps_when_it_is_told_to() {
    let mut plane = Plane::new();
    plane.normal().create("a").create("b").runner("r", 1).running("r", "a");
    assert_eq!(sleep(&mut plane, "a"), Ok(Answer::Steered));
    assert_eq!(plane.commands(), ["stop a:a00000 g1"]);
    plane.stopped("r", "a", StopCode::Ok);
    assert_eq!(
        (plane.phase("a"), plane.phase("b")),
        ("sleeping", "starting"),
        "a stop with code Ok is a sleep too"
    );
    sleep(&mut plane, "a").unwrap();
    assert_eq!(plane.phase("a"), "sleeping");
}

#[test]
fn one_that_waits_for_a_place_sleeps_at_once_unless_somebody_waits_for_it() {
    let mut plane = Plane::new();
    plane.normal().create("a").create("b").watch("b");
    sleep(&mut plane, "a").unwrap();
    sleep(&mut plane, "b").unwrap();
    assert_eq!((plane.phase("a"), plane.phase("b")), ("sleeping", "pending"));
}

#[test]
fn an_actor_starts_anew_whatever_its_policy() {
    for policy in [CrashPolicy::Restart, CrashPolicy::Sleep, CrashPolicy::Destroy] {
        let mut plane = Plane::new();
        plane.normal().create_with("a", policy).runner("r", 1).running("r", "a");
        assert_eq!(reschedule(&mut plane, "a"), Ok(Answer::Steered));
        assert_eq!(plane.commands(), ["stop a:a00000 g1"]);
        plane.stopped("r", "a", StopCode::Ok);
        assert_eq!(plane.phase("a"), "starting", "{policy:?}");
    }
}

#[test]
fn starting_anew_wakes_who_sleeps_and_ends_a_backoff() {
    let mut plane = Plane::new();
    plane.normal().create_with("a", CrashPolicy::Restart).runner("r", 1);
    for _ in 0..3 {
        plane.running("r", "a").stopped("r", "a", StopCode::Error);
        if plane.phase("a") == "backoff" {
            break;
        }
    }
    assert_eq!(plane.phase("a"), "backoff");
    reschedule(&mut plane, "a").unwrap();
    assert_eq!(plane.phase("a"), "starting");
    plane.running("r", "a").sleeps("r", "a");
    reschedule(&mut plane, "a").unwrap();
    plane.stopped("r", "a", StopCode::Error);
    assert_eq!(plane.phase("a"), "starting", "it fell asleep, and is woken");
}

#[test]
fn starting_anew_forgets_how_often_it_has_crashed() {
    let mut plane = Plane::new();
    plane.normal().create_with("a", CrashPolicy::Restart).runner("r", 1);
    let crash = |plane: &mut Plane| {
        plane.running("r", "a").stopped("r", "a", StopCode::Error);
        plane.phase("a")
    };
    let first = crash(&mut plane);
    let second = crash(&mut plane);
    assert_eq!((first, second), ("starting", "backoff"), "the first costs nothing");
    reschedule(&mut plane, "a").unwrap();
    assert_eq!(crash(&mut plane), "starting");
}

#[test]
fn who_is_gone_or_elsewhere_is_not_found() {
    let mut plane = Plane::new();
    plane.normal().create("a").runner("r", 1).running("r", "a").delete("a");
    assert_eq!(sleep(&mut plane, "a").unwrap_err().kind(), Code::ActorNotFound, "it is being destroyed");
    plane.stopped("r", "a", StopCode::Ok);
    assert_eq!(reschedule(&mut plane, "a").unwrap_err().kind(), Code::ActorNotFound);
    assert_eq!(reschedule(&mut plane, "b").unwrap_err().kind(), Code::ActorNotFound);
    let elsewhere = Call::SleepActor { namespace: Some("mars".into()), actor: actor("a") };
    assert_eq!(plane.call(elsewhere).unwrap_err().kind(), Code::NamespaceNotFound);
}
