//! Which actor gets which slot.

use protocol::api::CrashPolicy;
use protocol::wire::StopCode;

use super::plane::{Plane, runner};

#[test]
fn first_in_is_first_out() {
    let mut plane = Plane::new();
    plane.normal().create("c").after(1).create("b").after(1).create("a").runner("r", 2);
    assert_eq!((plane.phase("c"), plane.phase("b"), plane.phase("a")), ("starting", "starting", "pending"));
    plane.running("r", "c").ends("r", "c").stopped("r", "c", StopCode::Ok);
    assert_eq!((plane.phase("c"), plane.phase("a")), ("gone", "starting"));
}

#[test]
fn a_crowd_spreads_over_all_that_have_room() {
    let mut plane = Plane::new();
    plane.normal().runner("r1", 100).runner("r2", 100).runner("r3", 100).runner("full", 1);
    for number in 0..150 {
        plane.create(&format!("a{number}x"));
    }
    let used: Vec<u32> = plane.control.view().runners.iter().map(|it| it.used_slots).collect();
    assert_eq!(used.iter().sum::<u32>(), 150);
    assert!(used.iter().filter(|used| (35..=65).contains(*used)).count() == 3, "{used:?}");
    for number in 150..301 {
        plane.create(&format!("a{number}x"));
    }
    let free = plane.control.view().runners.iter().map(|it| it.total_slots - it.used_slots).sum::<u32>();
    assert_eq!(free, 0, "the last slot is found too");
}

#[test]
fn an_older_version_gets_nothing_once_a_newer_is_healthy() {
    let mut plane = Plane::new();
    plane.normal().connect_version("old", 2, 1).pong("old").create("a");
    plane.connect_version("new", 1, 2);
    plane.create("b");
    assert_eq!(plane.view("b").runner, Some(runner("oldc1x")), "the new one is not through its barrier");
    plane.pong("new").create("c").create("d");
    assert_eq!((plane.phase("c"), plane.phase("d")), ("starting", "pending"));
    assert_eq!(plane.view("c").runner, Some(runner("newc2x")));
    plane.drop_socket("new");
    assert_eq!(plane.phase("d"), "pending", "the old one is full");
}

#[test]
fn a_runner_without_slots_holds_nobody_back() {
    let mut plane = Plane::new();
    plane
        .normal()
        .connect_version("none", 0, 9)
        .pong("none")
        .connect_version("some", 1, 1)
        .pong("some")
        .create("a");
    assert_eq!(plane.view("a").runner, Some(runner("somec2x")));
}

#[test]
fn a_silent_runner_gets_nothing_new() {
    let mut plane = Plane::new();
    plane.normal().runner("r", 3).mute("r").after(9_999).create("a");
    assert_eq!(plane.phase("a"), "starting", "fresh enough");
    plane.after(1).create("b");
    assert_eq!(plane.phase("b"), "pending");
    plane.pong("r");
    assert_eq!(plane.phase("b"), "starting", "a late answer is an answer");
}

#[test]
fn no_answer_for_fifteen_seconds_is_a_loss() {
    let mut plane = Plane::new();
    plane.normal().runner("r", 2).create_with("a", CrashPolicy::Restart).running("r", "a").mute("r");
    plane.after(14_999);
    assert_eq!(plane.phase("a"), "running");
    plane.after(1);
    assert_eq!(plane.phase("a"), "pending");
    assert!(plane.last.iter().any(|effect| matches!(
        effect,
        crate::control::Effect::Close { reason: protocol::error::CloseReason::TimedOut, .. }
    )));
    assert!(plane.control.view().runners.is_empty());
}
