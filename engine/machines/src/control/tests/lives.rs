//! What follows when a generation ends, and what wakes an actor.

use protocol::api::CrashPolicy::{Destroy, Restart, Sleep};
use protocol::time::Wall;
use protocol::view::{Fact, GenerationEnd};
use protocol::wire::StopCode::{Error, Ok as Fine};

use super::plane::{BOOT, Plane, actor};
use crate::control::Effect;
use crate::route::Route;

fn hosted(policy: protocol::api::CrashPolicy) -> Plane {
    let mut plane = Plane::new();
    plane.normal().runner("r", 1).create_with("a", policy).running("r", "a");
    plane
}

fn routes(plane: &Plane) -> Vec<Route> {
    let routes = plane.last.iter().filter_map(|effect| match effect {
        Effect::Route { route, .. } => Some(*route),
        _ => None,
    });
    routes.collect()
}

#[test]
fn each_policy_has_its_consequence_of_a_crash_and_of_a_clean_end() {
    for (policy, code, after) in [
        (Restart, Error, "starting"),
        (Sleep, Error, "sleeping"),
        (Destroy, Error, "gone"),
        (Restart, Fine, "gone"),
        (Sleep, Fine, "gone"),
        (Destroy, Fine, "gone"),
    ] {
        let mut plane = hosted(policy);
        plane.stopped("r", "a", code);
        assert_eq!(plane.phase("a"), after, "{policy:?} {code:?}");
    }
}

#[test]
fn each_policy_has_its_consequence_of_a_loss_and_of_a_drain() {
    for (policy, lost, drained) in
        [(Restart, "pending", "pending"), (Sleep, "sleeping", "sleeping"), (Destroy, "gone", "pending")]
    {
        let mut plane = hosted(policy);
        plane.drop_socket("r").after(3_000);
        assert_eq!(plane.phase("a"), lost, "{policy:?}");
        let mut plane = hosted(policy);
        plane.stopping("r").stopped("r", "a", Fine);
        assert_eq!(plane.phase("a"), drained, "{policy:?}");
        let mut plane = hosted(policy);
        plane.stopping("r").drop_socket("r").after(3_000);
        assert_eq!(plane.phase("a"), drained, "{policy:?}: lost while going away");
    }
}

#[test]
fn restarts_back_off_and_begin_anew() {
    let mut plane = hosted(Restart);
    let mut delays = Vec::new();
    for _ in 0..5 {
        plane.stopped("r", "a", Error);
        let mut waited = 0;
        while plane.phase("a") != "starting" {
            assert_eq!(plane.phase("a"), "backoff");
            plane.after(500);
            waited += 500;
        }
        delays.push(waited / 1_000);
        plane.running("r", "a");
    }
    assert_eq!(delays, [0, 2, 4, 8, 16]);
    plane.after(601_000).stopped("r", "a", Error);
    assert_eq!(plane.phase("a"), "starting", "it ran long enough");
}

#[test]
fn a_client_does_not_wait_for_the_backoff() {
    let mut plane = hosted(Restart);
    plane.stopped("r", "a", Error).running("r", "a").stopped("r", "a", Error);
    assert_eq!(plane.phase("a"), "backoff");
    plane.watch("a");
    assert_eq!(plane.phase("a"), "starting");
}

#[test]
fn a_watched_actor_that_crashes_at_every_start_is_slowed_down() {
    let mut plane = hosted(Sleep);
    plane.watch("a").stopped("r", "a", Error);
    assert_eq!(plane.phase("a"), "starting", "woken at once");
    plane.stopped("r", "a", Error);
    assert_eq!(plane.phase("a"), "backoff");
    plane.after(250);
    assert_eq!(plane.phase("a"), "starting");
}

#[test]
fn what_is_only_open_to_an_actor_lets_it_sleep() {
    let mut plane = hosted(Sleep);
    plane.watch("a").observe("a").sleeps("r", "a").stopped("r", "a", Error);
    assert_eq!(plane.phase("a"), "sleeping");
    plane.watch("a");
    assert_eq!(plane.phase("a"), "starting", "somebody waits again");
    plane.running("r", "a").stopped("r", "a", Error);
    assert_eq!(plane.phase("a"), "starting", "and still does");
    plane.running("r", "a").observe("a").stopped("r", "a", Error);
    assert_eq!(plane.phase("a"), "sleeping");
}

#[test]
fn a_request_while_falling_asleep_is_not_forgotten() {
    let mut plane = hosted(Sleep);
    plane.sleeps("r", "a").watch("a").unwatch("a").stopped("r", "a", Error);
    assert_eq!(plane.phase("a"), "starting");
    assert!(plane.facts().contains(&Fact::Ended {
        actor: actor("a"),
        generation: protocol::id::Generation(1),
        how: GenerationEnd::Stopped
    }));
}

