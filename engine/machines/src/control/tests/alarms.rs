//! Alarms: what a runner sets rings once, asleep only, and is never lost on the way to sleep.

use std::time::Duration;

use protocol::api::CrashPolicy;
use protocol::time::Wall;
use protocol::wire::StopCode;

use super::plane::Plane;

/// An actor that runs.
fn running() -> Plane {
    let mut plane = Plane::new();
    plane.normal().runner("r", 100).create("a").running("r", "a");
    plane
}

fn in_ms(plane: &Plane, ms: u64) -> Option<Wall> {
    Some(plane.now.wall + Duration::from_millis(ms))
}

/// It falls asleep.
fn sleeps(plane: &mut Plane, name: &str) {
    plane.sleeps("r", name).stopped("r", name, StopCode::Error);
}

#[test]
fn an_alarm_wakes_a_sleeping_actor_at_its_time_and_once() {
    let mut plane = running();
    let at = in_ms(&plane, 5_000);
    plane.alarm("r", "a", at);
    sleeps(&mut plane, "a");
    assert_eq!(plane.phase("a"), "sleeping");
    plane.after(4_999);
    assert_eq!(plane.phase("a"), "sleeping");
    plane.after(1);
    assert_eq!(plane.commands(), ["start a:a00000 g2"]);
    plane.running("r", "a");
    sleeps(&mut plane, "a");
    plane.after(60_000);
    assert_eq!(plane.phase("a"), "sleeping", "it has rung, and nobody has set it again");
}

#[test]
fn the_last_alarm_that_was_set_counts_and_none_clears_it() {
    let mut plane = running();
    for ms in [1_000, 9_000, 3_000] {
        let at = in_ms(&plane, ms);
        plane.alarm("r", "a", at);
    }
    sleeps(&mut plane, "a");
    plane.after(2_999);
    assert_eq!(plane.phase("a"), "sleeping");
    plane.after(1);
    assert_eq!(plane.phase("a"), "starting");
    plane.running("r", "a");
    let at = in_ms(&plane, 1_000);
    plane.alarm("r", "a", at).alarm("r", "a", None);
    sleeps(&mut plane, "a");
    plane.after(60_000);
    assert_eq!(plane.phase("a"), "sleeping");
}

#[test]
fn an_alarm_in_the_past_wakes_at_once() {
    let mut plane = running();
    plane.alarm("r", "a", Some(Wall(1)));
    assert_eq!(plane.phase("a"), "running", "awake it is the runner's own");
    plane.after(1_000);
    sleeps(&mut plane, "a");
    assert_eq!(plane.phase("a"), "starting");
}

#[test]
fn an_alarm_that_comes_on_the_way_to_sleep_is_kept() {
    let mut plane = running();
    let at = in_ms(&plane, 1_000);
    plane.alarm("r", "a", at).sleeps("r", "a").after(2_000);
    assert_eq!(plane.phase("a"), "stopping");
    plane.stopped("r", "a", StopCode::Error);
    assert_eq!(plane.commands(), ["start a:a00000 g2"]);
}

#[test]
fn an_alarm_survives_a_wake_by_a_client_and_a_restart_of_the_engine() {
    let mut plane = running();
    let at = in_ms(&plane, 10_000);
    plane.alarm("r", "a", at);
    sleeps(&mut plane, "a");
    plane.watch("a").running("r", "a").unwatch("a");
    sleeps(&mut plane, "a");
    plane.restart(1_000).runner("r", 1);
    assert_eq!(plane.phase("a"), "sleeping");
    plane.after(9_000);
    assert_eq!(plane.phase("a"), "starting");
}

#[test]
fn an_alarm_that_came_while_the_engine_was_away_rings_when_it_is_back() {
    let mut plane = running();
    let at = in_ms(&plane, 1_000);
    plane.alarm("r", "a", at);
    sleeps(&mut plane, "a");
    plane.restart(5_000);
    assert_eq!(plane.phase("a"), "pending", "there is no runner yet");
    plane.runner("r", 1);
    assert_eq!(plane.phase("a"), "starting");
}

#[test]
fn alarms_of_one_moment_all_ring() {
    let mut plane = running();
    let at = in_ms(&plane, 5_000);
    let names: Vec<String> = (0..50).map(|number| format!("b{number}x")).collect();
    for name in &names {
        plane.create(name).running("r", name).alarm("r", name, at);
        sleeps(&mut plane, name);
    }
    plane.after(5_000);
    assert!(names.iter().all(|name| plane.phase(name) == "starting"));
}

#[test]
fn a_destroyed_actor_has_no_alarm() {
    let mut plane = running();
    let at = in_ms(&plane, 1_000);
    plane.alarm("r", "a", at);
    sleeps(&mut plane, "a");
    plane.delete("a").after(5_000);
    assert_eq!(plane.phase("a"), "gone");
}

/// Asleep, with an alarm that has just rung, and a start under way at `r`.
fn rung() -> Plane {
    let mut plane = Plane::new();
    plane.normal().runner("r", 100).create_with("a", CrashPolicy::Sleep).running("r", "a");
    let at = in_ms(&plane, 1_000);
    plane.alarm("r", "a", at);
    sleeps(&mut plane, "a");
    plane.after(1_000);
    assert_eq!(plane.phase("a"), "starting");
    plane
}

#[test]
fn an_alarm_whose_start_is_lost_with_its_runner_starts_the_actor_elsewhere() {
    let mut plane = rung();
    plane.drop_socket("r").after(60_000);
    assert_eq!(plane.phase("a"), "pending", "there is no runner yet");
    plane.restart(1_000).runner("s", 100);
    assert_eq!(plane.phase("a"), "starting");
    plane.running("s", "a").sleeps("s", "a").stopped("s", "a", StopCode::Error).after(60_000);
    assert_eq!(plane.phase("a"), "sleeping", "it has found the actor running");
}

#[test]
fn an_alarm_whose_start_fails_does_not_ring_again() {
    let mut plane = rung();
    plane.stopped("r", "a", StopCode::Error).after(60_000);
    assert_eq!(plane.phase("a"), "sleeping");
}

#[test]
fn an_alarm_whose_runner_goes_away_before_the_actor_ran_starts_it_elsewhere() {
    let mut plane = rung();
    plane.runner("s", 100).stopping("r").stopped("r", "a", StopCode::Error);
    assert_eq!(plane.commands(), ["start a:a00000 g3"]);
}

#[test]
fn an_alarm_that_is_set_before_its_actor_says_that_it_runs_is_a_new_one() {
    let mut plane = rung();
    let at = in_ms(&plane, 5_000);
    plane.alarm("r", "a", at).running("r", "a");
    sleeps(&mut plane, "a");
    plane.after(5_000);
    assert_eq!(plane.phase("a"), "starting");
}

#[test]
fn a_runner_that_is_lost_again_and_again_before_it_ran_makes_the_alarm_wait_longer() {
    let mut plane = rung();
    plane.drop_socket("r").after(4_000);
    plane.runner("s", 100);
    assert_eq!(plane.phase("a"), "starting");
    plane.drop_socket("s").after(4_000);
    assert_eq!(plane.phase("a"), "backoff");
}
