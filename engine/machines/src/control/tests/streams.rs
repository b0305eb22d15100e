//! Serverless streams: how many there are, and what ends them.

use protocol::api::{PoolKind, RunnerConfig, ServerlessConfig};
use protocol::view::Fact;
use protocol::wire::StopCode;

use super::plane::{Plane, serverless};
use crate::control::effect::Message;
use crate::control::input::StreamEnd;
use crate::control::{Effect, Input};

fn pool(change: impl FnOnce(&mut ServerlessConfig)) -> RunnerConfig {
    let mut config = serverless("http://app");
    if let PoolKind::Serverless(serverless) = &mut config.kind {
        change(serverless);
    }
    config
}

fn streams(plane: &Plane) -> (u32, u32) {
    let view = plane.control.view();
    (view.pools[0].desired, view.pools[0].streams)
}

#[test]
fn the_desired_number_follows_actors_margin_and_bounds() {
    let mut plane = Plane::new();
    plane.configure(pool(|it| it.min_runners = 1));
    assert_eq!(streams(&plane), (1, 1));
    plane.configure(pool(|it| it.runners_margin = 2)).create("a").create("b").create("c");
    assert_eq!(streams(&plane), (5, 5));
    plane.configure(pool(|it| it.max_runners = 2));
    assert_eq!(streams(&plane), (2, 2), "surplus ones are closed");
    plane.configure(pool(|it| it.slots_per_runner = 2));
    assert_eq!(streams(&plane), (2, 2), "three actors, two a runner");
    plane.configure(pool(|it| it.max_runners = 0));
    assert_eq!(streams(&plane), (0, 0));
    plane.configure(pool(|it| it.max_runners = 100)).delete("a").delete("b").delete("c");
    assert_eq!(streams(&plane), (0, 0));
}

#[test]
fn a_runner_that_lost_socket_and_stream_is_lost_at_once() {
    let mut plane = Plane::new();
    plane.serverless().create("a").runner("r", 1);
    let stream = plane.streams[0];
    plane.live(stream, "r").running("r", "a").watch("a").drop_socket("r");
    assert_eq!(plane.phase("a"), "running", "its stream lives: it may come back");
    plane.stream_ends(stream, StreamEnd::Clean);
    assert_eq!(plane.phase("a"), "pending");
    assert!(plane.control.view().runners.is_empty());
}

#[test]
fn a_runner_whose_stream_ended_drains() {
    let mut plane = Plane::new();
    plane.serverless().create("a").runner("r", 1);
    let stream = plane.streams[0];
    plane.live(stream, "r").running("r", "a").watch("a").after(9_000);
    plane.input(Input::StreamPing { stream }).after(1_000);
    plane.stream_ends(stream, StreamEnd::Connection { message: "reset".into() });
    assert_eq!(plane.commands(), ["stop a:a00000 g1"]);
    assert_eq!(streams(&plane), (1, 1), "another is opened at once: this one was good for long");
    plane.stopped("r", "a", StopCode::Ok);
    assert_eq!(plane.phase("a"), "pending");
    plane.drop_socket("r");
    assert!(plane.control.view().runners.is_empty(), "neither socket nor stream");
}

#[test]
fn failures_of_one_wave_count_once_and_delays_double() {
    let mut plane = Plane::new();
    plane.configure(pool(|it| it.min_runners = 3));
    let mut delays = Vec::new();
    for _ in 0..7 {
        assert_eq!(streams(&plane).1, 3);
        for stream in plane.streams.clone() {
            plane.stream_ends(stream, StreamEnd::Clean);
        }
        let mut waited = 0;
        while plane.streams.is_empty() {
            plane.after(500);
            waited += 500;
        }
        delays.push(waited);
    }
    assert_eq!(delays, [500, 1_000, 2_000, 4_000, 8_000, 10_000, 10_000]);
    plane.stream_ends(plane.streams[0], StreamEnd::Clean).configure(pool(|it| it.min_runners = 3));
    assert_eq!(streams(&plane).1, 3, "who configures the pool says that it works");
}

