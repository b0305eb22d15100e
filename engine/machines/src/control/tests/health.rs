//! Whether a pool's runners can be started, and what those who wait are told of it.

use protocol::api::RunnerConfig;
use protocol::error::{ActorError, RunnerPoolError};

use super::configs::list;
use super::plane::{Plane, actor, serverless};
use crate::control::effect::Answer;
use crate::control::input::{Call, StreamEnd};
use crate::control::{Effect, Options};
use crate::route::Route;

fn refusal(status: u16) -> StreamEnd {
    StreamEnd::Http { status, body: "boom".into() }
}

fn refused(status_code: u16) -> Option<RunnerPoolError> {
    Some(RunnerPoolError::ServerlessHttpError { status_code, body: "boom".into() })
}

fn shown(plane: &mut Plane) -> Option<RunnerPoolError> {
    list(plane)["default"].runner_pool_error.clone()
}

/// A pool that shall have so many streams without anybody waiting.
fn idle(count: u32) -> RunnerConfig {
    let mut config = serverless("http://app");
    if let protocol::api::PoolKind::Serverless(serverless) = &mut config.kind {
        serverless.min_runners = count;
    }
    config
}

/// The next stream fails.
fn fails(plane: &mut Plane, status: u16) {
    let stream = plane.streams.pop().expect("one is open");
    plane.stream_ends(stream, refusal(status)).after(250);
}

/// The next stream gets its runner.
fn succeeds(plane: &mut Plane, name: &str) {
    let stream = plane.streams.pop().expect("one is open");
    plane.runner(name, 1).live(stream, name).after(250);
}

/// The last route that the gateway was told in the last call.
fn route(plane: &Plane, name: &str) -> Option<Route> {
    plane.last.iter().rev().find_map(|effect| match effect {
        Effect::Route { actor: of, route } if *of == actor(name) => Some(*route),
        _ => None,
    })
}

#[test]
fn an_error_shows_a_moment_after_the_failure_and_three_successes_clear_it() {
    let mut plane = Plane::new();
    plane.configure(idle(6));
    let stream = plane.streams.pop().unwrap();
    plane.stream_ends(stream, refusal(500)).after(249);
    assert_eq!(shown(&mut plane), None, "reports are gathered");
    plane.after(1);
    assert_eq!(shown(&mut plane), refused(500));
    succeeds(&mut plane, "r1");
    succeeds(&mut plane, "r2");
    assert_eq!(shown(&mut plane), refused(500), "two are not enough");
    fails(&mut plane, 503);
    assert_eq!(shown(&mut plane), refused(503), "the last failure is shown, and counts anew");
    succeeds(&mut plane, "r3");
    succeeds(&mut plane, "r4");
    assert_eq!(shown(&mut plane), refused(503));
    plane.after(500);
    succeeds(&mut plane, "r5");
    assert_eq!(shown(&mut plane), None);
}

#[test]
fn reports_of_one_moment_count_in_their_order() {
    let mut plane = Plane::new();
    plane.configure(idle(4));
    for name in ["r1", "r2", "r3"] {
        plane.runner(name, 1);
    }
    let streams = std::mem::take(&mut plane.streams);
    plane.stream_ends(streams[0], refusal(500));
    for (stream, name) in streams[1..].iter().zip(["r1", "r2", "r3"]) {
        plane.live(*stream, name);
    }
    plane.after(250);
    assert_eq!(shown(&mut plane), None, "three successes came behind the failure");
}

#[test]
fn an_error_and_its_successes_survive_a_restart() {
    let mut plane = Plane::new();
    plane.configure(idle(4));
    fails(&mut plane, 500);
    succeeds(&mut plane, "r1");
    succeeds(&mut plane, "r2");
    plane.restart(1000);
    assert_eq!(shown(&mut plane), refused(500));
    succeeds(&mut plane, "r3");
    assert_eq!(shown(&mut plane), None, "it was the third in a row");
}

