//! The main stories of the control plane, told by everything it wants performed. Writes and pings are left out.

use insta::assert_snapshot;
use protocol::wire::StopCode;

use super::plane::Plane;
use crate::control::input::StreamEnd;

#[test]
fn an_actor_lives_sleeps_and_wakes() {
    let mut plane = Plane::new();
    plane.normal().runner("r", 2).create("a").running("r", "a").watch("a").unwatch("a");
    plane.sleeps("r", "a").stopped("r", "a", StopCode::Error).after(10_000).watch("a").running("r", "a");
    assert_snapshot!(plane.story());
}

#[test]
fn a_dropped_socket_comes_back_within_the_grace() {
    let mut plane = Plane::new();
    plane.normal().runner("r", 1).create("a").running("r", "a").watch("a");
    plane.drop_socket("r").after(1_200).connect("r", 1).pong("r");
    assert_snapshot!(plane.story());
}

#[test]
fn a_dropped_socket_stays_away() {
    let mut plane = Plane::new();
    plane.normal().runner("r", 1).create("a").running("r", "a").watch("a");
    plane.drop_socket("r").after(3_000).runner("s", 1).running("s", "a");
    assert_snapshot!(plane.story());
}

#[test]
fn after_a_restart_only_what_is_unknown_is_sent_again() {
    let mut plane = Plane::new();
    plane.normal().runner("r", 4);
    for name in ["run", "start", "stop", "both", "late"] {
        plane.create(name);
    }
    plane.running("r", "run").running("r", "stop").sleeps("r", "stop").sleeps("r", "both");
    plane.story();
    plane.restart(2_000).connect("r", 4);
    plane.running("r", "start").pong("r").after(1_000).stopped("r", "stop", StopCode::Ok);
    assert_snapshot!(plane.story());
}

#[test]
fn a_second_socket_takes_over() {
    let mut plane = Plane::new();
    plane.normal().runner("r", 1).create("a").running("r", "a").watch("a");
    let old = plane.conn("r");
    plane.connect("r", 1);
    assert!(plane.kv("r", "a"), "the new session has the rights at once");
    plane.input(crate::control::Input::SocketClosed { conn: old });
    assert_snapshot!(plane.story());
}

#[test]
fn streams_fail_back_off_and_work() {
    let mut plane = Plane::new();
    plane.serverless().create("a");
    let http = || StreamEnd::Http { status: 500, body: "boom".into() };
    for _ in 0..3 {
        let stream = plane.streams[0];
        plane.stream_ends(stream, http()).after(2_000);
    }
    let stream = plane.streams[0];
    plane.runner("r", 1).live(stream, "r").running("r", "a").after(4_000);
    assert_snapshot!(plane.story());
}

#[test]
fn a_draining_runner_hands_its_actors_over() {
    let mut plane = Plane::new();
    plane
        .normal()
        .runner("old", 2)
        .create("a")
        .create("b")
        .running("old", "a")
        .running("old", "b")
        .watch("a");
    plane.runner("new", 2).stopping("old").stopped("old", "a", StopCode::Ok).running("new", "a");
    plane.stopped("old", "b", StopCode::Ok).drop_socket("old").after(3_000);
    assert_snapshot!(plane.story());
}