#[test]
fn every_step_of_a_stream_has_its_bound() {
    let reason = |plane: &Plane| {
        plane.facts().into_iter().find_map(|fact| match fact {
            Fact::StreamEnded { reason, .. } => Some(reason),
            _ => None,
        })
    };
    let mut plane = Plane::new();
    plane.serverless().create("a");
    let stream = plane.streams[0];
    plane.after(9_999).input(Input::StreamOpened { stream }).after(9_999);
    plane.input(Input::StreamPing { stream });
    assert_eq!(plane.streams, [stream]);
    plane.after(1);
    assert!(plane.streams.is_empty(), "pings without a runner are not enough");
    plane.stream_ends(stream, StreamEnd::Closed);
    assert_eq!(reason(&plane), Some("timeout"));
    plane.after(500).runner("r", 1);
    let stream = plane.streams[0];
    plane.live(stream, "r").after(9_999).input(Input::StreamPing { stream }).after(9_999);
    assert_eq!(plane.streams, [stream]);
    plane.after(1);
    assert!(!plane.streams.contains(&stream), "no ping");
}

#[test]
fn an_init_that_names_nobody_fails_the_stream() {
    let mut plane = Plane::new();
    plane.serverless().create("a");
    let stream = plane.streams[0];
    plane.input(Input::StreamOpened { stream });
    plane.input(Input::StreamInit { stream, runner: super::plane::runner("nobody") });
    assert!(plane.streams.is_empty());
}

#[test]
fn another_endpoint_replaces_streams_the_new_before_the_old() {
    let mut plane = Plane::new();
    plane.serverless().create("a").runner("r", 1);
    let old = plane.streams[0];
    plane.live(old, "r").running("r", "a").configure(serverless("http://other"));
    let new = plane.streams[1];
    assert_eq!(plane.commands(), ["stop a:a00000 g1"]);
    plane.runner("s", 1).live(new, "s").watch("a").stopped("r", "a", StopCode::Ok);
    assert_eq!(plane.commands(), ["start a:a00000 g2"]);
    assert_eq!(plane.streams, [new]);
}

#[test]
fn a_request_is_replaced_before_its_lifespan_ends() {
    let mut plane = Plane::new();
    plane.configure(pool(|it| it.request_lifespan = 30)).create("a").runner("r", 1);
    let old = plane.streams[0];
    plane.live(old, "r").running("r", "a");
    for _ in 0..19 {
        plane.after(1_000).input(Input::StreamPing { stream: old });
    }
    assert_eq!(plane.streams, [old]);
    plane.after(1_000);
    assert_eq!(plane.commands(), ["stop a:a00000 g1"]);
    assert_eq!(plane.streams.len(), 2);
    for _ in 0..9 {
        plane.after(1_000).input(Input::StreamPing { stream: old });
    }
    assert_eq!(plane.streams[0], old, "the actor has the drain grace to stop");
    plane.after(1_000);
    assert!(!plane.streams.contains(&old));
}

#[test]
fn a_runner_is_told_how_long_it_may_drain() {
    let mut plane = Plane::new();
    plane.configure(pool(|it| it.drain_grace_period = 7)).connect_version("r", 1, 1);
    let told = plane.last.iter().find_map(|effect| match effect {
        Effect::Send { message: Message::Init { drain_grace, .. }, .. } => *drain_grace,
        _ => None,
    });
    assert_eq!(told, Some(7_000));
}

#[test]
fn a_lost_runner_takes_its_stream_along() {
    let mut plane = Plane::new();
    plane.serverless().create("a").runner("r", 1);
    let stream = plane.streams[0];
    plane.live(stream, "r").drop_socket("r").after(3_000);
    assert!(!plane.streams.contains(&stream));
    assert_eq!(streams(&plane).1, streams(&plane).0);
}

#[test]
fn a_runner_that_wants_to_stop_is_replaced_at_once() {
    let mut plane = Plane::new();
    plane.serverless().create("a").runner("r", 1);
    let stream = plane.streams[0];
    plane.live(stream, "r").running("r", "a").after(5_000).stopping("r");
    assert_eq!(plane.streams.len(), 2, "its stream is its own to end");
    assert_eq!(streams(&plane), (1, 1));
}

#[test]
fn a_runner_that_does_not_end_its_stream_after_its_own_stop_is_closed_after_the_grace() {
    let mut plane = Plane::new();
    plane.serverless().create("a").runner("r", 1);
    let stream = plane.streams[0];
    plane.live(stream, "r").running("r", "a").after(5_000).stopping("r");
    for _ in 0..9 {
        plane.after(1_000).input(Input::StreamPing { stream });
    }
    assert!(plane.streams.contains(&stream));
    plane.after(1_000);
    assert!(!plane.streams.contains(&stream), "pings do not keep a request for ever");
}

