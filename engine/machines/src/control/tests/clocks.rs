//! Wall clocks that jump: what was asked for by a date moves with it, how long things may take does not.

use std::time::Duration;

use protocol::api::CrashPolicy;
use protocol::time::Wall;
use protocol::wire::StopCode;

use super::plane::{Plane, actor};

const HOUR: u64 = 3_600_000;

fn forward(plane: &mut Plane) {
    plane.now.wall = Wall(plane.now.wall.0 + HOUR);
    plane.after(0);
}

fn back(plane: &mut Plane) {
    plane.now.wall = Wall(plane.now.wall.0 - HOUR);
    plane.after(0);
}

fn late(plane: &mut Plane) {
    plane.now.wall = Wall(plane.now.wall.0 + 2 * HOUR);
}

#[test]
fn a_start_has_its_time_whatever_the_wall_clock_does() {
    for jump in [forward as fn(&mut Plane), back] {
        let mut plane = Plane::new();
        late(&mut plane);
        plane.normal().runner("r", 1).create_with("a", CrashPolicy::Restart);
        jump(&mut plane);
        plane.after(29_999);
        assert_eq!((plane.phase("a"), plane.view("a").generation.unwrap().0), ("starting", 1));
        plane.after(1);
        assert_ne!(plane.phase("a"), "starting");
    }
}

#[test]
fn a_backoff_is_no_longer_and_no_shorter() {
    for jump in [forward as fn(&mut Plane), back] {
        let mut plane = Plane::new();
        late(&mut plane);
        plane.normal().runner("r", 1).create_with("a", CrashPolicy::Restart);
        plane.running("r", "a").stopped("r", "a", StopCode::Error);
        plane.running("r", "a").stopped("r", "a", StopCode::Error);
        assert_eq!(plane.phase("a"), "backoff");
        jump(&mut plane);
        plane.after(1_900);
        assert_eq!(plane.phase("a"), "backoff");
        plane.after(700);
        assert_eq!(plane.phase("a"), "starting");
    }
}

#[test]
fn after_a_restart_with_the_clock_set_back_no_deadline_is_hours_away() {
    let mut plane = Plane::new();
    late(&mut plane);
    plane
        .normal()
        .runner("r", 2)
        .create_with("a", CrashPolicy::Restart)
        .create_with("b", CrashPolicy::Restart);
    plane.running("r", "b").stopped("r", "b", StopCode::Error);
    plane.running("r", "b").stopped("r", "b", StopCode::Error);
    assert_eq!((plane.phase("a"), plane.phase("b")), ("starting", "backoff"));
    plane.now.wall = Wall(plane.now.wall.0 - HOUR);
    plane.restart(100).runner("r", 2).after(30_000);
    assert_ne!(plane.phase("a"), "starting", "its thirty seconds are over");
    plane.after(512_500);
    assert!(plane.view("b").generation.unwrap().0 > 2, "the longest delay is over");
}

#[test]
fn after_a_restart_with_the_clock_set_back_nothing_is_remembered_for_longer() {
    let mut plane = Plane::new();
    late(&mut plane);
    plane.normal().runner("r", 2).create_with("a", CrashPolicy::Restart);
    plane.running("r", "a").stopped("r", "a", StopCode::Error);
    plane.running("r", "a").drop_socket("r").after(3_000);
    assert_eq!(plane.control.departed.len(), 1, "what the lost runner hosted is remembered");
    plane.now.wall = Wall(plane.now.wall.0 - HOUR);
    plane.restart(100).after(30_000);
    assert!(plane.control.departed.is_empty(), "half a minute is enough");
    let retried = plane.control.actors.known(actor("a")).retried.unwrap();
    assert!(retried < plane.now.wall + Duration::from_secs(513), "crashes are counted by the clock that is");
}

#[test]
fn an_alarm_keeps_to_the_wall_clock() {
    let mut plane = Plane::new();
    plane.normal().runner("r", 1).create("a").running("r", "a");
    let at = Wall(plane.now.wall.0 + HOUR);
    plane.alarm("r", "a", Some(at)).sleeps("r", "a").stopped("r", "a", StopCode::Ok).after(1_000);
    assert_eq!(plane.phase("a"), "sleeping");
    forward(&mut plane);
    assert_eq!(plane.phase("a"), "starting");
}
