//! Runners that have drained, and what comes under their key.

use protocol::wire::StopCode;

use super::plane::Plane;

fn drained() -> Plane {
    let mut plane = Plane::new();
    plane.normal().runner("r", 1).create("a").running("r", "a").watch("a").stopping("r");
    plane.stopped("r", "a", StopCode::Ok);
    plane
}

#[test]
fn a_successor_under_the_same_key_does_not_inherit_the_drain() {
    let mut plane = drained();
    plane.drop_socket("r");
    assert!(plane.control.view().runners.is_empty(), "it hosts nothing: nobody waits for it");
    plane.runner("r", 1);
    assert_eq!((plane.phase("a"), plane.draining().len()), ("starting", 0));
}

#[test]
fn one_that_stays_is_asked_to_come_back() {
    let mut plane = drained();
    plane.after(14_999);
    assert_eq!(plane.draining(), ["r"]);
    plane.after(1);
    assert!(plane.control.view().runners.is_empty());
    plane.runner("r", 1);
    assert_eq!(plane.phase("a"), "starting");
}

#[test]
fn one_that_still_hosts_somebody_is_not() {
    let mut plane = Plane::new();
    plane.normal().runner("r", 1).create("a").running("r", "a").stopping("r").after(60_000);
    assert_eq!((plane.draining(), plane.phase("a")), (vec!["r".to_owned()], "stopping"));
    plane.drop_socket("r").after(1_000).runner("r", 1);
    assert_eq!(plane.draining(), ["r"], "it may be the same process");
}

#[test]
fn an_idle_runner_that_drains_is_forgotten_when_it_leaves() {
    let mut plane = Plane::new();
    plane.normal().runner("r", 1).stopping("r").drop_socket("r");
    assert!(plane.control.view().runners.is_empty());
}