#[test]
fn runners_that_stop_right_after_they_came_are_not_sent_for_without_pause() {
    let mut plane = Plane::new();
    plane.serverless().create("a").watch("a");
    for (life, delay) in [(1, 500_u64), (2, 1_000), (3, 2_000)] {
        let stream = *plane.streams.last().unwrap();
        let name = format!("r{life}");
        plane.runner(&name, 1).live(stream, &name).stopping(&name);
        plane.stream_ends(stream, StreamEnd::Clean).drop_socket(&name).after(delay - 1);
        assert!(plane.streams.is_empty(), "life {life}");
        plane.after(1);
        assert_eq!(plane.streams.len(), 1, "life {life}");
    }
    let reported = plane.control.pools.values().any(|pool| pool.health.error().is_some());
    assert!(!reported, "it was its own wish, and no failure");
}

#[test]
fn after_a_restart_a_serverless_runner_that_stays_away_is_lost_after_the_grace() {
    let mut plane = Plane::new();
    plane.serverless().create("a").runner("r", 1);
    let stream = plane.streams[0];
    plane.live(stream, "r").running("r", "a").restart(500).watch("a").after(2_999);
    assert_eq!(plane.phase("a"), "running", "it may come back");
    plane.after(1);
    let stream = plane.streams[0];
    plane.runner("s", 1).live(stream, "s");
    assert_eq!(plane.phase("a"), "starting");
}

#[test]
fn a_new_runner_takes_the_place_of_one_whose_request_died_with_the_engine() {
    let mut plane = Plane::new();
    plane.serverless().create("a").create("b").runner("r", 1).runner("s", 1);
    let (first, second) = (plane.streams[0], plane.streams[1]);
    plane.live(first, "r").live(second, "s").running("r", "a").running("s", "b").restart(500);
    plane.watch("a").watch("b");
    let (first, second) = (plane.streams[0], plane.streams[1]);
    let waited_for =
        |plane: &Plane| ["a", "b"].into_iter().filter(|actor| plane.phase(actor) == "running").count();
    plane.runner("t", 1).live(first, "t").after(99);
    assert_eq!(waited_for(&plane), 2, "they may still come back");
    plane.after(1);
    assert_eq!(waited_for(&plane), 1, "one came, and takes one place");
    plane.runner("u", 1).live(second, "u").after(100);
    assert_eq!(waited_for(&plane), 0);
    assert_eq!((plane.phase("a"), plane.phase("b")), ("starting", "starting"));
}

#[test]
fn whoever_is_back_before_its_successor_is_waited_for_no_more_hands_its_actors_over() {
    let mut plane = Plane::new();
    plane.serverless().create("a").runner("r", 1);
    let stream = plane.streams[0];
    plane.live(stream, "r").running("r", "a").restart(500);
    let stream = plane.streams[0];
    plane.runner("s", 1).live(stream, "s").after(99).runner("r", 1).after(1);
    assert_eq!(plane.phase("a"), "stopping", "it is asked, and can still write what it knows");
}

/// A serverless runner whose request died with the engine has nobody left who would end it.
#[test]
fn after_a_restart_a_serverless_runner_goes_as_soon_as_it_is_back() {
    let mut plane = Plane::new();
    plane.serverless().create("a").runner("r", 1);
    let stream = plane.streams[0];
    plane.live(stream, "r").running("r", "a").watch("a").restart(500);
    assert_eq!(streams(&plane), (1, 1), "another request is made at boot");
    plane.watch("a").connect("r", 1);
    assert_eq!(plane.draining(), ["r"]);
    assert_eq!(plane.phase("a"), "stopping");
    plane.pong("r");
    assert_eq!(plane.commands(), ["stop a:a00000 g1"]);
    let stream = plane.streams[0];
    plane.runner("s", 1).live(stream, "s").stopped("r", "a", StopCode::Ok);
    assert_eq!(
        (plane.phase("a"), plane.control.view().runners.len()),
        ("starting", 1),
        "the other is dismissed"
    );
}

#[test]
fn after_a_restart_an_idle_serverless_runner_is_dismissed_and_no_double_stays() {
    let mut plane = Plane::new();
    plane.configure(pool(|it| it.min_runners = 1)).runner("r", 1);
    let stream = plane.streams[0];
    plane.live(stream, "r").restart(500).runner("s", 1);
    let stream = plane.streams[0];
    plane.live(stream, "s").connect("r", 1);
    assert_eq!(plane.control.view().runners.len(), 1);
    assert_eq!(streams(&plane), (1, 1));
}