#[test]
fn an_error_ages_when_no_start_is_tried() {
    let mut plane = Plane::new();
    plane.serverless().create("a");
    fails(&mut plane, 500);
    plane.delete("a").after(59_999);
    assert_eq!(shown(&mut plane), refused(500));
    plane.after(1);
    assert_eq!(shown(&mut plane), None, "nobody has tried one for a minute");
}

#[test]
fn an_error_does_not_age_while_starts_are_tried() {
    let mut plane = Plane::new();
    plane.serverless().create("a");
    for _ in 0..30 {
        fails(&mut plane, 500);
        assert_eq!(shown(&mut plane), refused(500));
        while plane.streams.is_empty() {
            plane.after(250);
        }
    }
}

#[test]
fn another_endpoint_has_no_history() {
    let mut plane = Plane::new();
    plane.serverless().create("a");
    fails(&mut plane, 500);
    plane.configure(serverless("http://elsewhere"));
    assert_eq!(shown(&mut plane), None);
    let stream = plane.streams[0];
    plane.stream_ends(stream, refusal(500));
    let delete = Call::DeleteRunnerConfig { namespace: "default".into(), pool: "default".into() };
    plane.call(delete).unwrap();
    plane.after(250);
    assert!(list(&mut plane).is_empty(), "nor has a pool without one");
}

#[test]
fn whoever_waits_is_told_how_the_pool_does() {
    let mut plane = Plane::new();
    plane.serverless().create("a").watch("a");
    assert_eq!(route(&plane, "a"), Some(Route::Waiting));
    let mut told = Vec::new();
    for _ in 0..4 {
        let stream = plane.streams.pop().unwrap();
        plane.stream_ends(stream, refusal(500));
        told.extend(route(&plane, "a"));
        plane.after(250);
        told.extend(route(&plane, "a"));
        while plane.streams.is_empty() {
            plane.after(250);
        }
        told.extend(route(&plane, "a"));
    }
    // The third failed wave in a row is no blip; while the next is under way there is hope again.
    assert_eq!(
        told,
        [Route::Struggling, Route::Failing, Route::Struggling, Route::Failing, Route::Struggling]
    );
    let stream = plane.streams[0];
    plane.runner("r", 1).live(stream, "r").running("r", "a");
    assert!(matches!(route(&plane, "a"), Some(Route::Ready { .. })), "the error stands, the actor runs");
}

#[test]
fn whoever_waits_may_hope_again_as_soon_as_one_start_has_gone_well() {
    let mut plane = Plane::new();
    plane.configure(idle(2)).create("a").create("b").create("c").watch("c");
    fails(&mut plane, 500);
    assert_eq!(route(&plane, "c"), Some(Route::Struggling));
    succeeds(&mut plane, "r");
    assert_eq!(plane.phase("c"), "pending");
    assert_eq!(route(&plane, "c"), Some(Route::Waiting));
    assert_eq!(shown(&mut plane), refused(500), "it takes more to be forgotten");
}

#[test]
fn so_many_reports_are_counted_at_once() {
    let mut plane = Plane::with(Options { reports_max: 2, ..Options::default() });
    plane.configure(idle(2));
    for _ in 0..2 {
        assert_eq!(shown(&mut plane), None);
        let stream = plane.streams.pop().unwrap();
        plane.stream_ends(stream, refusal(500));
    }
    assert_eq!(shown(&mut plane), refused(500));
}

#[test]
fn an_actor_that_waits_shows_the_error_of_its_pool() {
    let mut plane = Plane::new();
    plane.serverless().create("a");
    let error = |plane: &mut Plane| match plane.call(Call::GetOrCreateActor(Plane::new_actor("a"))) {
        Ok(Answer::Actor { actor, .. }) => actor.error,
        other => panic!("it exists: {other:?}"),
    };
    assert_eq!(error(&mut plane), Some(ActorError::NoCapacity));
    fails(&mut plane, 500);
    assert_eq!(error(&mut plane), refused(500).map(ActorError::RunnerPoolError));
    plane.after(10_000).runner("r", 1);
    let stream = *plane.streams.last().unwrap();
    plane.live(stream, "r").running("r", "a");
    assert_eq!(error(&mut plane), None);
}