#[test]
fn a_wish_to_end_replaces_a_wish_to_sleep() {
    let mut plane = hosted(Sleep);
    plane.sleeps("r", "a").ends("r", "a");
    assert!(plane.commands().is_empty(), "one stop is enough");
    plane.stopped("r", "a", Fine);
    assert_eq!(plane.phase("a"), "gone");
}

#[test]
fn a_late_running_does_not_disarm_the_stop() {
    let mut plane = Plane::new();
    plane.normal().runner("r", 1).create("a").sleeps("r", "a").running("r", "a");
    assert_eq!(plane.phase("a"), "stopping");
    plane.after(1_799_999);
    assert_eq!(plane.phase("a"), "stopping");
    plane.after(1);
    assert_eq!(plane.phase("a"), "sleeping", "it was declared ended");
}

#[test]
fn an_alarm_wakes_once_and_only_asleep() {
    let mut plane = hosted(Sleep);
    let at = |ms| Some(Wall(BOOT.wall.0 + ms));
    plane.alarm("r", "a", at(5_000)).after(6_000);
    assert_eq!(plane.phase("a"), "running", "awake, the runner sees to it");
    plane.sleeps("r", "a").stopped("r", "a", Fine);
    assert_eq!(plane.phase("a"), "starting", "overdue: it wakes at once");
    plane.running("r", "a").sleeps("r", "a").stopped("r", "a", Fine).after(60_000);
    assert_eq!(plane.phase("a"), "sleeping", "it rang once");
    plane.watch("a").unwatch("a").running("r", "a").alarm("r", "a", at(100_000));
    plane.sleeps("r", "a").stopped("r", "a", Fine).after(33_999);
    assert_eq!(plane.phase("a"), "sleeping");
    plane.after(1);
    assert_eq!(plane.phase("a"), "starting");
    plane.running("r", "a").alarm("r", "a", at(200_000)).alarm("r", "a", None);
    plane.sleeps("r", "a").stopped("r", "a", Fine).after(300_000);
    assert_eq!(plane.phase("a"), "sleeping", "the alarm was cleared");
}

#[test]
fn a_start_without_running_ends_after_the_threshold() {
    let mut plane = Plane::new();
    plane.normal().runner("r", 1).create("a").after(29_999);
    assert_eq!(plane.phase("a"), "starting");
    plane.after(1);
    assert_eq!(plane.phase("a"), "sleeping");
    assert_eq!(plane.commands(), ["stop a:a00000 g1"]);
}

#[test]
fn routes_follow_the_actor() {
    let mut plane = Plane::new();
    plane.normal().watch("a");
    assert_eq!(routes(&plane), [Route::Unknown]);
    plane.runner("r", 1).create("a");
    assert_eq!(routes(&plane), [Route::Waiting]);
    plane.running("r", "a");
    let (conn, generation) = (plane.conn("r"), protocol::id::Generation(1));
    assert_eq!(routes(&plane), [Route::Ready { conn, generation }]);
    plane.watch("a");
    assert_eq!(routes(&plane), [Route::Ready { conn, generation }], "told again to who asks again");
    plane.drop_socket("r");
    assert_eq!(routes(&plane), [Route::Waiting]);
    plane.connect("r", 1);
    let conn = plane.conn("r");
    assert_eq!(routes(&plane), [Route::Ready { conn, generation }]);
    plane.ends("r", "a");
    assert_eq!(routes(&plane), [Route::Ending { conn, generation }]);
    plane.drop_socket("r");
    assert_eq!(routes(&plane), [Route::Unknown], "nothing can follow");
}

#[test]
fn a_client_never_waits_for_a_long_backoff() {
    let mut plane = Plane::new();
    plane.normal().runner("r", 1).create_with("a", Restart).watch("a");
    for _ in 0..6 {
        plane.stopped("r", "a", Error).after(250);
        assert_eq!(plane.phase("a"), "starting");
    }
}

#[test]
fn a_clean_stop_ends_the_backoff() {
    let mut plane = Plane::new();
    plane.normal().runner("r", 1).create_with("a", Restart);
    plane.stopped("r", "a", Error).running("r", "a");
    plane.sleeps("r", "a").stopped("r", "a", Fine).watch("a").unwatch("a").running("r", "a");
    plane.stopped("r", "a", Error);
    assert_eq!(plane.phase("a"), "starting", "the first crash in a row restarts at once");
}