#[test]
fn no_more_actors_than_allowed_are_hosted_at_one_time() {
    let mut plane = Plane::new();
    plane.configure(pool(|it| (it.max_concurrent_actors, it.slots_per_runner) = (2, 4)));
    plane.create("a").create("b").create("c").runner("r", 4);
    assert_eq!(streams(&plane), (1, 1), "nobody is sent for in vain");
    let stream = plane.streams[0];
    plane.live(stream, "r");
    assert_eq!((plane.phase("a"), plane.phase("b"), plane.phase("c")), ("starting", "starting", "pending"));
    plane.running("r", "a").sleeps("r", "a").stopped("r", "a", StopCode::Ok);
    assert_eq!((plane.phase("a"), plane.phase("c")), ("sleeping", "starting"), "who sleeps does not count");
    plane.watch("a");
    assert_eq!(plane.phase("a"), "pending");
    plane.configure(pool(|it| (it.max_concurrent_actors, it.slots_per_runner) = (3, 4)));
    assert_eq!(plane.phase("a"), "starting");
}

#[test]
fn a_stream_that_works_ends_the_backoff_of_others() {
    let mut plane = Plane::new();
    plane.configure(pool(|it| it.min_runners = 2)).runner("r", 1);
    let (good, bad) = (plane.streams[0], plane.streams[1]);
    plane.live(good, "r");
    for delay in [0, 500, 1_000, 2_000] {
        plane.after(delay);
        let bad = plane.streams.last().copied().filter(|it| *it != good).unwrap_or(bad);
        plane.stream_ends(bad, StreamEnd::Clean);
    }
    plane.after(1_999);
    assert_eq!(plane.streams, [good], "the fourth failure is waited for");
    plane.input(Input::StreamPing { stream: good });
    assert_eq!(plane.streams.len(), 2, "it has worked for five seconds");
}

/// Two streams, one runner each with one slot: `r1` of version 1 hosts `a`, `r2` of version 2 hosts `b`.
fn upgraded(max_runners: u32) -> Plane {
    let mut plane = Plane::new();
    plane.configure(pool(|it| it.max_runners = max_runners)).create("a").runner("r1", 1);
    let first = plane.streams[0];
    plane.live(first, "r1").running("r1", "a").create("b");
    let second = plane.streams[1];
    plane.connect_version("r2", 1, 2).pong("r2").live(second, "r2").running("r2", "b");
    plane
}

#[test]
fn an_actor_that_an_older_version_may_not_host_again_gets_a_stream() {
    let mut plane = upgraded(10);
    plane.watch("a").sleeps("r1", "a").stopped("r1", "a", StopCode::Ok);
    assert_eq!(plane.phase("a"), "pending", "upgrades never go back");
    assert_eq!(streams(&plane), (2, 2), "the idle old one goes, a new one is on its way");
    let last = *plane.streams.last().unwrap();
    plane.connect_version("r3", 1, 2).pong("r3").live(last, "r3");
    assert_eq!(plane.phase("a"), "starting");
}

#[test]
fn an_idle_older_version_makes_place_below_the_bound() {
    let mut plane = upgraded(2);
    plane.watch("a").sleeps("r1", "a").stopped("r1", "a", StopCode::Ok);
    assert_eq!(plane.phase("a"), "pending");
    let last = *plane.streams.last().unwrap();
    plane.connect_version("r3", 1, 2).pong("r3").live(last, "r3");
    assert_eq!(plane.phase("a"), "starting");
}

#[test]
fn streams_that_offer_fewer_slots_than_configured_are_not_counted_for_more() {
    let mut plane = Plane::new();
    plane.serverless().create("a").runner("r", 1);
    let first = plane.streams[0];
    plane.live(first, "r").running("r", "a").configure(pool(|it| it.slots_per_runner = 10)).create("b");
    assert_eq!(plane.phase("b"), "pending");
    assert_eq!(streams(&plane), (2, 2), "the first has one slot, whatever is configured now");
}

#[test]
fn a_burst_of_actors_is_no_burst_of_dials() {
    let mut plane = Plane::new();
    plane.configure(pool(|it| it.max_runners = 1_000));
    for actor in 0..100 {
        plane.create(&format!("a{actor}x"));
    }
    assert_eq!(streams(&plane), (100, 64));
    let first = plane.streams[0];
    plane.runner("r", 1).live(first, "r");
    assert_eq!(streams(&plane), (100, 65), "the next follows as one is live");
}
