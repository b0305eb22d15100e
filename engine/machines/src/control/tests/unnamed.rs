//! Runners of serverless pools that no request has named.

use protocol::error::CloseReason;

use super::plane::{Plane, serverless};
use crate::control::input::StreamEnd;
use crate::control::{Effect, Input};

/// Why the last call closed a socket.
fn closed(plane: &Plane) -> Option<CloseReason> {
    plane.last.iter().find_map(|effect| match effect {
        Effect::Close { reason, .. } => Some(*reason),
        _ => None,
    })
}

#[test]
fn nothing_is_placed_on_a_runner_before_its_request_has_named_it() {
    let mut plane = Plane::new();
    plane.serverless().create("a").runner("r", 1);
    assert_eq!(plane.phase("a"), "pending");
    let stream = plane.streams[0];
    plane.live(stream, "r");
    assert_eq!(plane.phase("a"), "starting");
}

/// RivetKit 2.2.1 whose request is aborted before its socket is open: it connects all the same, pings, and fails every
/// start with the wish to be destroyed.
#[test]
fn a_runner_whose_request_ended_before_it_came_hosts_nothing_and_is_sent_away() {
    let mut plane = Plane::new();
    plane.serverless().create("a").delete("a");
    assert!(plane.streams.is_empty(), "nobody is needed any more");
    plane.create("b").runner("zombie", 1);
    assert_eq!(plane.phase("b"), "pending");
    let stream = plane.streams[0];
    plane.runner("r", 1).live(stream, "r").running("r", "b").create("c");
    assert_eq!(plane.phase("c"), "pending", "it never gets anything");
    plane.after(9_999);
    assert_eq!(closed(&plane), None);
    plane.after(1);
    assert_eq!(closed(&plane), Some(CloseReason::GoingAway));
    assert_eq!(plane.control.view().runners.len(), 1);
}

#[test]
fn a_runner_whose_request_failed_is_not_taken_for_one_that_came_by_itself() {
    let mut plane = Plane::new();
    plane.serverless().create("a");
    let stream = plane.streams[0];
    plane.stream_ends(stream, StreamEnd::Clean).after(499).runner("late", 1);
    assert_eq!(plane.phase("a"), "pending");
}

#[test]
fn a_request_of_the_former_engine_names_nobody_any_more() {
    let mut plane = Plane::new();
    plane.serverless().create("a").delete("a").restart(500).runner("late", 1).create("b");
    assert_eq!(plane.phase("b"), "pending");
}

#[test]
fn a_runner_that_dials_while_no_request_is_out_has_come_by_itself() {
    let mut plane = Plane::new();
    plane.serverless().after(10_000).runner("own", 2).create("a");
    assert_eq!(plane.phase("a"), "starting");
}

#[test]
fn whoever_comes_back_when_no_request_is_out_is_taken() {
    let mut plane = Plane::new();
    plane.serverless().create("a").runner("own", 1).runner("r", 1);
    let stream = plane.streams[0];
    plane.live(stream, "r").running("r", "a").after(5_000).input(Input::StreamPing { stream }).after(5_000);
    assert_eq!(closed(&plane), Some(CloseReason::GoingAway));
    plane.drop_socket("own").after(1_000).runner("own", 1).create("b");
    assert_eq!(plane.phase("b"), "starting");
}

#[test]
fn a_runner_that_came_by_itself_keeps_its_actors_whoever_is_sent_for() {
    let mut plane = Plane::new();
    plane.serverless().after(10_000).runner("own", 1).create("a").running("own", "a").create("b");
    plane.drop_socket("own").after(1_000).runner("own", 1);
    assert_eq!((plane.phase("a"), plane.phase("b")), ("running", "pending"));
    assert!(plane.control.runners.values().all(|runner| !runner.unnamed));
}

#[test]
fn a_pool_that_becomes_normal_takes_whoever_is_there() {
    let mut plane = Plane::new();
    plane.serverless().create("a").runner("r", 1);
    assert_eq!(plane.phase("a"), "pending");
    plane.normal();
    assert_eq!(plane.phase("a"), "starting");
    plane.configure(serverless("http://app"));
    assert_eq!(plane.phase("a"), "starting", "who hosts needs no name");
}

#[test]
fn a_runner_that_waits_for_its_name_may_leave() {
    let mut plane = Plane::new();
    plane.serverless().create("a").runner("r", 1).drop_socket("r").after(20_000);
    assert!(plane.control.view().runners.is_empty());
}
